package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/index/plan"
	"dangan/internal/testenv"
)

func begin(t *testing.T, x interface {
	Rebuild(context.Context) (plan.Rebuild, error)
}) plan.Rebuild {
	t.Helper()
	r, err := x.Rebuild(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// Searches go on through rebuilds and swaps, and none fails or loses a hit.
func TestNoSearchNoticesASwap(t *testing.T) {
	x := connect(t, testenv.Meilisearch(t), "records")
	must(t, x.Put(t.Context(), document("a", 1), document("b", 1)))
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				hits, err := x.Search(t.Context(), archive.Query{Text: "刘静佩", Limit: 10}, everything())
				if err != nil || hits.Total < 2 {
					t.Errorf("%d hits, %v", hits.Total, err)
				}
			}
		})
	}
	all.Go(func() { // what is put meanwhile is not lost, wherever the swap falls
		for n := 0; ctx.Err() == nil; n++ {
			put := x.Put(t.Context(), document("live", n+1))
			hits, err := x.Search(t.Context(), archive.Query{Text: "刘静佩", Limit: 10}, everything())
			if put != nil || err != nil || hits.Total != 3 {
				t.Errorf("%d hits after the put of a third, %v, %v", hits.Total, put, err)
			}
			for _, h := range hits.Hits {
				if h.ID == "live" && h.Version != n+1 {
					t.Errorf("version %d, put %d", h.Version, n+1)
				}
			}
		}
	})
	for range 4 {
		r := begin(t, x)
		must(t, r.Load(t.Context(), document("a", 1), document("b", 1)), r.Swap(t.Context()))
	}
	stop()
	all.Wait()
	if filled, err := x.Filled(t.Context()); err != nil || !filled {
		t.Errorf("filled: %v, %v", filled, err)
	}
}

// What is put or deleted while documents are loaded wins over what is loaded after it
// or before it, here and in the index that serves.
func TestPutsGoToBoth(t *testing.T) {
	server := testenv.Meilisearch(t)
	x, other := connect(t, server, "records"), connect(t, server, "records")
	must(t, x.Put(t.Context(), document("a", 1), document("gone", 1)))
	r := begin(t, x)
	must(t, x.Put(t.Context(), document("a", 3), document("new", 1)), x.Delete(t.Context(), "gone"), other.Put(t.Context(), document("b", 2)))
	must(t, r.Load(t.Context(), document("a", 2), document("gone", 1), document("c", 1)))
	must(t, other.Put(t.Context(), document("c", 2)), other.Delete(t.Context(), "never"))
	want := map[string]int{"a": 3, "new": 1, "b": 2, "c": 2}
	have, err := r.(interface {
		Versions(context.Context, ...string) (map[string]int, error)
	}).Versions(t.Context(), "a", "new", "b", "c", "gone", "never")
	if diff := cmp.Diff(want, have); diff != "" || err != nil {
		t.Errorf("fresh index: %s, %v", diff, err)
	}
	if n, err := r.Count(t.Context()); err != nil || n != 4 {
		t.Errorf("%d documents in the fresh index, %v", n, err)
	}
	must(t, r.Swap(t.Context()))
	if diff := cmp.Diff(want, versions(find(t, other, archive.Query{Text: "刘静佩", Limit: 10}))); diff != "" {
		t.Errorf("after the swap: %s", diff)
	}
	expectIndexes(t, server, "records", "records-state")
	must(t, r.Abandon(t.Context())) // which does nothing now
	expectIndexes(t, server, "records", "records-state")
}

func versions(hits archive.Hits) map[string]int {
	all := map[string]int{}
	for _, h := range hits.Hits {
		all[h.ID] = h.Version
	}
	return all
}

func expectIndexes(t *testing.T, server *testenv.MeilisearchServer, want ...string) {
	t.Helper()
	var answer struct{ Results []struct{ UID string } }
	call(t, http.DefaultClient, server, http.MethodGet, "/indexes?limit=100", nil, &answer)
	var have []string
	for _, x := range answer.Results {
		have = append(have, x.UID)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("indexes: %s", diff)
	}
}

