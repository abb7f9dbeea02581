package archive

import "slices"

// Query is a ranked search. Text is what the user typed.
type Query struct {
	Text   string `json:"q"`
	Filter Filter `json:"filter"`
	Sort   Sort   `json:"sort,omitempty"`
	Offset int    `json:"offset"`
	Limit  int    `json:"limit"`
}

// Filter narrows a search; empty fields do not.
type Filter struct {
	Family   Family   `json:"family,omitempty"`
	Category string   `json:"category,omitempty"`
	Office   string   `json:"office,omitempty"`
	Fonds    string   `json:"fonds,omitempty"`
	Openness Openness `json:"openness,omitempty"`
	YearFrom int      `json:"year_from,omitempty"`
	YearTo   int      `json:"year_to,omitempty"`
}

// Sort is the order of hits; the zero Sort is by relevance.
type Sort string

// Orders other than relevance.
const (
	SortDate     Sort = "date"
	SortDateDesc Sort = "-date"
	SortRefCode  Sort = "reference_code"
)

// Scope is the rights filter compiled by policy: a record is in scope when any
// clause admits it. A Scope without clauses admits nothing and must never be
// taken for "no filter".
type Scope struct {
	Clauses []Clause
	// Without are person tokens: records about these people are left out, whatever
	// the clauses say.
	Without []string
}

// Clause admits the records that match all of its non-empty fields.
type Clause struct {
	Office   string
	Family   Family
	Openness Openness
}

// Admits reports whether the record's target is in scope.
func (s Scope) Admits(t Target) bool {
	if slices.ContainsFunc(t.Subjects, func(p string) bool { return slices.Contains(s.Without, p) }) {
		return false
	}
	for _, c := range s.Clauses {
		if (c.Office == "" || c.Office == t.Office) &&
			(c.Family == "" || c.Family == t.Family) &&
			(c.Openness == "" || c.Openness == t.Openness) {
			return true
		}
	}
	return false
}

// Document is a record on its way into the index. Persons carries keyed hashes
// of full id numbers; no number goes in.
type Document struct {
	Record  Record
	Version int
	Text    string // of its files
	Machine bool   // some of the text was read by a machine
	Persons []string
}

// Hit is one record found, with what a list shows of it.
type Hit struct {
	ID         string            `json:"id"`
	Title      string            `json:"title"`
	Names      []string          `json:"names"`
	RefCode    string            `json:"reference_code"`
	Date       string            `json:"date"`
	Year       int               `json:"year"`
	Family     Family            `json:"family"`
	Category   string            `json:"category"`
	Office     string            `json:"office"`
	Fonds      string            `json:"fonds"`
	Openness   Openness          `json:"openness"`
	Version    int               `json:"version"`
	Machine    bool              `json:"machine_text,omitempty"` // some of the text of its files was read by a machine
	Highlights map[string]string `json:"highlights,omitempty"`   // field → text with <mark>, HTML-escaped
}

// Hits is a page of results. AtLeast is set when Total is a lower bound.
// Suggestions are distinct names near the one asked for.
type Hits struct {
	Hits        []Hit                     `json:"hits"`
	Total       int                       `json:"total"`
	AtLeast     bool                      `json:"at_least"`
	Facets      map[string]map[string]int `json:"facets"`
	Suggestions []Suggestion              `json:"suggestions,omitempty"`
	Exact       bool                      `json:"exact"` // answered without the index
	// Missing names the parts of the index that did not answer: what they hold is
	// not among the hits, and not counted.
	Missing []string `json:"missing,omitempty"`
}

// Suggestion is a name the archive has, with how many records bear it; AtLeast is set
// when Count is a lower bound.
type Suggestion struct {
	Name    string `json:"name"`
	Count   int    `json:"count"`
	AtLeast bool   `json:"at_least,omitempty"`
}
