package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/minio/sio"

	"dangan/archive"
)

// Blobs keeps the bytes of files, sealed as they stream through, and what can be
// made again from them.
type Blobs struct{ b *Bucket }

// PutBlob streams r to its end and keeps a few sealed parts in memory, whatever
// the size. Bytes that c lets an entry carry come back in Blob.Sealed, and are
// durable when that entry is; all others are durable on return. When r fails, its
// error is returned and there is no blob. What nobody names after all is garbage,
// not damage.
func (s *Blobs) PutBlob(ctx context.Context, owner archive.Ref, r io.Reader, c archive.Carry) (archive.Blob, error) {
	blob, err := s.put(ctx, owner, r, c)
	if err != nil {
		return archive.Blob{}, fmt.Errorf("put blob of %s: %w", owner, err)
	}
	return blob, nil
}

func (s *Blobs) put(ctx context.Context, owner archive.Ref, r io.Reader, c archive.Carry) (archive.Blob, error) {
	id, err := s.draw()
	if err != nil {
		return archive.Blob{}, err
	}
	src := &source{r: r}
	r = src
	if c.Entry > 0 && c.Room > 0 {
		start, err := io.ReadAll(io.LimitReader(src, c.Room+1))
		if err != nil {
			return archive.Blob{}, fmt.Errorf("read source: %w", src.err)
		}
		if int64(len(start)) <= c.Room {
			return s.sealCarried(ctx, owner, fmt.Sprintf("%d-%s", c.Entry, id), start)
		}
		r = io.MultiReader(bytes.NewReader(start), src)
	}
	key, err := blobKey(owner, id)
	if err != nil {
		return archive.Blob{}, err
	}
	sealed, sum, err := s.sealing(ctx, owner, key, r)
	if err != nil {
		return archive.Blob{}, err
	}
	err = s.b.objects.PutStream(ctx, key, sealed)
	if src.err != nil {
		return archive.Blob{}, fmt.Errorf("read source: %w", src.err)
	}
	if err != nil {
		return archive.Blob{}, err
	}
	return archive.Blob{ID: id, SHA256: hex.EncodeToString(sum.Sum(nil)), Size: src.n}, nil
}

// sealCarried seals a short blob as it would be sealed for an object of its own.
func (s *Blobs) sealCarried(ctx context.Context, owner archive.Ref, id string, plain []byte) (archive.Blob, error) {
	key, err := blobKey(owner, id)
	if err != nil {
		return archive.Blob{}, err
	}
	sealed, sum, err := s.sealing(ctx, owner, key, bytes.NewReader(plain))
	if err != nil {
		return archive.Blob{}, err
	}
	size := int64(len(plain))
	out := bytes.NewBuffer(make([]byte, 0, sealedSize(size)+bytes.MinRead))
	if _, err := out.ReadFrom(sealed); err != nil {
		return archive.Blob{}, fmt.Errorf("seal: %w", err)
	}
	return archive.Blob{ID: id, SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size, Sealed: out.String()}, nil
}

