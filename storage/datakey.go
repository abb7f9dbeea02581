package storage

import (
	"context"
	"errors"
	"fmt"

	"dangan/archive"
	"dangan/storage/vault"
)

// dataKey is the secret that seals a chain and its blobs. It is never written
// anew for a chain whose key is gone: that chain was erased, or is damaged.
func (b *Bucket) dataKey(ctx context.Context, ref archive.Ref) (vault.Secret, error) {
	if secret, ok := b.keys.get(ref); ok {
		return secret, nil
	}
	secret, err := b.storedKey(ctx, ref)
	if errors.Is(err, archive.ErrNotFound) {
		secret, err = b.plannedKey(ctx, ref)
	}
	if errors.Is(err, archive.ErrNotFound) { // perhaps its job was removed just now
		secret, err = b.storedKey(ctx, ref)
	}
	if errors.Is(err, archive.ErrNotFound) {
		return secret, fmt.Errorf("the data key of %s is gone: %w", ref, archive.ErrCorrupt)
	}
	if err != nil {
		return secret, fmt.Errorf("data key of %s: %w", ref, err)
	}
	b.keys.put(ref, secret)
	return secret, nil
}

// warmKey has the data key at hand for what follows, if it has its own object.
func (b *Bucket) warmKey(ctx context.Context, ref archive.Ref) {
	if _, known := b.keys.get(ref); known {
		return
	}
	if secret, err := b.storedKey(ctx, ref); err == nil {
		b.keys.put(ref, secret)
	}
}

// storedKey reads the object of a data key.
func (b *Bucket) storedKey(ctx context.Context, ref archive.Ref) (vault.Secret, error) {
	key, err := dataKeyName(ref)
	if err != nil {
		return vault.Secret{}, err
	}
	o, err := b.fetch(ctx, key)
	if err != nil {
		return vault.Secret{}, err
	}
	return b.unwrap(o, ref)
}

// plannedKey finds the data key of a chain whose job is still to be done. Several
// attempts may have drawn one: that of the chain opens its first entry.
func (b *Bucket) plannedKey(ctx context.Context, ref archive.Ref) (vault.Secret, error) {
	secrets, err := b.work.keysOf(ctx, ref)
	if err != nil {
		return vault.Secret{}, err
	}
	for _, secret := range secrets {
		began, err := b.began(ctx, ref, secret)
		if err != nil || began {
			return secret, err
		}
	}
	return vault.Secret{}, archive.ErrNotFound
}

// began reports whether the first entry of a chain is sealed by the secret.
func (b *Bucket) began(ctx context.Context, ref archive.Ref, secret vault.Secret) (bool, error) {
	key, err := entryKey(ref, 1)
	if err != nil {
		return false, err
	}
	o, err := b.fetchEntry(ctx, key)
	if errors.Is(err, archive.ErrNotFound) {
		return false, nil
	}
	if err != nil || o.Fence {
		return false, err
	}
	_, err = o.open(secret)
	return err == nil, nil
}

// newDataKey is dataKey for a chain that may not have been begun. The key is
// durable before anything is sealed by it.
func (b *Bucket) newDataKey(ctx context.Context, ref archive.Ref) (vault.Secret, error) {
	if secret, ok := b.keys.get(ref); ok {
		return secret, nil
	}
	if secret, ok := b.work.freshKey(ref); ok {
		return secret, nil
	}
	secret, err := vault.NewSecret(b.rand)
	if err != nil {
		return vault.Secret{}, err
	}
	err = b.writeKey(ctx, ref, secret)
	if errors.Is(err, archive.ErrExists) {
		return b.dataKey(ctx, ref)
	}
	if err != nil {
		return vault.Secret{}, fmt.Errorf("write data key of %s: %w", ref, err)
	}
	b.keys.put(ref, secret)
	return secret, nil
}

// keepKey gives a data key its own object, if its chain was begun with it.
func (b *Bucket) keepKey(ctx context.Context, ref archive.Ref, key []byte) error {
	secret, err := vault.SecretOf(key)
	if err != nil {
		return fmt.Errorf("data key of %s: %w: %w", ref, err, archive.ErrCorrupt)
	}
	if known, ok := b.keys.get(ref); !ok || known != secret {
		began, err := b.began(ctx, ref, secret)
		if err != nil || !began {
			return err
		}
	}
	if err := b.writeKey(ctx, ref, secret); err != nil && !errors.Is(err, archive.ErrExists) {
		return fmt.Errorf("write data key of %s: %w", ref, err)
	}
	return nil
}

func (b *Bucket) writeKey(ctx context.Context, ref archive.Ref, secret vault.Secret) error {
	key, err := dataKeyName(ref)
	if err != nil {
		return err
	}
	o, err := b.wrap(key, ref, secret)
	if err != nil {
		return err
	}
	return b.create(ctx, o)
}

// wrap seals a data key under the current version of the ring.
func (b *Bucket) wrap(key string, ref archive.Ref, secret vault.Secret) (object, error) {
	current := b.current()
	return b.seal(key, header{Kind: ref.Kind, ID: ref.ID, Key: ringKey(current.N)}, current.Wrap, secret.Bytes())
}

func (b *Bucket) unwrap(o object, ref archive.Ref) (vault.Secret, error) {
	if o.Kind != ref.Kind || o.ID != ref.ID {
		return vault.Secret{}, fmt.Errorf("belongs to another chain: %w", archive.ErrCorrupt)
	}
	version, err := b.ringVersion(o)
	if err != nil {
		return vault.Secret{}, err
	}
	plain, err := o.open(version.Wrap)
	if err != nil {
		return vault.Secret{}, err
	}
	secret, err := vault.SecretOf(plain)
	if err != nil {
		return vault.Secret{}, fmt.Errorf("%w: %w", err, archive.ErrCorrupt)
	}
	return secret, nil
}

func dataKeyName(ref archive.Ref) (string, error) {
	path, err := refPath(ref)
	if err != nil {
		return "", err
	}
	return "key/" + path, nil
}
