package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"dangan/api/auth"
	"dangan/archive"
	"dangan/archive/lookup"
)

// person is the keyed hash that stands for an id number.
func (h *house) person(id archive.IDNumber) string {
	return h.bucket.Marks().Token(archive.MarkPerson, id.Key())
}

// firstPassword is handed over on paper: 80 random bits.
func firstPassword() string { return rand.Text()[:16] }

// metered counts the questions of agencies before they are answered.
type metered struct {
	*lookup.Room
	quotas *auth.Keeper
}

// Ask is lookup.Room.Ask within the quota.
func (m metered) Ask(ctx context.Context, actor archive.Actor, q archive.Question) (archive.Answer, error) {
	if err := m.quotas.Take(ctx, actor, 1); err != nil {
		return archive.Answer{}, err
	}
	return m.Room.Ask(ctx, actor, q)
}

// subjects knows whom records are about, from the marks and the records themselves.
type subjects struct{ h *house }

// About leaves out personnel files, which are closed to whom they are about, and
// records that only mention the actor as an official.
func (s subjects) About(ctx context.Context, actor archive.Actor) (map[string]string, error) {
	v, err := s.h.accounts.Head(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	about := map[string]string{}
	if v.Value.IDNumber.IsZero() {
		return about, nil
	}
	key := v.Value.IDNumber.Key()
	ids, err := s.h.bucket.Marks().Marked(ctx, archive.MarkPerson, key)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		r, err := s.h.records.Head(ctx, id)
		if errors.Is(err, archive.ErrNotFound) {
			continue // a mark may outlive a commit that did not come
		}
		if err != nil {
			return nil, err
		}
		category, _ := s.h.schema.Category(r.Value.Category)
		recorded := slices.ContainsFunc(r.Value.Persons, func(p archive.Person) bool { return p.ID.Key() == key && !category.Official(p.Role) })
		if recorded && r.Value.Family == archive.Livelihood {
			about[id] = r.Value.Category
		}
	}
	return about, nil
}

func (s subjects) Agency(ctx context.Context, account string) (string, error) {
	v, err := s.h.accounts.Head(ctx, account)
	if err != nil {
		return "", fmt.Errorf("agency: %w", err)
	}
	return v.Value.Name, nil
}
