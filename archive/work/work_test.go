package work_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/work"
)

var errBroken = errors.New("broken")

// pass lets time go by and everything that follows from it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAStartedJobRunsAtOnceAndIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var ran archive.Job
		r := start(t, newStore(), work.Config{}, func(_ context.Context, j archive.Job) error { ran = j; return nil })
		job := r.plan(t, "a")
		if len(r.store.all()) != 1 {
			t.Fatal("a planned job is not in the store")
		}
		r.Start(job)
		synctest.Wait()
		if diff := cmp.Diff(job, ran); diff != "" || len(r.store.all()) != 0 || time.Since(began) != 0 {
			t.Error(diff, r.store.all(), time.Since(began))
		}
	})
}

func TestPlanFailsWhenTheStoreDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newStore(), work.Config{}, func(context.Context, archive.Job) error { return nil })
		r.store.mu.Lock()
		r.store.err = archive.ErrUnavailable
		r.store.mu.Unlock()
		if _, err := r.Plan(t.Context(), archive.Job{Kind: "k"}); !errors.Is(err, archive.ErrUnavailable) {
			t.Error(err)
		}
		if _, err := r.Plan(t.Context(), archive.Job{Kind: "unheard of"}); err == nil || errors.Is(err, archive.ErrUnavailable) {
			t.Error("planned a job that nobody can run")
		}
	})
}

func TestAJobLeftByACrashRunsAfterItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		planned := time.Now()
		s.jobs["n1"] = archive.Job{Kind: "k", Nonce: "n1", At: planned}
		var ran time.Time
		start(t, s, work.Config{Grace: time.Minute, Interval: time.Second}, func(context.Context, archive.Job) error { ran = time.Now(); return nil })
		pass(time.Hour)
		if ran.Sub(planned) != time.Minute || len(s.all()) != 0 {
			t.Error(ran.Sub(planned), s.all())
		}
	})
}

func TestFailuresBackOffAndThenAPersonMustLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs []time.Duration
		began := time.Now()
		c := work.Config{Attempts: 5, Backoff: 2 * time.Second, MaxWait: 8 * time.Second, Interval: time.Second, Jitter: func() float64 { return 1 }}
		r := start(t, newStore(), c, func(context.Context, archive.Job) error {
			runs = append(runs, time.Since(began))
			return errBroken
		})
		r.Start(r.plan(t, "a"))
		pass(time.Hour)
		if diff := cmp.Diff([]time.Duration{0, 2 * time.Second, 6 * time.Second, 14 * time.Second, 22 * time.Second}, runs); diff != "" {
			t.Error(diff)
		}
		dead, err := work.List(t.Context(), r.store)
		if err != nil || len(dead) != 1 || !dead[0].Dead || dead[0].Attempts != 5 || dead[0].Failure != "failed" {
			t.Error(dead, err)
		}
	})
}

func TestAnOutageNeverKillsAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := time.Now().Add(48 * time.Hour)
		r := start(t, newStore(), work.Config{Attempts: 2}, func(context.Context, archive.Job) error {
			if time.Now().Before(up) {
				return fmt.Errorf("put: %w", archive.ErrUnavailable)
			}
			return nil
		})
		r.Start(r.plan(t, "a"))
		pass(47 * time.Hour)
		if jobs := r.store.all(); len(jobs) != 1 || jobs[0].Dead || jobs[0].Failure != "unavailable" {
			t.Fatal(jobs)
		}
		pass(2 * time.Hour)
		if len(r.store.all()) != 0 {
			t.Error("not done after the outage")
		}
	})
}

func TestAnEarlyJobStaysAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var committed atomic.Bool
		var tries atomic.Int32
		r := start(t, newStore(), work.Config{}, func(context.Context, archive.Job) error {
			tries.Add(1)
			if !committed.Load() {
				return fmt.Errorf("settle: %w", archive.ErrEarly)
			}
			return nil
		})
		job := r.plan(t, "a")
		pass(10 * time.Minute)
		if diff := cmp.Diff([]archive.Job{job}, r.store.all()); diff != "" || tries.Load() == 0 {
			t.Fatal(diff, tries.Load())
		}
		committed.Store(true)
		pass(time.Minute)
		if len(r.store.all()) != 0 {
			t.Error("not done after the commit")
		}
	})
}

