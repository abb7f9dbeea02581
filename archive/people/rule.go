package people

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dangan/archive"
)

// longestKey is how long a key may be good for: whoever still needs it asks again.
const longestKey = 2 * 366 * 24 * time.Hour

// open reads an account that an administrator is to change, of which the actor has
// seen entry n. Nobody does this to the own account.
func (r *Room) open(ctx context.Context, actor archive.Actor, act archive.Action, id string, n int, detail string) (archive.Account, error) {
	if err := r.pass(ctx, actor, act, id, detail); err != nil {
		return archive.Account{}, err
	}
	v, err := r.head(ctx, id)
	if err != nil {
		return archive.Account{}, err
	}
	if actor.ID == id {
		return archive.Account{}, fmt.Errorf("own account: %w", archive.ErrForbidden)
	}
	if v.N != n {
		return archive.Account{}, fmt.Errorf("account: %w", archive.ErrConflict)
	}
	return v.Value, nil
}

// Repost proposes another post for an account; the present one lasts until that is
// confirmed. An agency stays one, and so does staff.
func (r *Room) Repost(ctx context.Context, actor archive.Actor, id string, n int, post archive.Post) (archive.Version[archive.Account], error) {
	a, err := r.open(ctx, actor, archive.ActPropose, id, n, string(post.Role))
	if err != nil {
		return archive.Version[archive.Account]{}, err
	}
	var ps archive.Problems
	as := a
	as.Role, as.Office = post.Role, post.Office
	if as.List() == "" || as.List() != a.List() {
		ps.Add("bad_role", "role")
	}
	ps = append(ps, as.Problems()...)
	if err := r.known(ctx, post.Office, &ps); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	if err := ps.Err(); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	a.Proposed = archive.Post{Role: post.Role, Office: post.Office, By: actor.ID}
	return r.change(ctx, actor, n, a)
}

// Rule is the security administrator's part: what was proposed takes effect or not,
// accounts are locked and unlocked, sessions ended, relatives corrected.
func (r *Room) Rule(ctx context.Context, actor archive.Actor, id string, n int, ruling archive.Ruling) (archive.Version[archive.Account], error) {
	none := archive.Version[archive.Account]{}
	a, err := r.open(ctx, actor, archive.ActConfirm, id, n, string(ruling.Step))
	if err != nil {
		return none, err
	}
	waits := a.Proposed != archive.Post{}
	switch ruling.Step {
	case archive.RuleConfirm:
		switch {
		case !waits:
			return none, fmt.Errorf("confirm: %w", archive.ErrState)
		case a.Proposed.By == actor.ID:
			return none, fmt.Errorf("confirm the own proposal: %w", archive.ErrForbidden)
		}
		a.Role, a.Office, a.Proposed = a.Proposed.Role, a.Proposed.Office, archive.Post{}
	case archive.RuleReject:
		if !waits {
			return none, fmt.Errorf("reject: %w", archive.ErrState)
		}
		if a.Role == "" { // it stays on the list, and cannot be used
			a.Disabled = true
		} else {
			a.Proposed = archive.Post{}
		}
	case archive.RuleLock, archive.RuleUnlock:
		a.Disabled = ruling.Step == archive.RuleLock
	case archive.RuleRelatives:
		a.Relatives = normal(ruling.Relatives)
		if err := archive.RelativeProblems(a.Relatives).Err(); err != nil {
			return none, err
		}
	case archive.RuleSecond:
		a.Second = archive.Second{}
	case archive.RuleEnd:
	default:
		return none, archive.Problems{{Code: "unknown_value", Field: "step"}}
	}
	v, err := r.change(ctx, actor, n, a)
	if err == nil && ruling.Step != archive.RuleRelatives {
		err = r.c.Credentials.Reset(ctx, id)
	}
	return v, err
}

// Grant makes a key for an agency. The secret is shown this once.
func (r *Room) Grant(ctx context.Context, actor archive.Actor, id string, n int, key archive.Key) (archive.Version[archive.Account], string, error) {
	none := archive.Version[archive.Account]{}
	a, err := r.open(ctx, actor, archive.ActKeys, id, n, "grant")
	if err != nil {
		return none, "", err
	}
	if a.Role != archive.RoleAgency {
		return none, "", fmt.Errorf("key: %w", archive.ErrState)
	}
	now := r.c.Now()
	ps := key.Problems()
	if !key.Expires.After(now) || key.Expires.Sub(now) > longestKey {
		ps.Add("out_of_range", "expires")
	}
	if err := ps.Err(); err != nil {
		return none, "", err
	}
	secret, kept, err := r.c.Credentials.Key(id)
	if err != nil {
		return none, "", err
	}
	a.Keys = append(slices.Clone(a.Keys), archive.Key{ID: r.c.NewID(), Label: key.Label, Hash: kept, Grant: key.Grant, Created: now, Expires: key.Expires})
	v, err := r.change(ctx, actor, n, a)
	return v, secret, err
}

// Withdraw revokes a key at once.
func (r *Room) Withdraw(ctx context.Context, actor archive.Actor, id string, n int, key string) (archive.Version[archive.Account], error) {
	a, err := r.open(ctx, actor, archive.ActKeys, id, n, "revoke")
	if err != nil {
		return archive.Version[archive.Account]{}, err
	}
	i := slices.IndexFunc(a.Keys, func(k archive.Key) bool { return k.ID == key })
	if i < 0 {
		return archive.Version[archive.Account]{}, archive.Problems{{Code: "unknown_value", Field: "key"}}
	}
	a.Keys = slices.Clone(a.Keys)
	if a.Keys[i].Revoked.IsZero() {
		a.Keys[i].Revoked = r.c.Now()
	}
	return r.change(ctx, actor, n, a)
}
