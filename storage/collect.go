package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"

	"dangan/archive"
)

// Upload is an upload in parts that was begun.
type Upload struct {
	Key, ID string
	Began   time.Time
}

// uploader is a store that knows its uploads in parts.
type uploader interface {
	// Uploads yields those that were neither completed nor aborted. Some stores
	// (MinIO) hide them, and clean up themselves.
	Uploads(ctx context.Context) iter.Seq2[Upload, error]
	// Abort ends one. One that is not there is no error.
	Abort(ctx context.Context, u Upload) error
}

var _ uploader = (*S3)(nil)

// Uploads yields the uploads in parts that were neither completed nor aborted.
func (s *S3) Uploads(ctx context.Context) iter.Seq2[Upload, error] {
	return func(yield func(Upload, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for info := range s.core.ListIncompleteUploads(ctx, s.bucket, "", true) {
			if info.Err != nil {
				yield(Upload{}, failure("list uploads", "", info.Err))
				return
			}
			if !yield(Upload{info.Key, info.UploadID, info.Initiated}, nil) {
				return
			}
		}
	}
}

// Abort ends an upload in parts and frees what it holds.
func (s *S3) Abort(ctx context.Context, u Upload) error {
	err := s.core.AbortMultipartUpload(ctx, s.bucket, u.Key, u.ID)
	if minio.ToErrorResponse(err).Code == minio.NoSuchUpload {
		return nil
	}
	return failure("abort upload", u.Key, err)
}

// Collected is what Collect has removed.
type Collected struct {
	Blobs   int
	Bytes   int64
	Uploads int
}

// CollectConfig says what is garbage, and how gently to look for it.
type CollectConfig struct {
	Age  time.Duration // the longest upload; 0 means DefaultAge
	Rate int64         // bytes read per second, at most; 0 for as fast as it goes
}

// Collect removes the blobs that no entry names and the uploads in parts that were
// never completed, when they are older than the longest upload. It reads every
// chain that has such a blob, and leaves alone one that is not there, that is
// damaged, or that may yet name its blobs: a checker will tell of those.
func Collect(ctx context.Context, b *Bucket, c CollectConfig) (Collected, error) {
	if c.Age == 0 {
		c.Age = DefaultAge
	}
	p := &pace{Objects: b.objects, rate: c.Rate}
	g := &collector{b: b.over(p), oldest: b.now().Add(-c.Age)}
	for group, err := range stocks(ctx, p, "", blobFolder) {
		if err == nil && group.ref.Kind != "" {
			err = g.chain(ctx, group)
		}
		if err != nil {
			return g.done, fmt.Errorf("collect blobs: %w", err)
		}
	}
	if err := g.uploads(ctx, b.objects); err != nil {
		return g.done, fmt.Errorf("collect uploads: %w", err)
	}
	return g.done, nil
}

type collector struct {
	b      *Bucket
	oldest time.Time
	done   Collected
}

// chain removes the blobs of one chain that nobody names.
func (g *collector) chain(ctx context.Context, group stock) error {
	old := slices.DeleteFunc(group.in[blobFolder], func(o Listed) bool { return !o.Modified.Before(g.oldest) })
	if len(old) == 0 {
		return nil
	}
	named, err := g.b.leftovers(ctx, group.ref)
	if errors.Is(err, archive.ErrCorrupt) || errors.Is(err, archive.ErrInvalid) || errors.Is(err, archive.ErrState) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, o := range old {
		id := lastSegment(o.Key)
		if slices.ContainsFunc(named, func(b archive.Blob) bool { return b.ID == id }) {
			continue
		}
		if err := g.b.removeOrphan(ctx, group.ref, o.Key); err != nil {
			return err
		}
		g.done.Blobs++
		g.done.Bytes += o.Size
	}
	return nil
}

// leftovers is what a chain names, when all other blobs of it are garbage: it will
// name no more, or was fenced off. Else the error is archive.ErrState.
func (b *Bucket) leftovers(ctx context.Context, ref archive.Ref) ([]archive.Blob, error) {
	named, _, err := b.names(ctx, ref)
	if !errors.Is(err, archive.ErrNotFound) {
		if err == nil && !named.Final {
			err = archive.ErrState
		}
		return named.Blobs, err
	}
	_, err = b.fetchEntry(ctx, entryName(ref, 1))
	if errors.Is(err, archive.ErrNotFound) {
		err = archive.ErrState
	}
	return nil, err
}

func (g *collector) uploads(ctx context.Context, objects Objects) error {
	store, ok := objects.(uploader)
	if !ok {
		return nil
	}
	for u, err := range store.Uploads(ctx) {
		if err != nil {
			return err
		}
		if !u.Began.Before(g.oldest) {
			continue
		}
		if err := store.Abort(ctx, u); err != nil {
			return err
		}
		g.done.Uploads++
	}
	return nil
}
