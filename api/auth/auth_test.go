package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

func TestPasswords(t *testing.T) {
	hash, err := HashPassword(rand.Reader, "correct horse")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q %v", hash, err)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		if got, err := CheckPassword(hash, password); got != want || err != nil {
			t.Errorf("%q: %v %v", password, got, err)
		}
	}
	// The reference implementation's output for "password" and "somesalt"
	// (phc-winner-argon2, test.c: t=2, m=2^16, p=1).
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if good, err := CheckPassword(reference, "password"); !good || err != nil {
		t.Errorf("the reference hash: %v %v", good, err)
	}
	other, err := HashPassword(rand.Reader, "correct horse")
	if err != nil || other == hash {
		t.Error("two hashes of a password are the same")
	}
	if _, err := HashPassword(strings.NewReader("short"), "x"); err == nil {
		t.Error("a hash without enough randomness")
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("plain")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		switch {
		case err != nil && !errors.Is(err, archive.ErrCorrupt):
			t.Errorf("%q: %v", s, err)
		case err == nil && (p.String() != s || p.memory > mostMemory || p.time > mostTime):
			t.Errorf("%q is read as %q", s, p)
		}
	})
}

// accounts is one account, found by its user name and its token.
type accounts struct{ a archive.Account }

func (s *accounts) Head(_ context.Context, id string) (archive.Version[archive.Account], error) {
	if id != s.a.ID {
		return archive.Version[archive.Account]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Account]{N: 1, Value: s.a}, nil
}

func (s *accounts) Holder(_ context.Context, kind, value string) (string, error) {
	switch {
	case value == "broken":
		return "", archive.ErrUnavailable
	case kind == archive.ClaimUser && value == "li", kind == archive.ClaimToken && value == TokenHash("dgt_old"), kind == archive.ClaimToken && value == s.a.Token:
		return s.a.ID, nil
	}
	return "", archive.ErrNotFound
}

func keeper(t *testing.T) (*Keeper, *accounts) {
	t.Helper()
	hash, err := HashPassword(rand.Reader, "secret")
	if err != nil {
		t.Fatal(err)
	}
	s := &accounts{archive.Account{ID: "01K00000000000000000000001", User: "li", Name: "李", Role: archive.RoleCitizen, Password: hash,
		Token: TokenHash("dgt_new"), IDNumber: archive.NewIDNumber("", "999999199001010016"), Assurance: archive.RealName}}
	k, err := New(Config{Accounts: s, Claims: s, Key: make([]byte, 32), Secure: true, Now: time.Now, Rand: rand.Reader,
		Person: func(id archive.IDNumber) string { return "token of " + id.Number[:6] }})
	if err != nil {
		t.Fatal(err)
	}
	return k, s
}

func TestKeyMustBeLongEnough(t *testing.T) {
	if _, err := New(Config{Key: []byte("short"), Rand: rand.Reader, Now: time.Now}); err == nil {
		t.Error("a short key is accepted")
	}
}

func TestBearer(t *testing.T) {
	k, s := keeper(t)
	ask := func(header string) (archive.Actor, error) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		return k.Actor(r)
	}
	a, err := ask("Bearer dgt_new")
	want := archive.Actor{ID: s.a.ID, Role: archive.RoleCitizen, Name: "李", Person: "token of 999999", Assurance: archive.RealName}
	if err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("%+v %v", a, err)
	}
	for _, bad := range []string{"Bearer dgt_old", "Bearer x", "Basic x"} {
		if a, err := ask(bad); !errors.Is(err, archive.ErrUnauthenticated) || !reflect.DeepEqual(a, Anonymous()) {
			t.Errorf("%q: %+v %v", bad, a, err)
		}
	}
	s.a.Disabled = true
	if _, err := ask("Bearer dgt_new"); !errors.Is(err, archive.ErrUnauthenticated) {
		t.Errorf("a disabled account: %v", err)
	}
}

func TestSecureCookie(t *testing.T) {
	k, _ := keeper(t)
	c, err := k.SignIn(t.Context(), "li", "secret", "192.0.2.1")
	if err != nil || c.Name != "__Host-dangan" || !c.Secure || !c.HttpOnly || c.Domain != "" {
		t.Fatalf("%+v %v", c, err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(c)
	if a, err := k.Actor(r); err != nil || a.Role != archive.RoleCitizen {
		t.Errorf("%+v %v", a, err)
	}
}

// TestStoreAway: that accounts cannot be read must not look like a wrong password.
func TestStoreAway(t *testing.T) {
	k, _ := keeper(t)
	if _, err := k.SignIn(t.Context(), "broken", "secret", "192.0.2.1"); !errors.Is(err, archive.ErrUnavailable) {
		t.Error(err)
	}
}

func TestAttempts(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	a := newAttempts(func() time.Time { return now })
	for range mostFailures {
		if !a.allow("li", "1") {
			t.Fatal("refused too early")
		}
	}
	if a.allow("li", "1") || !a.allow("li", "2") || !a.allow("wang", "1") {
		t.Error("counts are not per user and address")
	}
	a.forget("li", "1")
	if !a.allow("li", "1") {
		t.Error("a success does not clear the count")
	}
	for i := range mostTracked + 10 {
		a.allow("flood", string(rune(i)))
	}
	if len(a.seen) > mostTracked+1 {
		t.Errorf("%d pairs are remembered", len(a.seen))
	}
}

func TestFromNothing(t *testing.T) {
	if a := From(context.Background()); a.Role != archive.RoleAnonymous || a.ID != "" {
		t.Errorf("%+v", a)
	}
}
