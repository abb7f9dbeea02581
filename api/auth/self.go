package auth

import (
	"context"
	"fmt"
	"net/http"
	"unicode/utf8"

	"dangan/archive"
)

// The length of a password, in characters (NIST SP 800-63B: long enough, and nothing
// about its kinds).
const (
	leastPassword = 10
	mostPassword  = 200
)

// Hash makes the kept form of a new password, or says what is wrong with it.
func (k *Keeper) Hash(password string) (string, error) {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "", archive.Problems{{Code: "bad_encoding", Field: "password"}}
	case n < leastPassword:
		return "", archive.Problems{{Code: "too_short", Field: "password"}}
	case n > mostPassword:
		return "", archive.Problems{{Code: "too_long", Field: "password"}}
	}
	k.hashing <- struct{}{}
	defer func() { <-k.hashing }()
	return HashPassword(k.c.Rand, password)
}

// own reads the account of an actor who proves to be it by its password. Attempts
// are counted like those to sign in.
func (k *Keeper) own(ctx context.Context, actor archive.Actor, password string) (archive.Version[archive.Account], error) {
	v, err := k.c.Accounts.Head(ctx, actor.ID)
	if err != nil {
		return v, fmt.Errorf("own account: %w", err)
	}
	if err := k.knock(ctx, actor.ID); err != nil {
		return v, err
	}
	good, err := k.checkPassword(v.Value, password)
	if err != nil {
		return v, err
	}
	if !good || v.Value.Password == "" {
		return v, archive.Problems{{Code: "wrong_password", Field: "current"}}
	}
	return v, k.change(ctx, actor.ID, func(d *door) error { d.Attempts = 0; return nil })
}

// write makes the next entry of an account by its own hand.
func (k *Keeper) write(ctx context.Context, n int, a archive.Account) error {
	a.By = a.ID
	return k.c.Accounts.Append(ctx, a.ID, n+1, a)
}

// SetPassword changes the actor's own password. It ends all sessions, and opens a new
// one for the browser that asked.
func (k *Keeper) SetPassword(ctx context.Context, actor archive.Actor, current, next string, from Attempt) (*http.Cookie, error) {
	v, err := k.own(ctx, actor, current)
	if err != nil {
		return nil, err
	}
	a := v.Value
	if a.Password, err = k.Hash(next); err != nil {
		return nil, err
	}
	if err := k.write(ctx, v.N, a); err != nil {
		return nil, err
	}
	if err := k.Reset(ctx, a.ID); err != nil {
		return nil, err
	}
	return k.open(ctx, a, from)
}

// BeginSecond makes a secret for the actor's authenticator. It counts when a code from
// it was given to ConfirmSecond. address is the secret as authenticators take it over.
func (k *Keeper) BeginSecond(ctx context.Context, actor archive.Actor, current string) (secret, address string, err error) {
	v, err := k.own(ctx, actor, current)
	if err != nil {
		return "", "", err
	}
	a := v.Value
	if a.Second.Pending, err = newSecond(k.c.Rand); err != nil {
		return "", "", err
	}
	return a.Second.Pending, otpauth(a.User, a.Second.Pending), k.write(ctx, v.N, a)
}

// ConfirmSecond turns the second factor on and gives the recovery codes, which are
// shown this once.
func (k *Keeper) ConfirmSecond(ctx context.Context, actor archive.Actor, code string) ([]string, error) {
	v, err := k.c.Accounts.Head(ctx, actor.ID)
	if err != nil {
		return nil, fmt.Errorf("own account: %w", err)
	}
	if err := k.knock(ctx, actor.ID); err != nil {
		return nil, err
	}
	a, ok := v.Value, false
	err = k.change(ctx, a.ID, func(d *door) error {
		var step int64
		if step, ok = checkTOTP(a.Second.Pending, code, k.c.Now(), 0); ok {
			d.Step, d.Attempts = step, 0
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, archive.Problems{{Code: "wrong_code", Field: "code"}}
	}
	codes, kept, err := newRecovery(k.c.Rand)
	if err != nil {
		return nil, err
	}
	a.Second = archive.Second{Secret: a.Second.Pending, Recovery: kept}
	return codes, k.write(ctx, v.N, a)
}

// DropSecond turns the second factor off.
func (k *Keeper) DropSecond(ctx context.Context, actor archive.Actor, current string) error {
	v, err := k.own(ctx, actor, current)
	if err != nil {
		return err
	}
	a := v.Value
	a.Second = archive.Second{}
	return k.write(ctx, v.N, a)
}
