// Package storage is the bucket: the only system of record, kept in any S3
// compatible object store.
//
// It owns the format of the bucket (FORMAT.md), what is sealed by which key, and
// the few mechanisms everything else is built from: chains of immutable entries,
// blobs, claims, marks, jobs, leases, number sequences and the access log. It is
// the only user of minio-go. It must not know the rules of an archive: values
// pass through it sealed, and it looks into none of them.
package storage

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"dangan/archive"
	"dangan/storage/vault"
)

// Config says where the bucket is and which root key opens it.
type Config struct {
	Endpoint  string // host:port of the store
	Secure    bool   // speak TLS
	Region    string // us-east-1 when empty
	Bucket    string // created when it is missing
	AccessKey string
	SecretKey string
	// Transport replaces the default one, whose every wait is bounded; the
	// embedded store is reached through its own.
	Transport http.RoundTripper

	// RootKey is 32 bytes. Who has it and the bucket reads everything; when it
	// is lost, nobody ever will.
	RootKey []byte
	// RingAge is how long a process goes on with the key ring that it has read; a
	// minute when zero. The same in all processes on a bucket: a rotation counts
	// on it.
	RingAge time.Duration
	Log     *slog.Logger     // nil discards
	Now     func() time.Time // nil means time.Now
	Rand    io.Reader        // nil means crypto/rand; used concurrently
}

// Bucket is an open bucket. Its parts are reached through Blobs, Claims, Marks,
// Numbers, Work, Access and NewChain; all may be used concurrently.
type Bucket struct {
	objects Objects
	keyring keyring
	keys    *lru[archive.Ref, vault.Secret] // data keys
	heads   *lru[archive.Ref, head]         // numbers and hashes of the newest entries known here
	newest  *lru[archive.Ref, object]       // some of those entries
	log     *slog.Logger
	now     func() time.Time
	rand    io.Reader

	sequences sync.Mutex // one number at a time leaves this process
	access    *AccessLog
	work      *Work
}

// Sizes of what is kept in memory: about 10 MB each when full.
const (
	keysCached    = 50_000
	headsCached   = 50_000
	entriesCached = 5_000
	entryCached   = 4 << 10 // bytes, at most
)

// Open connects to the store cfg describes, tries its promises out, and opens
// the bucket, creating it at first. An error says which promise was broken.
func Open(ctx context.Context, cfg Config) (*Bucket, error) {
	objects, err := Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return New(ctx, objects, cfg)
}

// New opens the bucket in objects. Of cfg only RootKey and what follows it matter.
func New(ctx context.Context, objects Objects, cfg Config) (*Bucket, error) {
	b, err := unopened(objects, cfg)
	known := false
	if err == nil {
		known, err = b.known(ctx) // first: to a bucket of another format nothing is written
	}
	if err == nil {
		err = b.probe(ctx)
	}
	if err == nil {
		err = b.openRing(ctx, known)
	}
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return b, nil
}

// unopened is a bucket whose key ring is still to be found.
func unopened(objects Objects, cfg Config) (*Bucket, error) {
	root, err := vault.SecretOf(cfg.RootKey)
	if err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	b := &Bucket{
		objects: objects,
		keyring: keyring{root: root, age: cfg.RingAge},
		keys:    newLRU[archive.Ref, vault.Secret](keysCached),
		heads:   newLRU[archive.Ref, head](headsCached),
		newest:  newLRU[archive.Ref, object](entriesCached),
		log:     cfg.Log,
		now:     cfg.Now,
		rand:    cfg.Rand,
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.rand == nil {
		b.rand = rand.Reader
	}
	if b.keyring.age == 0 {
		b.keyring.age = time.Minute
	}
	b.access, b.work = newAccessLog(b), newWork(b)
	return b, nil
}

// Blobs keeps sealed bytes and what is derived from them.
func (b *Bucket) Blobs() *Blobs { return &Blobs{b} }

// Claims make values unique.
func (b *Bucket) Claims() *Claims { return &Claims{b} }

// States keep what has no history.
func (b *Bucket) States() *States { return &States{b} }

// Marks are exact look-ups.
func (b *Bucket) Marks() *Marks { return &Marks{b} }

// Numbers gives out numbers and finds what they were given to.
func (b *Bucket) Numbers() *Numbers { return &Numbers{Claims{b}} }

// Keys is the key ring, for who looks after it.
func (b *Bucket) Keys() *Keys { return &Keys{b} }

// Work keeps jobs and leases.
func (b *Bucket) Work() *Work { return b.work }

// Access is the log of disclosures.
func (b *Bucket) Access() *AccessLog { return b.access }
