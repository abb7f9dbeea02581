package main

import (
	"context"
	"errors"
	"time"

	"dangan/archive"
)

// keepFilled looks every few seconds whether the index still holds what it was filled
// with. One that was wiped, is new, or was restored from an older copy is rebuilt from
// the chains by whichever replica gets to it; so is one whose rebuild was begun and
// not finished. The others go on serving.
func (h *house) keepFilled(ctx context.Context) error {
	for {
		if err := h.refill(ctx); err != nil && ctx.Err() == nil &&
			!errors.Is(err, archive.ErrUnavailable) && !errors.Is(err, archive.ErrConflict) {
			h.log.ErrorContext(ctx, "filling the index", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(3 * time.Second):
		}
	}
}

func (h *house) refill(ctx context.Context) error {
	whole, err := h.indexWhole(ctx)
	if err != nil || whole {
		return err
	}
	r := reindexing{house: h, holder: h.replica}
	n, err := r.run(ctx)
	if err == nil {
		h.log.InfoContext(ctx, "index filled", "records", n)
	}
	return err
}

// witness is an index on a server, which may be set back to an earlier state while
// the records are not.
type witness interface {
	Vouch(ctx context.Context, kept []byte) (fresh []byte, intact bool, err error)
}

// indexWhole reports whether the index holds all that it was given.
func (h *house) indexWhole(ctx context.Context) (bool, error) {
	filled, err := h.index.Filled(ctx)
	if err != nil || !filled {
		return false, err
	}
	packs := h.bucket.Packs()
	if _, err := packs.Get(ctx, packReindex); !errors.Is(err, archive.ErrNotFound) {
		return false, err // begun, and not finished
	}
	x, ok := h.index.(witness)
	if !ok {
		return true, nil
	}
	kept, err := packs.Get(ctx, packWitness)
	if err != nil && !errors.Is(err, archive.ErrNotFound) {
		return false, err
	}
	fresh, intact, err := x.Vouch(ctx, kept)
	if err == nil && intact && string(fresh) != string(kept) {
		err = packs.Put(ctx, packWitness, fresh)
	}
	return intact, err
}

// renewWitness forgets what an index that was rebuilt need not remember.
func (h *house) renewWitness(ctx context.Context) error {
	x, ok := h.index.(witness)
	if !ok {
		return nil
	}
	fresh, _, err := x.Vouch(ctx, nil)
	if err == nil {
		err = h.bucket.Packs().Put(ctx, packWitness, fresh)
	}
	return err
}