// Another process goes on with what one had begun; what was begun and dropped by
// somebody is not taken for it.
func TestRebuildOutlivesItsProcess(t *testing.T) {
	server := testenv.Meilisearch(t)
	first, second := connect(t, server, "records"), connect(t, server, "records")
	generation := func(r plan.Rebuild) string { return r.(interface{ Generation() string }).Generation() }
	r := begin(t, first)
	must(t, r.Load(t.Context(), document("a", 1)))
	again := begin(t, second)
	if n, err := again.Count(t.Context()); err != nil || n != 1 || generation(again) != generation(r) {
		t.Errorf("%d documents, %v; %s, then %s", n, err, generation(r), generation(again))
	}
	act(t, server, http.MethodDelete, "/indexes/records-next", nil)
	must(t, r.Load(t.Context(), document("b", 1))) // makes one without settings
	if err := again.Swap(t.Context()); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("swap of an index that somebody else has made: %v", err)
	}
	fresh := begin(t, second)
	if n, err := fresh.Count(t.Context()); err != nil || n != 0 || generation(fresh) == generation(r) {
		t.Errorf("begun anew with %d documents, %v", n, err)
	}
	must(t, fresh.Abandon(t.Context()), second.Put(t.Context(), document("c", 1)))
	expectIndexes(t, server, "records", "records-state")
}

// Whoever swaps and dies leaves the old index behind. It goes when somebody looks.
func TestSwapCutShort(t *testing.T) {
	server := testenv.Meilisearch(t)
	p := newProxy(t, server)
	x := p.connect(t)
	must(t, x.Put(t.Context(), document("old", 1)), x.MarkFilled(t.Context()))
	r := begin(t, x)
	must(t, r.Load(t.Context(), document("a", 1)))
	p.refuse(func(r *http.Request) bool { return r.Method == http.MethodDelete })
	if err := r.Swap(t.Context()); err == nil {
		t.Error("swap says that all was well")
	}
	p.refuse(nil)
	expectIndexes(t, server, "records", "records-next", "records-state")
	if filled, err := x.Filled(t.Context()); err != nil || !filled {
		t.Errorf("filled: %v, %v", filled, err)
	}
	expectIndexes(t, server, "records", "records-state")
	if hits := find(t, x, archive.Query{Text: "刘静佩", Limit: 10}); hits.Total != 1 || hits.Hits[0].ID != "a" {
		t.Errorf("%+v", hits.Hits)
	}
}

// What was deleted, or put again without its text, is in no file of the server after
// a rebuild; before it, it is, in pages that are free.
func TestRebuildLeavesNothingOfWhatWasTakenOut(t *testing.T) {
	server := testenv.Meilisearch(t)
	x := connect(t, server, "records")
	canaries := []string{"kanarienvogel", "金丝雀飞过", "serinuscanaria"}
	disposed, withdrawn, described := document("disposed", 1), document("withdrawn", 1), document("described", 1)
	disposed.Record.Persons[0].Aliases = []string{canaries[1]}
	disposed.Text, withdrawn.Text, described.Record.Title = canaries[0], canaries[2], canaries[2]
	others := func() (docs []archive.Document) {
		for i := range 2000 {
			docs = append(docs, document(fmt.Sprintf("r%04d", i), 1))
		}
		return docs
	}
	must(t, x.Put(t.Context(), append(others(), disposed, withdrawn, described)...), x.MarkFilled(t.Context()))
	must(t, x.Delete(t.Context(), "disposed"), x.Put(t.Context(), document("withdrawn", 1), document("described", 2)))
	for _, canary := range canaries {
		if files := grep(t, server.Data, canary); len(files) == 0 {
			t.Errorf("%s is in no file before: this test sees nothing", canary)
		}
		if hits := find(t, x, archive.Query{Text: canary, Limit: 10}); hits.Total != 0 {
			t.Errorf("%s is found", canary)
		}
	}
	r := begin(t, x)
	must(t, r.Load(t.Context(), append(others(), document("withdrawn", 1), document("described", 2))...), r.Swap(t.Context()))
	for _, canary := range canaries {
		if files := grep(t, filepath.Dir(server.Data), canary); len(files) != 0 {
			t.Errorf("%s is in %v", canary, files)
		}
	}
}

// grep lists the files below a folder that have the word in them, in UTF-8 or UTF-16.
func grep(t *testing.T, dir, word string) []string {
	t.Helper()
	forms := [][]byte{[]byte(word), nil, nil}
	for _, unit := range utf16.Encode([]rune(word)) {
		forms[1] = append(forms[1], byte(unit), byte(unit>>8))
		forms[2] = append(forms[2], byte(unit>>8), byte(unit))
	}
	var found []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, form := range forms {
			if bytes.Contains(raw, form) {
				found = append(found, path)
				break
			}
		}
		return err
	}))
	return found
}
