package evidence

import (
	"context"

	"dangan/archive"
)

// Log keeps access entries.
type Log interface {
	// Record makes the entry durable before it returns; entries of concurrent
	// callers may share one object.
	Record(ctx context.Context, a archive.Access) error
	// Accesses lists entries, newest first, older than the entry with id before
	// (all when empty), at most limit.
	Accesses(ctx context.Context, before string, limit int) ([]archive.Access, error)
}

// Claims keep which cases are sealed.
type Claims interface {
	// Claim is archive.ErrExists when somebody else has the value.
	Claim(ctx context.Context, kind, value, owner string) (holder string, err error)
	// Holder is archive.ErrNotFound for a value nobody claimed.
	Holder(ctx context.Context, kind, value string) (string, error)
}

// Subjects knows whom records are about.
type Subjects interface {
	// About gives the ids of the livelihood records about the actor, with their
	// categories.
	About(ctx context.Context, actor archive.Actor) (map[string]string, error)
	// Agency is the name of the agency that has an account.
	Agency(ctx context.Context, account string) (string, error)
}
