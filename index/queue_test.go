package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dangan/archive"
	"dangan/index"
	"dangan/internal/testenv"
)

// addition reports whether a request adds documents.
func addition(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/indexes/records/documents"
}

// whileHeld does something while the task of a put is held up.
func whileHeld(t *testing.T, p *proxy, x *index.Index, during func()) {
	t.Helper()
	arrived, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p.hold(func(r *http.Request) {
		if addition(r) {
			once.Do(func() { close(arrived); <-free })
		}
	})
	var first sync.WaitGroup
	first.Go(func() {
		if err := x.Put(t.Context(), document("first", 1)); err != nil {
			t.Errorf("put: %v", err)
		}
	})
	<-arrived
	during()
	close(free)
	first.Wait()
}

// together has puts wait for the same task, and returns their outcomes.
func together(t *testing.T, p *proxy, x *index.Index, puts ...func() error) []error {
	t.Helper()
	errs := make([]error, len(puts))
	var all sync.WaitGroup
	whileHeld(t, p, x, func() {
		for i, put := range puts {
			all.Go(func() { errs[i] = put() })
		}
		for x.Stats().Waiting < len(puts)+1 {
			time.Sleep(time.Millisecond)
		}
	})
	all.Wait()
	return errs
}

// Those who wait share a task. A document that the server refuses fails its own put
// and none of its neighbours', and is counted.
func TestWaitingPutsShareATask(t *testing.T) {
	p := newProxy(t, testenv.Meilisearch(t))
	x := p.connect(t)
	must(t, x.Put(t.Context(), document("first", 1)))
	var additions atomic.Int64
	p.change(func(path string, b []byte) []byte {
		if strings.HasSuffix(path, "/documents") {
			additions.Add(1)
		}
		return bytes.ReplaceAll(b, []byte(`"id":"bad"`), []byte(`"id":"b d"`))
	})
	var puts []func() error
	for i := range 20 {
		puts = append(puts, func() error { return x.Put(t.Context(), document(fmt.Sprintf("d%d", i), 1)) })
	}
	for i, err := range together(t, p, x, puts...) {
		if err != nil {
			t.Errorf("put %d: %v", i, err)
		}
	}
	if n := additions.Load(); n != 2 {
		t.Errorf("21 puts took %d tasks, want 2", n)
	}
	before := x.Stats()
	errs := together(t, p, x, append(puts, func() error { return x.Put(t.Context(), document("bad", 1)) })...)
	bad := errs[len(puts)]
	if bad == nil || errors.Is(bad, archive.ErrUnavailable) || errors.Is(bad, archive.ErrInvalid) {
		t.Errorf("a document that the server refuses: %v", bad)
	}
	for i, err := range errs[:len(puts)] {
		if err != nil {
			t.Errorf("neighbour %d: %v", i, err)
		}
	}
	if s := x.Stats(); s.Waiting != 0 || s.Failed <= before.Failed || s.Succeeded <= before.Succeeded {
		t.Errorf("%+v, before %+v", s, before)
	}
	if n, err := x.Count(t.Context()); err != nil || n != 21 {
		t.Errorf("%d documents, %v", n, err)
	}
}

// When too much waits, who comes waits outside, and may leave.
func TestPutsHoldBack(t *testing.T) {
	p := newProxy(t, testenv.Meilisearch(t))
	x, err := index.New(t.Context(), index.Config{URL: p.url, Key: p.server.MasterKey, Waiting: 1})
	must(t, err)
	whileHeld(t, p, x, func() { // which is all that may wait
		impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := x.Put(impatient, document("late", 1)); !errors.Is(err, archive.ErrUnavailable) {
			t.Errorf("put when too much waits: %v", err)
		}
		if s := x.Stats(); s.Waiting != 1 {
			t.Errorf("%d wait", s.Waiting)
		}
	})
	must(t, x.Put(t.Context(), document("late", 1)))
	if s := x.Stats(); s.Waiting != 0 {
		t.Errorf("%d wait in the end", s.Waiting)
	}
}

// Two processes race for the same records, each reading the head again after its put
// as callers must: in the end the index has the newest version of each.
func TestRacingProcesses(t *testing.T) {
	server := testenv.Meilisearch(t)
	const records, versions = 5, 12
	var heads [records]atomic.Int64
	var all sync.WaitGroup
	for _, x := range []*index.Index{connect(t, server, "records"), connect(t, server, "records")} {
		for range versions / 2 {
			all.Go(func() {
				for i := range records {
					for n := heads[i].Add(1); ; n = heads[i].Load() { // a commit, then its settling
						if err := x.Put(t.Context(), document(fmt.Sprintf("r%d", i), int(n))); err != nil {
							t.Errorf("put: %v", err)
						}
						if heads[i].Load() == n {
							break
						}
					}
				}
			})
		}
	}
	all.Wait()
	have, err := connect(t, server, "records").Versions(t.Context(), "r0", "r1", "r2", "r3", "r4")
	must(t, err)
	for i := range records {
		if id := fmt.Sprintf("r%d", i); have[id] != versions {
			t.Errorf("%s has version %d of %d", id, have[id], versions)
		}
	}
}

// A server is killed again and again under load. Nothing that was acknowledged is
// lost, and whoever tries again gets through.
func TestKilledUnderLoad(t *testing.T) {
	server := testenv.Meilisearch(t)
	x := connect(t, server, "records")
	ctx, stop := context.WithCancel(t.Context())
	var acked sync.Map
	var all sync.WaitGroup
	for writer := range 8 {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("w%d-%d", writer, n)
				err := x.Put(t.Context(), document(id, 1))
				for ; err != nil; err = x.Put(t.Context(), document(id, 1)) {
					if !errors.Is(err, archive.ErrUnavailable) {
						t.Errorf("put: %v", err)
					}
					time.Sleep(5 * time.Millisecond)
				}
				acked.Store(id, true)
			}
		})
	}
	for range 5 {
		for seen := x.Stats().Succeeded; x.Stats().Succeeded < seen+2; {
			time.Sleep(time.Millisecond)
		}
		server.Kill()
		server.Start()
	}
	stop()
	all.Wait()
	var ids []string
	acked.Range(func(id, _ any) bool { ids = append(ids, id.(string)); return true })
	have, err := x.Versions(t.Context(), ids...)
	if err != nil || len(ids) == 0 || len(have) != len(ids) {
		t.Errorf("%d of %d acknowledged documents, %v", len(have), len(ids), err)
	}
}

// A server that does not answer in time is away for a search, and what it takes its
// time for is done all the same.
func TestSlowServer(t *testing.T) {
	p := newProxy(t, testenv.Meilisearch(t))
	x := p.connect(t)
	must(t, x.Put(t.Context(), document("a", 1)))
	free := make(chan struct{})
	p.hold(func(r *http.Request) {
		if r.URL.Path == "/multi-search" {
			<-free
		}
		time.Sleep(20 * time.Millisecond)
	})
	if _, err := x.Search(t.Context(), archive.Query{Text: "刘静佩", Limit: 10}, everything()); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("search of a server that does not answer: %v", err)
	}
	close(free)
	must(t, x.Put(t.Context(), document("b", 1)), x.Delete(t.Context(), "a"))
	if hits := find(t, x, archive.Query{Text: "刘静佩", Limit: 10}); hits.Total != 1 || hits.Hits[0].ID != "b" {
		t.Errorf("%+v", hits.Hits)
	}
}
