package work_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"dangan/archive"
	"dangan/archive/work"
)

// store keeps jobs and one lease in memory.
type store struct {
	mu    sync.Mutex
	jobs  map[string]archive.Job
	lease archive.Lease
	err   error // of PutJob
}

func newStore() *store { return &store{jobs: map[string]archive.Job{}} }

func (s *store) PlanJob(ctx context.Context, job archive.Job) error { return s.PutJob(ctx, job) }

func (s *store) PutJob(_ context.Context, job archive.Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.jobs[job.Nonce] = job
	return nil
}

func (s *store) RemoveJob(_ context.Context, job archive.Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.jobs, job.Nonce)
	return nil
}

func (s *store) all() []archive.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []archive.Job
	for _, j := range s.jobs {
		list = append(list, j)
	}
	slices.SortFunc(list, func(a, b archive.Job) int { return a.At.Compare(b.At) })
	return list
}

func (s *store) Jobs(context.Context) iter.Seq2[archive.Job, error] {
	return func(yield func(archive.Job, error) bool) {
		for _, j := range s.all() {
			if !yield(j, nil) {
				return
			}
		}
	}
}

func (s *store) Acquire(_ context.Context, name, holder string, ttl time.Duration) (archive.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.lease.Holder != holder && now.Before(s.lease.Expires) {
		return archive.Lease{}, archive.ErrConflict
	}
	if s.lease.Holder != holder {
		s.lease.Fence++
	}
	s.lease.Name, s.lease.Holder, s.lease.Expires = name, holder, now.Add(ttl)
	return s.lease, nil
}

func (s *store) Release(_ context.Context, l archive.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease.Fence == l.Fence {
		s.lease.Expires = time.Time{}
	}
	return nil
}

// rig is a queue with one handler, for kind "k", inside a synctest bubble.
type rig struct {
	*work.Queue
	store *store
	log   *bytes.Buffer
	stop  context.CancelFunc
	done  chan struct{}
}

func start(t *testing.T, s *store, c work.Config, handler func(context.Context, archive.Job) error) *rig {
	t.Helper()
	var ids int
	r := &rig{store: s, log: &bytes.Buffer{}, done: make(chan struct{})}
	c.Store, c.Leases = s, s
	c.Handlers = map[string]func(context.Context, archive.Job) error{"k": handler}
	c.Now = time.Now
	c.NewID = func() string { ids++; return fmt.Sprintf("%s%d", c.Holder, ids) }
	c.Log = slog.New(slog.NewTextHandler(r.log, nil))
	r.Queue = work.New(c)
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	go func() {
		defer close(r.done)
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-r.done })
	return r
}

func (r *rig) plan(t *testing.T, id string) archive.Job {
	t.Helper()
	job, err := r.Plan(t.Context(), archive.Job{Kind: "k", Ref: archive.Ref{Kind: archive.KindRecord, ID: id}})
	if err != nil {
		t.Fatal(err)
	}
	return job
}
