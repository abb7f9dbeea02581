package people_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"dangan/archive"
	"dangan/archive/people"
	"dangan/archive/policy"
)

// world is every port of the room in memory.
type world struct {
	t        *testing.T
	now      time.Time
	ids      int
	accounts map[string][]archive.Account
	fenced   map[string]bool
	claims   map[string]string
	marks    map[string][]string
	traces   []archive.Disclosure
	reset    []string
	fail     string // the write that fails
}

func newWorld(t *testing.T) (*world, *people.Room) {
	w := &world{t: t, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), accounts: map[string][]archive.Account{},
		fenced: map[string]bool{}, claims: map[string]string{}, marks: map[string][]string{}}
	return w, people.New(people.Config{Accounts: w, Claims: w, Marks: w, Offices: offices{}, Credentials: w, Door: w,
		Now: func() time.Time { return w.now }, NewID: func() string { w.ids++; return fmt.Sprintf("%026d", w.ids) },
		NewPassword: func() string { return "first-password" }})
}

var errFull = errors.New("disk full")

func (w *world) Append(_ context.Context, id string, n int, a archive.Account) error {
	if w.fail == "append" {
		return errFull
	}
	if n != len(w.accounts[id])+1 || w.fenced[id] {
		return archive.ErrConflict
	}
	if holder := w.claims[archive.ClaimUser+a.User]; holder != id {
		w.t.Errorf("%s was made without its user name", id)
	}
	if holder := w.claims[archive.ClaimStaff+a.IDNumber.Key()]; a.Bound && a.List() == archive.ListStaff && holder != id {
		w.t.Errorf("%s was made though %q has the person", id, holder)
	}
	w.accounts[id] = append(w.accounts[id], a)
	return nil
}

func (w *world) Head(_ context.Context, id string) (archive.Version[archive.Account], error) {
	all := w.accounts[id]
	if len(all) == 0 {
		return archive.Version[archive.Account]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Account]{N: len(all), Value: all[len(all)-1]}, nil
}

func (w *world) Fence(_ context.Context, id string) error {
	if len(w.accounts[id]) > 0 {
		return archive.ErrConflict
	}
	w.fenced[id] = true
	return nil
}

func (w *world) Claim(_ context.Context, kind, value, owner string) (string, error) {
	if holder, ok := w.claims[kind+value]; ok && holder != owner {
		return holder, archive.ErrExists
	}
	w.claims[kind+value] = owner
	return owner, nil
}

func (w *world) Holder(_ context.Context, kind, value string) (string, error) {
	if holder, ok := w.claims[kind+value]; ok {
		return holder, nil
	}
	return "", archive.ErrNotFound
}

func (w *world) Release(_ context.Context, kind, value, owner string) error {
	if w.claims[kind+value] == owner {
		delete(w.claims, kind+value)
	}
	return nil
}

func (w *world) Mark(_ context.Context, kind, value, id string) error {
	w.marks[kind+value] = append(w.marks[kind+value], id)
	return nil
}

func (w *world) Marked(_ context.Context, kind, value string) ([]string, error) {
	return slices.Clone(w.marks[kind+value]), nil
}

func (w *world) Hash(password string) (string, error) { return "hash of " + password, nil }

func (w *world) Key(account string) (string, string, error) {
	return "secret of " + account, "kept", nil
}

func (w *world) Reset(_ context.Context, account string) error {
	w.reset = append(w.reset, account)
	return nil
}

func (w *world) Pass(_ context.Context, d archive.Disclosure) (archive.Decision, error) {
	decision := policy.Decide(d.Actor, d.Action, d.Target)
	if !decision.Allowed {
		return decision, archive.ErrForbidden
	}
	w.traces = append(w.traces, d)
	return decision, nil
}

// offices is one office.
type offices struct{}

func (offices) Head(_ context.Context, id string) (archive.Version[archive.Office], error) {
	if id != "qc" {
		return archive.Version[archive.Office]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Office]{N: 1}, nil
}

var (
	admin    = archive.Actor{ID: "0000000000000000000000ADMN", Role: archive.RoleAdmin}
	security = archive.Actor{ID: "000000000000000000000SAFE0", Role: archive.RoleSecurity}
	auditor  = archive.Actor{ID: "000000000000000000000AVD0R", Role: archive.RoleAuditor}
	clerk    = archive.Actor{ID: "000000000000000000000CRK00", Role: archive.RoleReviewer, Office: "qc"}
)

func number(n int) archive.IDNumber {
	body := fmt.Sprintf("99999919900101%03d", n)
	return archive.NewIDNumber("", body+string(archive.CheckCharacter(body)))
}

// staff is an account as it is asked for.
func staff(user string, role archive.Role, id archive.IDNumber) archive.Account {
	return archive.Account{User: user, Name: "张", IDNumber: id, Proposed: archive.Post{Role: role, Office: "qc"}}
}

// proposed is a new account that waits.
func (w *world) proposed(room *people.Room, a archive.Account) archive.Version[archive.Account] {
	w.t.Helper()
	v, password, err := room.Propose(w.t.Context(), admin, a)
	if err != nil || password != "first-password" {
		w.t.Fatal(password, err)
	}
	return v
}

// code is the first problem of an error.
func code(err error) string {
	var ps archive.Problems
	if errors.As(err, &ps) && len(ps) > 0 {
		return ps[0].Field + " " + ps[0].Code
	}
	return fmt.Sprint(err)
}
