package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"dangan/archive"
)

// keepFilled looks every few seconds whether the index still holds what it was
// filled with. One that was wiped, or is new, is filled again from the chains by
// whichever replica holds the lease; the others go on serving.
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
	const lease, term = "refill", 30 * time.Second
	filled, err := h.index.Filled(ctx)
	if err != nil || filled {
		return err
	}
	held, err := h.bucket.Work().Acquire(ctx, lease, h.replica, term)
	if err != nil {
		return err
	}
	defer func() { _ = h.bucket.Work().Release(context.WithoutCancel(ctx), held) }() // it expires anyway
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(32) // the index takes what waits at once in one batch
	n := 0
	for id, err := range h.records.IDs(ctx) {
		if err != nil {
			return err
		}
		if time.Until(held.Expires) < term/2 {
			if held, err = h.bucket.Work().Acquire(ctx, lease, h.replica, term); err != nil {
				return err
			}
		}
		group.Go(func() error {
			job := archive.Job{Kind: archive.JobRecord, Ref: archive.Ref{Kind: archive.KindRecord, ID: id}, At: time.Now()}
			if err := h.holdings.Settle(gctx, job); !errors.Is(err, archive.ErrEarly) {
				return err
			}
			return nil
		})
		n++
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := h.index.MarkFilled(ctx); err != nil {
		return err
	}
	h.log.InfoContext(ctx, "index filled", "records", n)
	return nil
}
