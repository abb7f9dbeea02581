package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"dangan/archive"
	"dangan/storage/vault"
)

// Recover gives a bucket whose root key or key ring is lost a new root key, that of
// cfg. ring comes from an escrow; it must open everything that a ring has sealed in
// the bucket, or nothing is written and the error is archive.ErrCorrupt. It returns
// how many objects were opened. Nobody may be serving the bucket.
func Recover(ctx context.Context, objects Objects, ring vault.Ring, cfg Config) (int, error) {
	b, err := unopened(objects, cfg)
	if err != nil {
		return 0, fmt.Errorf("recover keys: %w", err)
	}
	opened, err := b.recover(ctx, ring)
	if err != nil {
		return opened, fmt.Errorf("recover keys: %w", err)
	}
	return opened, nil
}

func (b *Bucket) recover(ctx context.Context, ring vault.Ring) (int, error) {
	known, err := b.known(ctx)
	if err != nil {
		return 0, err
	}
	if !known {
		return 0, fmt.Errorf("there is no bucket: %w", archive.ErrNotFound)
	}
	there, err := b.fetch(ctx, keyKeyring)
	if err == nil && there.Key == rootKey(b.keyring.root) {
		return 0, fmt.Errorf("this root key opens the bucket already: %w", archive.ErrExists)
	}
	etag, err := b.etagOf(ctx, keyKeyring)
	if err != nil {
		return 0, err
	}
	if err := b.learn(ring, b.now()); err != nil {
		return 0, err
	}
	opened, err := b.openAll(ctx)
	if err != nil {
		return opened, err
	}
	o, err := b.sealRoot(ring, b.keyring.root)
	if err != nil {
		return opened, err
	}
	if etag == "" {
		return opened, b.create(ctx, o)
	}
	return opened, b.replace(ctx, o, etag)
}

// etagOf is the etag of an object, whatever it holds; empty when there is none.
func (b *Bucket) etagOf(ctx context.Context, key string) (string, error) {
	got, err := b.objects.Get(ctx, key, 0, -1)
	if errors.Is(err, archive.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return got.ETag, got.Body.Close()
}

// openAll opens everything that a ring has sealed, tombstones aside.
func (b *Bucket) openAll(ctx context.Context) (int, error) {
	var opened atomic.Int64
	for _, prefix := range sealedPrefixes() {
		err := b.each(ctx, prefix, func(ctx context.Context, key string) error {
			err := b.tryOpen(ctx, key)
			if errors.Is(err, ErrRootKey) { // read again for a version that it lacks
				err = fmt.Errorf("%s is sealed by a version that the escrow lacks: %w", key, archive.ErrCorrupt)
			}
			if err == nil {
				opened.Add(1)
			}
			return err
		})
		if err != nil {
			return int(opened.Load()), err
		}
	}
	return int(opened.Load()), nil
}

func (b *Bucket) tryOpen(ctx context.Context, key string) error {
	if !strings.HasPrefix(key, "key/") {
		_, _, err := b.fetchRing(ctx, key)
		return err
	}
	o, err := b.fetch(ctx, key)
	if err == nil {
		_, err = b.unwrap(o, archive.Ref{Kind: o.Kind, ID: o.ID})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}
