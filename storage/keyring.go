package storage

import (
	"context"
	"errors"
	"fmt"

	"dangan/archive"
	"dangan/storage/vault"
)

// ErrRootKey means that the bucket belongs to another root key.
var ErrRootKey = errors.New("the root key does not belong to this bucket")

// openRing reads the key ring, or makes one in a bucket that is new. Of two
// processes that start at once, both end up with the ring of the first.
func (b *Bucket) openRing(ctx context.Context, root vault.Secret) error {
	known, err := b.known(ctx)
	if err != nil {
		return err
	}
	if !known {
		if err := b.found(ctx, root); err != nil {
			return err
		}
	}
	o, err := b.fetch(ctx, keyKeyring)
	if errors.Is(err, archive.ErrNotFound) {
		return fmt.Errorf("the bucket has lost its key ring: %w", archive.ErrCorrupt)
	}
	if err != nil {
		return fmt.Errorf("key ring: %w", err)
	}
	if o.Key != "root/"+root.RootID() {
		return ErrRootKey
	}
	plain, err := o.open(root)
	if err != nil {
		return fmt.Errorf("key ring: %w", err)
	}
	ring, err := vault.DecodeRing(plain)
	if err != nil {
		return err
	}
	b.keyring.Store(&ring)
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
func (b *Bucket) found(ctx context.Context, root vault.Secret) error {
	ring, err := vault.NewRing(b.rand, b.now())
	if err != nil {
		return err
	}
	plain, err := ring.Encode()
	if err != nil {
		return err
	}
	o, err := b.seal(keyKeyring, header{Key: "root/" + root.RootID()}, root, plain)
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
