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
const nearest = 200

// Search asks an engine the questions of a plan until the page is full, and counts
// facets on the first that finds anything. A scope without clauses finds nothing,
// and so does a text with an id number in it: neither reaches the engine.
//
// With a sort order, the first question that finds anything is the whole answer:
// one order cannot run through several degrees of fit.
func Search(ctx context.Context, e Engine, q archive.Query, scope archive.Scope) (archive.Hits, error) {
	typed := match.Classify(q.Text)
	tiers := Tiers(typed)
	p := &page{query: q, typed: typed, scope: scope, facets: map[string]map[string]int{}, seen: map[string]bool{}, exact: true}
	p.want = min(max(q.Offset, 0)+max(q.Limit, 1), MaxHits)
	if len(scope.Clauses) == 0 || len(tiers) == 0 {
		return p.hits(), nil
	}
	// The names nearby take as long as all tiers together, and need none of them.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var suggestions []archive.Suggestion
	suggested := make(chan error, 1)
	go func() {
		var err error
		suggestions, err = p.suggest(ctx, e)
		suggested <- err
	}()
	err := p.askAll(ctx, e, tiers)
	if err != nil {
		cancel()
	}
	if err := cmp.Or(err, <-suggested); err != nil {
		return archive.Hits{}, err
	}
	hits := p.hits()
	hits.Suggestions = suggestions
	return hits, nil
}

// askAll asks the tiers in order until the page is full.
func (p *page) askAll(ctx context.Context, e Engine, tiers []Tier) error {
	for i, tier := range tiers {
		if tier.Spare && len(p.shown) > 0 || slices.ContainsFunc(tier.Terms, Term.futile) {
			continue
		}
		if err := p.ask(ctx, e, tier); err != nil {
			return err
		}
		if p.query.Sort != "" && len(p.shown) > 0 {
			break
		}
		if len(p.shown) >= p.want {
			p.exact = p.exact && i == len(tiers)-1
			break
		}
	}
	return nil
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

	tiers int  // that found anything
	most  int  // that one of them found
	exact bool // everything there is has been counted
	cut   bool // a tier found more than was fetched
}

func (p *page) ask(ctx context.Context, e Engine, tier Tier) error {
	a := Ask{Terms: tier.Terms, Filter: p.query.Filter, Scope: p.scope, Sort: p.order(), Limit: p.want}
	if len(p.shown) == 0 {
		a.Facets = Facets()
	}
	if tier.Near != "" {
		a.Limit = max(p.want, nearest)
	}
	answer, err := e.Ask(ctx, a)
	if err != nil || len(answer.Shown) == 0 {
		return err
	}
	if a.Facets != nil {
		maps.Copy(p.facets, answer.Facets)
	}
	p.tiers++
	p.most = max(p.most, answer.Total)
	p.exact = p.exact && !answer.Capped
	p.cut = p.cut || answer.Total > len(answer.Shown)
	if tier.Near != "" && p.query.Sort == "" {
		nearestFirst(answer.Shown[:min(len(answer.Shown), nearest)], tier.Near)
	}
	for _, s := range answer.Shown {
		// A second fence: nothing passes that scope and filter do not admit. Engines
		// compare more loosely than they do (Meilisearch without case and blanks).
		r := s.record()
		if !p.seen[s.ID] && p.scope.Admits(r.Target()) && p.query.Filter.Admits(r) {
			p.seen[s.ID] = true
			p.shown = append(p.shown, s)
		}
	}
	return nil
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
	out := archive.Hits{Hits: []archive.Hit{}, Facets: p.facets}
	for _, f := range Facets() {
		if out.Facets[f] == nil {
			out.Facets[f] = map[string]int{}
		}
	}
	from := min(max(p.query.Offset, 0), len(p.shown))
	for _, s := range p.shown[from:min(p.want, len(p.shown))] {
		hit := s.hit()
		hit.Highlights = highlights(s, p.typed)
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
