package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"dangan/archive"
	"dangan/storage/vault"
)

// planned is one line of an object under work/: a job, and the data key of the
// chain that it is to begin.
type planned struct {
	Job archive.Job `json:"job"`
	Key []byte      `json:"key,omitempty"`
}

// batch is the jobs of one group commit that are left, by their own object keys.
// Its object goes when none is.
type batch struct {
	left map[string]planned
	ours bool // written by this process
}

const (
	batchPrefix = "work/batch/"
	batchJobs   = 500 // at most in one object
)

// PlanJob makes a new job durable before it returns, together with those of
// everybody who planned meanwhile. For a job whose commit is the first entry of a
// chain it draws the chain's data key, which so costs no write of its own before
// the commit; it gets its own object when the job is removed.
func (w *Work) PlanJob(ctx context.Context, job archive.Job) error {
	if err := w.plan(ctx, job); err != nil {
		return fmt.Errorf("plan %s job of %s: %w", job.Kind, job.Ref, err)
	}
	return nil
}

func (w *Work) plan(ctx context.Context, job archive.Job) error {
	own, err := jobKey(job)
	if err != nil {
		return err
	}
	p := planned{Job: job}
	if job.New {
		secret, err := w.drawKey(job.Ref, own)
		if err != nil {
			return err
		}
		p.Key = secret.Bytes()
	}
	if err := w.plans.add(ctx, p); err != nil {
		w.dropKey(job.Ref, own)
		return err
	}
	return nil
}

// putBatch writes the jobs of a group commit.
func (w *Work) putBatch(ctx context.Context, plans []planned) error {
	id, err := ulid.New(ulid.Timestamp(w.b.now()), w.b.rand)
	if err != nil {
		return fmt.Errorf("draw name: %w", err)
	}
	key := batchPrefix + strings.ToLower(id.String())
	if err := w.putLines(ctx, key, plans...); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.register(key, plans, true)
	return nil
}

func (w *Work) putLines(ctx context.Context, key string, plans ...planned) error {
	var plain bytes.Buffer
	lines := json.NewEncoder(&plain)
	for _, p := range plans {
		if err := lines.Encode(p); err != nil {
			return fmt.Errorf("encode: %w", err)
		}
	}
	o, err := w.b.sealRing(key, header{}, plain.Bytes())
	if err != nil {
		return err
	}
	return w.b.objects.Put(ctx, key, o.raw)
}

func (w *Work) readLines(ctx context.Context, key string) ([]planned, error) {
	_, plain, err := w.b.fetchRing(ctx, key)
	if err != nil {
		return nil, err
	}
	var plans []planned
	for lines := json.NewDecoder(bytes.NewReader(plain)); lines.More(); {
		var p planned
		if err := lines.Decode(&p); err != nil {
			return nil, fmt.Errorf("get %s: body is no job: %w", key, archive.ErrCorrupt)
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// register remembers what is left of a batch. w.mu is held.
func (w *Work) register(key string, plans []planned, ours bool) *batch {
	b := &batch{left: map[string]planned{}, ours: ours}
	for _, p := range plans {
		if own, err := jobKey(p.Job); err == nil {
			b.left[own] = p
			w.in[own] = key
		}
	}
	w.batches[key] = b
	return b
}

// open is what is left of a batch, oldest chains first. A batch that is gone has
// nothing left.
func (w *Work) open(ctx context.Context, key string) ([]planned, error) {
	w.mu.Lock()
	b, known := w.batches[key]
	w.mu.Unlock()
	if !known {
		plans, err := w.readLines(ctx, key)
		if errors.Is(err, archive.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		b = w.register(key, plans, false)
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []planned
	for _, own := range slices.Sorted(maps.Keys(b.left)) {
		left = append(left, b.left[own])
	}
	return left, nil
}

// batched finds the batch that a job is in, as far as this process knows.
func (w *Work) batched(own string) (key string, p planned, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if key, ok = w.in[own]; ok {
		p = w.batches[key].left[own]
	}
	return key, p, ok
}

// strike takes a job out of its batch, and removes the object when it was the
// last. Should that fail, the next listing tries again.
func (w *Work) strike(ctx context.Context, key, own string) error {
	w.mu.Lock()
	b := w.batches[key]
	if b == nil {
		w.mu.Unlock()
		return nil
	}
	delete(b.left, own)
	delete(w.in, own)
	empty := len(b.left) == 0
	w.mu.Unlock()
	if !empty {
		return nil
	}
	if err := w.b.objects.Delete(ctx, key); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.batches, key)
	w.mu.Unlock()
	return nil
}

// forget drops what is known of batches that others have done with.
func (w *Work) forget(listed []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, b := range w.batches {
		if b.ours || slices.Contains(listed, key) {
			continue
		}
		for own := range b.left {
			delete(w.in, own)
		}
		delete(w.batches, key)
	}
}

// fresh is the data key of a chain that jobs of this process are to begin. It is
// known for as long as one of them is left: all that is sealed until then must be
// sealed by one key.
type fresh struct {
	secret vault.Secret
	jobs   map[string]bool // by their own object keys
}

// drawKey is the key for a new chain. Attempts to begin the same one share it.
func (w *Work) drawKey(ref archive.Ref, own string) (vault.Secret, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.fresh[ref]
	if f == nil {
		secret, err := vault.NewSecret(w.b.rand)
		if err != nil {
			return secret, err
		}
		f = &fresh{secret, map[string]bool{}}
		w.fresh[ref] = f
	}
	f.jobs[own] = true
	return f.secret, nil
}

func (w *Work) dropKey(ref archive.Ref, own string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.fresh[ref]; f != nil {
		if delete(f.jobs, own); len(f.jobs) == 0 {
			delete(w.fresh, ref)
		}
	}
}

// freshKey is the key drawn for a chain here, if it was.
func (w *Work) freshKey(ref archive.Ref) (vault.Secret, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.fresh[ref]; f != nil {
		return f.secret, true
	}
	return vault.Secret{}, false
}

// keysOf are the data keys that jobs say a chain may have been begun with.
func (w *Work) keysOf(ctx context.Context, ref archive.Ref) ([]vault.Secret, error) {
	keys, err := collect(w.b.objects.List(ctx, "work/", ""))
	if err != nil {
		return nil, err
	}
	id, err := idSegment(ref.ID)
	if err != nil {
		return nil, err
	}
	var found []vault.Secret
	for _, key := range keys {
		if !strings.HasPrefix(key, batchPrefix) && !strings.HasPrefix(lastSegment(key), id+"-") {
			continue
		}
		plans, err := w.readLines(ctx, key)
		if err != nil && !errors.Is(err, archive.ErrNotFound) {
			return nil, err
		}
		for _, p := range plans {
			if secret, err := vault.SecretOf(p.Key); err == nil && p.Job.Ref == ref {
				found = append(found, secret)
			}
		}
	}
	return found, nil
}
