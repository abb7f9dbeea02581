package desk

import (
	"context"

	"dangan/archive"
)

// Requests is the chain of every request; see holdings.Records for the promises.
type Requests interface {
	Append(ctx context.Context, id string, n int, r archive.Request) error
	Head(ctx context.Context, id string) (archive.Version[archive.Request], error)
	Fence(ctx context.Context, id string) error
}

// Records reads the records that candidates come from.
type Records interface {
	Head(ctx context.Context, id string) (archive.Version[archive.Record], error)
}

// Files says what may be copied of a record (package holdings).
type Files interface {
	// Open passes the door with the newest version; see holdings.Room.Open.
	Open(ctx context.Context, actor archive.Actor, p archive.Purpose, id string) (archive.RecordView, error)
}

// Offices says which archive offices there are.
type Offices interface {
	Head(ctx context.Context, id string) (archive.Version[archive.Office], error)
}

// Claims make an idempotency key unique.
type Claims interface {
	Claim(ctx context.Context, kind, value, owner string) (holder string, err error)
	Holder(ctx context.Context, kind, value string) (string, error)
	Release(ctx context.Context, kind, value, owner string) error
}

// Marks are exact look-ups: a person to records, an office or applicant to requests.
type Marks interface {
	Mark(ctx context.Context, kind, value, id string) error
	Marked(ctx context.Context, kind, value string) ([]string, error)
	Token(kind, value string) string
}

// Accounts gives the verified name and number of an applicant.
type Accounts interface {
	Head(ctx context.Context, id string) (archive.Version[archive.Account], error)
}

// Index proposes records by name. When it is down the desk goes on with exact
// look-ups alone and says so.
type Index interface {
	Search(ctx context.Context, q archive.Query, s archive.Scope) (archive.Hits, error)
}

// Outbox makes sure that what must follow a commit does; see holdings.Outbox.
type Outbox interface {
	Plan(ctx context.Context, job archive.Job) (archive.Job, error)
	Start(job archive.Job)
	Drop(ctx context.Context, job archive.Job) error
}

// Door is the one way out for record content (package evidence).
type Door interface {
	Pass(ctx context.Context, d archive.Disclosure) (archive.Decision, error)
}
