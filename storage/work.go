package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"dangan/archive"
)

// Work keeps jobs, durable intentions, and leases, which say whose turn it is.
type Work struct {
	b     *Bucket
	plans group[planned]

	mu      sync.Mutex
	batches map[string]*batch // by object key
	in      map[string]string // the batch of a job, by the job's own object key
	fresh   map[archive.Ref]*fresh
}

func newWork(b *Bucket) *Work {
	w := &Work{b: b, batches: map[string]*batch{}, in: map[string]string{}, fresh: map[archive.Ref]*fresh{}}
	w.plans = group[planned]{put: w.putBatch, takes: func(plans []planned, _ planned) bool { return len(plans) < batchJobs }}
	return w
}

// PutJob writes or replaces a job by itself; it is durable on return. A job is
// known by its kind, the id of its chain and its nonce.
func (w *Work) PutJob(ctx context.Context, job archive.Job) error {
	if err := w.put(ctx, job); err != nil {
		return fmt.Errorf("put %s job of %s: %w", job.Kind, job.Ref, err)
	}
	return nil
}

func (w *Work) put(ctx context.Context, job archive.Job) error {
	own, err := jobKey(job)
	if err != nil {
		return err
	}
	key, p, inBatch, err := w.find(ctx, own, job)
	if err != nil {
		return err
	}
	if err := w.putLines(ctx, own, planned{job, p.Key}); err != nil || !inBatch {
		return err
	}
	return w.strike(ctx, key, own)
}

// RemoveJob ends a job, and gives the chain that it began its data key. A job that
// is not there is no error.
func (w *Work) RemoveJob(ctx context.Context, job archive.Job) error {
	if err := w.remove(ctx, job); err != nil {
		return fmt.Errorf("remove %s job of %s: %w", job.Kind, job.Ref, err)
	}
	return nil
}

func (w *Work) remove(ctx context.Context, job archive.Job) error {
	own, err := jobKey(job)
	if err != nil {
		return err
	}
	key, p, inBatch, err := w.find(ctx, own, job)
	if err != nil {
		return err
	}
	if p.Key != nil {
		if err := w.b.keepKey(ctx, job.Ref, p.Key); err != nil {
			return err
		}
	}
	if inBatch {
		err = w.strike(ctx, key, own)
	} else {
		err = w.b.objects.Delete(ctx, own)
	}
	if err == nil {
		w.dropKey(job.Ref, own)
	}
	return err
}

// Jobs lists every job, the oldest first, more or less. It knows the keys of all
// objects before it yields the first job; a job that is removed meanwhile is left
// out. An error that is archive.ErrCorrupt concerns one object, and the listing
// may go on.
func (w *Work) Jobs(ctx context.Context) iter.Seq2[archive.Job, error] {
	return func(yield func(archive.Job, error) bool) {
		keys, err := collect(w.b.objects.List(ctx, "work/", ""))
		if err != nil {
			yield(archive.Job{}, fmt.Errorf("list jobs: %w", err))
			return
		}
		w.forget(keys)
		alone := map[string]bool{} // written again by itself since it was planned
		for _, key := range keys {
			alone[key] = !strings.HasPrefix(key, batchPrefix)
		}
		slices.SortStableFunc(keys, func(a, b string) int {
			return strings.Compare(lastSegment(a), lastSegment(b))
		})
		for _, key := range keys {
			jobs, err := w.jobsIn(ctx, key, alone)
			if err != nil {
				err = fmt.Errorf("job %s: %w", key, err)
				if !yield(archive.Job{}, err) || !errors.Is(err, archive.ErrCorrupt) {
					return
				}
			}
			for _, job := range jobs {
				if !yield(job, nil) {
					return
				}
			}
		}
	}
}

// find is where a job stands, with the data key that it may hold: in a batch that
// this process knows, or by itself.
func (w *Work) find(ctx context.Context, own string, job archive.Job) (key string, p planned, inBatch bool, err error) {
	if key, p, inBatch = w.batched(own); !inBatch && job.New {
		p, err = w.alone(ctx, own)
	}
	return key, p, inBatch, err
}

// alone reads a job that was written by itself; none when it is gone.
func (w *Work) alone(ctx context.Context, own string) (planned, error) {
	lines, err := w.readLines(ctx, own)
	switch {
	case errors.Is(err, archive.ErrNotFound):
		return planned{}, nil
	case err == nil && len(lines) != 1:
		err = fmt.Errorf("get %s: holds %d jobs: %w", own, len(lines), archive.ErrCorrupt)
	}
	if err != nil {
		return planned{}, err
	}
	return lines[0], nil
}

// jobsIn are the jobs of one object that no object has alone.
func (w *Work) jobsIn(ctx context.Context, key string, alone map[string]bool) ([]archive.Job, error) {
	if alone[key] {
		p, err := w.alone(ctx, key)
		if err != nil || p.Job.Kind == "" {
			return nil, err
		}
		return []archive.Job{p.Job}, nil
	}
	left, err := w.open(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(left) == 0 { // its removal failed
		return nil, w.strike(ctx, key, "")
	}
	var jobs []archive.Job
	for _, p := range left {
		own, err := jobKey(p.Job)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, archive.ErrCorrupt)
		}
		if alone[own] {
			if err := w.strike(ctx, key, own); err != nil {
				return nil, err
			}
			continue
		}
		jobs = append(jobs, p.Job)
	}
	return jobs, nil
}

func jobKey(job archive.Job) (string, error) {
	kind, err := nameSegment(job.Kind)
	if err != nil || "work/"+kind+"/" == batchPrefix {
		return "", fmt.Errorf("a kind of jobs: %w", archive.ErrInvalid)
	}
	id, err := idSegment(job.Ref.ID)
	if err != nil {
		return "", err
	}
	nonce, err := idSegment(job.Nonce)
	if err != nil {
		return "", err
	}
	return "work/" + kind + "/" + id + "-" + nonce, nil
}

func collect(list iter.Seq2[Listed, error]) ([]string, error) {
	var all []string
	for o, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, o.Key)
	}
	return all, nil
}
