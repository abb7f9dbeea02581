package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"dangan/archive"
)

// movesPerSecond is how fast data keys and marks are moved after a rotation, beside
// the daily work.
const movesPerSecond = 200

// keepKeys notices what is done to the key ring while this process serves, and
// after a rotation moves to the new version what can be moved.
func (h *house) keepKeys(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return h.bucket.Keys().Watch(ctx) })
	group.Go(func() error { return h.moveKeys(ctx) })
	return group.Wait()
}

func (h *house) moveKeys(ctx context.Context) error {
	keys := h.bucket.Keys()
	for {
		if keys.Due() {
			moved, err := keys.Rewrite(ctx, h.replica, movesPerSecond)
			switch {
			case err == nil:
				h.log.InfoContext(ctx, "keys rewritten", "keys", moved.Keys, "marks", moved.Marks, "damaged", moved.Damaged)
			case ctx.Err() == nil && !errors.Is(err, archive.ErrConflict):
				h.log.WarnContext(ctx, "keys not rewritten", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(5 * time.Second):
		}
	}
}
