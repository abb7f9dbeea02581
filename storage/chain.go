package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"

	"dangan/archive"
	"dangan/storage/vault"
)

// Chain is everything with a history of one kind. Each value has an id and is a
// row of immutable entries; the newest is its state.
type Chain[T any] struct {
	b    *Bucket
	kind archive.Kind
}

// head is an entry that is known to exist: its number and its hash as stored.
type head struct {
	n    int
	hash string
}

// NewChain opens the chains of a kind. Values are kept as JSON.
func NewChain[T any](b *Bucket, kind archive.Kind) *Chain[T] {
	return &Chain[T]{b, kind}
}

func (c *Chain[T]) ref(id string) archive.Ref { return archive.Ref{Kind: c.kind, ID: id} }

// Append writes entry n, create-only; it is durable on return. When entry n is
// there, or the chain was fenced before entry 1, the error is
// archive.ErrConflict; without an entry n-1 it is archive.ErrNotFound. After any
// other error the entry may or may not exist.
func (c *Chain[T]) Append(ctx context.Context, id string, n int, value T) error {
	if err := c.append(ctx, id, n, value); err != nil {
		return fmt.Errorf("append entry %d of %s: %w", n, c.ref(id), err)
	}
	return nil
}

func (c *Chain[T]) append(ctx context.Context, id string, n int, value T) error {
	ref := c.ref(id)
	key, err := entryKey(ref, n)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	h := header{Kind: c.kind, ID: id, N: n, Key: chainKey}
	var rest []byte
	if h.Carries, rest, err = carry(value, n); err != nil {
		return err
	}
	var secret vault.Secret
	if n == 1 {
		secret, err = c.b.newDataKey(ctx, ref)
	} else if h.Prev, err = c.hash(ctx, id, n-1); err == nil {
		secret, err = c.b.dataKey(ctx, ref)
	}
	if err != nil {
		return err
	}
	o, err := c.b.seal(key, h, secret, plain)
	if err != nil {
		return err
	}
	o.rest = rest
	err = c.b.create(ctx, o)
	if errors.Is(err, archive.ErrExists) {
		return archive.ErrConflict
	}
	if err == nil {
		c.b.keys.put(ref, secret)
		c.remember(o)
	}
	return err
}

// remember keeps an entry that is the newest, sealed as it is, if it is small.
func (c *Chain[T]) remember(o object) {
	ref := c.ref(o.ID)
	c.b.heads.put(ref, head{o.N, hashOf(o.raw)})
	if len(o.raw) <= entryCached {
		o.rest = nil
		c.b.newest.put(ref, o)
	}
}

// carry gathers the blobs that entry n takes along.
func carry(value any, n int) (list []carried, rest []byte, err error) {
	from, ok := value.(archive.Carrier)
	if !ok {
		return nil, nil, nil
	}
	for _, b := range from.Blobs() {
		entry, _, err := parseBlobID(b.ID)
		switch {
		case b.Sealed == "" && (err != nil || entry != n):
			continue // an object of its own, or carried by an earlier entry
		case err != nil || entry != n || int64(len(b.Sealed)) != sealedSize(b.Size):
			return nil, nil, fmt.Errorf("a blob that another entry was to carry: %w", archive.ErrInvalid)
		}
		list = append(list, carried{b.ID, int64(len(b.Sealed))})
		rest = append(rest, b.Sealed...)
	}
	return list, rest, nil
}

// hash is the hash of entry n as stored, without what it carries.
func (c *Chain[T]) hash(ctx context.Context, id string, n int) (string, error) {
	if known, ok := c.b.heads.get(c.ref(id)); ok && known.n == n {
		return known.hash, nil
	}
	o, err := c.fetch(ctx, id, n)
	if err != nil {
		return "", err
	}
	if o.Fence {
		return "", archive.ErrNotFound
	}
	return hashOf(o.raw), nil
}

