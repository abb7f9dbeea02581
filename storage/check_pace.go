package storage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dangan/archive"
	"dangan/storage/vault"
)

// pace counts what is read from the objects, and holds it back to a rate.
type pace struct {
	Objects
	rate  int64 // bytes per second; 0 for no limit
	bytes atomic.Int64

	mu   sync.Mutex
	next time.Time // when the bytes that were read so far are paid for
}

// Get implements Objects.
func (p *pace) Get(ctx context.Context, key string, offset, length int64) (Object, error) {
	o, err := p.Objects.Get(ctx, key, offset, length)
	if err == nil {
		o.Body = paced{o.Body, ctx, p}
	}
	return o, err
}

// pay waits until n more bytes fit into the rate.
func (p *pace) pay(ctx context.Context, n int) error {
	p.bytes.Add(int64(n))
	if p.rate <= 0 || n == 0 {
		return nil
	}
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	wait := p.next.Sub(now)
	p.mu.Unlock()
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type paced struct {
	io.ReadCloser
	ctx  context.Context
	pace *pace
}

func (r paced) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if late := r.pace.pay(r.ctx, n); late != nil {
		return n, late
	}
	return n, err
}

// over is the bucket on the same objects, reached in another way, and with caches
// of its own: what another reader has seen before proves nothing.
func (b *Bucket) over(objects Objects) *Bucket {
	const few = 1000
	o := &Bucket{
		objects: objects, log: b.log, now: b.now, rand: b.rand,
		keys: newLRU[archive.Ref, vault.Secret](few), heads: newLRU[archive.Ref, head](few),
	}
	o.keyring.root, o.keyring.age = b.keyring.root, b.keyring.age
	o.keyring.last.Store(b.keyring.last.Load())
	o.access, o.work = newAccessLog(o), newWork(o)
	return o
}

// sums remember sets of object keys in constant space: for each folder the sum of
// the hashes of its keys. Two sets are equal when their sums are.
type sums struct {
	complete bool // everything since the beginning was added
	mu       sync.Mutex
	folders  map[string]sum
}

type sum struct{ a, b uint64 }

func newSums(complete bool) *sums { return &sums{complete: complete, folders: map[string]sum{}} }

// add adds a key to the set of its folder.
func (s *sums) add(key string) {
	folder := shardFolder(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folders[folder] = s.folders[folder].plus(key)
}

func (s *sums) of(folder string) sum {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.folders[folder]
}

func (s sum) plus(key string) sum {
	h := sha256.Sum256([]byte(key))
	return sum{s.a + binary.BigEndian.Uint64(h[:]), s.b + binary.BigEndian.Uint64(h[8:])}
}

// shardFolder is the folder of a claim or mark that is named by two hex digits, or
// of a document in the index; a key that is none of them is its own.
func shardFolder(key string) string {
	depth := map[string]int{claimFolder: 3, marksFolder: 4, indexFolder: 1}
	part := strings.SplitAfter(key, "/")
	n := depth[part[0]]
	if n == 0 || len(part) <= n {
		return key
	}
	return strings.Join(part[:n], "")
}

// isDamage reports whether an error is about one object, and not about the store.
func isDamage(err error) bool {
	return errors.Is(err, archive.ErrCorrupt) || errors.Is(err, archive.ErrNotFound)
}
