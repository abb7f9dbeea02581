package main_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestBench measures for an instant, to hold every subcommand to working at all, on
// embedded parts, on configured servers, and on an embedded store beside Meilisearch.
func TestBench(t *testing.T) {
	rooms := map[string]int{"deposit": 2, "search": 3, "look-up": 3, "draw": 1, "approve": 1, "verify": 2}
	t.Run("embedded", func(t *testing.T) { tryBench(t, environment(), "all", rooms, 0) })
	s := externalSite(t)
	t.Run("servers", func(t *testing.T) {
		all := maps.Clone(rooms)
		all["search"], all["index adapter"], all["reindex"] = 6, 3, 1 // beside Meilisearch, without its trace as well
		tryBench(t, s.env, "all", all, 5)
	})
	t.Run("start", func(t *testing.T) {
		mixed := slices.DeleteFunc(slices.Clone(s.env), func(kv string) bool { return strings.HasPrefix(kv, "DANGAN_S3_") })
		tryBench(t, mixed, "start", nil, 3)
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

func tryBench(t *testing.T, env []string, what string, want map[string]int, facts int) {
	bench := exec.CommandContext(t.Context(), binary, "bench", what, "--json", "--seconds", "0.1", "--clients", "2", "--sizes", "1KB", "--records", "100")
	bench.Env, bench.Stderr = env, t.Output()
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
