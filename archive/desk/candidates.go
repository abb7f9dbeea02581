package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"dangan/archive"
	"dangan/archive/match"
	"dangan/archive/policy"
)

// What one request may cost: records that are read, and names that are searched.
const (
	maxCandidates = 40
	maxNames      = 10
)

// Candidates proposes records for a request, best first, each with the reasons
// a person needs to decide. ranked is false when the search engine was away and
// only exact look-ups took part.
func (d *Room) Candidates(ctx context.Context, actor archive.Actor, id string) (list []archive.Candidate, ranked bool, err error) {
	v, err := d.c.Requests.Head(ctx, id)
	if err != nil {
		return nil, false, fmt.Errorf("candidates: %w", err)
	}
	r := v.Value
	if err := d.allow(ctx, actor, archive.ActReview, r); err != nil {
		return nil, false, hide(err)
	}
	if r.State.Closed() { // there is no purpose left to look for
		return nil, false, fmt.Errorf("candidates for a request that is %s: %w", r.State, archive.ErrState)
	}
	ids, ranked, err := d.find(ctx, actor, r)
	if err != nil {
		return nil, false, fmt.Errorf("candidates: %w", err)
	}
	for _, id := range ids {
		rec, err := d.c.Records.Head(ctx, id)
		if errors.Is(err, archive.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("candidates: %w", err)
		}
		if c, ok := d.weigh(actor, r, rec.Value); ok {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b archive.Candidate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Record, b.Record))
	})
	if err := d.trace(ctx, actor, r, list); err != nil {
		return nil, false, fmt.Errorf("candidates: %w", err)
	}
	return list, ranked, nil
}

// find collects the ids of records in reach: by every id number given, then by
// every name.
func (d *Room) find(ctx context.Context, actor archive.Actor, r archive.Request) (ids []string, ranked bool, err error) {
	numbers := []archive.IDNumber{r.IDNumber}
	for _, p := range r.Wanted.Persons {
		numbers = append(numbers, p.ID)
	}
	for _, n := range numbers {
		if n.IsZero() {
			continue
		}
		found, err := d.c.Marks.Marked(ctx, archive.MarkPerson, n.Key())
		if err != nil {
			return nil, false, err
		}
		ids = append(ids, found...)
	}
	ranked = true
	for _, name := range sought(r) {
		hits, err := d.c.Index.Search(ctx, archive.Query{Text: name, Limit: 20,
			Filter: archive.Filter{Category: r.Wanted.Category, Office: r.Office}}, policy.Scope(actor))
		if errors.Is(err, archive.ErrUnavailable) {
			ranked = false
			break
		}
		if err != nil {
			return nil, false, err
		}
		for _, h := range hits.Hits {
			ids = append(ids, h.ID)
		}
	}
	ids = distinct(ids)
	return ids[:min(len(ids), maxCandidates)], ranked, nil
}

// sought are the names that a request is searched under: all that it gives, up to
// a limit.
func sought(r archive.Request) []string {
	names := []string{r.Name}
	for _, p := range r.Wanted.Persons {
		names = append(names, p.Names()...)
	}
	names = distinct(names)
	return names[:min(len(names), maxNames)]
}

func distinct(list []string) []string {
	seen := map[string]bool{"": true}
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool {
		was := seen[s]
		seen[s] = true
		return was
	})
}

// weigh compares a record with what is wanted, and shows of it what a list may.
func (d *Room) weigh(actor archive.Actor, r archive.Request, rec archive.Record) (archive.Candidate, bool) {
	t := rec.Target()
	t.Subjects = d.tokens(rec.Persons)
	if rec.Office != r.Office || rec.Category != r.Wanted.Category || !policy.Scope(actor).Admits(t) {
		return archive.Candidate{}, false
	}
	score, reasons := match.Compare(r.Wanted, rec)
	category, _ := d.c.Schema.Category(rec.Category)
	if names(category, rec, r) {
		reasons = append(reasons, "applicant_named")
	}
	shown := rec.Masked([]archive.Mask{archive.MaskIDs})
	c := archive.Candidate{Record: rec.ID, Title: shown.Title, RefCode: rec.RefCode.Original, Date: rec.Date.ISO(), Score: score, Reasons: reasons}
	for _, p := range rec.Persons {
		c.Names = append(c.Names, p.Name)
	}
	return c, score > 0
}

// trace writes down whose records were shown as candidates, before they are.
func (d *Room) trace(ctx context.Context, actor archive.Actor, r archive.Request, list []archive.Candidate) error {
	if len(list) == 0 {
		return nil
	}
	also := make([]string, len(list))
	for i, c := range list {
		also[i] = c.Record
	}
	_, err := d.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActSearch,
		Target: archive.Target{Office: r.Office, Ref: r.Ref()}, Also: also, Detail: "candidates",
		Purpose: archive.Purpose{Code: archive.ForRequest, Case: r.ID}})
	return err
}
