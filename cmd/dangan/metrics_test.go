package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/certificates"
	"dangan/index"
	"dangan/storage"
)

// scrape is what /metrics says of dangan, by series, and holds that no label
// could name anybody.
func scrape(t *testing.T, h http.Handler) map[string]float64 {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	harmless := regexp.MustCompile(`^[a-z_]+(\{((kind|state|result|op|method|status|le)="[A-Za-z0-9_.+]*",?|(route|version|go)="[^"]*",?)*\})?$`)
	series := map[string]float64{}
	for line := range strings.Lines(answer.Body.String()) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, "dangan_") {
			continue
		}
		if strings.HasPrefix(name, "dangan_build_info") {
			name, number = "dangan_build_info", "1" // a version may have a space in it
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil || !harmless.MatchString(name) {
			t.Errorf("%q: %v", line, err)
		}
		series[name] = value
	}
	return series
}

// cold is a stamper whose seal does not answer the first time.
type cold struct {
	certificates.Stamper
	warm bool
}

func (c *cold) Stamp(ctx context.Context, v archive.Certificate) ([]byte, error) {
	if !c.warm {
		c.warm = true
		return nil, errors.New("cannot be drawn")
	}
	return c.Stamper.Stamp(ctx, v)
}

func TestMetricsCountWhatWasDone(t *testing.T) {
	r := newRig(t, newReader(t), &cold{Stamper: newTestSealer(t)})
	id := r.reviewed(t)
	planted := time.Now().Add(-time.Hour)
	for _, job := range []archive.Job{{Kind: archive.JobRecord, Dead: true}, {Kind: archive.JobRecord, Next: planted.Add(24 * time.Hour)}, {Kind: archive.JobScans}} {
		job.Nonce, job.At, job.Ref = r.house.newID(), planted, archive.Ref{Kind: archive.KindRecord, ID: r.house.newID()}
		if err := r.house.bucket.Work().PutJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.approve(r.actor("approver"), id); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.house.queue.Run(ctx) }()
	await := func(what string) {
		t.Helper()
		for scrape(t, r.house.handler)[what] == 0 {
			select {
			case <-t.Context().Done():
				t.Fatalf("no %s", what)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	await(`dangan_committed_total{kind="certificate",state="seal_failed"}`)
	await("dangan_jobs_waiting")
	await("dangan_jobs_dead")
	await("dangan_jobs_scans")
	if err := r.house.certificates.Reseal(t.Context(), r.actor("approver"), r.numberOf(t, id)); err != nil {
		t.Fatal(err)
	}
	await(`dangan_committed_total{kind="request",state="issued"}`)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	checkMetrics(t, scrape(t, r.house.handler))
}

func (r *rig) numberOf(t *testing.T, request string) string {
	t.Helper()
	v, err := r.house.certificates.Certificate(t.Context(), r.actor("citizen"), request)
	if err != nil {
		t.Fatal(err)
	}
	return v.Value.Number
}

func checkMetrics(t *testing.T, got map[string]float64) {
	t.Helper()
	if age := got["dangan_jobs_oldest_seconds"]; age < 3600 {
		t.Errorf("the oldest job is %v s old", age)
	}
	want := map[string]float64{
		`dangan_committed_total{kind="record",state="deposited"}`:        1,
		`dangan_committed_total{kind="request",state="submitted"}`:       1,
		`dangan_committed_total{kind="request",state="matched"}`:         1,
		`dangan_committed_total{kind="request",state="reviewed"}`:        1,
		`dangan_committed_total{kind="request",state="approved"}`:        1,
		`dangan_committed_total{kind="request",state="issued"}`:          1,
		`dangan_committed_total{kind="certificate",state="approved"}`:    1,
		`dangan_committed_total{kind="certificate",state="sealing"}`:     2,
		`dangan_committed_total{kind="certificate",state="seal_failed"}`: 1,
		`dangan_committed_total{kind="certificate",state="sealed"}`:      1,
		`dangan_job_seconds_count{kind="certificate",result="ok"}`:       2,
		`dangan_job_seconds_count{kind="record",result="ok"}`:            1,
		`dangan_job_seconds_count{kind="request",result="ok"}`:           1,
		`dangan_jobs_running{kind="certificate"}`:                        0,
		`dangan_jobs_running{kind="record"}`:                             0,
		`dangan_jobs_running{kind="request"}`:                            0,
		`dangan_jobs_dead`:                                               1,
		`dangan_build_info`:                                              1,
	}
	seen := map[string]float64{}
	for name, value := range got {
		_, wanted := want[name]
		if wanted || strings.HasPrefix(name, "dangan_committed") || strings.HasPrefix(name, "dangan_job_seconds_count") {
			seen[name] = value
		}
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestResultsOfJobs(t *testing.T) {
	m := newMetrics()
	ends := []error{archive.ErrEarly, archive.ErrCorrupt, archive.ErrUnavailable, errors.New("with a name in it"), nil}
	handle := m.handlers(map[string]func(context.Context, archive.Job) error{"k": func(context.Context, archive.Job) error {
		end := ends[0]
		if ends = ends[1:]; end == nil {
			panic("broken")
		}
		return end
	}})["k"]
	for len(ends) > 0 {
		func() {
			defer func() { _ = recover() }()
			_ = handle(t.Context(), archive.Job{}) // what it returns is what it was given
		}()
	}
	got := map[string]uint64{}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "dangan_job_seconds" {
			for _, metric := range f.GetMetric() {
				got[metric.GetLabel()[1].GetValue()] = metric.GetHistogram().GetSampleCount()
			}
		}
	}
	if diff := cmp.Diff(map[string]uint64{"early": 1, "damaged": 1, "unavailable": 1, "failed": 1, "panic": 1}, got); diff != "" {
		t.Error(diff)
	}
}

// TestBacklogIsToldByTheSweeper: of two replicas one sweeps, and the other says
// nothing rather than what was true when it last did.
func TestBacklogIsToldByTheSweeper(t *testing.T) {
	r := newRig(t, nil, nil)
	job := archive.Job{Kind: archive.JobRecord, Nonce: r.house.newID(), At: time.Now(), Ref: archive.Ref{Kind: archive.KindRecord, ID: r.house.newID()}}
	if err := r.house.bucket.Work().PutJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	watched := r.house.metrics.work(r.house.bucket.Work())
	waiting := func() (float64, bool) {
		value, ok := scrape(t, r.house.handler)["dangan_jobs_waiting"]
		return value, ok
	}
	if _, ok := waiting(); ok {
		t.Error("told before anybody looked")
	}
	for range watched.Jobs(t.Context()) {
		break // a sweep that is busy with the first
	}
	if n, ok := waiting(); !ok || n != 1 {
		t.Errorf("%v waiting, %t", n, ok)
	}
	if err := watched.RemoveJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	for _, err := range watched.Jobs(t.Context()) {
		t.Error("a job is left", err)
	}
	if n, ok := waiting(); !ok || n != 0 {
		t.Errorf("%v waiting, %t", n, ok)
	}
	if _, err := r.house.bucket.Work().Acquire(t.Context(), "sweep", "another", time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := watched.Acquire(t.Context(), "sweep", "test", time.Minute); !errors.Is(err, archive.ErrConflict) {
		t.Fatal(err)
	}
	if _, ok := waiting(); ok {
		t.Error("told by a replica that does not sweep")
	}
}

// server is an index that works in tasks.
type server struct{ *memoryIndex }

func (server) Stats() index.Stats { return index.Stats{Waiting: 3, Succeeded: 2, Failed: 1} }

func TestIndexTasks(t *testing.T) {
	r := newRig(t, nil, nil)
	if got := scrape(t, r.house.handler); slices.ContainsFunc(slices.Collect(maps.Keys(got)), func(name string) bool { return strings.HasPrefix(name, "dangan_index") }) {
		t.Error("told of an index without tasks:", got)
	}
	p := r.house.parts
	p.index, p.metrics = server{r.index}, newMetrics()
	h, err := build(p)
	if err != nil {
		t.Fatal(err)
	}
	got := scrape(t, h.handler)
	for name, want := range map[string]float64{`dangan_index_documents_waiting`: 3, `dangan_index_tasks_total{result="ok"}`: 2, `dangan_index_tasks_total{result="failed"}`: 1} {
		if got[name] != want {
			t.Errorf("%s is %v", name, got[name])
		}
	}
}

// TestStoreOperations counts on the embedded store, and then without it.
func TestStoreOperations(t *testing.T) {
	e := &embeddedHouse{}
	defer e.close()
	cfg, err := e.bucketConfig(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	m := newMetrics()
	b, err := m.openBucket(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := ended(t, m)
	chain := newNotes(b)
	if err := chain.Append(t.Context(), "note", 1, "text"); err != nil {
		t.Fatal(err)
	}
	if err := chain.Append(t.Context(), "note", 1, "text"); !errors.Is(err, archive.ErrConflict) {
		t.Fatal(err)
	}
	if _, err := b.Claims().Holder(t.Context(), archive.ClaimUser, "nobody"); !errors.Is(err, archive.ErrNotFound) {
		t.Fatal(err)
	}
	if err := e.store.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := b.Marks().Mark(ctx, archive.MarkPerson, "value", "note"); err == nil {
		t.Error("marked without a store")
	}
	after := ended(t, m)
	for _, series := range []string{"create ok", "create exists", "get not_found", "put unavailable"} {
		if after[series] <= before[series] {
			t.Errorf("%s: %v, then %v", series, before[series], after[series])
		}
	}
	if after["put failed"] != 0 || after["create failed"] != 0 || after["get damaged"] != 0 {
		t.Error(after)
	}
}

func newNotes(b *storage.Bucket) *storage.Chain[string] { return storage.NewChain[string](b, "note") }

// ended are the operations on the store by how they ended.
func ended(t *testing.T, m *metrics) map[string]float64 {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "dangan_store_operations_total" {
			for _, metric := range f.GetMetric() {
				got[metric.GetLabel()[0].GetValue()+" "+metric.GetLabel()[1].GetValue()] = metric.GetCounter().GetValue()
			}
		}
	}
	return got
}
