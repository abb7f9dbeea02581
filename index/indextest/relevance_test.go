package indextest_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"dangan/index"
	"dangan/index/embedded"
	"dangan/index/indextest"
	"dangan/internal/testenv"
)

// size is how many records the relevance of the engines is measured with; make
// relevance asks for more.
func size(t *testing.T) int {
	t.Helper()
	s := os.Getenv("DANGAN_TEST_RELEVANCE")
	if s == "" {
		return 5000
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1000 {
		t.Fatalf("DANGAN_TEST_RELEVANCE must be a number from 1000 on, not %q", s)
	}
	return n
}

// patience is how long a search may take here: what is found matters, not how fast
// on a busy machine.
const patience = 30 * time.Second

func TestRelevanceOfEngines(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (indextest.Index, error){
		"bleve": func(t *testing.T) (indextest.Index, error) {
			x, err := embedded.New(t.Context(), embedded.Config{Path: filepath.Join(t.TempDir(), "index"), Timeout: patience})
			if err == nil {
				t.Cleanup(func() { _ = x.Close() }) // the folder goes with the test
			}
			return x, err
		},
		"meilisearch": func(t *testing.T) (indextest.Index, error) {
			server := testenv.Meilisearch(t)
			return index.New(t.Context(), index.Config{URL: server.URL, Key: server.MasterKey, Name: "records", Timeout: patience})
		},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			p, err := indextest.NewPopulation(1, size(t))
			if err != nil {
				t.Fatal(err)
			}
			indextest.RelevanceOf(t, x, p)
		})
	}
}
