package index

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/meilisearch/meilisearch-go"

	"dangan/archive"
	"dangan/index/plan"
)

// found is the part of an answer that is read.
type found struct {
	Hits   []ranked                  `json:"hits"`
	Total  int                       `json:"estimatedTotalHits"`
	Facets map[string]map[string]int `json:"facetDistribution"`
}

// ranked is a hit with what puts those of several servers in one order.
type ranked struct {
	plan.Shown
	Score float64 `json:"_rankingScore"`
}

// ask has the server answer one question of a plan.
func (s *shard) ask(ctx context.Context, a plan.Ask, scored bool) (found, error) {
	r := request(a)
	r.ShowRankingScore = scored && r.Query != ""
	raw, err := s.server.Index(s.main).SearchRawWithContext(ctx, "", r)
	if code(err) == noField {
		return found{}, nil
	}
	if err != nil {
		return found{}, err
	}
	var f found
	if err := json.Unmarshal(*raw, &f); err != nil {
		return found{}, fmt.Errorf("read answer: %w", archive.ErrCorrupt)
	}
	return f, nil
}

// request is made anew for every call: the client writes into it.
func request(a plan.Ask) *meilisearch.SearchRequest {
	r := &meilisearch.SearchRequest{Limit: int64(a.Limit), Facets: a.Facets, Sort: order(a.Sort), MatchingStrategy: meilisearch.All}
	filter := append(filters(a.Filter), rights(a.Scope)...)
	for _, t := range a.Terms {
		switch t.Op {
		case plan.Is:
			filter = append(filter, in(t.Field, t.Values))
		case plan.Starts:
			filter = append(filter, t.Field+" STARTS WITH "+quoted(t.Values[0]))
		case plan.Phrase:
			r.Query = phrases(t.Values)
			r.AttributesToSearchOn = []string{"title_ng"}
		default:
			r.Query = strings.Join(t.Values, " ")
			r.AttributesToSearchOn = []string{"title_key", "text"}
			if t.Op == plan.Any {
				r.MatchingStrategy = meilisearch.Last
			}
		}
	}
	if len(filter) > 0 {
		r.Filter = filter
	}
	if r.Query != "" {
		r.Locales = []string{"cmn"}
	}
	return r
}

// phrases asks for each value as it stands. Values are letters and digits, so none
// can end a quotation.
func phrases(values []string) string {
	var quoted []string
	for _, v := range values {
		quoted = append(quoted, `"`+plan.Spaced(v)+`"`)
	}
	return strings.Join(quoted, " ")
}

func order(s archive.Sort) []string {
	switch s {
	case archive.SortDate:
		return []string{"date:asc"}
	case archive.SortDateDesc:
		return []string{"date:desc"}
	case archive.SortRefCode:
		return []string{plan.FieldRefKey + ":asc"}
	}
	return nil
}

// filters are the user's: all of them must hold.
func filters(f archive.Filter) []any {
	var all []any
	for _, c := range equal(f.Office, f.Family, f.Openness) {
		all = append(all, c)
	}
	if f.Category != "" {
		all = append(all, "category = "+quoted(f.Category))
	}
	if f.Fonds != "" {
		all = append(all, "fonds = "+quoted(f.Fonds))
	}
	if f.YearFrom != 0 {
		all = append(all, fmt.Sprintf("year >= %d", f.YearFrom))
	}
	if f.YearTo != 0 {
		all = append(all, fmt.Sprintf("year <= %d", f.YearTo))
	}
	return all
}

// rights is one condition beside the user's filters, so that nothing in those can
// get around it: one of the clauses must hold.
func rights(s archive.Scope) []any {
	var some []any
	for _, c := range s.Clauses {
		all := equal(c.Office, c.Family, c.Openness)
		if len(all) == 0 {
			return nil // admits everything
		}
		some = append(some, strings.Join(all, " AND "))
	}
	return []any{some}
}

func equal(office string, family archive.Family, openness archive.Openness) []string {
	var all []string
	for _, c := range []struct{ field, value string }{
		{"office", office}, {"family", string(family)}, {"openness", string(openness)},
	} {
		if c.value != "" {
			all = append(all, c.field+" = "+quoted(c.value))
		}
	}
	return all
}

func in(field string, values []string) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = quoted(v)
	}
	return field + " IN [" + strings.Join(list, ", ") + "]"
}

// quoted is a value of the filter language.
func quoted(v string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
}
