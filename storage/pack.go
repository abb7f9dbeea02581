package storage

import (
	"context"
	"errors"
	"fmt"

	"dangan/archive"
)

// Packs keeps what can be made again from many chains at once, such as the documents
// of all records of one shard: what is slow to gather and quick to read in one piece.
// Nothing in a pack is needed; whoever reads one must compare it with the chains.
//
// A pack is sealed by the key ring and not by the keys of the chains it was made of.
// So whoever erases a chain must delete its pack too.
type Packs struct{ b *Bucket }

// Packs are what is derived from many chains.
func (b *Bucket) Packs() *Packs { return &Packs{b} }

// MaxPack is the largest pack, in bytes: one is in memory as a whole.
const MaxPack = 64 << 20

// Put writes a pack in place of what was kept before. One larger than MaxPack is
// archive.ErrInvalid.
func (p *Packs) Put(ctx context.Context, name string, data []byte) error {
	key, err := packKey(name)
	if err == nil && len(data) > MaxPack {
		err = fmt.Errorf("%d bytes: %w", len(data), archive.ErrInvalid)
	}
	if err == nil {
		err = p.put(ctx, key, data)
	}
	if err != nil {
		return fmt.Errorf("put pack %s: %w", name, err)
	}
	return nil
}

func (p *Packs) put(ctx context.Context, key string, data []byte) error {
	o, err := p.b.sealRing(key, header{}, data)
	if err != nil {
		return err
	}
	return p.b.objects.Put(ctx, key, o.raw)
}

// Get is archive.ErrNotFound when there is no such pack, and when it is damaged or sealed
// by a key that was given up: it has to be made again.
func (p *Packs) Get(ctx context.Context, name string) ([]byte, error) {
	key, err := packKey(name)
	if err != nil {
		return nil, fmt.Errorf("get pack %s: %w", name, err)
	}
	o, data, err := p.b.fetchRing(ctx, key)
	if errors.Is(err, archive.ErrCorrupt) || err == nil && o.Key != ringKey(p.b.current().N) {
		err = archive.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get pack %s: %w", name, err)
	}
	return data, nil
}

// Delete removes a pack. One that is not there is no error.
func (p *Packs) Delete(ctx context.Context, name string) error {
	key, err := packKey(name)
	if err == nil {
		err = p.b.objects.Delete(ctx, key)
	}
	if err != nil {
		return fmt.Errorf("delete pack %s: %w", name, err)
	}
	return nil
}

func packKey(name string) (string, error) {
	name, err := nameSegment(name)
	return "derived/documents/" + name + "-v1", err
}
