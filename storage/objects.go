package storage

import (
	"context"
	"io"
	"iter"
	"time"
)

// Objects is the little of S3 that the bucket needs. It is implemented by the
// adapter to real stores and by memstore; storagetest holds its contract. All
// methods may be called concurrently. Errors wrap the sentinels of package
// archive named below, archive.ErrUnavailable when the store cannot be reached
// or is not well, and none for what is not understood.
type Objects interface {
	// Put writes data under key, whatever was there. It is durable on return.
	Put(ctx context.Context, key string, data []byte) error
	// PutIfAbsent creates key. When there is an object, it stays as it is and
	// the error is archive.ErrExists.
	PutIfAbsent(ctx context.Context, key string, data []byte) error
	// PutIfMatch replaces the object that Get showed with this etag. When it
	// has changed or gone, the error is archive.ErrConflict.
	PutIfMatch(ctx context.Context, key, etag string, data []byte) error
	// PutStream reads r to its end and writes it under key. Nothing appears
	// there unless r ended in io.EOF; the error of a failed r is returned. It
	// holds a bounded part of the stream in memory, whatever its length.
	PutStream(ctx context.Context, key string, r io.Reader) error
	// Get opens the bytes from offset on, at most length of them unless length is
	// negative. It is archive.ErrNotFound when there is no object, and
	// archive.ErrCorrupt when the object ends before a range begins. Errors while
	// reading the body follow the same rules.
	Get(ctx context.Context, key string, offset, length int64) (Object, error)
	// List yields the objects whose keys start with prefix and are greater than
	// after, in ascending order of keys. A listing that is cut short, by ctx too,
	// ends in an error.
	List(ctx context.Context, prefix, after string) iter.Seq2[Listed, error]
	// Delete removes an object. One that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Listed is an object in a listing.
type Listed struct {
	Key      string
	Size     int64     // as stored, in bytes
	Modified time.Time // by the clock of the store
}

// Object is an object, or a range of one, being read.
type Object struct {
	Body io.ReadCloser
	Size int64  // of the whole object, in bytes
	ETag string // for PutIfMatch only: it is no proof of the content
}
