// Package auth finds out who is asking: bearer tokens for programs, a cookie
// session for people.
//
// It owns credentials and their checks: passwords, second factors, tokens, keys,
// sessions, the limits on attempts and questions. It must not know what anybody may
// do (package policy) nor how accounts are kept: it reaches them through small ports.
// It logs nothing.
package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dangan/archive"
)

// Accounts are the account chains.
type Accounts interface {
	// Head is archive.ErrNotFound for an account that does not exist.
	Head(ctx context.Context, id string) (archive.Version[archive.Account], error)
	// Append writes entry n, and is archive.ErrConflict when there is one.
	Append(ctx context.Context, id string, n int, a archive.Account) error
}

// States keep who is signed in and who has failed to, for all replicas.
type States interface {
	// State is a value as JSON and the tag to replace it by; both are empty when
	// there is none.
	State(ctx context.Context, name string) (value []byte, tag string, err error)
	// SetState is durable on return, and archive.ErrConflict when the value is no
	// longer the one that was read with the tag.
	SetState(ctx context.Context, name string, value []byte, tag string) error
}

// Claims find an account by its user name (archive.ClaimUser) or by the SHA-256
// of its token (archive.ClaimToken).
type Claims interface {
	// Holder is archive.ErrNotFound for a value nobody claimed.
	Holder(ctx context.Context, kind, value string) (string, error)
}

// Config is what a Keeper works with.
type Config struct {
	Accounts Accounts
	Claims   Claims
	States   States
	// Person turns a verified id number into the keyed hash that stands for it.
	Person func(archive.IDNumber) string
	// Key hides which user names there are: 32 secret bytes, the same on every
	// replica.
	Key []byte
	// Secure is set when browsers reach the service by https.
	Secure bool
	Now    func() time.Time
	Rand   io.Reader
}

// Keeper answers who is asking. Its methods may be called concurrently.
type Keeper struct {
	c       Config
	hashing chan struct{} // bounds the memory that password checks take
	nobody  string        // the password of users that do not exist
	holders sync.Map      // hash of a token → account
	held    atomic.Int64  // about how many those are
	shares  sync.Map      // account → *share of its quota
}

// Anonymous is the actor of a request without credentials.
func Anonymous() archive.Actor { return archive.Actor{Role: archive.RoleAnonymous} }

// New makes a Keeper.
func New(c Config) (*Keeper, error) {
	if len(c.Key) != sha256.Size {
		return nil, fmt.Errorf("auth: the key has %d bytes, not %d", len(c.Key), sha256.Size)
	}
	password, _, err := NewToken(c.Rand)
	if err != nil {
		return nil, err
	}
	nobody, err := HashPassword(c.Rand, password)
	if err != nil {
		return nil, err
	}
	return &Keeper{c: c, hashing: make(chan struct{}, 2), nobody: nobody}, nil
}

// NewToken makes a bearer token and the form of it that an account keeps and a
// claim is made for.
func NewToken(random io.Reader) (token, kept string, err error) {
	return newSecret(random, tokenPrefix)
}

func newSecret(random io.Reader, prefix string) (secret, kept string, err error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", "", fmt.Errorf("draw a secret: %w", err)
	}
	secret = prefix + hex.EncodeToString(raw)
	return secret, TokenHash(secret), nil
}

// TokenHash is the form of a token that is kept: its SHA-256 in hex. The token
// has 256 random bits, so that a slow hash would add nothing.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Actor is who sent the request: the owner of its bearer token or else of its
// session, or nobody in particular. A token that is not good is an
// archive.ErrUnauthenticated; a session that is not is as if there were none,
// so that public pages stay open to people whose session has ended.
func (k *Keeper) Actor(r *http.Request) (archive.Actor, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Anonymous(), fmt.Errorf("authorization scheme: %w", archive.ErrUnauthenticated)
		}
		return k.bearer(r.Context(), strings.TrimSpace(token))
	}
	a, err := k.session(r)
	if errors.Is(err, archive.ErrUnauthenticated) {
		return Anonymous(), nil
	}
	return a, err
}

// account reads an account that may sign in.
func (k *Keeper) account(ctx context.Context, id string) (archive.Account, error) {
	v, err := k.c.Accounts.Head(ctx, id)
	if err != nil {
		return archive.Account{}, unknown("account", err)
	}
	if !usable(v.Value) {
		return archive.Account{}, fmt.Errorf("account disabled: %w", archive.ErrUnauthenticated)
	}
	return v.Value, nil
}

// usable reports whether an account has been given a role and not been locked.
func usable(a archive.Account) bool { return a.Role != "" && !a.Disabled }

// unknown makes "there is none" into "not signed in" and leaves other failures
// what they are.
func unknown(what string, err error) error {
	if errors.Is(err, archive.ErrNotFound) {
		return fmt.Errorf("%s: %w", what, archive.ErrUnauthenticated)
	}
	return fmt.Errorf("%s: %w", what, err)
}

type actorKey struct{}

// With puts the actor into a context.
func With(ctx context.Context, a archive.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// From is the actor of a context; nobody in particular when there is none.
func From(ctx context.Context) archive.Actor {
	if a, ok := ctx.Value(actorKey{}).(archive.Actor); ok {
		return a
	}
	return Anonymous()
}
