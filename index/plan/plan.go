// Package plan is what both search engines share: the document a record becomes,
// the questions a query becomes, and how the answers make a page of hits.
//
// It owns the fields, the order in which a query is tried, paging, highlights and
// suggestions. It must not know any engine: an engine answers Asks.
package plan

import (
	"context"

	"dangan/archive"
)

// MaxHits is how deep anybody can page, whatever the number of records found.
const MaxHits = 1000

// Engine answers questions, each with an answer of its own, in one round trip. It must
// leave out every record that Filter or Scope does not admit, and may be called
// concurrently. An engine that is down or slower than the context allows answers
// archive.ErrUnavailable.
type Engine interface {
	Ask(ctx context.Context, asks ...Ask) ([]Answer, error)
}

// Ask is one question: the records that fulfil all terms, filter and scope.
// Scope always has a clause.
type Ask struct {
	Terms  []Term
	Filter archive.Filter
	Scope  archive.Scope
	Sort   archive.Sort // empty: best first
	Limit  int          // to MaxHits; 0 for nothing but Names
	Facets []string     // fields to count the values of
	Names  bool         // count the spellings of the names
}

// Answer is the first records that were asked for. Capped is set when there are
// more than Total says. Names is how many records bear a name that is spelt so;
// Sampled is set when some of the records were not counted.
type Answer struct {
	Shown   []Shown
	Total   int
	Capped  bool
	Facets  map[string]map[string]int
	Names   map[string]int
	Sampled bool
}

// Op is how a term compares.
type Op string

// Operators. Is and Starts compare a key field with whole values; the others read
// the title, or title and text.
const (
	Is     Op = "is"     // the field is one of the values
	Starts Op = "starts" // the field starts with the value
	Phrase Op = "phrase" // the title has each value in it, as it stands
	All    Op = "all"    // title and text have all the words
	Any    Op = "any"    // title and text have some of the words
)

// Term is one condition of a question. At most one term of an Ask reads the text
// (Phrase, All, Any).
type Term struct {
	Op     Op
	Field  string // of Is and Starts
	Values []string
}

// Key fields for terms, and fields to count.
const (
	FieldID       = "id"
	FieldNameKey  = "name_key"
	FieldNameLike = "name_like"
	FieldToken    = "id_tok"
	FieldRefKey   = "ref_key"
	FieldCalled   = "called"
)

// Facets are the fields whose values are counted for every search.
func Facets() []string { return []string{"family", "category", "office", "fonds", "openness"} }
