// Package memstore is the object store in memory, for tests: the twin of a real
// one that package storage runs on unchanged.
//
// It owns two things a real store cannot do: it fails operations on demand, with
// or without their effect, and it fails the test when an object is written in a
// way storage/FORMAT.md does not allow. It must not know what objects hold.
package memstore

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"dangan/archive"
	"dangan/storage"
)

// Operations, as a Fault sees them.
const (
	Put     = "put"     // Objects.Put
	Create  = "create"  // Objects.PutIfAbsent
	Replace = "replace" // Objects.PutIfMatch
	Stream  = "stream"  // Objects.PutStream
	Delete  = "delete"
	Get     = "get"
	List    = "list"
)

// Fault decides how an operation ends. With an error the operation returns it;
// apply says whether the effect happens all the same, as when an answer is lost.
// It is called without locks held and may be called concurrently.
type Fault func(op, key string) (apply bool, err error)

// Test is what the store needs of a testing.TB.
type Test interface {
	Helper()
	Errorf(format string, args ...any)
}

// Store is an object store in memory. Its methods may be called concurrently.
type Store struct {
	t Test

	mu      sync.Mutex
	fault   Fault
	objects map[string][]byte
	written map[string]time.Time
	deleted map[string]bool // keys that were, at some time
	folders map[string]bool // parts of keys that were, at some time
}

var _ storage.Objects = (*Store)(nil)

// New makes an empty store that reports broken rules to t.
func New(t Test) *Store {
	return &Store{
		t:       t,
		objects: map[string][]byte{},
		written: map[string]time.Time{},
		deleted: map[string]bool{},
		folders: map[string]bool{},
	}
}

// SetFault installs f for the operations to come; nil heals the store.
func (s *Store) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Keys lists all keys in ascending order.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

// Raw is an object as stored, nil when there is none.
func (s *Store) Raw(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.objects[key])
}

// Tamper puts an object in place behind the rules, as damage and attackers do;
// with nil it takes one away.
func (s *Store) Tamper(key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data == nil {
		delete(s.objects, key)
		return
	}
	s.objects[key] = append([]byte{}, data...)
	s.written[key] = time.Now()
}

// Age makes an object older than it is.
func (s *Store) Age(key string, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written[key] = s.written[key].Add(-by)
}

func (s *Store) listed() []storage.Listed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []storage.Listed
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		list = append(list, storage.Listed{Key: key, Size: int64(len(s.objects[key])), Modified: s.written[key]})
	}
	return list
}

// Put implements storage.Objects.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.write(ctx, Put, key, data, func([]byte, bool) error { return nil })
}

// PutIfAbsent implements storage.Objects.
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return s.write(ctx, Create, key, data, func(_ []byte, exists bool) error {
		if exists {
			return fmt.Errorf("create %s: %w", key, archive.ErrExists)
		}
		return nil
	})
}

// PutIfMatch implements storage.Objects.
func (s *Store) PutIfMatch(ctx context.Context, key, etag string, data []byte) error {
	return s.write(ctx, Replace, key, data, func(old []byte, exists bool) error {
		if !exists || etagOf(old) != etag {
			return fmt.Errorf("replace %s: %w", key, archive.ErrConflict)
		}
		return nil
	})
}

// PutStream implements storage.Objects.
func (s *Store) PutStream(ctx context.Context, key string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return s.write(ctx, Stream, key, data, func([]byte, bool) error { return nil })
}

func (s *Store) write(ctx context.Context, op, key string, data []byte, check func(old []byte, exists bool) error) error {
	s.t.Helper()
	apply, fault := s.ask(ctx, op, key)
	if !apply {
		return fault
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, exists := s.objects[key]
	if err := check(old, exists); err != nil {
		return firstOf(fault, err)
	}
	if broken := s.broken(op, key, exists); broken != "" {
		s.t.Errorf("memstore: %s %s: %s", op, key, broken)
	}
	s.objects[key] = append([]byte{}, data...) // not nil: there is an object
	s.written[key] = time.Now()
	for _, folder := range foldersOf(key) {
		s.folders[folder] = true
	}
	return fault
}

// Delete implements storage.Objects.
func (s *Store) Delete(ctx context.Context, key string) error {
	s.t.Helper()
	apply, fault := s.ask(ctx, Delete, key)
	if !apply {
		return fault
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, exists := s.objects[key]
	if broken := s.broken(Delete, key, exists); broken != "" {
		s.t.Errorf("memstore: %s %s: %s", Delete, key, broken)
	}
	delete(s.objects, key)
	s.deleted[key] = true
	return fault
}

// Get implements storage.Objects.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (storage.Object, error) {
	if _, err := s.ask(ctx, Get, key); err != nil {
		return storage.Object{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	data, exists := s.objects[key]
	if !exists {
		return storage.Object{}, fmt.Errorf("get %s: %w", key, archive.ErrNotFound)
	}
	size := int64(len(data))
	end := size
	if length >= 0 {
		end = min(offset+length, size)
	}
	if offset > 0 && offset >= size {
		return storage.Object{}, fmt.Errorf("get %s: ends before the range: %w", key, archive.ErrCorrupt)
	}
	return storage.Object{
		Body: io.NopCloser(bytes.NewReader(data[offset:end])),
		Size: size,
		ETag: etagOf(data),
	}, nil
}

// List implements storage.Objects.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Listed, error] {
	return func(yield func(storage.Listed, error) bool) {
		if _, err := s.ask(ctx, List, prefix); err != nil {
			yield(storage.Listed{}, err)
			return
		}
		for _, l := range s.listed() {
			if strings.HasPrefix(l.Key, prefix) && l.Key > after && !yield(l, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(storage.Listed{}, err)
		}
	}
}

func (s *Store) ask(ctx context.Context, op, key string) (apply bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	fault := s.fault
	s.mu.Unlock()
	if fault == nil {
		return true, nil
	}
	if apply, err = fault(op, key); err == nil {
		apply = true
	}
	return apply, err
}

// etagOf is what S3 servers answer: equal contents have equal etags.
func etagOf(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
