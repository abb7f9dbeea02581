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
	key, err := dataKeyName(ref)
	if err != nil {
		return vault.Secret{}, err
	}
	o, err := b.fetch(ctx, key)
	if errors.Is(err, archive.ErrNotFound) {
		return vault.Secret{}, fmt.Errorf("the data key of %s is gone: %w", ref, archive.ErrCorrupt)
	}
	if err != nil {
		return vault.Secret{}, fmt.Errorf("data key of %s: %w", ref, err)
	}
	secret, err := b.unwrap(o, ref)
	if err != nil {
		return vault.Secret{}, fmt.Errorf("data key of %s: %w", ref, err)
	}
	b.keys.put(ref, secret)
	return secret, nil
}

// newDataKey is dataKey for a chain that may not have been begun. The key is
// durable before anything is sealed by it.
func (b *Bucket) newDataKey(ctx context.Context, ref archive.Ref) (vault.Secret, error) {
	if secret, ok := b.keys.get(ref); ok {
		return secret, nil
	}
	key, err := dataKeyName(ref)
	if err != nil {
		return vault.Secret{}, err
	}
	secret, err := vault.NewSecret(b.rand)
	if err != nil {
		return vault.Secret{}, err
	}
	newest := b.ring().Newest()
	h := header{Kind: ref.Kind, ID: ref.ID, Key: ringKey(newest.N)}
	o, err := b.seal(key, h, newest.Wrap, secret.Bytes())
	if err != nil {
		return vault.Secret{}, err
	}
	err = b.create(ctx, o)
	if errors.Is(err, archive.ErrExists) {
		return b.dataKey(ctx, ref)
	}
	if err != nil {
		return vault.Secret{}, fmt.Errorf("write data key of %s: %w", ref, err)
	}
	b.keys.put(ref, secret)
	return secret, nil
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
