package storage

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"

	"github.com/minio/minio-go/v7"

	"dangan/archive"
)

// ErrPromise means that a store does not do what dangan relies on.
var ErrPromise = errors.New("the object store cannot be used")

func broken(promise string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrPromise, fmt.Sprintf(promise, args...))
}

// probe tries out the promises of FORMAT.md section 8 on an object of its own.
func (b *Bucket) probe(ctx context.Context) error {
	name := make([]byte, 8)
	if _, err := io.ReadFull(b.rand, name); err != nil {
		return fmt.Errorf("draw name: %w", err)
	}
	key := "system/probe-" + hex.EncodeToString(name)
	err := probeAt(ctx, b.objects, key)
	if deleted := b.objects.Delete(ctx, key); err == nil {
		err = deleted
	}
	if err != nil {
		return err
	}
	if _, err := read(ctx, b.objects, key, 0, -1); !errors.Is(err, archive.ErrNotFound) {
		return broken("an object that was deleted is still there (%v)", err)
	}
	return nil
}

func probeAt(ctx context.Context, objects Objects, key string) error {
	if err := objects.PutIfAbsent(ctx, key, []byte("first")); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	first, err := read(ctx, objects, key, 0, -1)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if err := objects.PutIfAbsent(ctx, key, []byte("again")); !errors.Is(err, archive.ErrExists) {
		return broken("a second create-only write of one key was not refused with 412 (%v)", err)
	}
	if err := objects.PutIfMatch(ctx, key, first.ETag, []byte("second")); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if err := objects.PutIfMatch(ctx, key, first.ETag, []byte("stale")); !errors.Is(err, archive.ErrConflict) {
		return broken("a compare-and-swap with a stale ETag was not refused with 412 (%v)", err)
	}
	middle, err := read(ctx, objects, key, 1, 3)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if middle.text != "eco" || middle.Size != int64(len("second")) {
		return broken("bytes 1 to 3 of %q came as %q of %d bytes", "second", middle.text, middle.Size)
	}
	return nil
}

type text struct {
	Object
	text string
}

func read(ctx context.Context, objects Objects, key string, offset, length int64) (text, error) {
	o, err := objects.Get(ctx, key, offset, length)
	if err != nil {
		return text{}, err
	}
	defer func() { _ = o.Body.Close() }()
	data, err := io.ReadAll(o.Body)
	return text{o, string(data)}, err
}

// probeWire tries out what cannot be seen through Objects: that the store checks
// the checksum it is sent, and that an upload in parts reads back.
func (s *S3) probeWire(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, smallWait)
	defer cancel()
	key := fmt.Sprintf("system/probe-%016x", rand.Uint64())
	body := []byte("body")
	err := s.putOnce(ctx, key, body, putOptions(checksum([]byte("another body"))))
	if err == nil {
		_ = s.Delete(ctx, key)
		return broken("a body that does not fit its checksum was taken")
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusBadRequest {
		return failure("probe", key, err)
	}
	if err := s.putParts(ctx, key, bytes.NewReader(body)); err != nil {
		return failure("probe", key, err)
	}
	back, err := read(ctx, s, key, 0, -1)
	if deleted := s.Delete(ctx, key); err == nil {
		err = deleted
	}
	if err == nil && back.text != string(body) {
		err = broken("an upload in parts reads back as %q", back.text)
	}
	return err
}
