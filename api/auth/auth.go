// Package auth finds out who is asking: bearer tokens for programs, a cookie
// session for people.
//
// It owns credentials and their checks: passwords, tokens, sessions, the limit
// on attempts. It must not know what anybody may do (package policy) nor how
// accounts are kept; it reads them through two small ports. It writes no names
// and no secrets anywhere.
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
	"time"

	"dangan/archive"
)

// Accounts reads account chains.
type Accounts interface {
	// Head is archive.ErrNotFound for an account that does not exist.
	Head(ctx context.Context, id string) (archive.Version[archive.Account], error)
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
	// Person turns a verified id number into the keyed hash that stands for it.
	Person func(archive.IDNumber) string
	// Key authenticates session cookies: 32 secret bytes, the same on every
	// replica. Whoever has it can sign in as anybody; losing it signs all out.
	Key []byte
	// Secure is set when browsers reach the service by https.
	Secure bool
	Now    func() time.Time
	Rand   io.Reader
}

// Keeper answers who is asking. Its methods may be called concurrently.
type Keeper struct {
	c        Config
	attempts *attempts
	hashing  chan struct{} // bounds the memory that password checks take
	nobody   string        // the password of users that do not exist
}

// Anonymous is the actor of a request without credentials.
func Anonymous() archive.Actor { return archive.Actor{Role: archive.RoleAnonymous} }

// New makes a Keeper.
func New(c Config) (*Keeper, error) {
	if len(c.Key) != sha256.Size {
		return nil, fmt.Errorf("auth: the session key has %d bytes, not %d", len(c.Key), sha256.Size)
	}
	password, _, err := NewToken(c.Rand)
	if err != nil {
		return nil, err
	}
	nobody, err := HashPassword(c.Rand, password)
	if err != nil {
		return nil, err
	}
	return &Keeper{c: c, attempts: newAttempts(c.Now), hashing: make(chan struct{}, 2), nobody: nobody}, nil
}

// NewToken makes a bearer token and the form of it that an account keeps and a
// claim is made for.
func NewToken(random io.Reader) (token, kept string, err error) {
	secret := make([]byte, 32)
	if _, err := io.ReadFull(random, secret); err != nil {
		return "", "", fmt.Errorf("token: %w", err)
	}
	token = "dgt_" + hex.EncodeToString(secret)
	return token, TokenHash(token), nil
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

func (k *Keeper) bearer(ctx context.Context, token string) (archive.Actor, error) {
	id, err := k.c.Claims.Holder(ctx, archive.ClaimToken, TokenHash(token))
	if err != nil {
		return Anonymous(), unknown("token", err)
	}
	a, err := k.account(ctx, id)
	if err != nil {
		return Anonymous(), err
	}
	if a.Token != TokenHash(token) { // replaced since
		return Anonymous(), fmt.Errorf("token: %w", archive.ErrUnauthenticated)
	}
	return a.Actor(k.c.Person), nil
}

// account reads an account that may sign in.
func (k *Keeper) account(ctx context.Context, id string) (archive.Account, error) {
	v, err := k.c.Accounts.Head(ctx, id)
	if err != nil {
		return archive.Account{}, unknown("account", err)
	}
	if v.Value.Disabled {
		return archive.Account{}, fmt.Errorf("account disabled: %w", archive.ErrUnauthenticated)
	}
	return v.Value, nil
}

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
