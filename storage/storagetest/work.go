package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/storage"
)

func testJobs(t *testing.T, objects storage.Objects) {
	ctx, work := t.Context(), bucket(t, objects).Work()
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	job := func(kind string, minutes int) archive.Job {
		return archive.Job{
			Kind:   kind,
			Ref:    noteRef(idAt(now.Add(time.Duration(minutes) * time.Minute))),
			Nonce:  newID(),
			Claims: []archive.ClaimHeld{{Kind: archive.ClaimRefCode, Value: "Q001-0017"}},
			At:     now,
		}
	}
	want := []archive.Job{job("record", 1), job("certificate", 2), job("record", 3), job("index", 4)}
	for _, i := range []int{2, 0, 3, 1} {
		must(t, work.PutJob(ctx, want[i]))
	}
	check := func(what string) {
		t.Helper()
		var got []archive.Job
		for j, err := range bucket(t, objects).Work().Jobs(ctx) {
			must(t, err)
			got = append(got, j)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("four jobs, oldest chain first")
	want[1].Attempts, want[1].Failure, want[1].Next = 3, "index_down", now.Add(time.Hour)
	must(t, work.PutJob(ctx, want[1]))
	check("one was replaced")
	for range 2 {
		must(t, work.RemoveJob(ctx, want[2]))
	}
	want = slices.Delete(want, 2, 3)
	check("one was removed")
	nameless := archive.Job{Kind: "record", Ref: noteRef(newID())}
	wantError(t, "job without a nonce", work.PutJob(ctx, nameless), archive.ErrInvalid)

	// A damaged job is reported, and hides no other.
	for _, key := range Keys(t, objects, "work/certificate/") {
		tamper(t, objects, key, []byte("damage"))
	}
	var kinds, failures []string
	for j, err := range work.Jobs(ctx) {
		if err != nil {
			wantError(t, "damaged job", err, archive.ErrCorrupt)
			failures = append(failures, err.Error())
			continue
		}
		kinds = append(kinds, j.Kind)
	}
	if !slices.Equal(kinds, []string{"record", "index"}) || len(failures) != 1 || !strings.Contains(failures[0], "work/certificate/") {
		t.Errorf("beside a damaged job: %v, %v", kinds, failures)
	}
}

func testLeases(t *testing.T, objects storage.Objects) {
	ctx := t.Context()
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	clock := func(c *storage.Config) { c.Now = func() time.Time { return now } }
	here, there := bucket(t, objects, clock).Work(), bucket(t, objects, clock).Work()
	const name, ttl = "sweep", time.Minute
	acquire := func(w *storage.Work, holder string, fence int) archive.Lease {
		t.Helper()
		l, err := w.Acquire(ctx, name, holder, ttl)
		must(t, err)
		want := archive.Lease{Name: name, Holder: holder, Fence: fence, Expires: now.Add(ttl)}
		if l != want {
			t.Errorf("lease %+v, want %+v", l, want)
		}
		return l
	}
	refused := func(w *storage.Work, holder string) {
		t.Helper()
		_, err := w.Acquire(ctx, name, holder, ttl)
		wantError(t, "acquire by "+holder, err, archive.ErrConflict)
	}
	acquire(here, "a", 1)
	refused(there, "b")
	now = now.Add(ttl / 2)
	acquire(here, "a", 1) // prolonged
	now = now.Add(ttl - 1)
	refused(there, "b")
	now = now.Add(1)
	old := archive.Lease{Name: name, Holder: "a", Fence: 1}
	current := acquire(there, "b", 2)
	refused(here, "a")
	must(t, here.Release(ctx, old)) // lost already
	refused(here, "a")
	must(t, there.Release(ctx, current))
	must(t, there.Release(ctx, current))
	acquire(here, "a", 3)
	must(t, here.Release(ctx, archive.Lease{Name: "never-taken", Holder: "a", Fence: 1}))
	_, err := here.Acquire(ctx, name, "", ttl)
	wantError(t, "acquire by nobody", err, archive.ErrInvalid)

	for _, name := range []string{"sweep", "fresh"} {
		now = now.Add(time.Hour)
		errs := race(writers, func(i int) error {
			_, err := here.Acquire(ctx, name, fmt.Sprint("replica-", i), ttl)
			return err
		})
		wantOneWinner(t, errs, archive.ErrConflict)
	}
}

func testSequences(t *testing.T, objects storage.Objects) {
	replicas := []*storage.Bucket{bucket(t, objects), bucket(t, objects), bucket(t, objects)}
	const callers, each = 12, 5
	given := make([][]int, callers)
	for _, err := range race(callers, func(i int) error {
		for range each {
			n, err := replicas[i%len(replicas)].Numbers().Next(t.Context(), "青民档证-2026")
			if err != nil {
				return err
			}
			if len(given[i]) > 0 && n <= given[i][len(given[i])-1] {
				return errors.New("numbers do not grow")
			}
			given[i] = append(given[i], n)
		}
		return nil
	}) {
		must(t, err)
	}
	all := slices.Concat(given...)
	slices.Sort(all)
	for i, n := range all {
		if n != i+1 {
			t.Fatalf("numbers given out: %v, want 1 to %d", all, callers*each)
		}
	}
	if n, err := replicas[0].Numbers().Next(t.Context(), "another"); err != nil || n != 1 {
		t.Errorf("another sequence starts at %d, error %v", n, err)
	}
}
