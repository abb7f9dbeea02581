package plan

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"dangan/archive"
	"dangan/archive/match"
)

// nearest is how many records of a tier are put in order of nearness; a fixed
// number, so that the pages of one search fit together.
const nearest = 300

// Search asks an engine the questions of a plan, one round after the other until the
// page is full, and counts facets on the first that finds anything. Beside the first
// page it suggests names. A scope without clauses finds nothing, and so does a text
// with an id number in it: neither reaches the engine.
//
// An engine that is far away is asked the questions of a round at once. One that is
// near is asked one by one, which spares it those that follow a full page.
//
// With a sort order, the first question that finds anything is the whole answer:
// one order cannot run through several degrees of fit.
func Search(ctx context.Context, e Engine, far bool, q archive.Query, scope archive.Scope) (archive.Hits, error) {
	p := &page{
		query: q, typed: match.Classify(q.Text), scope: scope, want: min(max(q.Offset, 0)+max(q.Limit, 1), MaxHits),
		seen: map[string]bool{}, facets: map[string]map[string]int{}, names: map[string]tally{}, exact: true,
	}
	if len(scope.Clauses) == 0 {
		return p.hits(), nil
	}
	for _, round := range rounds(p.typed) {
		step := len(round)
		if !far {
			step = 1
		}
		for part := range slices.Chunk(round, step) {
			if err := p.ask(ctx, e, part); err != nil {
				return archive.Hits{}, err
			}
		}
	}
	return p.hits(), nil
}

// page collects what the tiers find.
type page struct {
	query  archive.Query
	typed  match.Typed
	scope  archive.Scope
	want   int // records up to the end of the page
	shown  []Shown
	seen   map[string]bool
	facets map[string]map[string]int
	names  map[string]tally // by spelling, to be suggested

	meant bool // something was found that is not only near what was typed
	tiers int  // that found anything
	most  int  // that one of them found
	exact bool // everything there is has been counted
	cut   bool // a tier found more than was fetched
}

func (p *page) full() bool { return len(p.shown) >= p.want }

// done reports whether more records are of no use.
func (p *page) done() bool { return p.full() || p.query.Sort != "" && len(p.shown) > 0 }

// ask asks what tiers want to know, and takes the answers.
func (p *page) ask(ctx context.Context, e Engine, tiers []tier) error {
	var asked []tier
	var asks []Ask
	for _, t := range tiers {
		if slices.ContainsFunc(t.terms, Term.futile) {
			continue
		}
		if a := p.question(t); a.Limit > 0 || a.Names {
			asked, asks = append(asked, t), append(asks, a)
		}
		p.exact = p.exact && (t.spare || p.query.Sort != "" || !p.full()) // or there may be more
	}
	if len(asks) == 0 {
		return nil
	}
	answers, err := e.Ask(ctx, asks...)
	if err == nil {
		p.take(asked, answers)
	}
	return err
}

// question asks for nothing when neither records nor names of the tier are wanted.
// Beside a full page, only names that are said alike are.
func (p *page) question(t tier) Ask {
	found := len(p.shown) > 0
	a := Ask{Terms: t.terms, Filter: p.query.Filter, Scope: p.scope, Sort: p.order(), Limit: p.want}
	a.Names = t.names && p.query.Offset <= 0 && !(t.spare && p.full()) && !(t.blind && p.meant)
	switch {
	case p.done(), t.blind, t.spare && found:
		a.Limit = 0
	case t.near != "":
		a.Limit = max(p.want, nearest)
	}
	if !found && a.Limit > 0 {
		a.Facets = Facets()
	}
	return a
}

// take takes all answers of a round, since they are there: those that follow a full
// page still tell how many records there are.
func (p *page) take(tiers []tier, answers []Answer) {
	for i, answer := range answers {
		p.count(answer)
		found := len(p.shown) > 0
		if len(answer.Shown) == 0 || found && (tiers[i].spare || p.query.Sort != "") {
			continue
		}
		if !found {
			maps.Copy(p.facets, answer.Facets)
		}
		p.meant = p.meant || tiers[i].near == ""
		p.tiers++
		p.most = max(p.most, answer.Total)
		p.exact = p.exact && !answer.Capped
		p.cut = p.cut || answer.Total > len(answer.Shown)
		if name := tiers[i].near; name != "" && p.query.Sort == "" {
			nearestFirst(answer.Shown[:min(len(answer.Shown), nearest)], name)
		}
		p.show(answer.Shown)
	}
}

// show is a second fence: nothing passes that scope and filter do not admit. Engines
// compare more loosely than they do (Meilisearch without case and blanks).
func (p *page) show(shown []Shown) {
	for _, s := range shown {
		r := s.record()
		if !p.seen[s.ID] && p.scope.Admits(r.Target()) && p.query.Filter.Admits(r) {
			p.seen[s.ID] = true
			p.shown = append(p.shown, s)
		}
	}
}

// order is by shelf for codes and newest first for everything, unless asked otherwise.
func (p *page) order() archive.Sort {
	switch {
	case p.query.Sort != "":
		return p.query.Sort
	case p.typed.Kind == match.RefCode:
		return archive.SortRefCode
	case p.typed.Kind == match.Empty:
		return archive.SortDateDesc
	}
	return ""
}

func (p *page) hits() archive.Hits {
	out := archive.Hits{Hits: []archive.Hit{}, Facets: p.facets, Suggestions: near(match.FoldName(p.typed.Text), p.names)}
	for _, f := range Facets() {
		if out.Facets[f] == nil {
			out.Facets[f] = map[string]int{}
		}
	}
	marks := newMarker(p.typed)
	from := min(max(p.query.Offset, 0), len(p.shown))
	for _, s := range p.shown[from:min(p.want, len(p.shown))] {
		hit := s.hit()
		hit.Highlights = marks.highlights(s)
		out.Hits = append(out.Hits, hit)
	}
	// Tiers overlap, so their totals do not add up: without having fetched all of
	// them, only one that stands alone has a total that is one.
	switch {
	case !p.cut:
		out.Total = len(p.shown)
	default:
		out.Total = max(p.most, len(p.shown))
		p.exact = p.exact && p.tiers == 1
	}
	out.AtLeast = !p.exact
	return out
}

// nearestFirst orders records by how much the nearest of their names differs, and
// then by how many of them have that name.
func nearestFirst(shown []Shown, name string) {
	nearest, bearers := make(map[string]string, len(shown)), map[string]int{}
	for _, s := range shown {
		best := ""
		for _, n := range s.Names {
			if key := match.FoldName(n); best == "" || apart(key, name).compare(apart(best, name)) < 0 {
				best = key
			}
		}
		nearest[s.ID] = best
		bearers[best]++
	}
	slices.SortStableFunc(shown, func(a, b Shown) int {
		x, y := nearest[a.ID], nearest[b.ID]
		return cmp.Or(apart(x, name).compare(apart(y, name)), cmp.Compare(bearers[y], bearers[x]), cmp.Compare(x, y))
	})
}
