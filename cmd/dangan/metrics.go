package main

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"dangan/archive"
	"dangan/index"
	"dangan/storage"
)

// metrics is what operators watch of one process, beside what package api counts
// of HTTP. It looks on from between the rooms and the adapters, so that neither
// knows of it. A label is a kind, a state or a class of errors: never anything
// that grows with the archive, let alone names somebody.
type metrics struct {
	registry  *prometheus.Registry
	committed *prometheus.CounterVec   // by kind and state
	jobs      *prometheus.HistogramVec // by kind and result; seconds
	running   *prometheus.GaugeVec     // by kind
	store     *prometheus.CounterVec   // by operation and result
	backlog   *backlog
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		committed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "dangan_committed_total",
			Help: "Entries that this process committed: records deposited and described, steps of requests and certificates."}, []string{"kind", "state"}),
		jobs: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "dangan_job_seconds",
			Help: "How long jobs ran here, by how they ended.", Buckets: prometheus.ExponentialBuckets(0.01, 3, 11)}, []string{"kind", "result"}),
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "dangan_jobs_running", Help: "Jobs that run here."}, []string{"kind"}),
		store: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "dangan_store_operations_total",
			Help: "Operations on the object store, by how they ended."}, []string{"op", "result"}),
		backlog: newBacklog(),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "dangan_build_info", Help: "What this process is."}, []string{"version", "go"})
	build.WithLabelValues(version(), runtime.Version()).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.committed, m.jobs, m.running, m.store, m.backlog, build)
	return m
}

// tasked is an index that works in tasks; the embedded one does not.
type tasked interface{ Stats() index.Stats }

var _ tasked = (*index.Index)(nil)

// index tells what the index says of itself, if it does.
func (m *metrics) index(x searchIndex) {
	server, ok := x.(tasked)
	if !ok {
		return
	}
	tasks := func(result string, count func(index.Stats) int) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "dangan_index_tasks_total", ConstLabels: prometheus.Labels{"result": result},
			Help: "Tasks that this process gave to the index, by how they ended."}, func() float64 { return float64(count(server.Stats())) })
	}
	m.registry.MustRegister(
		tasks("ok", func(s index.Stats) int { return s.Succeeded }), tasks("failed", func(s index.Stats) int { return s.Failed }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dangan_index_documents_waiting",
			Help: "Documents of this process that are not searchable yet."}, func() float64 { return float64(server.Stats().Waiting) }),
	)
}

// handlers are the handlers of jobs, watched.
func (m *metrics) handlers(all map[string]func(context.Context, archive.Job) error) map[string]func(context.Context, archive.Job) error {
	watched := make(map[string]func(context.Context, archive.Job) error, len(all))
	for kind, handle := range all {
		running := m.running.WithLabelValues(kind)
		watched[kind] = func(ctx context.Context, job archive.Job) error {
			began, result := time.Now(), "panic"
			running.Inc()
			defer func() {
				running.Dec()
				m.jobs.WithLabelValues(kind, result).Observe(time.Since(began).Seconds())
			}()
			err := handle(ctx, job)
			result = resultOf(err)
			return err
		}
	}
	return watched
}

// resultOf is the class of an error: one of few words.
func resultOf(err error) string {
	for _, class := range []struct {
		err  error
		name string
	}{
		{nil, "ok"}, {archive.ErrEarly, "early"}, {archive.ErrCorrupt, "damaged"}, {archive.ErrUnavailable, "unavailable"},
		{archive.ErrNotFound, "not_found"}, {archive.ErrExists, "exists"}, {archive.ErrConflict, "conflict"},
		{context.Canceled, "canceled"}, {context.DeadlineExceeded, "timeout"},
	} {
		if errors.Is(err, class.err) {
			return class.name
		}
	}
	return "failed"
}

// watchedChain counts what is committed to a chain, by what state says of it.
type watchedChain[T any] struct {
	*storage.Chain[T]
	kind      archive.Kind
	committed *prometheus.CounterVec
	state     func(n int, value T) string
}

// Append counts what it has committed.
func (c watchedChain[T]) Append(ctx context.Context, id string, n int, value T) error {
	err := c.Chain.Append(ctx, id, n, value)
	if err == nil {
		c.committed.WithLabelValues(string(c.kind), c.state(n, value)).Inc()
	}
	return err
}

