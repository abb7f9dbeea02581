package people

import (
	"context"

	"dangan/archive"
)

// Accounts is the chain of every account; see holdings.Records for the promises.
type Accounts interface {
	Append(ctx context.Context, id string, n int, a archive.Account) error
	Head(ctx context.Context, id string) (archive.Version[archive.Account], error)
	Fence(ctx context.Context, id string) error
}

// Claims make user names unique, and staff have one account.
type Claims interface {
	Claim(ctx context.Context, kind, value, owner string) (holder string, err error)
	Holder(ctx context.Context, kind, value string) (string, error)
	Release(ctx context.Context, kind, value, owner string) error
}

// Marks are the lists of accounts.
type Marks interface {
	Mark(ctx context.Context, kind, value, id string) error
	Marked(ctx context.Context, kind, value string) ([]string, error)
}

// Offices says which archive offices there are.
type Offices interface {
	Head(ctx context.Context, id string) (archive.Version[archive.Office], error)
}

// Credentials makes and ends what people sign in with (package api/auth).
type Credentials interface {
	// Hash is the kept form of a password; one that is no good is an archive.Problems.
	Hash(password string) (string, error)
	// Key makes the key of an account and its kept form.
	Key(account string) (secret, kept string, err error)
	// Reset ends every session of an account and forgets failed attempts.
	Reset(ctx context.Context, account string) error
}

// Door is where rights are asked for and traces are left (package evidence).
type Door interface {
	Pass(ctx context.Context, d archive.Disclosure) (archive.Decision, error)
}
