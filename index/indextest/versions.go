package indextest

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Listed is an index that tells what it holds, for whoever compares it with the
// records.
type Listed interface {
	Index
	Versions(ctx context.Context, ids ...string) (map[string]int, error)
	IDs(ctx context.Context) iter.Seq2[string, error]
}

// RunListed tests, on an empty index, that it tells all that it holds and no more.
func RunListed(t *testing.T, x Listed) {
	compare := func(want map[string]int) {
		t.Helper()
		have, err := x.Versions(t.Context(), "a", "b", "c", "never")
		if diff := cmp.Diff(want, have); diff != "" || err != nil {
			t.Error(diff, err)
		}
		var ids, all []string
		for id, err := range x.IDs(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		for id := range want {
			all = append(all, id)
		}
		slices.Sort(ids)
		slices.Sort(all)
		if diff := cmp.Diff(all, ids); diff != "" {
			t.Error(diff)
		}
	}
	compare(map[string]int{})
	put(t, x, doc("a", 2, "退休审批表", "刘静佩"), doc("b", 1, "退休审批表", "王伟"), doc("c", 7, "退休审批表", "王伟"))
	put(t, x, doc("a", 1, "退休审批表", "刘静佩"), doc("b", 3, "退休审批表", "王伟"))
	compare(map[string]int{"a": 2, "b": 3, "c": 7})
	if err := x.Delete(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	compare(map[string]int{"a": 2, "b": 3})
}
