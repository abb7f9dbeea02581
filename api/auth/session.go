package auth

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"dangan/archive"
)

// sessionLife is how long a session lasts, used or not.
const sessionLife = 8 * time.Hour

// ErrTooMany is the answer to a sign-in after too many that failed.
var ErrTooMany = errors.New("too many attempts")

// Attempt is an attempt to sign in.
type Attempt struct {
	User, Password string
	Code           string // of the second factor, where the account has one
	From           string // network address
	Device         string // what the browser calls itself
}

// SignIn checks credentials and opens a session. A user that does not exist is taken
// through the same reads, counts and hashes as one that does, and whatever is wrong
// is the same archive.ErrUnauthenticated.
func (k *Keeper) SignIn(ctx context.Context, t Attempt) (*http.Cookie, error) {
	v, err := k.byUser(ctx, t.User)
	if err != nil {
		return nil, err
	}
	if err := k.knock(ctx, v.Value.ID); err != nil {
		return nil, err
	}
	wrong := fmt.Errorf("sign in: %w", archive.ErrUnauthenticated)
	good, err := k.checkPassword(v.Value, t.Password)
	if err != nil {
		return nil, err
	}
	if !good || v.N == 0 || !usable(v.Value) {
		return nil, wrong
	}
	if v.Value.Second.Secret != "" {
		if err := k.second(ctx, v, t.Code); err != nil {
			return nil, err
		}
	}
	return k.open(ctx, v.Value, t)
}

// second checks the code of the second factor and uses it up.
func (k *Keeper) second(ctx context.Context, v archive.Version[archive.Account], code string) error {
	a, ok := v.Value, false
	err := k.change(ctx, a.ID, func(d *door) error {
		d.Step, a.Second.Recovery, ok = checkSecond(v.Value.Second, code, k.c.Now(), d.Step)
		return nil
	})
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("second factor: %w", archive.ErrUnauthenticated)
	case len(a.Second.Recovery) == len(v.Value.Second.Recovery):
		return nil
	}
	return k.write(ctx, v.N, a)
}

// byUser is the account with a user name, or its decoy as entry 0.
func (k *Keeper) byUser(ctx context.Context, user string) (archive.Version[archive.Account], error) {
	decoy := archive.Version[archive.Account]{Value: k.decoy(user)}
	id, err := k.c.Claims.Holder(ctx, archive.ClaimUser, user)
	if errors.Is(err, archive.ErrNotFound) {
		id, err = decoy.Value.ID, nil
	}
	if err != nil {
		return decoy, fmt.Errorf("user: %w", err)
	}
	v, err := k.c.Accounts.Head(ctx, id)
	if errors.Is(err, archive.ErrNotFound) {
		return decoy, nil
	}
	if err != nil {
		return decoy, fmt.Errorf("account: %w", err)
	}
	return v, nil
}

// checkPassword lets few passwords be hashed at once: each takes memory.
func (k *Keeper) checkPassword(a archive.Account, password string) (bool, error) {
	hash := a.Password
	if hash == "" {
		hash = k.nobody
	}
	k.hashing <- struct{}{}
	defer func() { <-k.hashing }()
	return CheckPassword(hash, password)
}

// open makes a session and its cookie. Nothing that the browser sent becomes its
// secret, so that a session cannot be planted before signing in.
func (k *Keeper) open(ctx context.Context, a archive.Account, t Attempt) (*http.Cookie, error) {
	secret, id := make([]byte, 32), make([]byte, 8)
	for _, b := range [][]byte{secret, id} {
		if _, err := io.ReadFull(k.c.Rand, b); err != nil {
			return nil, fmt.Errorf("session: %w", err)
		}
	}
	now := k.c.Now()
	s := archive.Session{ID: hex.EncodeToString(id), Hash: sessionHash(hex.EncodeToString(secret), a),
		Opened: now, Ends: now.Add(sessionLife), From: t.From, Device: t.Device[:min(len(t.Device), 200)]}
	err := k.change(ctx, a.ID, func(d *door) error {
		d.Attempts, d.Sessions = 0, append(d.Sessions, s)
		d.Sessions = d.Sessions[max(len(d.Sessions)-mostSessions, 0):]
		return nil
	})
	if err != nil {
		return nil, err
	}
	c := k.cookie(a.ID + "." + hex.EncodeToString(secret))
	c.Expires, c.MaxAge = s.Ends, int(sessionLife/time.Second)
	return c, nil
}

// sessionHash also covers the password, so that a new one ends every session.
func sessionHash(secret string, a archive.Account) string {
	return TokenHash(secret + "\n" + a.Password)
}

// SignOut ends the actor's session, and makes the cookie that clears it from the
// browser.
func (k *Keeper) SignOut(ctx context.Context, a archive.Actor) (*http.Cookie, error) {
	c := k.cookie("")
	c.MaxAge = -1
	if a.Session == "" {
		return c, nil
	}
	return c, k.EndSession(ctx, a.ID, a.Session)
}

// Sessions are the open sessions of an account, oldest first.
func (k *Keeper) Sessions(ctx context.Context, account string) ([]archive.Session, error) {
	d, err := k.readDoor(ctx, account)
	for i := range d.Sessions {
		d.Sessions[i].Hash = ""
	}
	return d.Sessions, err
}

// EndSession ends one session of an account at once, on every replica. One that there
// is not is no error.
func (k *Keeper) EndSession(ctx context.Context, account, id string) error {
	return k.change(ctx, account, func(d *door) error {
		d.Sessions = slices.DeleteFunc(d.Sessions, func(s archive.Session) bool { return s.ID == id })
		return nil
	})
}

// Reset ends every session of an account and opens its door to new attempts.
func (k *Keeper) Reset(ctx context.Context, account string) error {
	return k.change(ctx, account, func(d *door) error {
		d.Sessions, d.Attempts = nil, 0
		return nil
	})
}

func (k *Keeper) cookie(value string) *http.Cookie {
	return &http.Cookie{Name: k.cookieName(), Value: value, Path: "/", HttpOnly: true,
		Secure: k.c.Secure, SameSite: http.SameSiteLaxMode}
}

func (k *Keeper) cookieName() string {
	if k.c.Secure {
		return "__Host-dangan"
	}
	return "dangan"
}

// session is who has the session of a cookie. Session and account are read at once.
func (k *Keeper) session(r *http.Request) (archive.Actor, error) {
	none := fmt.Errorf("session: %w", archive.ErrUnauthenticated)
	c, err := r.Cookie(k.cookieName())
	if err != nil {
		return Anonymous(), none
	}
	id, secret, ok := strings.Cut(c.Value, ".")
	if !ok || !archive.ValidID(id) {
		return Anonymous(), none
	}
	var (
		wait            sync.WaitGroup
		a               archive.Account
		d               door
		errAcc, errDoor error
	)
	wait.Go(func() { a, errAcc = k.account(r.Context(), id) })
	wait.Go(func() { d, errDoor = k.readDoor(r.Context(), id) })
	wait.Wait()
	if err := errors.Join(errAcc, errDoor); err != nil {
		return Anonymous(), err
	}
	hash := []byte(sessionHash(secret, a))
	for _, s := range d.Sessions {
		if subtle.ConstantTimeCompare([]byte(s.Hash), hash) == 1 {
			actor := a.Actor(k.c.Person)
			actor.Session = s.ID
			return actor, nil
		}
	}
	return Anonymous(), none
}
