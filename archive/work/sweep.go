package work

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"dangan/archive"
)

// sweepLease makes one replica sweep at a time. Two would do no harm but
// the same work.
const sweepLease = "sweep"

func (q *Queue) sweepUntil(ctx context.Context) {
	var held archive.Lease
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			q.release(ctx, held)
			return
		case <-next.C:
		}
		switch lease, err := q.sweep(ctx); {
		case err == nil:
			held = lease
		case errors.Is(err, archive.ErrConflict): // another replica sweeps
			held = archive.Lease{}
		case ctx.Err() == nil:
			q.c.Log.WarnContext(ctx, "sweep not finished", slog.Any("error", err))
		}
		next.Reset(q.c.Interval)
	}
}

// sweep hands every job that is due to the workers, and waits for them when
// they are busy. It keeps the lease while it does.
func (q *Queue) sweep(ctx context.Context) (archive.Lease, error) {
	lease, err := q.acquire(ctx)
	if err != nil {
		return lease, err
	}
	for job, err := range q.c.Store.Jobs(ctx) {
		if err != nil {
			return lease, err
		}
		if !q.due(job) || !q.take(job) {
			continue
		}
		if lease, err = q.hand(ctx, lease, job); err != nil {
			q.give(job)
			return lease, err
		}
	}
	return lease, nil
}

// due reports whether the sweep should run a job: a failed one when its wait is
// over, a new one when whoever planned it has had time to run it.
func (q *Queue) due(job archive.Job) bool {
	now := q.c.Now()
	switch {
	case job.Dead:
		return false
	case job.Next.IsZero():
		return now.Sub(job.At) >= q.c.Grace
	}
	return !now.Before(job.Next)
}

func (q *Queue) hand(ctx context.Context, lease archive.Lease, job archive.Job) (archive.Lease, error) {
	renew := time.NewTicker(q.c.LeaseTTL / 3)
	defer renew.Stop()
	for {
		if lease.Expires.Sub(q.c.Now()) < q.c.LeaseTTL/2 {
			fresh, err := q.acquire(ctx)
			if err != nil {
				return lease, err
			}
			lease = fresh
		}
		select {
		case q.ready <- job:
			return lease, nil
		case <-ctx.Done():
			return lease, ctx.Err()
		case <-renew.C:
		}
	}
}

func (q *Queue) acquire(ctx context.Context) (archive.Lease, error) {
	return q.c.Leases.Acquire(ctx, sweepLease, q.c.Holder, q.c.LeaseTTL)
}

func (q *Queue) release(ctx context.Context, l archive.Lease) {
	if l.Name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.c.Drain)
	defer cancel()
	if err := q.c.Leases.Release(ctx, l); err != nil {
		q.c.Log.WarnContext(ctx, "sweep lease not given up", slog.Any("error", err))
	}
}
