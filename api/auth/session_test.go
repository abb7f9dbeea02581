package auth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

func TestSecureCookie(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	c := w.signIn(k, "")
	if c.Name != "__Host-dangan" || !c.Secure || !c.HttpOnly || c.Domain != "" || c.Path != "/" {
		t.Errorf("%+v", c)
	}
	if !w.signedIn(k, c) {
		t.Error("not signed in")
	}
}

// TestSessionsEnd: what ends a session ends it on every replica, whatever the browser
// still holds.
func TestSessionsEnd(t *testing.T) {
	for what, end := range map[string]func(*world, *Keeper, *http.Cookie) error{
		"signing out": func(_ *world, k *Keeper, c *http.Cookie) error {
			a, _ := k.Actor(request(c))
			gone, err := k.SignOut(t.Context(), a)
			if gone.MaxAge >= 0 || gone.Value != "" {
				err = errors.Join(err, fmt.Errorf("%+v", gone))
			}
			return err
		},
		"ending it from the list": func(w *world, k *Keeper, c *http.Cookie) error {
			a, _ := k.Actor(request(c))
			list, err := k.Sessions(w.t.Context(), liID)
			if err != nil || len(list) != 1 || list[0].ID != a.Session || list[0].From != "192.0.2.1" || list[0].Device != "Browser" || list[0].Hash != "" {
				return fmt.Errorf("%+v %w", list, err)
			}
			return k.EndSession(w.t.Context(), liID, a.Session)
		},
		"an administrator": func(w *world, k *Keeper, _ *http.Cookie) error { return k.Reset(w.t.Context(), liID) },
		"a new password": func(w *world, _ *Keeper, _ *http.Cookie) error {
			w.change(func(a *archive.Account) { a.Password += "x" })
			return nil
		},
		"a lock": func(w *world, _ *Keeper, _ *http.Cookie) error {
			w.change(func(a *archive.Account) { a.Disabled = true })
			return nil
		},
		"eight hours": func(w *world, _ *Keeper, _ *http.Cookie) error { w.now = w.now.Add(sessionLife); return nil },
	} {
		w := newWorld(t)
		here, there := w.replica(), w.replica()
		c := w.signIn(here, "")
		if !w.signedIn(there, c) {
			t.Fatal("another replica does not know the session")
		}
		if err := end(w, here, c); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if w.signedIn(there, c) {
			t.Errorf("%s does not end the session", what)
		}
	}
}

func TestPlantedSession(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	first, second := w.signIn(k, ""), w.signIn(k, "")
	if first.Value == second.Value {
		t.Error("two sessions are one")
	}
	id, secret, _ := strings.Cut(first.Value, ".")
	for _, value := range []string{"", "planted", id + ".", id + "." + secret[1:], "." + secret, "01K00000000000000000000002." + secret} {
		if w.signedIn(k, &http.Cookie{Name: first.Name, Value: value}) {
			t.Errorf("%q is a session", value)
		}
	}
}

// TestSessionsAreBounded: the oldest gives way.
func TestSessionsAreBounded(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	oldest := w.signIn(k, "")
	for range mostSessions {
		if _, err := k.open(t.Context(), w.accounts[liID][1], Attempt{}); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := k.Sessions(t.Context(), liID); err != nil || len(list) != mostSessions || w.signedIn(k, oldest) {
		t.Errorf("%d sessions, %v", len(list), err)
	}
}

// TestLockIsEverywhere: attempts are counted for all replicas, and a lock ends.
func TestLockIsEverywhere(t *testing.T) {
	w := newWorld(t)
	replicas := []*Keeper{w.replica(), w.replica()}
	try := func(i int, user, password string) error {
		_, err := replicas[i%2].SignIn(t.Context(), Attempt{User: user, Password: password})
		return err
	}
	for _, user := range []string{"li", "nobody"} {
		for i := range mostAttempts {
			if err := try(i, user, "wrong"); !errors.Is(err, archive.ErrUnauthenticated) {
				t.Fatalf("%s: %v", user, err)
			}
		}
		if err := try(0, user, "secret"); !errors.Is(err, ErrTooMany) {
			t.Errorf("%s after too many: %v", user, err)
		}
	}
	w.now = w.now.Add(lockTime)
	if err := try(1, "li", "secret"); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

// TestUnknownUsersLookTheSame: one that exists and one that does not are taken through
// the same steps.
func TestUnknownUsersLookTheSame(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	var asked [][]string
	var said []string
	for _, user := range []string{"li", "nobody"} {
		w.asked = nil
		_, err := k.SignIn(t.Context(), Attempt{User: user, Password: "wrong"})
		asked, said = append(asked, w.asked), append(said, err.Error())
	}
	if !slices.Equal(asked[0], asked[1]) || said[0] != said[1] || len(asked[0]) != 4 {
		t.Errorf("%v %q", asked, said)
	}
}

func TestChangesAtOnce(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	done := make(chan error)
	for range 4 {
		go func() {
			_, err := k.open(t.Context(), w.accounts[liID][1], Attempt{})
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	list, err := k.Sessions(t.Context(), liID)
	if err != nil || len(list) != 4 {
		t.Errorf("%d sessions, %v", len(list), err)
	}
}

func TestPasswordIsChanged(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	li := archive.Actor{ID: liID}
	old := w.signIn(k, "")
	for what, tt := range map[string]struct{ current, next, code string }{
		"wrong": {"guess", "a longer password", "wrong_password"}, "short": {"secret", "short", "too_short"}, "long": {"secret", strings.Repeat("x", 201), "too_long"},
		"not text": {"secret", "\xff234567890", "bad_encoding"},
	} {
		_, err := k.SetPassword(t.Context(), li, tt.current, tt.next, Attempt{})
		var ps archive.Problems
		if !errors.As(err, &ps) || ps[0].Code != tt.code {
			t.Errorf("%s: %v", what, err)
		}
	}
	now, err := k.SetPassword(t.Context(), li, "secret", "a longer password", Attempt{})
	if err != nil || w.signedIn(k, old) || !w.signedIn(k, now) {
		t.Errorf("old %v, new %v, %v", w.signedIn(k, old), w.signedIn(k, now), err)
	}
	if _, err := k.SignIn(t.Context(), Attempt{User: "li", Password: "secret"}); !errors.Is(err, archive.ErrUnauthenticated) {
		t.Errorf("the old password: %v", err)
	}
	for range mostAttempts {
		_, err = k.SetPassword(t.Context(), li, "guess", "a longer password", Attempt{})
	}
	if !errors.Is(err, ErrTooMany) {
		t.Errorf("who sits at an open session may guess the password: %v", err)
	}
}

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }
