package index

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"dangan/archive"
	"dangan/index/plan"
)

// question is what a server is asked.
type question struct {
	Index    string   `json:"indexUid"`
	Query    string   `json:"q,omitempty"`
	In       []string `json:"attributesToSearchOn,omitempty"`
	Locales  []string `json:"locales,omitempty"`
	Matching string   `json:"matchingStrategy,omitempty"`
	Filter   []any    `json:"filter,omitempty"`
	Sort     []string `json:"sort,omitempty"`
	Limit    int      `json:"limit"`
	Facets   []string `json:"facets,omitempty"`
	Show     []string `json:"attributesToRetrieve,omitempty"` // all that may be, when empty
	Scored   bool     `json:"showRankingScore,omitempty"`
}

// found is the part of an answer that is read.
type found struct {
	Hits   []ranked                  `json:"hits"`
	Total  int                       `json:"estimatedTotalHits"`
	Facets map[string]map[string]int `json:"facetDistribution"`
}

// ranked is a hit with what puts those of several servers in one order.
type ranked struct {
	plan.Shown
	Called []string `json:"called"`
	Score  float64  `json:"_rankingScore"`
}

// ask has the server answer questions of a plan.
func (s *shard) ask(ctx context.Context, asks []plan.Ask, scored bool) ([]found, error) {
	var body struct {
		Queries []question `json:"queries"`
	}
	for _, a := range asks {
		q := ask(a)
		q.Index, q.Scored = s.main, scored && q.Query != ""
		body.Queries = append(body.Queries, q)
	}
	var answers struct {
		Results []found `json:"results"`
	}
	err := s.call(ctx, http.MethodPost, "/multi-search", body, http.StatusOK, &answers)
	if code(err) == noField {
		return make([]found, len(asks)), nil
	}
	if err == nil && len(answers.Results) != len(asks) {
		err = fmt.Errorf("read answers: %w", archive.ErrCorrupt)
	}
	return answers.Results, err
}

// ask translates a question. Names are counted among hits: as a facet they take a
// hundred times as long, because Meilisearch walks all names that there are. An index
// made before those of aliases could be shown has the others.
func ask(a plan.Ask) question {
	q := question{Limit: a.Limit, Facets: a.Facets, Sort: order(a.Sort)}
	if a.Names && a.Limit == 0 {
		q.Limit, q.Show = plan.MaxHits, []string{"names", plan.FieldCalled}
	}
	q.Filter = append(filters(a.Filter), rights(a.Scope)...)
	for _, t := range a.Terms {
		switch t.Op {
		case plan.Is:
			q.Filter = append(q.Filter, in(t.Field, t.Values))
		case plan.Starts:
			q.Filter = append(q.Filter, t.Field+" STARTS WITH "+quoted(t.Values[0]))
		case plan.Phrase:
			q.Query, q.In = phrases(t.Values), []string{"title_ng"}
		default:
			q.Query, q.In = strings.Join(t.Values, " "), []string{"title_key", "text"}
			if t.Op == plan.Any {
				q.Matching = "last"
			}
		}
	}
	if q.Query != "" {
		q.Locales = []string{"cmn"}
		q.Matching = cmp.Or(q.Matching, "all")
	}
	return q
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
	return `"` + strings.ReplaceAll(strings.ReplaceAll(v, `\`, `\\`), `"`, `\"`) + `"`
}
