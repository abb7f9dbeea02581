package embedded_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/blevesearch/bleve/v2"
	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/index/embedded"
	"dangan/index/indextest"
)

func open(t *testing.T, path string) *embedded.Index {
	t.Helper()
	x, err := embedded.New(t.Context(), embedded.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func TestContract(t *testing.T) {
	indextest.Run(t, func(t *testing.T) indextest.Index { return open(t, filepath.Join(t.TempDir(), "index")) })
}

func TestSecondOpenerIsTurnedAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	open(t, path)
	if _, err := embedded.New(t.Context(), embedded.Config{Path: path}); !errors.Is(err, embedded.ErrInUse) {
		t.Errorf("second opener: %v", err)
	}
}

func all() archive.Scope { return archive.Scope{Clauses: []archive.Clause{{}}} }

func TestReopenKeepsDocumentsAndVersions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	x, err := embedded.New(t.Context(), embedded.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	put := func(x *embedded.Index, version int, title string) {
		t.Helper()
		d := archive.Document{Record: archive.Record{ID: "a", Title: title}, Version: version}
		if err := x.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	put(x, 2, "退休审批表")
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = x.Search(t.Context(), archive.Query{Text: "退休", Limit: 1}, all())
	if !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("a closed index answers %v", err)
	}
	x = open(t, path)
	put(x, 1, "入团志愿书")
	hits, err := x.Search(t.Context(), archive.Query{Text: "退休", Limit: 1}, all())
	if err != nil || hits.Total != 1 {
		t.Errorf("%d hits, %v", hits.Total, err)
	}
}

// A document without an id would fail all that are written with it.
func TestDocumentWithoutIDIsRefused(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index"))
	if err := x.Put(t.Context(), paper("a", 1), paper("", 1)); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("put: %v", err)
	}
	if err := x.Put(t.Context(), paper("a", 1)); err != nil {
		t.Errorf("put after it: %v", err)
	}
}

// An index of another format, here one from before there were generations, is
// dropped: it is filled again.
func TestForeignFormatIsDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	old, err := bleve.New(path, bleve.NewIndexMapping())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(old.Index("a", map[string]string{"title": "退休审批表"}), old.Close()); err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	if n, err := x.Count(t.Context()); err != nil || n != 0 {
		t.Errorf("%d documents, %v", n, err)
	}
	if diff := cmp.Diff([]string{"1", "serving"}, generations(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestDamagedIndexIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	x, err := embedded.New(t.Context(), embedded.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "1", "store", "root.bolt"), []byte("no such format"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.New(t.Context(), embedded.Config{Path: path}); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("damaged index: %v", err)
	}
}

func TestRelevance(t *testing.T) {
	indextest.Relevance(t, open(t, filepath.Join(t.TempDir(), "index")))
}
