// Package people keeps accounts (账号): of staff, whose posts one administrator
// proposes and another confirms, of agencies with their keys, and of citizens.
//
// It owns who may have which account and what becomes of it. It must not know how
// passwords are checked or sessions kept (package api/auth), nor what a role may do
// (package policy), and nothing of buckets or HTTP.
package people

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dangan/archive"
)

// Config is what the room works with.
type Config struct {
	Accounts    Accounts
	Claims      Claims
	Marks       Marks
	Offices     Offices
	Credentials Credentials
	Door        Door
	Now         func() time.Time
	NewID       func() string
	// NewPassword makes a first password, to be handed over and changed.
	NewPassword func() string
}

// Room is the use cases. Its methods may be called concurrently.
type Room struct{ c Config }

// New opens the room.
func New(c Config) *Room { return &Room{c: c} }

// pass asks policy for an action on an account, and leaves the trace.
func (r *Room) pass(ctx context.Context, actor archive.Actor, act archive.Action, id, detail string) error {
	_, err := r.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: act, Detail: detail,
		Target: archive.Target{Ref: archive.Ref{Kind: archive.KindAccount, ID: id}}})
	return err
}

// Account shows an account to an administrator, without its secrets.
func (r *Room) Account(ctx context.Context, actor archive.Actor, id string) (archive.Version[archive.Account], error) {
	if err := r.pass(ctx, actor, archive.ActAccounts, id, ""); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	return r.shown(ctx, id)
}

// Find is Account by the user name, exactly as it is.
func (r *Room) Find(ctx context.Context, actor archive.Actor, user string) (archive.Version[archive.Account], error) {
	if err := r.pass(ctx, actor, archive.ActAccounts, "", "by user name"); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	id, err := r.c.Claims.Holder(ctx, archive.ClaimUser, user)
	if err != nil {
		return archive.Version[archive.Account]{}, fmt.Errorf("account: %w", err)
	}
	return r.shown(ctx, id)
}

// Own is the actor's own account, without its secrets.
func (r *Room) Own(ctx context.Context, actor archive.Actor) (archive.Version[archive.Account], error) {
	if err := r.pass(ctx, actor, archive.ActSelf, actor.ID, ""); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	return r.shown(ctx, actor.ID)
}

func (r *Room) shown(ctx context.Context, id string) (archive.Version[archive.Account], error) {
	v, err := r.head(ctx, id)
	v.Value = v.Value.Public()
	return v, err
}

// head finds an account. Whatever is no id cannot name one.
func (r *Room) head(ctx context.Context, id string) (archive.Version[archive.Account], error) {
	if !archive.ValidID(id) {
		return archive.Version[archive.Account]{}, fmt.Errorf("account: %w", archive.ErrNotFound)
	}
	v, err := r.c.Accounts.Head(ctx, id)
	if err != nil {
		return v, fmt.Errorf("account: %w", err)
	}
	return v, nil
}

// mostListed is the longest list one call gives.
const mostListed = 100

// List shows accounts of staff or of agencies, newest first, older than the one with
// id before. next is where to go on; empty at the end.
func (r *Room) List(ctx context.Context, actor archive.Actor, list, before string) (all []archive.Version[archive.Account], next string, err error) {
	if list != archive.ListStaff && list != archive.ListAgency {
		return nil, "", archive.Problems{{Code: "unknown_value", Field: "list"}}
	}
	if err := r.pass(ctx, actor, archive.ActAccounts, "", list); err != nil {
		return nil, "", err
	}
	ids, err := r.c.Marks.Marked(ctx, archive.MarkAccount, list)
	if err != nil {
		return nil, "", fmt.Errorf("accounts: %w", err)
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	for _, id := range ids {
		if before != "" && id >= before {
			continue
		}
		v, err := r.shown(ctx, id)
		if errors.Is(err, archive.ErrNotFound) {
			continue // marked, and never committed
		}
		if err != nil {
			return nil, "", err
		}
		if all = append(all, v); len(all) == mostListed {
			return all, id, nil
		}
	}
	return all, "", nil
}

// Declare adds relatives whose matters the actor will not handle (回避). Taking one
// back is for the security administrator.
func (r *Room) Declare(ctx context.Context, actor archive.Actor, relatives []archive.IDNumber) (archive.Version[archive.Account], error) {
	if err := r.pass(ctx, actor, archive.ActSelf, actor.ID, "relatives"); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	relatives = normal(relatives)
	if err := archive.RelativeProblems(relatives).Err(); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	v, err := r.head(ctx, actor.ID)
	if err != nil {
		return v, err
	}
	for _, id := range relatives {
		if !slices.ContainsFunc(v.Value.Relatives, func(known archive.IDNumber) bool { return known.Key() == id.Key() }) {
			v.Value.Relatives = append(slices.Clone(v.Value.Relatives), id)
		}
	}
	return r.change(ctx, actor, v.N, v.Value)
}

func normal(ids []archive.IDNumber) []archive.IDNumber {
	var all []archive.IDNumber
	for _, id := range ids {
		all = append(all, archive.NewIDNumber(id.Type, id.Original))
	}
	return all
}

// change commits the entry after n and shows it.
func (r *Room) change(ctx context.Context, actor archive.Actor, n int, a archive.Account) (archive.Version[archive.Account], error) {
	a.By = actor.ID
	if err := r.c.Accounts.Append(ctx, a.ID, n+1, a); err != nil {
		return archive.Version[archive.Account]{}, fmt.Errorf("account: %w", err)
	}
	return archive.Version[archive.Account]{N: n + 1, At: r.c.Now(), Value: a.Public()}, nil
}
