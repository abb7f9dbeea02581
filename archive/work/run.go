package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"dangan/archive"
)

// errPanic is what a handler's panic counts as.
var errPanic = errors.New("handler panicked")

// Run runs jobs and sweeps until ctx ends, then waits for the handlers that are
// at work. Jobs that have not begun stay in the store.
func (q *Queue) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for n := range q.c.Workers {
		workers.Go(func() { q.work(ctx, n < q.c.Eager) })
	}
	q.sweepUntil(ctx)
	workers.Wait()
	return nil
}

func (q *Queue) work(ctx context.Context, eager bool) {
	for {
		if !eager {
			q.standBack(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case job := <-q.ready:
			if ctx.Err() != nil {
				return
			}
			if !eager && q.callersFirst() && q.offer(job) {
				continue
			}
			began := q.c.Now()
			q.run(ctx, job)
			q.give(job)
			if eager {
				q.rest(ctx, 3*q.c.Now().Sub(began))
			}
		}
	}
}

// pause is how long nobody has planned when callers are no longer let go first.
const pause = 50 * time.Millisecond

// callersFirst reports whether callers plan, who wait for an answer, which nobody
// does for the effect of a job, and not too much work has piled up.
func (q *Queue) callersFirst() bool {
	return len(q.ready) < cap(q.ready)/2 && q.c.Now().Sub(time.Unix(0, q.planned.Load())) < pause
}

// standBack waits while callers go first.
func (q *Queue) standBack(ctx context.Context) {
	for q.callersFirst() {
		select {
		case <-time.After(pause / 2):
		case <-ctx.Done():
			return
		}
	}
}

// rest leaves callers three quarters of the time of a worker that goes on while
// they plan.
func (q *Queue) rest(ctx context.Context, wait time.Duration) {
	if !q.callersFirst() {
		return
	}
	select {
	case <-time.After(min(wait, time.Second)):
	case <-ctx.Done():
	}
}

// offer leaves a job to whichever worker takes it; false when they are too far behind.
func (q *Queue) offer(job archive.Job) bool {
	select {
	case q.ready <- job:
		return true
	default:
		return false
	}
}

// run runs a job once and writes down how it went.
func (q *Queue) run(ctx context.Context, job archive.Job) {
	stopped, err := q.handle(ctx, job)
	if stopped || errors.Is(err, archive.ErrEarly) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.c.Drain)
	defer cancel()
	if err == nil {
		err = q.c.Store.RemoveJob(ctx, job)
	} else {
		job = q.failed(job, err)
		q.c.Log.WarnContext(ctx, "job failed", attrs(job), slog.Any("error", err))
		err = q.c.Store.PutJob(ctx, job)
	}
	if err != nil { // the job is as it was, and runs again
		q.c.Log.WarnContext(ctx, "job state not written", attrs(job), slog.Any("error", err))
	}
}

// handle lets a handler go on for a while after ctx has ended, because one that
// is nearly through should get through; stopped says that it was not let finish.
func (q *Queue) handle(ctx context.Context, job archive.Job) (stopped bool, err error) {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.c.Timeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(q.c.Drain, cancel) })()
	err = q.call(own, job)
	return err != nil && own.Err() == context.Canceled, err
}

func (q *Queue) call(ctx context.Context, job archive.Job) (err error) {
	defer func() {
		if v := recover(); v != nil { // its text may hold what must not be logged
			q.c.Log.ErrorContext(ctx, "handler panicked", attrs(job),
				slog.String("type", fmt.Sprintf("%T", v)), slog.String("stack", string(debug.Stack())))
			err = errPanic
		}
	}()
	handler := q.c.Handlers[job.Kind]
	if handler == nil {
		return fmt.Errorf("no handler for kind %q", job.Kind)
	}
	return handler(ctx, job)
}

// failed is the job after a failure: later, or dead. An outage elsewhere never
// kills a job, however long it lasts.
func (q *Queue) failed(job archive.Job, err error) archive.Job {
	wait := q.c.Interval
	switch {
	case errors.Is(err, archive.ErrUnavailable):
		job.Failure = "unavailable"
	default:
		job.Failure = code(err)
		job.Attempts++
		job.Dead = job.Attempts >= q.c.Attempts
		wait = q.backoff(job.Attempts)
	}
	job.Next = q.c.Now().Add(wait/2 + time.Duration(q.c.Jitter()*float64(wait/2)))
	return job
}

func code(err error) string {
	switch {
	case errors.Is(err, errPanic):
		return "panic"
	case errors.Is(err, archive.ErrCorrupt):
		return "damaged"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "failed"
}

func (q *Queue) backoff(attempts int) time.Duration {
	wait := q.c.Backoff
	for range attempts - 1 {
		if wait >= q.c.MaxWait {
			break
		}
		wait *= 2
	}
	return min(wait, q.c.MaxWait)
}

func attrs(job archive.Job) slog.Attr {
	return slog.Group("job", slog.String("kind", job.Kind), slog.String("ref", job.Ref.String()),
		slog.Int("attempts", job.Attempts), slog.Bool("dead", job.Dead))
}
