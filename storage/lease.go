package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dangan/archive"
)

// Acquire takes a lease, or prolongs one that holder has, until now+ttl. While
// somebody else holds it, the error is archive.ErrConflict. The clocks of the
// replicas must agree to much less than ttl; the fence protects what they cannot.
func (w *Work) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (archive.Lease, error) {
	lease, err := w.acquire(ctx, name, holder, ttl)
	if err != nil {
		return archive.Lease{}, fmt.Errorf("acquire lease %s: %w", name, err)
	}
	return lease, nil
}

func (w *Work) acquire(ctx context.Context, name, holder string, ttl time.Duration) (archive.Lease, error) {
	if holder == "" || ttl <= 0 {
		return archive.Lease{}, fmt.Errorf("no holder or no time: %w", archive.ErrInvalid)
	}
	now := w.b.now().UTC()
	want := archive.Lease{Name: name, Holder: holder, Fence: 1, Expires: now.Add(ttl)}
	there, held, err := w.lease(ctx, name)
	if errors.Is(err, archive.ErrNotFound) {
		return want, w.putLease(ctx, want, "")
	}
	if err != nil {
		return archive.Lease{}, err
	}
	if held.Holder != holder && held.Holder != "" && now.Before(held.Expires) {
		return archive.Lease{}, archive.ErrConflict
	}
	want.Fence = held.Fence
	if held.Holder != holder {
		want.Fence++
	}
	return want, w.putLease(ctx, want, there.etag)
}

// Release gives a held lease up early. One that is no longer held is no error.
func (w *Work) Release(ctx context.Context, l archive.Lease) error {
	if err := w.release(ctx, l); err != nil {
		return fmt.Errorf("release lease %s: %w", l.Name, err)
	}
	return nil
}

func (w *Work) release(ctx context.Context, l archive.Lease) error {
	there, held, err := w.lease(ctx, l.Name)
	if errors.Is(err, archive.ErrNotFound) {
		return nil
	}
	if err != nil || held.Holder != l.Holder || held.Fence != l.Fence {
		return err
	}
	held.Holder = ""
	err = w.putLease(ctx, held, there.etag)
	if errors.Is(err, archive.ErrConflict) {
		return nil // taken over while we were letting go
	}
	return err
}

func (w *Work) lease(ctx context.Context, name string) (object, archive.Lease, error) {
	key, err := leaseKey(name)
	if err != nil {
		return object{}, archive.Lease{}, err
	}
	o, plain, err := w.b.fetchRing(ctx, key)
	if err != nil {
		return object{}, archive.Lease{}, err
	}
	var l archive.Lease
	if err := json.Unmarshal(plain, &l); err != nil || l.Name != name {
		return object{}, archive.Lease{}, fmt.Errorf("body is not this lease: %w", archive.ErrCorrupt)
	}
	return o, l, nil
}

// putLease writes a lease over the one read with etag, or the first one.
func (w *Work) putLease(ctx context.Context, l archive.Lease, etag string) error {
	key, err := leaseKey(l.Name)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return w.b.swap(ctx, key, plain, etag)
}

// swap creates key, or replaces the object that was read with etag. When somebody
// else was faster, the error is archive.ErrConflict.
func (b *Bucket) swap(ctx context.Context, key string, plain []byte, etag string) error {
	o, err := b.sealRing(key, header{}, plain)
	if err != nil {
		return err
	}
	if etag != "" {
		return b.replace(ctx, o, etag)
	}
	err = b.create(ctx, o)
	if errors.Is(err, archive.ErrExists) {
		return archive.ErrConflict
	}
	return err
}

func leaseKey(name string) (string, error) {
	name, err := nameSegment(name)
	if err != nil {
		return "", err
	}
	return "lease/" + name, nil
}
