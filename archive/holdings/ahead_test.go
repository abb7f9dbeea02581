package holdings_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestTheFirstPageAndThumbnailsAreDrawnAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, room, view := deposited(t, "one", "BAD")
		ctx, stop := context.WithCancel(t.Context())
		go room.DrawAhead(ctx)
		synctest.Wait()
		want := []string{"page-1-1600", "page-1-200", "page-2-200", "reading"}
		var got []string
		for _, key := range slices.Sorted(maps.Keys(w.derived)) {
			if blob := w.records[view.ID][0].Value.Files[0].ID + "/"; len(key) > len(blob) && key[:len(blob)] == blob {
				got = append(got, key[len(blob):])
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		before := w.reads
		if png, err := room.Page(t.Context(), clerk(), forPension, view.ID, 1, 1, 1600); err != nil || string(png) != "page 1 at 1600" || w.reads != before {
			t.Errorf("%s, drawn %d times, %v", png, w.reads-before, err)
		}
		stop()
	})
}

// TestDrawingAheadHoldsNothingUp deposits more than would ever be drawn, with
// nobody who draws.
func TestDrawingAheadHoldsNothingUp(t *testing.T) {
	w, room, view := deposited(t, "one")
	for range 300 {
		clear(w.derived)
		if err := room.Settle(t.Context(), w.started[0]); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.index[view.ID].Version; got != 1 {
		t.Errorf("version %d in the index", got)
	}
}
