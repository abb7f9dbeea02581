package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"dangan/archive"
	"dangan/storage/vault"
)

// ErrRootKey means that the bucket belongs to another root key.
var ErrRootKey = errors.New("the root key does not belong to this bucket")

// keyring is the ring as this process knows it; it may grow at any time.
type keyring struct {
	root vault.Secret
	age  time.Duration // Config.RingAge

	last    atomic.Pointer[ringRead]
	reading sync.Mutex
}

// ringRead is a ring, when it was read, and since when this process has known its
// newest version.
type ringRead struct {
	vault.Ring
	at, known time.Time
}

// ring is the key ring as it was read last.
func (b *Bucket) ring() *vault.Ring { return &b.keyring.last.Load().Ring }

// current is the version of the ring to seal with.
func (b *Bucket) current() vault.Version { return b.ring().Current(b.now()) }

// freshRing is the ring as it was at most RingAge ago.
func (b *Bucket) freshRing(ctx context.Context) (*vault.Ring, error) {
	err := b.rereadRing(ctx, func(last *ringRead) bool { return since(last.at, b.now()) <= b.keyring.age })
	return b.ring(), err
}

// since is how long ago then was, by the wall clock or the monotonic one: neither
// goes on through every kind of sleep.
func since(then, now time.Time) time.Duration {
	return max(now.Sub(then).Abs(), now.Round(0).Sub(then).Abs())
}

// rereadRing reads the ring again, unless the last reading will do.
func (b *Bucket) rereadRing(ctx context.Context, will func(*ringRead) bool) error {
	if will(b.keyring.last.Load()) {
		return nil
	}
	b.keyring.reading.Lock()
	defer b.keyring.reading.Unlock()
	if will(b.keyring.last.Load()) {
		return nil // somebody read it while we waited
	}
	_, err := b.readRing(ctx)
	return err
}

// anew is for who wants the ring as it is now.
func anew(*ringRead) bool { return false }

// readRing reads the ring and remembers it, and returns its object.
func (b *Bucket) readRing(ctx context.Context) (object, error) {
	at := b.now()
	o, err := b.fetch(ctx, keyKeyring)
	if errors.Is(err, archive.ErrNotFound) {
		return o, fmt.Errorf("the bucket has lost its key ring: %w", archive.ErrCorrupt)
	}
	if err != nil {
		return o, fmt.Errorf("key ring: %w", err)
	}
	if o.Key != rootKey(b.keyring.root) {
		return o, ErrRootKey
	}
	plain, err := o.open(b.keyring.root)
	if err != nil {
		return o, fmt.Errorf("key ring: %w", err)
	}
	ring, err := vault.DecodeRing(plain)
	if err != nil {
		return o, err
	}
	return o, b.learn(ring, at)
}

// learn remembers a ring that was asked for at a time.
func (b *Bucket) learn(ring vault.Ring, at time.Time) error {
	read := &ringRead{ring, at, b.now()}
	if last := b.keyring.last.Load(); last != nil {
		switch {
		case len(ring.Versions) < len(last.Versions):
			return fmt.Errorf("the key ring has lost a version: %w", archive.ErrCorrupt)
		case len(ring.Versions) == len(last.Versions):
			read.known = last.known
		}
	}
	b.keyring.last.Store(read)
	return nil
}

// rootKey is header.Key of what a root key seals.
func rootKey(root vault.Secret) string { return "root/" + root.RootID() }

// openRing reads the key ring, or makes one in a bucket that is not known. Of two
// processes that start at once, both end up with the ring of the first.
func (b *Bucket) openRing(ctx context.Context, known bool) error {
	if !known {
		if err := b.found(ctx); err != nil {
			return err
		}
	}
	if _, err := b.readRing(ctx); err != nil {
		return err
	}
	return b.markFormat(ctx, known)
}

// known reports whether the bucket is in this format already. It refuses one
// that holds our objects without saying so: what sealed them is not here.
func (b *Bucket) known(ctx context.Context) (bool, error) {
	_, err := b.fetch(ctx, keyFormat)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, archive.ErrNotFound) {
		return false, fmt.Errorf("format: %w", err)
	}
	for _, prefix := range []string{"chain/", "key/"} {
		for _, err := range b.objects.List(ctx, prefix, "") {
			if err != nil {
				return false, fmt.Errorf("format: %w", err)
			}
			return false, fmt.Errorf("the bucket has objects under %s and no %s: %w", prefix, keyFormat, archive.ErrCorrupt)
		}
	}
	return false, nil
}

// found writes the first key ring, unless there is one.
func (b *Bucket) found(ctx context.Context) error {
	ring, err := vault.NewRing(b.rand, b.now())
	if err != nil {
		return err
	}
	o, err := b.sealRoot(ring, b.keyring.root)
	if err != nil {
		return err
	}
	err = b.create(ctx, o)
	if errors.Is(err, archive.ErrExists) {
		return nil // by a replica that starts at the same time, or a start that was killed
	}
	if err != nil {
		return fmt.Errorf("write key ring: %w", err)
	}
	b.log.InfoContext(ctx, "made the key ring of a new bucket")
	return nil
}

// sealRoot makes the object of a key ring.
func (b *Bucket) sealRoot(ring vault.Ring, root vault.Secret) (object, error) {
	plain, err := ring.Encode()
	if err != nil {
		return object{}, err
	}
	return b.seal(keyKeyring, header{Key: rootKey(root)}, root, plain)
}

// markFormat says what the bucket holds, once the ring is sure to be there.
func (b *Bucket) markFormat(ctx context.Context, known bool) error {
	if known {
		return nil
	}
	o, err := b.encode(keyFormat, header{})
	if err != nil {
		return err
	}
	if err := b.create(ctx, o); err != nil && !errors.Is(err, archive.ErrExists) {
		return fmt.Errorf("write format: %w", err)
	}
	return nil
}
