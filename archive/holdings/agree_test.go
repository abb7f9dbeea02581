package holdings_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dangan/archive"
	"dangan/archive/holdings"
	"dangan/archive/policy"
)

// anyActor is anybody who may ask, about whom or whose relative the record may be.
func anyActor(w *world) *rapid.Generator[archive.Actor] {
	token := func(number string) string { return w.Token(archive.MarkPerson, archive.NewIDNumber("", number).Key()) }
	people := []string{"", token("999999199001010016"), token("999999198001010017")}
	return rapid.Custom(func(t *rapid.T) archive.Actor {
		a := archive.Actor{ID: "somebody", Person: rapid.SampledFrom(people).Draw(t, "person"),
			Role: rapid.SampledFrom([]archive.Role{archive.RoleUploader, archive.RoleReviewer, archive.RoleApprover, archive.RoleHead, archive.RoleAdmin,
				archive.RoleSecurity, archive.RoleAuditor, archive.RoleCitizen, archive.RoleAgency, archive.RoleAnonymous}).Draw(t, "role"),
			Office: rapid.SampledFrom([]string{"", "qc", "zz"}).Draw(t, "office")}
		if relative := rapid.SampledFrom(people).Draw(t, "relative"); relative != "" {
			a.Relatives = []string{relative}
		}
		return a
	})
}

// TestEveryWayAgrees: for any actor and any record, what a search shows is what can be
// opened, its history too; a page is shown when its file is; and whatever is shown is
// what the table says.
func TestEveryWayAgrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, room, view := deposited(t, "one")
		r := w.records[view.ID][0].Value
		r.Family = rapid.SampledFrom([]archive.Family{archive.Livelihood, archive.Personnel}).Draw(rt, "family")
		r.Office = rapid.SampledFrom([]string{"qc", "zz"}).Draw(rt, "of")
		r.Openness = rapid.SampledFrom([]archive.Openness{archive.Open, archive.Controlled, archive.NotReviewed, archive.Postponed}).Draw(rt, "openness")
		if rapid.Bool().Draw(rt, "nobody known") {
			r.Persons = []archive.Person{{Name: "张㛃", Role: "wife"}}
		}
		w.records[view.ID][0].Value = r
		d := w.index[view.ID]
		d.Record = r
		w.index[view.ID] = d

		a := anyActor(w).Draw(rt, "actor")
		target := r.Target()
		for _, p := range r.Persons {
			if !p.ID.IsZero() {
				target.Subjects = append(target.Subjects, w.Token(archive.MarkPerson, p.ID.Key()))
			}
		}
		reads, files := policy.Decide(a, archive.ActRead, target).Allowed, policy.Decide(a, archive.ActFile, target).Allowed
		searches := policy.Decide(a, archive.ActSearch, archive.Target{}).Allowed

		ways := seen(t.Context(), room, a, r)
		if !slices.Equal(ways, []bool{reads && searches, reads && searches, reads, reads, files, files, files, policy.Decide(a, archive.ActReveal, target).Allowed}) {
			rt.Errorf("%+v of %+v: %v", a, target, ways)
		}
	})
}

// seen tries every way to a record: a ranked search, an exact one, opening it, its
// history, its file, a page, the text of that, its numbers.
func seen(ctx context.Context, room *holdings.Room, a archive.Actor, r archive.Record) []bool {
	found := func(q string) bool {
		hits, err := room.Search(ctx, a, archive.Query{Text: q})
		return err == nil && slices.ContainsFunc(hits.Hits, func(h archive.Hit) bool { return h.ID == r.ID })
	}
	_, open := room.Open(ctx, a, forPension, r.ID)
	_, versions := room.Versions(ctx, a, forPension, r.ID)
	_, _, file := room.File(ctx, a, forPension, r.ID, 1)
	_, page := room.Page(ctx, a, forPension, r.ID, 1, 1, 900)
	_, text := room.PageText(ctx, a, forPension, r.ID, 1, 1)
	_, reveal := room.Reveal(ctx, a, forPension, r.ID)
	return []bool{found(r.Title), found(r.RefCode.Original), open == nil, versions == nil, file == nil, page == nil, text == nil, reveal == nil}
}

// TestUnknownTakesTheSameSteps: what does not exist and what may not be seen give one
// answer after the same one read.
func TestUnknownTakesTheSameSteps(t *testing.T) {
	w, room, view := deposited(t, "one")
	stranger := archive.Actor{ID: "z", Role: archive.RoleApprover, Office: "zz"}
	for name, way := range map[string]func(id string) error{
		"open":   func(id string) error { _, err := room.Open(t.Context(), stranger, forPension, id); return err },
		"reveal": func(id string) error { _, err := room.Reveal(t.Context(), stranger, forPension, id); return err },
		"file":   func(id string) error { _, _, err := room.File(t.Context(), stranger, forPension, id, 1); return err },
		"page": func(id string) error {
			_, err := room.Page(t.Context(), stranger, forPension, id, 1, 1, 900)
			return err
		},
		"text": func(id string) error {
			_, err := room.PageText(t.Context(), stranger, forPension, id, 1, 1)
			return err
		},
		"versions": func(id string) error { _, err := room.Versions(t.Context(), stranger, forPension, id); return err },
		"patch":    func(id string) error { _, err := room.Describe(t.Context(), stranger, id, 1, []byte(`{}`)); return err },
	} {
		var took []int64
		for _, id := range []string{view.ID, "0000000000000000000000ZZZZ"} {
			w.asks.Store(0)
			if err := way(id); !errors.Is(err, archive.ErrNotFound) || errors.Is(err, archive.ErrForbidden) {
				t.Errorf("%s: %v", name, err)
			}
			took = append(took, w.asks.Load())
		}
		if took[0] != 1 || took[1] != 1 {
			t.Errorf("%s: forbidden takes %d reads, unknown %d", name, took[0], took[1])
		}
	}
}
