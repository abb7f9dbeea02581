package holdings

import (
	"context"
	"io"

	"dangan/archive"
)

// Records is the chain of every record.
type Records interface {
	// Append writes entry n of a record, create-only; it is durable on return.
	// When another writer has entry n, the error is archive.ErrConflict.
	Append(ctx context.Context, id string, n int, r archive.Record) error
	// Head returns the newest entry, or archive.ErrNotFound. A fenced chain
	// does not exist.
	Head(ctx context.Context, id string) (archive.Version[archive.Record], error)
	// History returns all entries, oldest first.
	History(ctx context.Context, id string) ([]archive.Version[archive.Record], error)
	// Fence ends an abandoned first write: afterwards Append of entry 1 fails.
	// It is an archive.ErrConflict when the record exists after all; fencing
	// again succeeds.
	Fence(ctx context.Context, id string) error
}

// Blobs keeps sealed bytes.
type Blobs interface {
	// PutBlob streams r to its end; the bytes are durable on return, or with the
	// entry that c lets carry them. It keeps at most a few sealed parts in memory,
	// whatever the size.
	PutBlob(ctx context.Context, owner archive.Ref, r io.Reader, c archive.Carry) (archive.Blob, error)
	// OpenBlob gives the plaintext, verified as it is read.
	OpenBlob(ctx context.Context, owner archive.Ref, b archive.Blob) (archive.Content, error)
}

// Derived keeps what can be made again from a blob.
type Derived interface {
	PutDerived(ctx context.Context, owner archive.Ref, blob, kind string, data []byte) error
	// Derived is archive.ErrNotFound when it has not been made yet.
	Derived(ctx context.Context, owner archive.Ref, blob, kind string) ([]byte, error)
}

// Claims make a value unique without a database.
type Claims interface {
	// Claim gives the value to owner. When it is taken, the error is
	// archive.ErrExists and holder says by whom; claiming again for the same
	// owner succeeds.
	Claim(ctx context.Context, kind, value, owner string) (holder string, err error)
	// Holder is archive.ErrNotFound for a value nobody claimed.
	Holder(ctx context.Context, kind, value string) (string, error)
	// Release gives the value up if owner holds it.
	Release(ctx context.Context, kind, value, owner string) error
}

// Marks are exact look-ups: a value (hashed with a key) to ids.
type Marks interface {
	Mark(ctx context.Context, kind, value, id string) error
	Unmark(ctx context.Context, kind, value, id string) error
	Marked(ctx context.Context, kind, value string) ([]string, error)
	// Token is the keyed hash itself, as the index holds it.
	Token(kind, value string) string
}

// Outbox makes sure that what must follow a commit does.
type Outbox interface {
	// Plan is durable on return, and comes before the commit.
	Plan(ctx context.Context, job archive.Job) (archive.Job, error)
	// Start hands a planned job to this process after the commit.
	Start(job archive.Job)
	// Drop removes a planned job whose commit surely did not happen.
	Drop(ctx context.Context, job archive.Job) error
}

// Index finds records by what they say. It may be down at any time: then every
// method answers archive.ErrUnavailable within its deadline.
type Index interface {
	// Put makes the documents searchable before it returns. A document never
	// replaces a newer version of the same record.
	Put(ctx context.Context, docs ...archive.Document) error
	Search(ctx context.Context, q archive.Query, s archive.Scope) (archive.Hits, error)
}

// Reader reads files of unknown origin.
type Reader interface {
	// Read judges a file by its content, of which it reads no more than it needs. A
	// bad file is a finding, not an error; so is one too large to be read.
	Read(ctx context.Context, src io.ReaderAt, size int64) (archive.Reading, error)
	// Page draws a page (from 1) as PNGs of the given widths in pixels, in their
	// order.
	Page(ctx context.Context, src io.ReaderAt, size int64, page int, widths ...int) ([][]byte, error)
	// Lines is the text that a page has, and where it stands; archive.ErrNotFound
	// for files of which that cannot be told.
	Lines(ctx context.Context, src io.ReaderAt, size int64, page int) ([]archive.TextLine, error)
}

// Door is the one way out for record content (package evidence).
type Door interface {
	// Pass decides and, where a trace is due, makes it durable before it
	// returns. Refusal is archive.ErrForbidden; a purpose that is missing is an
	// archive.Problems.
	Pass(ctx context.Context, d archive.Disclosure) (archive.Decision, error)
}
