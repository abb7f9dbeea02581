package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"dangan/archive"
)

// underLease does something that one process at a time may do; while another does it,
// the error is archive.ErrConflict. When the lease is lost, ctx of do ends.
func (h *house) underLease(ctx context.Context, name, holder string, do func(ctx context.Context) error) error {
	const term = 30 * time.Second
	work := h.bucket.Work()
	held, err := work.Acquire(ctx, name, holder, term)
	if errors.Is(err, archive.ErrConflict) {
		err = fmt.Errorf("another process is at it: %w", err)
	}
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	ctx, done := context.WithCancel(ctx)
	group.Go(func() error {
		defer done()
		return do(ctx)
	})
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(term / 3):
			}
			if _, err := work.Acquire(ctx, name, holder, term); err != nil && ctx.Err() == nil {
				done()
				return err
			}
		}
	})
	err = group.Wait()
	return errors.Join(err, work.Release(context.WithoutCancel(ctx), held))
}
