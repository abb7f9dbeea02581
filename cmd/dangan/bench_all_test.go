package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dangan/internal/testenv"
)

// TestBench measures for an instant, to hold every subcommand to working at all:
// on embedded parts, and with Meilisearch for the index.
func TestBench(t *testing.T) {
	server := testenv.Meilisearch(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(server.MasterKey), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("embedded", func(t *testing.T) {
		tryBench(t, nil, map[string]int{"deposit": 2, "look-up": 2, "search": 3, "verify": 2, "draw": 1, "approve": 1}, 0)
	})
	t.Run("meilisearch", func(t *testing.T) {
		tryBench(t, []string{"--meili-url", server.URL, "--meili-key-file", key},
			map[string]int{"deposit": 2, "look-up": 2, "search": 3, "index adapter": 3, "verify": 2, "draw": 1, "approve": 1, "reindex": 1}, 5)
	})
}

type row struct {
	What        string
	Raw, Dangan struct{ Count int }
	Ratio       float64
}

// report is the part of bench's JSON that is looked at.
type report struct {
	Rows  []row
	Facts []struct {
		What  string
		Value float64
	}
}

func tryBench(t *testing.T, flags []string, want map[string]int, facts int) {
	args := append([]string{"bench", "all", "--json", "--seconds", "0.3", "--clients", "2", "--sizes", "1KB", "--records", "100"}, flags...)
	bench := exec.CommandContext(t.Context(), binary, args...)
	bench.Env, bench.Stderr = environment(), t.Output()
	out, err := bench.Output()
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for what, n := range want {
		rows := slices.Clone(r.Rows)
		rows = slices.DeleteFunc(rows, func(r row) bool { return !strings.HasPrefix(r.What, what) })
		if len(rows) != n {
			t.Errorf("%d rows of %q, want %d", len(rows), what, n)
		}
	}
	for _, r := range r.Rows {
		if r.Raw.Count == 0 || r.Dangan.Count == 0 || r.Ratio <= 0 {
			t.Errorf("%s measured nothing", r.What)
		}
	}
	if len(r.Facts) != facts {
		t.Errorf("%d facts, want %d", len(r.Facts), facts)
	}
	for _, f := range r.Facts {
		if f.Value <= 0 {
			t.Errorf("%s is %v", f.What, f.Value)
		}
	}
}
