package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
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

// store is a few accounts with their claims and states, shared by replicas. It
// notes what it is asked.
type store struct {
	mu       sync.Mutex
	accounts map[string][]archive.Account
	states   map[string][]byte
	asked    []string
	away     error
}

func (s *store) ask(what string) error {
	s.asked = append(s.asked, what)
	return s.away
}

func (s *store) Head(_ context.Context, id string) (archive.Version[archive.Account], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ask("head"); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	all := s.accounts[id]
	if len(all) == 0 {
		return archive.Version[archive.Account]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Account]{N: len(all), Value: all[len(all)-1]}, nil
}

func (s *store) Append(_ context.Context, id string, n int, a archive.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n != len(s.accounts[id])+1 {
		return archive.ErrConflict
	}
	s.accounts[id] = append(s.accounts[id], a)
	return s.ask("append")
}

func (s *store) Holder(_ context.Context, kind, value string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ask("holder"); err != nil {
		return "", err
	}
	for id, all := range s.accounts {
		for _, a := range all {
			if kind == archive.ClaimUser && a.User == value || kind == archive.ClaimToken && a.Token == value {
				return id, nil
			}
		}
	}
	return "", archive.ErrNotFound
}

func (s *store) State(_ context.Context, name string) ([]byte, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[name], string(s.states[name]), s.ask("state")
}

func (s *store) SetState(_ context.Context, name string, value []byte, tag string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(s.states[name]) != tag {
		return archive.ErrConflict
	}
	s.states[name] = value
	return s.ask("set")
}

const liID = "01K00000000000000000000001"

// world is a store with the account of li, and a clock.
type world struct {
	t   *testing.T
	now time.Time
	store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cheap := phc{memory: 64, time: 1, lanes: 1, salt: []byte("somesalt")}
	cheap.key = cheap.derive("secret", argonKey)
	w := &world{t: t, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), store: store{accounts: map[string][]archive.Account{}, states: map[string][]byte{}}}
	w.accounts[liID] = []archive.Account{
		{ID: liID, User: "li", Token: TokenHash("dgt_old")},
		{ID: liID, User: "li", Name: "李", Role: archive.RoleCitizen, Password: cheap.String(),
			Token: TokenHash("dgt_new"), IDNumber: archive.NewIDNumber("", "999999199001010016"), Assurance: archive.RealName},
	}
	return w
}

// replica is one of the processes on the store.
func (w *world) replica() *Keeper {
	w.t.Helper()
	k, err := New(Config{Accounts: &w.store, Claims: &w.store, States: &w.store, Key: make([]byte, 32), Secure: true,
		Now: func() time.Time { return w.now }, Rand: rand.Reader,
		Person: func(id archive.IDNumber) string { return "token of " + id.Number[:6] }})
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

// change writes the next entry of li's account.
func (w *world) change(edit func(*archive.Account)) {
	all := w.accounts[liID]
	next := all[len(all)-1]
	edit(&next)
	w.accounts[liID] = append(all, next)
}

// request is one with a cookie.
func request(c *http.Cookie) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(c)
	return r
}

func (w *world) signIn(k *Keeper, code string) *http.Cookie {
	w.t.Helper()
	c, err := k.SignIn(w.t.Context(), Attempt{User: "li", Password: "secret", Code: code, From: "192.0.2.1", Device: "Browser"})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) signedIn(k *Keeper, c *http.Cookie) bool {
	w.t.Helper()
	a, err := k.Actor(request(c))
	if err != nil {
		w.t.Fatal(err)
	}
	return a.ID == liID
}

func TestKeyMustBeLongEnough(t *testing.T) {
	if _, err := New(Config{Key: []byte("short"), Rand: rand.Reader, Now: time.Now}); err == nil {
		t.Error("a short key is accepted")
	}
}

func TestBearer(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	ask := func(header string) (archive.Actor, error) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		return k.Actor(r)
	}
	want := archive.Actor{ID: liID, Role: archive.RoleCitizen, Name: "李", Person: "token of 999999", Assurance: archive.RealName}
	for range 2 {
		if a, err := ask("Bearer dgt_new"); err != nil || !reflect.DeepEqual(a, want) {
			t.Errorf("%+v %v", a, err)
		}
	}
	if !slices.Equal(w.asked, []string{"holder", "head", "head"}) {
		t.Errorf("two requests read %v", w.asked)
	}
	for _, bad := range []string{"Bearer dgt_old", "Bearer x", "Basic x", "Bearer dgk_", "Bearer dgk_" + liID + "_x"} {
		if a, err := ask(bad); !errors.Is(err, archive.ErrUnauthenticated) || !reflect.DeepEqual(a, Anonymous()) {
			t.Errorf("%q: %+v %v", bad, a, err)
		}
	}
	for what, edit := range map[string]func(*archive.Account){
		"locked":                  func(a *archive.Account) { a.Disabled = true },
		"waiting to be confirmed": func(a *archive.Account) { a.Disabled, a.Role = false, "" },
	} {
		w.change(edit)
		if _, err := ask("Bearer dgt_new"); !errors.Is(err, archive.ErrUnauthenticated) {
			t.Errorf("an account that is %s: %v", what, err)
		}
	}
}

// TestStoreAway: that accounts cannot be read must not look like a wrong password.
func TestStoreAway(t *testing.T) {
	w := newWorld(t)
	w.away = archive.ErrUnavailable
	if _, err := w.replica().SignIn(t.Context(), Attempt{User: "li", Password: "secret"}); !errors.Is(err, archive.ErrUnavailable) {
		t.Error(err)
	}
}

func TestFromNothing(t *testing.T) {
	if a := From(context.Background()); a.Role != archive.RoleAnonymous || a.ID != "" {
		t.Errorf("%+v", a)
	}
}
