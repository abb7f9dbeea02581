package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/storage"
)

func planOf(i int) archive.Job {
	return archive.Job{Kind: "record", Ref: noteRef(newID()), New: true, Nonce: newID(),
		At: time.Date(2026, 3, 1, 8, 0, i, 0, time.UTC)}
}

func jobs(t *testing.T, b *storage.Bucket) []archive.Job {
	t.Helper()
	var list []archive.Job
	for j, err := range b.Work().Jobs(t.Context()) {
		must(t, err)
		list = append(list, j)
	}
	return list
}

// slow is a store with which nobody is done before others have come.
type slow struct{ storage.Objects }

func (s slow) Put(ctx context.Context, key string, data []byte) error {
	time.Sleep(10 * time.Millisecond)
	return s.Objects.Put(ctx, key, data)
}

// testPlans: jobs planned together share objects, carry the data keys of the
// chains they begin, and are gone when all are done, whoever did them.
func testPlans(t *testing.T, objects storage.Objects) {
	ctx, here := t.Context(), bucket(t, slow{objects})
	const many = 40
	plans := make([]archive.Job, many)
	for i := range plans {
		plans[i] = planOf(i)
	}
	for _, err := range race(many, func(i int) error { return here.Work().PlanJob(ctx, plans[i]) }) {
		must(t, err)
	}
	if n := len(Keys(t, objects, "work/")); n < 1 || n > many/2 {
		t.Errorf("%d jobs planned at once are in %d objects", many, n)
	}
	for i, p := range plans {
		must(t, notes(here).Append(ctx, p.Ref.ID, 1, note{fmt.Sprint(i)}))
	}
	if keys := Keys(t, objects, "key/"); len(keys) != 0 {
		t.Errorf("%d data keys were written before the commit", len(keys))
	}
	there := bucket(t, objects) // another replica reads at once
	for i, p := range plans {
		if v, err := notes(there).Head(ctx, p.Ref.ID); err != nil || v.Value.Text != fmt.Sprint(i) {
			t.Fatalf("chain %d is %+v, error %v", i, v, err)
		}
	}
	if got := jobs(t, there); len(got) != many {
		t.Errorf("%d jobs listed", len(got))
	}
	failed := plans[0]
	failed.Attempts, failed.Failure = 1, "failed"
	must(t, here.Work().PutJob(ctx, failed))
	for _, p := range plans[1:30] {
		must(t, here.Work().RemoveJob(ctx, p))
	}
	if n := len(Keys(t, objects, "key/")); n != 29 {
		t.Errorf("%d data keys for 29 jobs that are done", n)
	}
	// That one dies, and a third does what is left.
	third := bucket(t, objects)
	left := jobs(t, third)
	if !slices.ContainsFunc(left, func(j archive.Job) bool { return j.Nonce == failed.Nonce && j.Attempts == 1 }) {
		t.Error("the job that failed is not among those left, or not as it was written")
	}
	for _, j := range left {
		must(t, third.Work().RemoveJob(ctx, j))
	}
	for _, j := range jobs(t, bucket(t, objects)) {
		t.Errorf("left: %+v", j)
	}
	if keys := Keys(t, objects, "work/"); len(keys) != 0 || len(Keys(t, objects, "key/")) != many {
		t.Errorf("left %v and %d data keys", keys, len(Keys(t, objects, "key/")))
	}
	for i, p := range plans {
		if v, err := notes(bucket(t, objects)).Head(ctx, p.Ref.ID); err != nil || v.Value.Text != fmt.Sprint(i) {
			t.Fatalf("chain %d is %+v, error %v", i, v, err)
		}
	}
}

// testPlanRivals: two replicas begin one chain, each with a key of its own. The
// key of the one that was first becomes the key of the chain.
func testPlanRivals(t *testing.T, objects storage.Objects) {
	ctx := t.Context()
	replicas := []*storage.Bucket{bucket(t, objects), bucket(t, objects), bucket(t, objects)}
	for range 5 {
		first := planOf(0)
		second := first
		second.Nonce = newID()
		plans := []archive.Job{first, second}
		for i, p := range plans {
			must(t, replicas[i].Work().PlanJob(ctx, p))
		}
		errs := race(2, func(i int) error {
			return notes(replicas[i]).Append(ctx, first.Ref.ID, 1, note{fmt.Sprint(i)})
		})
		winner := wantOneWinner(t, errs, archive.ErrConflict)
		for _, i := range []int{1 - winner, winner} { // the loser is done first
			if v, err := notes(replicas[i]).Head(ctx, first.Ref.ID); err != nil || v.Value.Text != fmt.Sprint(winner) {
				t.Fatalf("replica %d reads %+v, error %v", i, v, err)
			}
			must(t, replicas[i].Work().RemoveJob(ctx, plans[i]))
		}
		if v, err := notes(bucket(t, objects)).Head(ctx, first.Ref.ID); err != nil || v.Value.Text != fmt.Sprint(winner) {
			t.Fatalf("in the end %+v, error %v", v, err)
		}
	}
	// One that was fenced leaves neither a job nor a key.
	p := planOf(0)
	must(t, replicas[0].Work().PlanJob(ctx, p))
	must(t, notes(replicas[1]).Fence(ctx, p.Ref.ID))
	wantError(t, "append after fence", notes(replicas[0]).Append(ctx, p.Ref.ID, 1, note{"late"}), archive.ErrConflict)
	must(t, replicas[2].Work().RemoveJob(ctx, jobs(t, replicas[2])[0]))
	if keys := Keys(t, objects, "work/"); len(keys) != 0 || slices.ContainsFunc(Keys(t, objects, "key/"), func(k string) bool { return strings.HasSuffix(k, strings.ToLower(p.Ref.ID)) }) {
		t.Errorf("a fenced chain left %v or a key", keys)
	}
}