// Head returns the newest entry, or archive.ErrNotFound when there is none or
// the chain was fenced.
func (c *Chain[T]) Head(ctx context.Context, id string) (archive.Version[T], error) {
	v, err := c.head(ctx, id)
	if err != nil {
		return archive.Version[T]{}, fmt.Errorf("head of %s: %w", c.ref(id), err)
	}
	return v, nil
}

func (c *Chain[T]) head(ctx context.Context, id string) (archive.Version[T], error) {
	if _, known := c.b.heads.get(c.ref(id)); !known {
		if o, ok := c.only(ctx, id); ok {
			v, err := c.open(ctx, o)
			if err == nil {
				c.remember(o)
			}
			return v, err
		}
	}
	n, err := c.last(ctx, id)
	if err != nil {
		return archive.Version[T]{}, err
	}
	o, known := c.b.newest.get(c.ref(id))
	if !known || o.N != n {
		if o, err = c.fetch(ctx, id, n); errors.Is(err, archive.ErrNotFound) {
			err = fmt.Errorf("entry %d has gone: %w", n, archive.ErrCorrupt)
		}
		if err != nil {
			return archive.Version[T]{}, err
		}
	}
	v, err := c.open(ctx, o)
	if err == nil {
		c.remember(o)
	}
	return v, err
}

// only is the first entry of a chain that has no second, as most have. It takes
// one round trip, where a listing takes one before the entry can be asked for; the
// data key is fetched meanwhile.
func (c *Chain[T]) only(ctx context.Context, id string) (object, bool) {
	var first object
	var found, alone error
	var wait sync.WaitGroup
	wait.Go(func() { first, found = c.fetch(ctx, id, 1) })
	wait.Go(func() { _, alone = c.fetch(ctx, id, 2) })
	wait.Go(func() { c.b.warmKey(ctx, c.ref(id)) })
	wait.Wait()
	return first, found == nil && errors.Is(alone, archive.ErrNotFound)
}

// last is the number of the newest entry. It asks for the one after the newest
// that is known here, which is cheaper than listing, and lists otherwise.
func (c *Chain[T]) last(ctx context.Context, id string) (int, error) {
	if known, ok := c.b.heads.get(c.ref(id)); ok {
		if _, err := c.fetch(ctx, id, known.n+1); errors.Is(err, archive.ErrNotFound) {
			return known.n, nil
		}
	}
	path, err := refPath(c.ref(id))
	if err != nil {
		return 0, err
	}
	last := 0
	for o, err := range c.b.objects.List(ctx, "chain/"+path+"/", "") {
		if err != nil {
			return 0, err
		}
		if _, last, err = parseEntryKey(o.Key); err != nil {
			return 0, err
		}
	}
	if last == 0 {
		return 0, archive.ErrNotFound
	}
	return last, nil
}

// History returns all entries, oldest first, having checked that each names the
// one before it by its hash.
func (c *Chain[T]) History(ctx context.Context, id string) ([]archive.Version[T], error) {
	last, err := c.last(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", c.ref(id), err)
	}
	versions := make([]archive.Version[T], 0, last)
	prev := ""
	for n := 1; n <= last; n++ {
		o, err := c.fetch(ctx, id, n)
		if errors.Is(err, archive.ErrNotFound) {
			err = archive.ErrCorrupt // a gap
		}
		if err == nil && o.Prev != prev {
			err = fmt.Errorf("does not follow the entry before it: %w", archive.ErrCorrupt)
		}
		var v archive.Version[T]
		if err == nil {
			v, err = c.open(ctx, o)
		}
		if err != nil {
			return nil, fmt.Errorf("history of %s: entry %d: %w", c.ref(id), n, err)
		}
		versions = append(versions, v)
		prev = hashOf(o.raw)
	}
	return versions, nil
}

// Fence ends an abandoned first write: afterwards Append of entry 1 fails and
// the chain does not exist. It is an archive.ErrConflict when the chain exists
// after all; fencing twice succeeds.
func (c *Chain[T]) Fence(ctx context.Context, id string) error {
	if err := c.fence(ctx, id); err != nil {
		return fmt.Errorf("fence %s: %w", c.ref(id), err)
	}
	return nil
}

