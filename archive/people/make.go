package people

import (
	"context"
	"errors"
	"fmt"

	"dangan/archive"
)

// Propose makes an account of staff or of an agency, and proposes a post for it. It
// can be used when the security administrator has confirmed that. The first password
// is kept nowhere else.
func (r *Room) Propose(ctx context.Context, actor archive.Actor, a archive.Account) (v archive.Version[archive.Account], password string, err error) {
	made := archive.Account{ID: r.c.NewID(), User: a.User, Name: a.Name, Office: a.Proposed.Office, Quota: a.Quota,
		IDNumber: archive.NewIDNumber(a.IDNumber.Type, a.IDNumber.Original),
		Proposed: archive.Post{Role: a.Proposed.Role, Office: a.Proposed.Office, By: actor.ID}, By: actor.ID}
	if err := r.pass(ctx, actor, archive.ActPropose, made.ID, string(made.Proposed.Role)); err != nil {
		return v, "", err
	}
	as := made
	as.Role = made.Proposed.Role
	ps := as.Problems()
	if as.List() == "" {
		ps.Add("bad_role", "role")
	}
	if err := r.known(ctx, made.Proposed.Office, &ps); err != nil {
		return v, "", err
	}
	if err := ps.Err(); err != nil {
		return v, "", err
	}
	return r.make(ctx, made)
}

// Enrol makes an account for a citizen whose identity document somebody has seen.
func (r *Room) Enrol(ctx context.Context, actor archive.Actor, a archive.Account) (v archive.Version[archive.Account], password string, err error) {
	made := archive.Account{ID: r.c.NewID(), User: a.User, Name: a.Name, Role: archive.RoleCitizen, Assurance: archive.Counter,
		IDNumber: archive.NewIDNumber(a.IDNumber.Type, a.IDNumber.Original), By: actor.ID}
	if err := r.pass(ctx, actor, archive.ActEnrol, made.ID, ""); err != nil {
		return v, "", err
	}
	if err := citizenProblems(made).Err(); err != nil {
		return v, "", err
	}
	return r.make(ctx, made)
}

// Install makes an account for who sets the archive up, with the credentials it has
// already. That administrators are three people must be sure from the beginning.
func (r *Room) Install(ctx context.Context, a archive.Account) error {
	if a.Role.Administers() && a.IDNumber.IsZero() {
		return archive.Problems{{Code: "required", Field: "id_number"}}
	}
	a.ID = r.c.NewID()
	return r.commit(ctx, a)
}

// Taken reports whether there is an account with the user name.
func (r *Room) Taken(ctx context.Context, user string) (bool, error) {
	id, err := r.c.Claims.Holder(ctx, archive.ClaimUser, user)
	if err == nil {
		_, err = r.c.Accounts.Head(ctx, id)
	}
	if errors.Is(err, archive.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (r *Room) make(ctx context.Context, a archive.Account) (v archive.Version[archive.Account], password string, err error) {
	password = r.c.NewPassword()
	if a.Password, err = r.c.Credentials.Hash(password); err != nil {
		return v, "", err
	}
	if err := r.commit(ctx, a); err != nil {
		return v, "", err
	}
	v, err = r.shown(ctx, a.ID)
	return v, password, err
}

// commit claims what the account must have alone, and then makes it. Claims that a
// crash leaves behind are taken over by the next who wants them.
func (r *Room) commit(ctx context.Context, a archive.Account) error {
	a.Created = r.c.Now()
	list := a.List()
	a.Bound = list == archive.ListAgency || list == archive.ListStaff && !a.IDNumber.IsZero()
	var ps archive.Problems
	free, err := r.claim(ctx, archive.ClaimUser, a.User, a.ID)
	if err != nil {
		return err
	}
	if !free {
		ps.Add("user_taken", "user")
	} else if a.Bound && list == archive.ListStaff {
		if free, err = r.claim(ctx, archive.ClaimStaff, a.IDNumber.Key(), a.ID); err != nil {
			return err
		}
		if !free {
			ps.Add("person_has_account", "id_number")
			err = r.c.Claims.Release(ctx, archive.ClaimUser, a.User, a.ID)
		}
	}
	if a.Token != "" && err == nil && len(ps) == 0 {
		_, err = r.c.Claims.Claim(ctx, archive.ClaimToken, a.Token, a.ID)
	}
	if a.Bound && err == nil && len(ps) == 0 {
		err = r.c.Marks.Mark(ctx, archive.MarkAccount, list, a.ID)
	}
	if err := errors.Join(err, ps.Err()); err != nil {
		return err
	}
	if err := r.c.Accounts.Append(ctx, a.ID, 1, a); err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return nil
}

// claim takes a value for the account id, also from one that never came to be: that
// is fenced off first, so that it cannot come to be without the claim.
func (r *Room) claim(ctx context.Context, kind, value, id string) (free bool, err error) {
	holder, err := r.c.Claims.Claim(ctx, kind, value, id)
	if !errors.Is(err, archive.ErrExists) {
		return err == nil, err
	}
	if _, err := r.c.Accounts.Head(ctx, holder); !errors.Is(err, archive.ErrNotFound) {
		return false, err
	}
	if err := r.c.Accounts.Fence(ctx, holder); err != nil {
		if errors.Is(err, archive.ErrConflict) { // it came to be just now
			return false, nil
		}
		return false, err
	}
	if err := r.c.Claims.Release(ctx, kind, value, holder); err != nil {
		return false, err
	}
	_, err = r.c.Claims.Claim(ctx, kind, value, id)
	if errors.Is(err, archive.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// known notes an office that there is not.
func (r *Room) known(ctx context.Context, office string, ps *archive.Problems) error {
	if office == "" {
		return nil
	}
	_, err := r.c.Offices.Head(ctx, office)
	if errors.Is(err, archive.ErrNotFound) || errors.Is(err, archive.ErrInvalid) {
		ps.Add("unknown_office", "office")
		return nil
	}
	if err != nil {
		return fmt.Errorf("office: %w", err)
	}
	return nil
}
