package api_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/policy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestContract keeps the description of the API from changing unseen: who
// changes it raises contractVersion and runs with -update.
func TestContract(t *testing.T) {
	w := newWorld(t)
	rec := w.do(call{method: "GET", path: "/openapi.json"})
	const golden = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(golden, rec.Body.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), rec.Body.String()); diff != "" {
		t.Error(diff)
	}
}

// TestEveryOperationHasAnAction walks the description: every operation names an
// action that policy knows, and whoever may not do it is turned away.
func TestEveryOperationHasAnAction(t *testing.T) {
	w := newWorld(t)
	var doc struct {
		Paths map[string]map[string]struct {
			Action archive.Action `json:"x-action"`
		}
	}
	if err := json.Unmarshal(w.do(call{method: "GET", path: "/openapi.json"}).Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	operations := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			operations++
			if !policy.Known(op.Action) {
				t.Errorf("%s %s: policy does not know %q", method, path, op.Action)
			}
			path := strings.NewReplacer("{id}", recordID, "{number}", "n", "{n}", "1", "{p}", "1").Replace(path)
			for role := range w.tokens {
				rec := w.do(call{role: role, method: strings.ToUpper(method), path: path})
				if refused := rec.Code == http.StatusForbidden; refused == policy.Permits(role, op.Action) {
					t.Errorf("%s %s as %s: %d", method, path, role, rec.Code)
				}
			}
			rec := w.do(call{method: strings.ToUpper(method), path: path})
			if refused := rec.Code == http.StatusUnauthorized; refused == policy.Permits(archive.RoleAnonymous, op.Action) {
				t.Errorf("%s %s as nobody: %d", method, path, rec.Code)
			}
		}
	}
	if operations < 20 {
		t.Errorf("only %d operations are described", operations)
	}
}
