package holdings

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dangan/archive"
	"dangan/archive/match"
	"dangan/archive/policy"
)

// Bounds of a search.
const (
	maxQuery  = 200 // characters
	maxLimit  = 100
	maxOffset = 1000
	someHits  = 20 // when no limit is given
)

// Search finds the records in the actor's scope. A full id number, a reference
// code and a record id are looked up exactly, which works without the index;
// an id number never reaches the index at all. Everything else is ranked, and
// archive.ErrUnavailable while the index is down.
func (h *Room) Search(ctx context.Context, actor archive.Actor, q archive.Query) (archive.Hits, error) {
	if !policy.Decide(actor, archive.ActSearch, archive.Target{}).Allowed {
		return archive.Hits{}, fmt.Errorf("search: %w", archive.ErrForbidden)
	}
	if q.Limit == 0 {
		q.Limit = someHits
	}
	if err := queryProblems(q).Err(); err != nil {
		return archive.Hits{}, err
	}
	hits, err := h.find(ctx, actor, q)
	if err != nil || len(hits.Hits) == 0 {
		return hits, err
	}
	// A list of hits shows names and titles: it is a disclosure.
	var ids []string
	for _, hit := range hits.Hits {
		ids = append(ids, hit.ID)
	}
	_, err = h.c.Door.Pass(ctx, archive.Disclosure{
		Actor: actor, Action: archive.ActSearch, Also: ids, Detail: fmt.Sprintf("%d of %d hits", len(ids), hits.Total),
	})
	if err != nil {
		return archive.Hits{}, err
	}
	return hits, nil
}

func queryProblems(q archive.Query) archive.Problems {
	var ps archive.Problems
	switch {
	case !utf8.ValidString(q.Text):
		ps.Add("bad_encoding", "q")
	case utf8.RuneCountInString(q.Text) > maxQuery:
		ps.Add("too_long", "q")
	case strings.ContainsFunc(q.Text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }):
		ps.Add("control_character", "q")
	}
	if !slices.Contains([]archive.Sort{"", archive.SortDate, archive.SortDateDesc, archive.SortRefCode}, q.Sort) {
		ps.Add("unknown_value", "sort")
	}
	if q.Limit < 1 || q.Limit > maxLimit {
		ps.Add("out_of_range", "limit")
	}
	if q.Offset < 0 || q.Offset > maxOffset {
		ps.Add("out_of_range", "offset")
	}
	f := q.Filter
	if f.Family != "" && f.Family != archive.Personnel && f.Family != archive.Livelihood {
		ps.Add("unknown_value", "filter.family")
	}
	if f.Openness != "" && !f.Openness.Valid() {
		ps.Add("unknown_value", "filter.openness")
	}
	if f.YearFrom != 0 && f.YearTo != 0 && f.YearFrom > f.YearTo {
		ps.Add("bad_range", "filter.year_to")
	}
	return ps
}

func (h *Room) find(ctx context.Context, actor archive.Actor, q archive.Query) (archive.Hits, error) {
	scope := policy.Scope(actor)
	typed := match.Classify(q.Text)
	switch typed.Kind {
	case match.IDNumber:
		return h.exact(ctx, q, scope, archive.MarkPerson, archive.NewIDNumber("", typed.Key).Key())
	case match.RecordID:
		return h.gather(ctx, q, scope, []string{strings.ToUpper(typed.Key)})
	case match.RefCode, match.Digits, match.Latin:
		hits, err := h.coded(ctx, q, scope, typed.Key)
		if err != nil || hits.Total > 0 {
			return hits, err
		}
	}
	if typed.HasID { // among other words
		q.Text = strings.TrimSpace(archive.WithoutIDs(q.Text))
		if match.Classify(q.Text).HasID || q.Text == "" {
			return archive.Hits{}, archive.Problems{{Code: "id_number_alone", Field: "q"}}
		}
	}
	hits, err := h.c.Index.Search(ctx, q, scope)
	if err != nil {
		return archive.Hits{}, fmt.Errorf("search: %w", err)
	}
	known := len(hits.Hits)
	hits.Hits, err = h.recheck(ctx, actor, scope, hits.Hits)
	hits.Total -= known - len(hits.Hits)
	return hits, err
}

