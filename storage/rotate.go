package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dangan/archive"
	"dangan/storage/vault"
)

// Keys looks after the key ring. Every change of the ring is one compare-and-swap;
// when somebody else was faster, the error is archive.ErrConflict and nothing has
// changed.
type Keys struct{ b *Bucket }

// Founded reports whether the store holds a bucket that has a key ring, or had one.
func Founded(ctx context.Context, objects Objects) (bool, error) {
	b := &Bucket{objects: objects}
	if known, err := b.known(ctx); known || err != nil {
		return known, err
	}
	_, err := b.fetch(ctx, keyKeyring)
	if errors.Is(err, archive.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Rotate adds a version to the ring. It is written with after two RingAge, when
// every process knows it, and Rewrite moves to it what can be moved. While the
// version before has not been written with, the error is archive.ErrConflict.
func (k *Keys) Rotate(ctx context.Context) (vault.Version, error) {
	var added vault.Version
	err := k.change(ctx, nil, func(ring vault.Ring) (vault.Ring, error) {
		now := k.b.now()
		if last := ring.Versions[len(ring.Versions)-1]; now.Before(last.From) {
			return ring, fmt.Errorf("version %d, of %s, is not written with yet: %w", last.N, last.Created.Format(time.RFC3339), archive.ErrConflict)
		}
		ring, err := ring.Grow(k.b.rand, now, now.Add(2*k.b.keyring.age))
		if err == nil {
			added = ring.Versions[len(ring.Versions)-1]
		}
		return ring, err
	})
	if err != nil {
		return vault.Version{}, fmt.Errorf("rotate keys: %w", err)
	}
	return added, nil
}

// Reroot seals the ring under another root key. From then on the old one opens
// nothing, and processes that have it end (see Watch).
func (k *Keys) Reroot(ctx context.Context, newRoot []byte) error {
	root, err := vault.SecretOf(newRoot)
	if err == nil {
		err = k.change(ctx, &root, func(ring vault.Ring) (vault.Ring, error) { return ring, nil })
	}
	if err != nil {
		return fmt.Errorf("change root key: %w", err)
	}
	return nil
}

// Escrow seals the ring to an age recipient, hands it to keep, and notes in the
// ring that it was kept.
func (k *Keys) Escrow(ctx context.Context, recipient string, keep func(sealed []byte) error) error {
	err := k.change(ctx, nil, func(ring vault.Ring) (vault.Ring, error) {
		sealed, noted, err := ring.SealTo(recipient, k.b.now())
		if err == nil {
			err = keep(sealed)
		}
		return noted, err
	})
	if err != nil {
		return fmt.Errorf("escrow keys: %w", err)
	}
	return nil
}

// change replaces the ring, if it is still the one that change was given. It is
// sealed by another root key when there is one.
func (k *Keys) change(ctx context.Context, reroot *vault.Secret, change func(vault.Ring) (vault.Ring, error)) error {
	own := &k.b.keyring
	own.reading.Lock()
	defer own.reading.Unlock()
	there, err := k.b.readRing(ctx)
	if err != nil {
		return err
	}
	ring, err := change(*k.b.ring())
	if err != nil {
		return err
	}
	root := own.root
	if reroot != nil {
		root = *reroot
	}
	o, err := k.b.sealRoot(ring, root)
	if err != nil {
		return err
	}
	if err := k.b.replace(ctx, o, there.etag); err != nil {
		return fmt.Errorf("replace the ring that was read: %w", err)
	}
	own.root = root
	return k.b.learn(ring, k.b.now())
}

// Watch reads the ring twice in every RingAge until ctx ends, so that what other
// processes add to it is known here in time. It ends with ErrRootKey when the ring
// was sealed under another root key: this process must be started anew with that.
func (k *Keys) Watch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(k.b.keyring.age / 2):
		}
		err := k.b.rereadRing(ctx, anew)
		switch {
		case errors.Is(err, ErrRootKey):
			return fmt.Errorf("watch keys: %w", err)
		case err != nil && ctx.Err() == nil:
			k.b.log.WarnContext(ctx, "key ring not read again", "error", err)
		}
	}
}
