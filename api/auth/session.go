package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dangan/archive"
)

// sessionLife is how long a session lasts, used or not.
const sessionLife = 8 * time.Hour

// ErrTooMany is the answer to a sign-in after too many that failed.
var ErrTooMany = errors.New("too many attempts")

// SignIn checks a password and opens a session. from is the address the attempt
// comes from. A wrong user and a wrong password take the same time and give the
// same archive.ErrUnauthenticated.
func (k *Keeper) SignIn(ctx context.Context, user, password, from string) (*http.Cookie, error) {
	if !k.attempts.allow(user, from) {
		return nil, fmt.Errorf("sign in: %w", ErrTooMany)
	}
	a, err := k.byUser(ctx, user)
	if err != nil && !errors.Is(err, archive.ErrUnauthenticated) {
		return nil, err
	}
	hash := a.Password
	if err != nil || hash == "" {
		hash = k.nobody
	}
	k.hashing <- struct{}{}
	good, checkErr := CheckPassword(hash, password)
	<-k.hashing
	if checkErr != nil {
		return nil, checkErr
	}
	if err != nil || !good {
		return nil, fmt.Errorf("sign in: %w", archive.ErrUnauthenticated)
	}
	k.attempts.forget(user, from)
	return k.open(a), nil
}

func (k *Keeper) byUser(ctx context.Context, user string) (archive.Account, error) {
	id, err := k.c.Claims.Holder(ctx, archive.ClaimUser, user)
	if err != nil {
		return archive.Account{}, unknown("user", err)
	}
	return k.account(ctx, id)
}

// open makes the cookie of a new session. Nothing that the browser sent goes
// into it, so that a session cannot be planted before signing in.
func (k *Keeper) open(a archive.Account) *http.Cookie {
	ends := k.c.Now().Add(sessionLife)
	c := k.cookie(k.seal(a, ends))
	c.Expires, c.MaxAge = ends, int(sessionLife/time.Second)
	return c
}

// SignOut makes the cookie that ends a session in the browser.
func (k *Keeper) SignOut() *http.Cookie {
	c := k.cookie("")
	c.MaxAge = -1
	return c
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

// seal writes account.expiry.mac. The MAC also covers the password hash, so
// that a new password ends every session.
func (k *Keeper) seal(a archive.Account, ends time.Time) string {
	body := a.ID + "." + strconv.FormatInt(ends.Unix(), 10)
	return body + "." + base64.RawURLEncoding.EncodeToString(k.mac(body, a.Password))
}

func (k *Keeper) mac(body, password string) []byte {
	m := hmac.New(sha256.New, k.c.Key)
	fmt.Fprintf(m, "session\n%s\n%s", body, password)
	return m.Sum(nil)
}

func (k *Keeper) session(r *http.Request) (archive.Actor, error) {
	none := fmt.Errorf("session: %w", archive.ErrUnauthenticated)
	c, err := r.Cookie(k.cookieName())
	if err != nil {
		return Anonymous(), none
	}
	parts := strings.Split(c.Value, ".")
	if len(parts) != 3 || !archive.ValidID(parts[0]) {
		return Anonymous(), none
	}
	ends, errEnds := strconv.ParseInt(parts[1], 10, 64)
	mac, errMAC := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if errEnds != nil || errMAC != nil || k.c.Now().Unix() >= ends {
		return Anonymous(), none
	}
	a, err := k.account(r.Context(), parts[0])
	if err != nil {
		return Anonymous(), err
	}
	if !hmac.Equal(mac, k.mac(parts[0]+"."+parts[1], a.Password)) {
		return Anonymous(), none
	}
	return a.Actor(k.c.Person), nil
}
