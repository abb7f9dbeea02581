package main

import (
	"context"
	"errors"
	"time"

	"dangan/archive"
	"dangan/storage"
)

// When garbage is collected, and how much of the store's time that may take.
const (
	collectFirst = 10 * time.Minute // after a start
	collectAgain = 24 * time.Hour
	collectRate  = 2 << 20 // bytes of chains read per second
)

// keepCollected removes, once a day, what uploads left that were broken off. Of all
// replicas one does it.
func (h *house) keepCollected(ctx context.Context) error {
	for wait := collectFirst; ; wait = collectAgain {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if err := h.collect(ctx, storage.CollectConfig{Rate: collectRate}); err != nil && ctx.Err() == nil {
			h.log.WarnContext(ctx, "garbage not collected", "error", err)
		}
	}
}

// collect collects once, unless another replica does.
func (h *house) collect(ctx context.Context, c storage.CollectConfig) error {
	err := h.underLease(ctx, "collect", h.replica, func(ctx context.Context) error {
		done, err := storage.Collect(ctx, h.bucket, c)
		if done != (storage.Collected{}) {
			h.log.InfoContext(ctx, "garbage collected", "blobs", done.Blobs, "bytes", done.Bytes, "uploads", done.Uploads)
		}
		return err
	})
	if errors.Is(err, archive.ErrConflict) {
		return nil
	}
	return err
}
