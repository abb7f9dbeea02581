package people

import (
	"context"
	"errors"
	"fmt"

	"dangan/archive"
)

// Renew gives an account of staff or an agency a new first password, and locks it until
// the security administrator, too, believes who has lost the old one.
func (r *Room) Renew(ctx context.Context, actor archive.Actor, id string, n int) (v archive.Version[archive.Account], password string, err error) {
	a, err := r.open(ctx, actor, archive.ActPropose, id, n, "password")
	if err != nil {
		return v, "", err
	}
	if a.List() == "" {
		return v, "", fmt.Errorf("renew: %w", archive.ErrForbidden)
	}
	a.Disabled = true
	return r.renew(ctx, actor, n, a)
}

// Readmit gives a citizen whose identity document somebody has seen a new first
// password for an account of the same id number, or of one that was not known.
func (r *Room) Readmit(ctx context.Context, actor archive.Actor, citizen archive.Account) (v archive.Version[archive.Account], password string, err error) {
	if err := r.pass(ctx, actor, archive.ActEnrol, "", "readmit"); err != nil {
		return v, "", err
	}
	number := archive.NewIDNumber(citizen.IDNumber.Type, citizen.IDNumber.Original)
	unknown := archive.Problems{{Code: "unknown_account", Field: "user"}}
	id, err := r.c.Claims.Holder(ctx, archive.ClaimUser, citizen.User)
	if err == nil {
		v, err = r.head(ctx, id)
	}
	switch {
	case errors.Is(err, archive.ErrNotFound):
		return v, "", unknown
	case err != nil:
		return v, "", err
	}
	a := v.Value
	if a.Role != archive.RoleCitizen || !a.IDNumber.IsZero() && a.IDNumber.Key() != number.Key() {
		return archive.Version[archive.Account]{}, "", unknown
	}
	a.Name, a.IDNumber, a.Assurance, a.Second = citizen.Name, number, archive.Counter, archive.Second{}
	if err := citizenProblems(a).Err(); err != nil {
		return v, "", err
	}
	return r.renew(ctx, actor, v.N, a)
}

func citizenProblems(a archive.Account) archive.Problems {
	ps := a.Problems()
	if a.IDNumber.IsZero() {
		ps.Add("required", "id_number")
	}
	return ps
}

func (r *Room) renew(ctx context.Context, actor archive.Actor, n int, a archive.Account) (v archive.Version[archive.Account], password string, err error) {
	password = r.c.NewPassword()
	if a.Password, err = r.c.Credentials.Hash(password); err != nil {
		return v, "", err
	}
	if v, err = r.change(ctx, actor, n, a); err != nil {
		return v, "", err
	}
	return v, password, r.c.Credentials.Reset(ctx, a.ID)
}