func TestAPanicIsAFailureAndIsNotQuoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newStore(), work.Config{}, func(context.Context, archive.Job) error { panic("张三 999999199001010016") })
		r.Start(r.plan(t, "a"))
		synctest.Wait()
		if jobs := r.store.all(); len(jobs) != 1 || jobs[0].Attempts != 1 || jobs[0].Failure != "panic" {
			t.Error(jobs)
		}
		if strings.Contains(r.log.String(), "9999") || !strings.Contains(r.log.String(), "handler panicked") {
			t.Error(r.log)
		}
	})
}

func TestAJobDoesNotRunTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, runs atomic.Int32
		r := start(t, newStore(), work.Config{Grace: time.Second, Interval: time.Second}, func(context.Context, archive.Job) error {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			runs.Add(1)
			time.Sleep(5 * time.Minute)
			return nil
		})
		job := r.plan(t, "a")
		r.Start(job)
		r.Start(job)
		pass(time.Hour)
		if most.Load() != 1 || runs.Load() != 1 {
			t.Errorf("%d at once, %d in all", most.Load(), runs.Load())
		}
	})
}

func TestWhatDoesNotFitInMemoryWaitsForTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		r := start(t, newStore(), work.Config{Workers: 2, Backlog: 3, Grace: time.Second}, func(context.Context, archive.Job) error {
			runs.Add(1)
			time.Sleep(time.Second)
			return nil
		})
		for i := range 100 {
			r.Start(r.plan(t, fmt.Sprint(i)))
		}
		pass(5 * time.Minute)
		if runs.Load() != 100 || len(r.store.all()) != 0 {
			t.Errorf("%d runs, %d left", runs.Load(), len(r.store.all()))
		}
	})
}

func TestOneReplicaSweepsAndAnotherTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		var first, second atomic.Int32
		count := func(n *atomic.Int32) func(context.Context, archive.Job) error {
			return func(context.Context, archive.Job) error { n.Add(1); return nil }
		}
		a := start(t, s, work.Config{Holder: "a", Grace: time.Second}, count(&first))
		pass(time.Millisecond)
		b := start(t, s, work.Config{Holder: "b", Grace: time.Second}, count(&second))
		b.plan(t, "1")
		pass(time.Minute)
		if first.Load() != 1 || second.Load() != 0 {
			t.Fatal(first.Load(), second.Load())
		}
		a.stop()
		<-a.done
		b.plan(t, "2")
		pass(15 * time.Second) // less than the lease: it was given up
		if second.Load() != 1 {
			t.Error("nobody sweeps after the holder stopped")
		}
	})
}

func TestStoppingWaitsForWhatIsNearlyDone(t *testing.T) {
	for _, tt := range []struct {
		takes time.Duration
		left  int
	}{{5 * time.Second, 0}, {time.Minute, 1}} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, newStore(), work.Config{Drain: 10 * time.Second}, func(ctx context.Context, _ archive.Job) error {
				select {
				case <-time.After(tt.takes):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			r.Start(r.plan(t, "a"))
			synctest.Wait()
			r.stop()
			<-r.done
			if jobs := r.store.all(); len(jobs) != tt.left || tt.left == 1 && jobs[0].Attempts != 0 {
				t.Errorf("handler of %v: %+v", tt.takes, jobs)
			}
		})
	}
}

func TestJobsStandBackWhileCallersPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		r := start(t, newStore(), work.Config{Workers: 8, Eager: 2}, func(context.Context, archive.Job) error {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Second)
			return nil
		})
		for i := range 100 {
			r.Start(r.plan(t, fmt.Sprint(i)))
			pass(10 * time.Millisecond)
		}
		if most.Load() != 2 {
			t.Errorf("%d jobs at once while callers plan", most.Load())
		}
		pass(time.Minute)
		if most.Load() != 8 || len(r.store.all()) != 0 {
			t.Errorf("%d jobs at once afterwards, %d left", most.Load(), len(r.store.all()))
		}
	})
}