func (m *metrics) records(c *storage.Chain[archive.Record]) watchedChain[archive.Record] {
	return watchedChain[archive.Record]{c, archive.KindRecord, m.committed, func(n int, _ archive.Record) string {
		if n == 1 {
			return "deposited"
		}
		return "described"
	}}
}

func (m *metrics) requests(c *storage.Chain[archive.Request]) watchedChain[archive.Request] {
	return watchedChain[archive.Request]{c, archive.KindRequest, m.committed, func(_ int, r archive.Request) string { return string(r.State) }}
}

func (m *metrics) certificates(c *storage.Chain[archive.Certificate]) watchedChain[archive.Certificate] {
	return watchedChain[archive.Certificate]{c, archive.KindCertificate, m.committed, func(_ int, r archive.Certificate) string {
		if r.State == archive.CertSealed && !r.Checkable.IsZero() {
			return "renewed" // or seen to need it later
		}
		return string(r.State)
	}}
}

// backlog is the work that is left, as the sweep of this process last saw it. It
// costs no listing of its own; a replica that does not sweep says nothing.
type backlog struct {
	waiting, dead, scans, oldest prometheus.Gauge
	now                          func() time.Time

	mu   sync.Mutex
	seen *seen // nil when another replica sweeps
}

func newBacklog() *backlog {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	return &backlog{
		waiting: gauge("dangan_jobs_waiting", "Jobs that are left and will be tried, as the sweep last saw them; told by the replica that sweeps."),
		dead:    gauge("dangan_jobs_dead", "Jobs that were given up: see dangan work list --dead."),
		scans:   gauge("dangan_jobs_scans", "Records whose scans wait to be read, beside the jobs that wait."),
		oldest:  gauge("dangan_jobs_oldest_seconds", "Age of the oldest job that waits; 0 when none does."),
		now:     time.Now,
	}
}

type seen struct {
	waiting, dead int
	scans         int       // records whose scans wait: for hours, which is no cause for alarm
	oldest        time.Time // of those that wait
}

func (s *seen) add(job archive.Job) {
	if job.Dead {
		s.dead++
		return
	}
	if job.Kind == archive.JobScans {
		s.scans++
		return
	}
	s.waiting++
	if s.oldest.IsZero() || job.At.Before(s.oldest) {
		s.oldest = job.At
	}
}

func (s seen) all() int { return s.waiting + s.dead + s.scans }

// watchedWork lets the backlog see what the queue sees.
type watchedWork struct {
	*storage.Work
	backlog *backlog
}

func (m *metrics) work(w *storage.Work) watchedWork { return watchedWork{w, m.backlog} }

// Jobs lists them. A sweep of a great backlog takes long, so what it has found
// counts already when it is more than was known.
func (w watchedWork) Jobs(ctx context.Context) iter.Seq2[archive.Job, error] {
	return func(yield func(archive.Job, error) bool) {
		var now seen
		for job, err := range w.Work.Jobs(ctx) {
			if err == nil {
				now.add(job)
				w.backlog.atLeast(now)
			}
			if !yield(job, err) {
				return
			}
		}
		w.backlog.set(&now)
	}
}

// Acquire takes a lease. There is one alone: the sweep's.
func (w watchedWork) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (archive.Lease, error) {
	lease, err := w.Work.Acquire(ctx, name, holder, ttl)
	if errors.Is(err, archive.ErrConflict) {
		w.backlog.set(nil)
	}
	return lease, err
}

func (b *backlog) set(s *seen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = s
}

func (b *backlog) atLeast(s seen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil || s.all() > b.seen.all() {
		b.seen = &s
	}
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(ch chan<- *prometheus.Desc) {
	for _, gauge := range []prometheus.Gauge{b.waiting, b.dead, b.scans, b.oldest} {
		gauge.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		return
	}
	age := time.Duration(0)
	if !b.seen.oldest.IsZero() {
		age = b.now().Sub(b.seen.oldest)
	}
	b.waiting.Set(float64(b.seen.waiting))
	b.dead.Set(float64(b.seen.dead))
	b.scans.Set(float64(b.seen.scans))
	b.oldest.Set(age.Seconds())
	for _, gauge := range []prometheus.Gauge{b.waiting, b.dead, b.scans, b.oldest} {
		gauge.Collect(ch)
	}
}
