package auth

import (
	"context"
	"encoding/json"
	"errors"

	"dangan/archive"
)

// tries is how often a state is changed again that others were faster to change.
const tries = 20

// readState reads a state into v, which stays as it is while there is none.
func readState[T any](ctx context.Context, s States, name string, v *T) (tag string, err error) {
	raw, tag, err := s.State(ctx, name)
	if err == nil && raw != nil && json.Unmarshal(raw, v) != nil {
		err = archive.ErrCorrupt
	}
	return tag, err
}

// changeState applies edit to a state, again when somebody else was faster. An error
// of edit ends it with nothing changed.
func changeState[T any](ctx context.Context, s States, name string, edit func(*T) error) error {
	for range tries {
		var v T
		tag, err := readState(ctx, s, name, &v)
		if err != nil {
			return err
		}
		if err := edit(&v); err != nil {
			return err
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if err = s.SetState(ctx, name, raw, tag); !errors.Is(err, archive.ErrConflict) {
			return err
		}
	}
	return archive.ErrConflict
}
