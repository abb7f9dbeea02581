package reader

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// queue is turns with callers that note when theirs came.
type queue struct {
	t *testing.T
	*turns
	noted sync.Mutex
	came  []string
}

func (q *queue) line(name string, l lane) {
	go func() {
		if _, err := q.take(q.t.Context(), l); err == nil {
			q.noted.Lock()
			defer q.noted.Unlock()
			q.came = append(q.came, name)
		}
	}()
	synctest.Wait()
}

func (q *queue) done(l lane) { q.giveBack(l); synctest.Wait() }

func (q *queue) want(names ...string) {
	q.t.Helper()
	q.noted.Lock()
	defer q.noted.Unlock()
	if len(q.came) != len(names) {
		q.t.Fatalf("%q came, want %q", q.came, names)
	}
	for i := range names {
		if q.came[i] != names[i] {
			q.t.Fatalf("%q came, want %q", q.came, names)
		}
	}
	q.came = nil
}

func TestPagesDoNotWaitForReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue{t: t, turns: newTurns(3, time.Second)}
		for _, name := range []string{"first", "second", "third", "fourth"} {
			q.line(name, steady)
		}
		q.want("first", "second")
		q.line("page", urgent)
		q.want("page")
		q.line("another page", urgent)
		q.want()
		q.done(steady) // before the third file, which came before
		q.want("another page")
		q.done(urgent)
		q.want("third")
		q.done(urgent)
		q.done(steady)
		q.want("fourth")
	})
}

func TestWhatNobodyWaitsForWaitsForARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue{t: t, turns: newTurns(3, time.Second)}
		q.line("reading", steady)
		q.line("thumbnail", spare)
		q.line("another", spare)
		q.done(steady)
		time.Sleep(time.Second - 1)
		q.line("page", urgent)
		q.done(urgent)
		time.Sleep(time.Second - 1)
		synctest.Wait()
		q.want("reading", "page")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		q.want("thumbnail") // one at a time
		q.line("reading", steady)
		q.line("page", urgent)
		q.want("reading", "page")
		q.done(spare)
		q.done(urgent)
		q.done(steady)
		q.want()
		time.Sleep(time.Second)
		synctest.Wait()
		q.want("another")
	})
}

// A house that is busy day and night does what nobody waits for, too.
func TestWhatNobodyWaitsForDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue{t: t, turns: newTurns(2, time.Second)}
		q.line("reading", steady)
		q.line("thumbnail", spare)
		q.line("second reading", steady)
		time.Sleep(rests*time.Second - 1)
		q.line("third reading", steady)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		q.line("fourth reading", steady)
		for range 3 {
			q.done(steady)
		}
		q.want("reading", "second reading", "third reading", "thumbnail")
		q.done(steady)
		q.want("fourth reading")
	})
}

// Whoever gives up leaves the others their turns, whether it had come or not.
func TestTurnsThatAreNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		q := queue{t: t, turns: newTurns(2, time.Second)}
		q.line("page", urgent)
		q.line("reading", steady)
		ctx, cancel := context.WithCancelCause(t.Context())
		for _, l := range []lane{urgent, steady, spare} {
			go func() {
				if _, err := q.take(ctx, l); err != gone {
					t.Errorf("error is %v, want the cause", err)
				}
			}()
		}
		synctest.Wait()
		cancel(gone)
		q.line("second reading", steady)
		q.done(steady)
		q.done(urgent)
		q.want("page", "reading", "second reading")
		q.done(steady)
		q.line("thumbnail", spare)
		time.Sleep(time.Second)
		synctest.Wait()
		q.want("thumbnail")
		if q.busy != [lanes]int{spare: 1} {
			t.Errorf("busy: %v", q.busy)
		}
	})
}
