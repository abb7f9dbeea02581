package storage

import (
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
	"dangan/storage/vault"
)

// A sealed package carries 64 KiB of plaintext in 32 bytes more, FORMAT.md section 4.
const (
	packagePlain  = 64 << 10
	packageSealed = packagePlain + 32
)

// ReadAt fetches windows of 1 MiB and keeps the last few: a PDF reader jumps
// between its cross-reference table and its objects in small steps.
const (
	window  = 16 * packagePlain
	windows = 4
)

// getter reads from the sealed bytes of a blob; see Objects.Get.
type getter func(ctx context.Context, offset, length int64) (Object, error)

// content is the plaintext of a blob; see archive.Content.
type content struct {
	ctx    context.Context
	get    getter
	name   string // to which the seal is bound
	secret vault.Secret
	blob   archive.Blob

	mu   sync.Mutex
	kept []kept // most recent last
}

type kept struct {
	offset int64
	plain  []byte
}

// Size is the length of the plaintext in bytes.
func (c *content) Size() int64 { return c.blob.Size }

// Close forgets what was read ahead.
func (c *content) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = nil
	return nil
}

// Range streams length bytes from offset on with a single request. It fails at
// once when the blob is missing or has not the right size.
func (c *content) Range(offset, length int64) (io.ReadCloser, error) {
	r, err := c.stream(offset, length)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", c.blob.ID, err)
	}
	if offset == 0 && length == c.blob.Size {
		return &verified{ReadCloser: r, hash: sha256.New(), want: c.blob.SHA256}, nil
	}
	return r, nil
}

func (c *content) stream(offset, length int64) (io.ReadCloser, error) {
	if offset < 0 || length < 0 || offset > c.blob.Size-length {
		return nil, fmt.Errorf("range of %d bytes from %d: %w", length, offset, archive.ErrInvalid)
	}
	if length == 0 {
		return io.NopCloser(eof{}), nil
	}
	first := offset / packagePlain
	last := (offset + length - 1) / packagePlain
	from := first * packageSealed
	until := min((last+1)*packageSealed, sealedSize(c.blob.Size))
	got, err := c.get(c.ctx, from, until-from)
	if errors.Is(err, archive.ErrNotFound) { // an entry names it: it was there
		err = fmt.Errorf("the blob is gone: %w", archive.ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	if got.Size != sealedSize(c.blob.Size) {
		_ = got.Body.Close()
		return nil, fmt.Errorf("has %d sealed bytes, not %d: %w", got.Size, sealedSize(c.blob.Size), archive.ErrCorrupt)
	}
	plain, err := sio.DecryptReader(got.Body, c.secret.Stream(c.name, uint32(first)))
	if err != nil {
		_ = got.Body.Close()
		return nil, err
	}
	o := &opened{plain: plain, body: got.Body, left: length}
	if _, err := io.CopyN(io.Discard, corrupt{plain}, offset-first*packagePlain); err != nil {
		_ = got.Body.Close()
		return nil, err
	}
	return o, nil
}

// ReadAt reads through the windows.
func (c *content) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("read blob %s at %d: %w", c.blob.ID, offset, archive.ErrInvalid)
	}
	n := 0
	for n < len(p) {
		at := offset + int64(n)
		if at >= c.blob.Size {
			return n, io.EOF
		}
		start := at / window * window
		plain, err := c.window(start)
		if err != nil {
			return n, fmt.Errorf("read blob %s: %w", c.blob.ID, err)
		}
		n += copy(p[n:], plain[at-start:])
	}
	return n, nil
}

func (c *content) window(start int64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, k := range c.kept {
		if k.offset == start {
			c.kept = append(append(c.kept[:i:i], c.kept[i+1:]...), k)
			return k.plain, nil
		}
	}
	r, err := c.stream(start, min(window, c.blob.Size-start))
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(c.kept) == windows {
		c.kept = c.kept[1:]
	}
	c.kept = append(c.kept, kept{start, plain})
	return plain, nil
}

// opened gives exactly left bytes of plain, or an error.
type opened struct {
	plain io.Reader
	body  io.Closer
	left  int64
}

func (o *opened) Read(p []byte) (int, error) {
	if o.left == 0 {
		return 0, io.EOF
	}
	n, err := corrupt{o.plain}.Read(p[:min(int64(len(p)), o.left)])
	o.left -= int64(n)
	switch {
	case o.left == 0:
		return n, nil
	case err == io.EOF:
		return n, fmt.Errorf("blob ends early: %w", archive.ErrCorrupt)
	}
	return n, err
}

func (o *opened) Close() error { return o.body.Close() }

// corrupt turns what sio says into archive.ErrCorrupt and lets the errors of the
// store pass.
type corrupt struct{ r io.Reader }

func (c corrupt) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	var damage sio.Error
	if errors.As(err, &damage) {
		err = fmt.Errorf("open sealed package: %w", archive.ErrCorrupt)
	}
	return n, err
}

// verified checks the SHA-256 of the whole at its end.
type verified struct {
	io.ReadCloser
	hash hash.Hash
	want string
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	_, _ = v.hash.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(v.hash.Sum(nil)) != v.want {
		return n, fmt.Errorf("blob has another SHA-256: %w", archive.ErrCorrupt)
	}
	return n, err
}

// sealedSize is how many bytes are stored for size bytes of plaintext.
func sealedSize(size int64) int64 {
	return size + (size+packagePlain-1)/packagePlain*(packageSealed-packagePlain)
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
