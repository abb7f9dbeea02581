// Package work carries out what must follow a commit: it keeps jobs in the
// store from before the commit until their effect has happened, and runs them
// until they succeed or a person has to look.
//
// It owns attempts, back-off, the sweep and its lease. It must not know what any
// job does: handlers are given to it by kind. A job may run more than once, on
// this replica or another, so handlers are idempotent.
package work

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"dangan/archive"
)

// Config is what a queue works with. A zero count or duration gets its default.
type Config struct {
	Store  Store
	Leases Leases

	// Handlers do what jobs are for, by Job.Kind. nil means done.
	// archive.ErrEarly means that the commit has not happened yet: the job stays
	// as it is. After archive.ErrUnavailable the job is tried again for as long
	// as it takes; any other error counts as an attempt.
	Handlers map[string]func(ctx context.Context, job archive.Job) error

	Workers  int           // jobs that run at once
	Eager    int           // of the workers: they go on while callers plan; the others let those go first
	Backlog  int           // started jobs that wait in memory; more wait for the sweep
	Attempts int           // failures after which a job is dead
	Backoff  time.Duration // wait after the first failure; doubles up to MaxWait
	MaxWait  time.Duration
	Interval time.Duration // between sweeps
	Grace    time.Duration // for which the sweep leaves a new job to the process that planned it
	LeaseTTL time.Duration // for which a replica that died keeps others from sweeping
	Timeout  time.Duration // of one run of a handler
	Drain    time.Duration // that a running handler is given when the queue stops
	Holder   string        // this replica's name in the lease; the same name takes its lease up again
	Now      func() time.Time
	NewID    func() string
	Jitter   func() float64 // from 0 to 1
	Log      *slog.Logger
}

func (c Config) withDefaults() Config {
	count := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	wait := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	count(&c.Workers, 64)
	count(&c.Eager, 1)
	count(&c.Backlog, 8192)
	count(&c.Attempts, 12)
	wait(&c.Backoff, time.Second)
	wait(&c.MaxWait, 10*time.Minute)
	wait(&c.Interval, 5*time.Second)
	wait(&c.Grace, 30*time.Second)
	wait(&c.LeaseTTL, 30*time.Second)
	wait(&c.Timeout, 15*time.Minute)
	wait(&c.Drain, 10*time.Second)
	if c.Holder == "" {
		c.Holder = c.NewID()
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	return c
}

// Queue plans and runs jobs. Its methods may be called concurrently.
type Queue struct {
	c     Config
	ready chan archive.Job

	planned atomic.Int64 // when somebody last planned, Unix nanoseconds

	mu    sync.Mutex
	taken map[string]bool // jobs of this process that wait in ready or run
}

// New makes a queue; zero settings get their defaults. Jobs may be planned and
// started at once and run when Run does.
func New(c Config) *Queue {
	c = c.withDefaults()
	return &Queue{c: c, ready: make(chan archive.Job, c.Backlog), taken: map[string]bool{}}
}

// Plan writes a job down, durably, with a nonce and the time. It comes before
// the commit; when it fails, nothing may be committed.
func (q *Queue) Plan(ctx context.Context, job archive.Job) (archive.Job, error) {
	if q.c.Handlers[job.Kind] == nil {
		return job, fmt.Errorf("plan job: no handler for kind %q", job.Kind)
	}
	job.Nonce, job.At = q.c.NewID(), q.c.Now()
	q.planned.Store(job.At.UnixNano())
	if err := q.c.Store.PlanJob(ctx, job); err != nil {
		return job, fmt.Errorf("plan job: %w", err)
	}
	return job, nil
}

// Start hands a planned job to the workers of this process. It does not wait:
// when they are too far behind, the sweep will find the job.
func (q *Queue) Start(job archive.Job) {
	if q.take(job) && !q.offer(job) {
		q.give(job)
	}
}

// Drop removes a job whose commit surely did not happen.
func (q *Queue) Drop(ctx context.Context, job archive.Job) error {
	if err := q.c.Store.RemoveJob(ctx, job); err != nil {
		return fmt.Errorf("drop job: %w", err)
	}
	return nil
}

func name(job archive.Job) string { return job.Kind + "/" + job.Ref.String() + "/" + job.Nonce }

// take reports whether the caller is now the only one of this process to have
// the job.
func (q *Queue) take(job archive.Job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken[name(job)] {
		return false
	}
	q.taken[name(job)] = true
	return true
}

func (q *Queue) give(job archive.Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.taken, name(job))
}
