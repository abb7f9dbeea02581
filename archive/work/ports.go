package work

import (
	"context"
	"iter"
	"time"

	"dangan/archive"
)

// Store keeps jobs.
type Store interface {
	// PlanJob makes a new job durable before it returns. Callers who come at the
	// same time may share a write.
	PlanJob(ctx context.Context, job archive.Job) error
	// PutJob writes a job anew after a failure; it is durable on return.
	PutJob(ctx context.Context, job archive.Job) error
	RemoveJob(ctx context.Context, job archive.Job) error
	// Jobs lists every job, the oldest chains first.
	Jobs(ctx context.Context) iter.Seq2[archive.Job, error]
}

// Leases say which replica sweeps.
type Leases interface {
	// Acquire takes or prolongs a lease until now+ttl. While somebody else holds
	// it, the error is archive.ErrConflict.
	Acquire(ctx context.Context, name, holder string, ttl time.Duration) (archive.Lease, error)
	// Release gives a held lease up early.
	Release(ctx context.Context, l archive.Lease) error
}