// sealing seals r as it is read, for the object key of a blob; sum has the SHA-256 of
// the plaintext in the end.
func (s *Blobs) sealing(ctx context.Context, owner archive.Ref, key string, r io.Reader) (sealed io.Reader, sum hash.Hash, err error) {
	secret, err := s.b.newDataKey(ctx, owner)
	if err != nil {
		return nil, nil, err
	}
	config := secret.Stream(key, 0)
	config.Rand = s.b.rand
	sum = sha256.New()
	if sealed, err = sio.EncryptReader(io.TeeReader(r, sum), config); err != nil {
		return nil, nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, sum, nil
}

func (s *Blobs) draw() (string, error) {
	name := make([]byte, 16)
	if _, err := io.ReadFull(s.b.rand, name); err != nil {
		return "", fmt.Errorf("draw name: %w", err)
	}
	return hex.EncodeToString(name), nil
}

// OpenBlob gives the plaintext, verified as it is read. It asks the store for
// nothing but the data key: a blob that is missing shows on the first read. ctx
// bounds all reads.
func (s *Blobs) OpenBlob(ctx context.Context, owner archive.Ref, b archive.Blob) (archive.Content, error) {
	content, err := s.open(ctx, owner, b)
	if err != nil {
		return nil, fmt.Errorf("open blob %s of %s: %w", b.ID, owner, err)
	}
	return content, nil
}

func (s *Blobs) open(ctx context.Context, owner archive.Ref, b archive.Blob) (*content, error) {
	key, err := blobKey(owner, b.ID)
	if err != nil {
		return nil, err
	}
	entry, _, err := parseBlobID(b.ID)
	if err != nil {
		return nil, err
	}
	if !isHex(b.SHA256, 2*sha256.Size) || b.Size < 0 {
		return nil, fmt.Errorf("size or SHA-256 cannot be: %w", archive.ErrInvalid)
	}
	secret, err := s.b.dataKey(ctx, owner)
	if err != nil {
		return nil, err
	}
	c := &content{ctx: ctx, name: key, secret: secret, blob: b}
	c.get = func(ctx context.Context, offset, length int64) (Object, error) {
		return s.b.objects.Get(ctx, key, offset, length)
	}
	if entry > 0 {
		c.get, err = s.b.carriedBy(owner, entry, b.ID)
	}
	return c, err
}

// carriedBy reads a blob in its entry, which is read as a whole, once.
func (b *Bucket) carriedBy(owner archive.Ref, entry int, id string) (getter, error) {
	key, err := entryKey(owner, entry)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var sealed []byte
	return func(ctx context.Context, offset, length int64) (Object, error) {
		mu.Lock()
		defer mu.Unlock()
		if sealed == nil {
			o, err := b.fetch(ctx, key)
			if err != nil {
				return Object{}, err
			}
			if sealed, err = o.carried(id); err != nil {
				return Object{}, fmt.Errorf("get %s: %w", key, err)
			}
		}
		size := int64(len(sealed))
		piece := sealed[min(offset, size):min(offset+length, size)]
		return Object{Body: io.NopCloser(bytes.NewReader(piece)), Size: size}, nil
	}, nil
}

// PutDerived keeps data made from a blob, in place of what was kept before.
func (s *Blobs) PutDerived(ctx context.Context, owner archive.Ref, blob, kind string, data []byte) error {
	key, err := derivedKey(owner, blob, kind)
	if err == nil {
		err = s.putDerived(ctx, key, owner, data)
	}
	if err != nil {
		return fmt.Errorf("put %s of blob %s: %w", kind, blob, err)
	}
	return nil
}

func (s *Blobs) putDerived(ctx context.Context, key string, owner archive.Ref, data []byte) error {
	secret, err := s.b.dataKey(ctx, owner)
	if err != nil {
		return err
	}
	o, err := s.b.seal(key, header{Kind: owner.Kind, ID: owner.ID, Key: chainKey}, secret, data)
	if err != nil {
		return err
	}
	return s.b.objects.Put(ctx, key, o.raw)
}

// Derived is archive.ErrNotFound when it has not been made yet.
func (s *Blobs) Derived(ctx context.Context, owner archive.Ref, blob, kind string) ([]byte, error) {
	data, err := s.derived(ctx, owner, blob, kind)
	if err != nil {
		return nil, fmt.Errorf("%s of blob %s: %w", kind, blob, err)
	}
	return data, nil
}

func (s *Blobs) derived(ctx context.Context, owner archive.Ref, blob, kind string) ([]byte, error) {
	key, err := derivedKey(owner, blob, kind)
	if err != nil {
		return nil, err
	}
	o, err := s.b.fetch(ctx, key)
	if err != nil {
		return nil, err
	}
	secret, err := s.b.dataKey(ctx, owner)
	if err != nil {
		return nil, err
	}
	return o.open(secret)
}

// source counts what is read from r and keeps its failure. It hides the failure
// from those above: sio and minio-go take an io.ErrUnexpectedEOF, which is what
// a truncated upload gives, for a proper end.
type source struct {
	r   io.Reader
	n   int64
	err error
}

var errSource = errors.New("the source failed")

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
		return n, errSource
	}
	return n, err
}
