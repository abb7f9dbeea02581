package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/minio/sio"

	"dangan/archive"
)

// Blobs keeps the bytes of files, sealed as they stream through, and what can be
// made again from them.
type Blobs struct{ b *Bucket }

// PutBlob streams r to its end; the bytes are durable on return. It keeps a few
// sealed parts in memory, whatever the size. When r fails, its error is returned
// and there is no blob. What nobody names after all is garbage, not damage.
func (s *Blobs) PutBlob(ctx context.Context, owner archive.Ref, r io.Reader) (archive.Blob, error) {
	blob, err := s.put(ctx, owner, r)
	if err != nil {
		return archive.Blob{}, fmt.Errorf("put blob of %s: %w", owner, err)
	}
	return blob, nil
}

func (s *Blobs) put(ctx context.Context, owner archive.Ref, r io.Reader) (archive.Blob, error) {
	name := make([]byte, 16)
	if _, err := io.ReadFull(s.b.rand, name); err != nil {
		return archive.Blob{}, fmt.Errorf("draw name: %w", err)
	}
	id := hex.EncodeToString(name)
	key, err := blobKey(owner, id)
	if err != nil {
		return archive.Blob{}, err
	}
	secret, err := s.b.newDataKey(ctx, owner)
	if err != nil {
		return archive.Blob{}, err
	}
	config := secret.Stream(key, 0)
	config.Rand = s.b.rand
	src := &source{r: r}
	hash := sha256.New()
	sealed, err := sio.EncryptReader(io.TeeReader(src, hash), config)
	if err != nil {
		return archive.Blob{}, fmt.Errorf("seal: %w", err)
	}
	err = s.b.objects.PutStream(ctx, key, sealed)
	if src.err != nil {
		return archive.Blob{}, fmt.Errorf("read source: %w", src.err)
	}
	if err != nil {
		return archive.Blob{}, err
	}
	return archive.Blob{ID: id, SHA256: hex.EncodeToString(hash.Sum(nil)), Size: src.n}, nil
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
	if !isHex(b.SHA256, 2*sha256.Size) || b.Size < 0 {
		return nil, fmt.Errorf("size or SHA-256 cannot be: %w", archive.ErrInvalid)
	}
	secret, err := s.b.dataKey(ctx, owner)
	if err != nil {
		return nil, err
	}
	return &content{ctx: ctx, objects: s.b.objects, key: key, secret: secret, blob: b}, nil
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
