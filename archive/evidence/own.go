package evidence

import (
	"context"
	"errors"
	"fmt"

	"dangan/archive"
	"dangan/archive/policy"
)

// Bounds of one answer about a person's own records: how many accesses it shows, and
// how many traces it looks through for them.
const (
	ownShown   = 50
	ownScanned = 5000
)

// Own lists who saw the records about the actor, newest first, beginning with traces
// older than the one with id before. next is where to go on; empty at the end. A list
// may be short, or empty, and go on all the same: others' traces lie between.
func (r *Room) Own(ctx context.Context, actor archive.Actor, before string) (list []archive.Seen, next string, err error) {
	if before != "" && !archive.ValidID(before) {
		return nil, "", archive.Problems{{Code: "bad_id", Field: "before"}}
	}
	if _, err := r.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActOwnAccesses}); err != nil {
		return nil, "", err
	}
	if actor.Assurance != archive.RealName && actor.Assurance != archive.Counter {
		return nil, "", archive.Problems{{Code: "real_name_required", Field: "assurance"}}
	}
	about, err := r.c.Subjects.About(ctx, actor)
	if err != nil {
		return nil, "", fmt.Errorf("own accesses: %w", err)
	}
	if len(about) == 0 {
		return nil, "", nil
	}
	next = before
	for scanned := 0; scanned < ownScanned; scanned += maxAccesses {
		page, err := r.c.Log.Accesses(ctx, next, maxAccesses)
		if err != nil {
			return nil, "", fmt.Errorf("own accesses: %w", err)
		}
		for _, a := range page {
			next = a.ID
			seen, err := r.seen(ctx, actor, a, about)
			if err != nil {
				return nil, "", err
			}
			if list = append(list, seen...); len(list) >= ownShown {
				return list, next, nil
			}
		}
		if len(page) < maxAccesses {
			return list, "", nil
		}
	}
	return list, next, nil
}

// seen is what a person hears of an access: nothing of the other records that were
// shown together, of the case, which may be another's, or of who of an office it was.
func (r *Room) seen(ctx context.Context, actor archive.Actor, a archive.Access, about map[string]string) ([]archive.Seen, error) {
	if a.Actor == actor.ID {
		return nil, nil
	}
	records := a.Also
	if a.Ref.Kind == archive.KindRecord {
		records = append([]string{a.Ref.ID}, records...)
	}
	var list []archive.Seen
	for _, id := range records {
		if category, mine := about[id]; mine {
			list = append(list, archive.Seen{At: a.At, Action: a.Action, Record: id, Category: category, Role: a.Role, Office: a.Office, Purpose: a.Purpose.Code})
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	if sealed, err := r.sealed(ctx, a); err != nil || sealed {
		return nil, err
	}
	if a.Role == archive.RoleAgency {
		name, err := r.c.Subjects.Agency(ctx, a.Actor)
		if err != nil {
			return nil, fmt.Errorf("own accesses: %w", err)
		}
		for i := range list {
			list[i].Agency = name
		}
	}
	return list, nil
}

// SealCase lets nobody be warned of an inquiry of the actor's office: accesses for the
// case are heard of late. Sealing one again is no error.
func (r *Room) SealCase(ctx context.Context, actor archive.Actor, p archive.Purpose) error {
	if policy.SealedFor(p.Code) == 0 {
		return archive.Problems{{Code: "bad_purpose", Field: "purpose"}}
	}
	if _, err := r.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActSealCase, Purpose: p}); err != nil {
		return err
	}
	_, err := r.c.Claims.Claim(ctx, archive.ClaimCase, caseKey(actor.Office, p.Case), actor.ID)
	if err != nil && !errors.Is(err, archive.ErrExists) {
		return fmt.Errorf("seal case: %w", err)
	}
	return nil
}

func caseKey(office, number string) string { return office + "\n" + number }

// sealed reports whether an access must not be heard of yet. What an agency may ask for
// was decided with its key. For staff the head of the office has to have sealed the
// case, and his own accesses he cannot hide.
func (r *Room) sealed(ctx context.Context, a archive.Access) (bool, error) {
	if r.c.Now().Sub(a.At) >= policy.SealedFor(a.Purpose.Code) {
		return false, nil
	}
	if a.Role == archive.RoleAgency {
		return true, nil
	}
	holder, err := r.c.Claims.Holder(ctx, archive.ClaimCase, caseKey(a.Office, a.Purpose.Case))
	if errors.Is(err, archive.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("own accesses: %w", err)
	}
	return holder != a.Actor, nil
}