func (c *Chain[T]) fence(ctx context.Context, id string) error {
	key, err := entryKey(c.ref(id), 1)
	if err != nil {
		return err
	}
	o, err := c.b.sealRing(key, header{Kind: c.kind, ID: id, N: 1, Fence: true}, []byte("{}"))
	if err != nil {
		return err
	}
	err = c.b.create(ctx, o)
	if !errors.Is(err, archive.ErrExists) {
		return err
	}
	there, err := c.fetch(ctx, id, 1)
	if err != nil {
		return err
	}
	if !there.Fence {
		return archive.ErrConflict
	}
	_, err = c.open(ctx, there)
	if errors.Is(err, archive.ErrNotFound) {
		return nil
	}
	return err
}

// Tip is a chain in a listing: its id and the number of its newest entry. A
// chain that was fenced is among them: Head tells.
type Tip struct {
	ID string
	N  int
}

// Shards are the parts in which chains are kept and can be listed: the two hex
// digits that ShardOf gives.
func Shards() []string {
	shards := make([]string, 256)
	for i := range shards {
		shards[i] = fmt.Sprintf("%02x", i)
	}
	return shards
}

// ShardOf is the shard of a chain, from "00" to "ff".
func ShardOf(id string) (string, error) {
	segment, err := idSegment(id)
	return shardOf(segment), err
}

// Tips yields the chains of one shard, or of all when it is empty, by shard and
// then by id. It reads nothing but the listing.
func (c *Chain[T]) Tips(ctx context.Context, shard string) iter.Seq2[Tip, error] {
	return func(yield func(Tip, error) bool) {
		prefix := "chain/" + string(c.kind) + "/"
		if shard != "" {
			prefix += shard + "/"
		}
		tip := Tip{}
		for o, err := range c.b.objects.List(ctx, prefix, "") {
			var ref archive.Ref
			var n int
			if err == nil {
				ref, n, err = parseEntryKey(o.Key)
			}
			if err != nil {
				yield(Tip{}, fmt.Errorf("list %s chains: %w", c.kind, err))
				return
			}
			if ref.ID != tip.ID && tip.N > 0 && !yield(tip, nil) {
				return
			}
			tip = Tip{ref.ID, n}
		}
		if tip.N > 0 {
			yield(tip, nil)
		}
	}
}

// IDs yields the id of every chain, in the order of Tips.
func (c *Chain[T]) IDs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for tip, err := range c.Tips(ctx, "") {
			if !yield(tip.ID, err) {
				return
			}
		}
	}
}

// fetch reads entry n and checks that it says it is.
func (c *Chain[T]) fetch(ctx context.Context, id string, n int) (object, error) {
	key, err := entryKey(c.ref(id), n)
	if err != nil {
		return object{}, err
	}
	o, err := c.b.fetchEntry(ctx, key)
	if err != nil {
		return object{}, err
	}
	if o.Kind != c.kind || o.ID != id || o.N != n || (n == 1) != (o.Prev == "") || (o.Fence && n != 1) {
		return object{}, fmt.Errorf("entry %d says it is another: %w", n, archive.ErrCorrupt)
	}
	return o, nil
}

// open unseals an entry; a genuine tombstone is archive.ErrNotFound.
func (c *Chain[T]) open(ctx context.Context, o object) (archive.Version[T], error) {
	v := archive.Version[T]{N: o.N, At: o.At}
	if o.Fence {
		version, err := c.b.ringVersion(o)
		if err == nil {
			_, err = o.open(version.Seal)
		}
		if err == nil {
			err = archive.ErrNotFound
		}
		return v, err
	}
	if o.Key != chainKey {
		return v, fmt.Errorf("sealed by an unknown key: %w", archive.ErrCorrupt)
	}
	secret, err := c.b.dataKey(ctx, c.ref(o.ID))
	if err != nil {
		return v, err
	}
	plain, err := o.open(secret)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(plain, &v.Value); err != nil {
		return v, fmt.Errorf("body is not what was expected: %w", archive.ErrCorrupt)
	}
	return v, nil
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
