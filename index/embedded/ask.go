package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"

	"dangan/archive"
	"dangan/index/plan"
)

// How many values are counted. Names are put in order of nearness afterwards, so that
// the commonest few are not enough.
const (
	maxFacetValues = 200
	maxNames       = 5000
)

// Ask answers questions of a plan.
func (x *Index) Ask(ctx context.Context, asks ...plan.Ask) ([]plan.Answer, error) {
	g, done := x.use()
	defer done()
	answers := make([]plan.Answer, len(asks))
	for i, a := range asks {
		if len(a.Scope.Clauses) == 0 {
			continue // no rights is no search, never no filter
		}
		result, err := g.SearchInContext(ctx, request(a))
		if err == nil {
			answers[i], err = answer(result)
		}
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func request(a plan.Ask) *bleve.SearchRequest {
	all := append(filters(a.Filter), rights(a.Scope)...)
	for _, t := range a.Terms {
		all = append(all, term(t))
	}
	if len(all) == 0 {
		all = append(all, everything())
	}
	r := bleve.NewSearchRequestOptions(bleve.NewConjunctionQuery(all...), a.Limit, 0, false)
	r.Fields = []string{source}
	r.SortBy(order(a.Sort))
	for _, f := range a.Facets {
		r.AddFacet(f, bleve.NewFacetRequest(f, maxFacetValues))
	}
	if a.Names {
		r.AddFacet(plan.FieldCalled, bleve.NewFacetRequest(plan.FieldCalled, maxNames))
	}
	return r
}

func answer(result *bleve.SearchResult) (plan.Answer, error) {
	out := plan.Answer{Total: int(result.Total), Facets: map[string]map[string]int{}}
	for _, hit := range result.Hits {
		var s plan.Shown
		text, _ := hit.Fields[source].(string)
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return plan.Answer{}, fmt.Errorf("read document: %w", archive.ErrCorrupt)
		}
		out.Shown = append(out.Shown, s)
	}
	for field, found := range result.Facets {
		if field == plan.FieldCalled {
			out.Names, out.Sampled = counts(found), found.Other > 0
			continue
		}
		out.Facets[field] = counts(found)
	}
	return out, nil
}

func counts(found *search.FacetResult) map[string]int {
	m := map[string]int{}
	if found.Terms == nil {
		return m
	}
	for _, t := range found.Terms.Terms() {
		m[t.Term] = t.Count
	}
	return m
}

func order(s archive.Sort) []string {
	switch s {
	case archive.SortDate:
		return []string{"date", "_id"}
	case archive.SortDateDesc:
		return []string{"-date", "_id"}
	case archive.SortRefCode:
		return []string{plan.FieldRefKey, "_id"}
	}
	return []string{"-_score", "_id"}
}

func term(t plan.Term) query.Query {
	switch t.Op {
	case plan.Is:
		some := bleve.NewDisjunctionQuery()
		for _, v := range t.Values {
			some.AddQuery(is(t.Field, v))
		}
		return some
	case plan.Starts:
		q := bleve.NewPrefixQuery(t.Values[0])
		q.SetField(t.Field)
		q.SetBoost(0)
		return q
	case plan.Phrase:
		return phrases(t.Values)
	case plan.All:
		all := bleve.NewConjunctionQuery()
		for _, w := range t.Values {
			all.AddQuery(word(w, query.MatchQueryOperatorAnd))
		}
		return all
	case plan.Any:
		some := bleve.NewDisjunctionQuery()
		for _, w := range t.Values {
			some.AddQuery(word(w, query.MatchQueryOperatorOr))
		}
		return some
	}
	return bleve.NewMatchNoneQuery()
}

func phrases(values []string) query.Query {
	all := bleve.NewConjunctionQuery()
	for _, v := range values {
		q := bleve.NewMatchPhraseQuery(plan.Spaced(v))
		q.SetField("title_ng")
		all.AddQuery(q)
	}
	return all
}

// word looks in title and text. They are indexed by pairs of characters, so a
// single character is the beginning of a pair.
func word(w string, operator query.MatchQueryOperator) query.Query {
	some := bleve.NewDisjunctionQuery()
	for _, field := range []string{"title_key", "text"} {
		if utf8.RuneCountInString(w) == 1 {
			q := bleve.NewPrefixQuery(w)
			q.SetField(field)
			some.AddQuery(q)
			continue
		}
		q := bleve.NewMatchQuery(w)
		q.SetField(field)
		q.SetOperator(operator)
		some.AddQuery(q)
	}
	return some
}

// everything is all records, and not what purging puts in for a moment.
func everything() query.Query { return is(presence, "record") }

// is compares without a share in the score.
func is(field, value string) query.Query {
	q := bleve.NewTermQuery(value)
	q.SetField(field)
	q.SetBoost(0)
	return q
}

func filters(f archive.Filter) []query.Query {
	var all []query.Query
	for _, c := range []struct{ field, value string }{
		{"family", string(f.Family)}, {"category", f.Category}, {"office", f.Office},
		{"fonds", f.Fonds}, {"openness", string(f.Openness)},
	} {
		if c.value != "" {
			all = append(all, is(c.field, c.value))
		}
	}
	if f.YearFrom != 0 || f.YearTo != 0 {
		q := bleve.NewNumericRangeInclusiveQuery(bound(f.YearFrom), bound(f.YearTo), new(true), new(true))
		q.SetField("year")
		q.SetBoost(0)
		all = append(all, q)
	}
	return all
}

func bound(year int) *float64 {
	if year == 0 {
		return nil
	}
	return new(float64(year))
}

// rights is one condition beside the user's filters: one of the clauses must hold.
func rights(s archive.Scope) []query.Query {
	some := bleve.NewDisjunctionQuery()
	for _, c := range s.Clauses {
		clause := filters(archive.Filter{Office: c.Office, Family: c.Family, Openness: c.Openness})
		if len(clause) == 0 {
			return nil // admits everything
		}
		some.AddQuery(bleve.NewConjunctionQuery(clause...))
	}
	return []query.Query{some}
}
