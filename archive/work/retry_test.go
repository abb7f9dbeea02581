package work_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/work"
)

func TestRetryBringsADeadJobBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healed := false
		r := start(t, newStore(), work.Config{Attempts: 2, Interval: time.Second}, func(context.Context, archive.Job) error {
			if healed {
				return nil
			}
			return errBroken
		})
		r.Start(r.plan(t, "a"))
		pass(time.Hour)
		jobs, err := work.List(t.Context(), r.store)
		if err != nil || len(jobs) != 1 || !jobs[0].Dead {
			t.Fatal(jobs, err)
		}
		healed = true
		if err := work.Retry(t.Context(), r.store, jobs[0]); err != nil {
			t.Fatal(err)
		}
		jobs[0].Attempts, jobs[0].Failure, jobs[0].Dead, jobs[0].Next = 0, "", false, time.Time{}
		if diff := cmp.Diff(jobs, r.store.all()); diff != "" {
			t.Error(diff)
		}
		pass(time.Second)
		if left := r.store.all(); len(left) != 0 {
			t.Error("the sweep did not take it at once:", left)
		}
	})
}

// torn is a store in which some jobs cannot be read.
type torn struct {
	*store
	errs []error
}

func (s torn) Jobs(ctx context.Context) iter.Seq2[archive.Job, error] {
	return func(yield func(archive.Job, error) bool) {
		for _, err := range s.errs {
			if !yield(archive.Job{}, err) {
				return
			}
		}
		s.store.Jobs(ctx)(yield)
	}
}

func TestListTellsOfDamageBesideWhatItCouldRead(t *testing.T) {
	s := newStore()
	s.jobs["n1"] = archive.Job{Kind: "k", Nonce: "n1"}
	damage := fmt.Errorf("job n0: %w", archive.ErrCorrupt)
	jobs, err := work.List(t.Context(), torn{s, []error{damage, damage}})
	if !errors.Is(err, archive.ErrCorrupt) || len(jobs) != 1 || jobs[0].Nonce != "n1" {
		t.Error(jobs, err)
	}
	jobs, err = work.List(t.Context(), torn{s, []error{damage, archive.ErrUnavailable}})
	if !errors.Is(err, archive.ErrUnavailable) || jobs != nil {
		t.Error(jobs, err)
	}
}
