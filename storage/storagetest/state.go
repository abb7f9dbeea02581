package storagetest

import (
	"fmt"
	"strconv"
	"testing"

	"dangan/archive"
	"dangan/storage"
)

// testStates: a state is replaced only by who has read it, and its name is not seen.
func testStates(t *testing.T, objects storage.Objects) {
	ctx, states := t.Context(), bucket(t, objects).States()
	value, tag, err := states.State(ctx, "account/canary")
	if err != nil || value != nil || tag != "" {
		t.Fatalf("a state that nobody set: %s %q %v", value, tag, err)
	}
	wantOneWinner(t, race(writers, func(i int) error {
		return states.SetState(ctx, "account/canary", fmt.Appendf(nil, "%d", i), "")
	}), archive.ErrConflict)
	_, tag, err = states.State(ctx, "account/canary")
	must(t, err)
	winner := wantOneWinner(t, race(writers, func(i int) error {
		return states.SetState(ctx, "account/canary", fmt.Appendf(nil, "%d", 100+i), tag)
	}), archive.ErrConflict)
	value, _, err = states.State(ctx, "account/canary")
	must(t, err)
	if string(value) != strconv.Itoa(100+winner) {
		t.Errorf("%s after %d won", value, winner)
	}
	if other, _, err := states.State(ctx, "account/other"); err != nil || other != nil {
		t.Errorf("another state: %s %v", other, err)
	}
	Grep(t, objects, "canary")
	key := Keys(t, objects, "lease/state/")[0]
	tamper(t, objects, key, []byte("{}"))
	_, _, err = states.State(ctx, "account/canary")
	wantError(t, "a damaged state", err, archive.ErrCorrupt)
}
