package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"dangan/archive"
)

// Work keeps jobs, durable intentions, and leases, which say whose turn it is.
type Work struct{ b *Bucket }

// PutJob writes or replaces a job; it is durable on return. A job is known by
// its kind, the id of its chain and its nonce.
func (w *Work) PutJob(ctx context.Context, job archive.Job) error {
	if err := w.put(ctx, job); err != nil {
		return fmt.Errorf("put %s job of %s: %w", job.Kind, job.Ref, err)
	}
	return nil
}

func (w *Work) put(ctx context.Context, job archive.Job) error {
	key, err := jobKey(job)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	o, err := w.b.sealRing(key, header{}, plain)
	if err != nil {
		return err
	}
	return w.b.objects.Put(ctx, key, o.raw)
}

// RemoveJob ends a job. One that is not there is no error.
func (w *Work) RemoveJob(ctx context.Context, job archive.Job) error {
	key, err := jobKey(job)
	if err == nil {
		err = w.b.objects.Delete(ctx, key)
	}
	if err != nil {
		return fmt.Errorf("remove %s job of %s: %w", job.Kind, job.Ref, err)
	}
	return nil
}

// Jobs lists every job, the oldest chains first. It knows the keys of all before
// it yields the first; a job that is removed meanwhile is left out. An error that
// is archive.ErrCorrupt concerns one job, and the listing may go on.
func (w *Work) Jobs(ctx context.Context) iter.Seq2[archive.Job, error] {
	return func(yield func(archive.Job, error) bool) {
		keys, err := collect(w.b.objects.List(ctx, "work/", ""))
		if err != nil {
			yield(archive.Job{}, fmt.Errorf("list jobs: %w", err))
			return
		}
		slices.SortStableFunc(keys, func(a, b string) int {
			return strings.Compare(lastSegment(a), lastSegment(b))
		})
		for _, key := range keys {
			job, err := w.read(ctx, key)
			if errors.Is(err, archive.ErrNotFound) {
				continue
			}
			if err != nil {
				err = fmt.Errorf("job %s: %w", key, err)
			}
			if !yield(job, err) || (err != nil && !errors.Is(err, archive.ErrCorrupt)) {
				return
			}
		}
	}
}

func (w *Work) read(ctx context.Context, key string) (archive.Job, error) {
	_, plain, err := w.b.fetchRing(ctx, key)
	if err != nil {
		return archive.Job{}, err
	}
	var job archive.Job
	if err := json.Unmarshal(plain, &job); err != nil {
		return archive.Job{}, fmt.Errorf("body is no job: %w", archive.ErrCorrupt)
	}
	return job, nil
}

func jobKey(job archive.Job) (string, error) {
	kind, err := nameSegment(job.Kind)
	if err != nil {
		return "", err
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
