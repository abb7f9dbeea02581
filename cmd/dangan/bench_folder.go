package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"dangan/archive"
	"dangan/storage"
)

// folder is the bucket of an embedded store that is stopped, as plain files and
// without a single sync: the way to a million records in minutes. Objects have no
// attributes; the store serves them like those of a backup that lost its own.
type folder struct {
	root  string
	locks [64]sync.RWMutex // by key: nobody sees half an object
}

var _ storage.Objects = (*folder)(nil)

func (f *folder) path(key string) string { return filepath.Join(f.root, filepath.FromSlash(key)) }

func (f *folder) lock(key string) *sync.RWMutex {
	sum := sha256.Sum256([]byte(key))
	return &f.locks[sum[0]%64]
}

// Put implements storage.Objects.
func (f *folder) Put(ctx context.Context, key string, data []byte) error {
	defer unlocked(f.lock(key))()
	return f.write(ctx, key, data, os.O_TRUNC)
}

// unlocked locks l now and gives the way to unlock it.
func unlocked(l sync.Locker) func() {
	l.Lock()
	return l.Unlock
}

// write is called with the key locked.
func (f *folder) write(ctx context.Context, key string, data []byte, flag int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	open := func() (*os.File, error) {
		return os.OpenFile(f.path(key), os.O_WRONLY|os.O_CREATE|flag, 0o600)
	}
	file, err := open()
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(f.path(key)), 0o700); err != nil {
			return err
		}
		file, err = open()
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create %s: %w", key, archive.ErrExists)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// PutIfAbsent implements storage.Objects.
func (f *folder) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	defer unlocked(f.lock(key))()
	return f.write(ctx, key, data, os.O_EXCL)
}

// PutIfMatch implements storage.Objects.
func (f *folder) PutIfMatch(ctx context.Context, key, etag string, data []byte) error {
	defer unlocked(f.lock(key))()
	have, err := os.ReadFile(f.path(key))
	if errors.Is(err, fs.ErrNotExist) || err == nil && hashed(have) != etag {
		return fmt.Errorf("replace %s: %w", key, archive.ErrConflict)
	}
	if err != nil {
		return err
	}
	return f.write(ctx, key, data, os.O_TRUNC)
}

// PutStream implements storage.Objects, in memory: no record of a seed has a file.
func (f *folder) PutStream(ctx context.Context, key string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return f.Put(ctx, key, data)
}

// Get implements storage.Objects.
func (f *folder) Get(ctx context.Context, key string, offset, length int64) (storage.Object, error) {
	if err := ctx.Err(); err != nil {
		return storage.Object{}, err
	}
	defer unlocked(f.lock(key).RLocker())()
	data, err := os.ReadFile(f.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return storage.Object{}, fmt.Errorf("get %s: %w", key, archive.ErrNotFound)
	}
	if err != nil {
		return storage.Object{}, err
	}
	size := int64(len(data))
	whole := offset == 0 && length < 0
	if !whole && offset >= size {
		return storage.Object{}, fmt.Errorf("get %s: %w", key, archive.ErrCorrupt)
	}
	end := size
	if length >= 0 {
		end = min(size, offset+length)
	}
	return storage.Object{Body: io.NopCloser(bytes.NewReader(data[offset:end])), Size: size, ETag: hashed(data)}, nil
}

func hashed(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// List implements storage.Objects. It walks the whole folder of the prefix first.
func (f *folder) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Listed, error] {
	return func(yield func(storage.Listed, error) bool) {
		list, err := f.listed(ctx, prefix, after)
		for i := 0; i < len(list) && ctx.Err() == nil; i++ {
			if !yield(list[i], nil) {
				return
			}
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			yield(storage.Listed{}, err)
		}
	}
}

func (f *folder) listed(ctx context.Context, prefix, after string) ([]storage.Listed, error) {
	var list []storage.Listed
	err := filepath.WalkDir(f.path(prefix[:strings.LastIndexByte(prefix, '/')+1]), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(f.root, path)
		if key := filepath.ToSlash(rel); err == nil && strings.HasPrefix(key, prefix) && key > after {
			info, err := d.Info()
			if err != nil {
				return err
			}
			list = append(list, storage.Listed{Key: key, Size: info.Size(), Modified: info.ModTime()})
		}
		return errors.Join(err, ctx.Err())
	})
	slices.SortFunc(list, func(a, b storage.Listed) int { return cmp.Compare(a.Key, b.Key) })
	return list, err
}

// Delete implements storage.Objects.
func (f *folder) Delete(ctx context.Context, key string) error {
	err := errors.Join(ctx.Err(), os.Remove(f.path(key)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