// coded looks up what may be a reference code, or the number of a document other
// than the resident card: those have no form by which to know them.
func (h *Room) coded(ctx context.Context, q archive.Query, scope archive.Scope, key string) (archive.Hits, error) {
	if !strings.ContainsAny(key, "0123456789") {
		return archive.Hits{}, nil // words: spare the look-ups
	}
	hits, err := h.exact(ctx, q, scope, archive.MarkRefKey, key)
	if err != nil || hits.Total > 0 {
		return hits, err
	}
	types := []archive.IDType{archive.IDPassport, archive.IDHKMacao, archive.IDTaiwan, archive.IDForeignPR, archive.IDSoldier}
	found, failures := make([][]string, len(types)), make([]error, len(types))
	each(len(types), len(types), func(i int) {
		found[i], failures[i] = h.c.Marks.Marked(ctx, archive.MarkPerson, archive.NewIDNumber(types[i], key).Key())
	})
	if err := errors.Join(failures...); err != nil {
		return archive.Hits{}, fmt.Errorf("search: %w", err)
	}
	return h.gather(ctx, q, scope, slices.Concat(found...))
}

// recheck drops hits that are in scope only by what the index believes: what
// another office had opened it may have closed since, and a record may by now be
// about the actor. An office's other records stay its own.
func (h *Room) recheck(ctx context.Context, actor archive.Actor, scope archive.Scope, hits []archive.Hit) ([]archive.Hit, error) {
	doubtful := func(hit archive.Hit) bool { return hit.Office != actor.Office || len(scope.Without) > 0 }
	var ids []string
	for _, hit := range hits {
		if doubtful(hit) {
			ids = append(ids, hit.ID)
		}
	}
	found, err := h.heads(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	visible := map[string]bool{}
	for _, v := range found {
		visible[v.Value.ID] = scope.Admits(h.target(v))
	}
	return slices.DeleteFunc(hits, func(hit archive.Hit) bool { return doubtful(hit) && !visible[hit.ID] }), nil
}

func (h *Room) exact(ctx context.Context, q archive.Query, scope archive.Scope, kind, value string) (archive.Hits, error) {
	ids, err := h.c.Marks.Marked(ctx, kind, value)
	if err != nil {
		return archive.Hits{}, fmt.Errorf("search: %w", err)
	}
	return h.gather(ctx, q, scope, ids)
}

// gather makes a result of records that were found by a mark.
func (h *Room) gather(ctx context.Context, q archive.Query, scope archive.Scope, ids []string) (archive.Hits, error) {
	found, err := h.heads(ctx, ids)
	if err != nil {
		return archive.Hits{}, fmt.Errorf("search: %w", err)
	}
	var all []archive.Hit
	for _, v := range found {
		if scope.Admits(h.target(v)) && q.Filter.Admits(v.Value) {
			all = append(all, hit(v))
		}
	}
	sortHits(all, q.Sort)
	from := min(q.Offset, len(all))
	return archive.Hits{
		Hits:   all[from:min(from+q.Limit, len(all))],
		Total:  len(all),
		Facets: facets(all),
		Exact:  true,
	}, nil
}

func hit(v archive.Version[archive.Record]) archive.Hit {
	r := v.Value.Masked([]archive.Mask{archive.MaskIDs})
	names := []string{}
	for _, p := range r.Persons {
		names = append(names, p.Name)
	}
	return archive.Hit{
		ID: r.ID, Title: r.Title, Names: names, RefCode: r.RefCode.String(),
		Date: r.Date.ISO(), Year: r.Date.Year, Family: r.Family, Category: r.Category,
		Office: r.Office, Fonds: r.Fonds, Openness: r.Openness, Version: v.N,
	}
}

func sortHits(hits []archive.Hit, by archive.Sort) {
	slices.SortStableFunc(hits, func(a, b archive.Hit) int {
		switch by {
		case archive.SortDate:
			return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.ID, b.ID))
		case archive.SortRefCode:
			return cmp.Or(cmp.Compare(a.RefCode, b.RefCode), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Or(cmp.Compare(b.Date, a.Date), cmp.Compare(a.ID, b.ID))
	})
}

func facets(hits []archive.Hit) map[string]map[string]int {
	counts := map[string]map[string]int{"family": {}, "category": {}, "office": {}, "fonds": {}, "openness": {}}
	for _, h := range hits {
		counts["family"][string(h.Family)]++
		counts["category"][h.Category]++
		counts["office"][h.Office]++
		counts["fonds"][h.Fonds]++
		counts["openness"][string(h.Openness)]++
	}
	return counts
}
