package plan

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dangan/archive"
	"dangan/archive/match"
)

// tier is one question of a plan.
type tier struct {
	terms []Term
	// spare tiers guess: they show records only while nothing has been found.
	spare bool
	// near, when set, puts the records first whose names differ from it least.
	near string
	// names of the records are suggested, whether those are shown or not.
	names bool
	// blind tiers show no records, and suggest only while nothing has been found but by
	// tiers that are near.
	blind bool
}

// maxWords bounds the work a query can make.
const maxWords = 6

// rounds plans a query: what is most surely meant comes first. The tiers of a round
// are asked at once, so that it costs one round trip; those that take long, or that
// are seldom needed, are in a later one. No text that holds an id number makes a
// question.
func rounds(q match.Typed) [][]tier {
	if q.HasID {
		return nil
	}
	switch q.Kind {
	case match.Empty:
		return [][]tier{{{}}}
	case match.Token:
		return [][]tier{{{terms: is(FieldToken, q.Key)}}}
	case match.RecordID:
		return [][]tier{{{terms: is(FieldID, strings.ToUpper(q.Key))}}}
	case match.RefCode:
		return [][]tier{
			{{terms: is(FieldRefKey, q.Key)}, {terms: starts(FieldRefKey, q.Key)}},
			{{terms: phrase(q.Key), spare: true}, {terms: words(All, q), spare: true}},
		}
	case match.Digits:
		return [][]tier{
			{{terms: is(FieldRefKey, q.Key)}, {terms: starts(FieldRefKey, q.Key)}},
			{{terms: phrase(q.Key)}, {terms: words(All, q)}},
		}
	case match.Latin:
		return latin(q)
	}
	return hanzi(q)
}

func latin(q match.Typed) [][]tier {
	spelt := strings.ReplaceAll(q.Key, "ü", "v")
	return [][]tier{{
		{terms: is(FieldNameKey, q.Key)}, {terms: is(FieldNameLike, spelt)}, {terms: starts(FieldNameLike, spelt)},
		{terms: phrase(q.Key)}, {terms: words(All, q)},
	}}
}

func hanzi(q match.Typed) [][]tier {
	name := match.FoldName(q.Text)
	readings, masked := like(name)
	first := append([]tier{{terms: is(FieldNameKey, name)}}, several(q)...)
	first = append(first,
		tier{terms: starts(FieldNameKey, name)},
		tier{terms: phrase(q.Key)},
		tier{terms: is(FieldNameLike, readings...), near: name, names: true})
	guess := tier{terms: is(FieldNameLike, masked...), near: name, spare: true, names: true}
	all, some := tier{terms: words(All, q)}, tier{terms: words(Any, q), spare: true}
	if len(masked) > 2 {
		return [][]tier{first, {guess, all}, {some}}
	}
	guess.blind = true // of two characters, one alone says little
	return [][]tier{first, {all}, {some, guess}}
}

// several is for words that mean different things: two names (a couple), or a name
// and what the record is about, in any order.
func several(q match.Typed) []tier {
	var everyone []Term
	var keys []string
	for _, w := range q.Words {
		if key := archive.RefKey(w); key != "" && len(keys) < maxWords {
			everyone = append(everyone, is(FieldNameKey, match.FoldName(w))...)
			keys = append(keys, key)
		}
	}
	if len(keys) < 2 {
		return nil
	}
	tiers := []tier{{terms: everyone}}
	for i, person := range everyone {
		rest := slices.Delete(slices.Clone(keys), i, i+1)
		tiers = append(tiers,
			tier{terms: append([]Term{person}, phrase(rest...)...)},
			tier{terms: []Term{person, {Op: All, Values: rest}}})
	}
	return append(tiers,
		tier{terms: phrase(keys...)},
		tier{terms: everyone[:1], spare: true})
}

// like is what names near this one have in common with it. Only a word that could
// be a name has such.
func like(name string) (readings, masked []string) {
	for _, r := range name {
		if !unicode.Is(unicode.Han, r) {
			return nil, nil
		}
	}
	if masked = match.Masked(name); masked != nil {
		readings, _ = match.Pinyin(name)
	}
	return readings, masked
}

func is(field string, values ...string) []Term {
	return []Term{{Op: Is, Field: field, Values: values}}
}

func starts(field, value string) []Term {
	return []Term{{Op: Starts, Field: field, Values: []string{value}}}
}

func phrase(values ...string) []Term { return []Term{{Op: Phrase, Values: values}} }

// words are what a tokenizer finds in the text too; signs would be operators to one
// engine and nothing to the other.
func words(op Op, q match.Typed) []Term {
	found := strings.FieldsFunc(q.Text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	return []Term{{Op: op, Values: found[:min(len(found), maxWords)]}}
}

// Spaced writes a phrase the way titles are indexed.
func Spaced(s string) string { return spaced(match.Fold(s)) }

// futile reports whether a term can find nothing, because it compares with no value
// that could be a key.
func (t Term) futile() bool {
	return (t.Op == Is || t.Op == Starts) && !slices.ContainsFunc(t.Values, func(v string) bool {
		return v != "" && len(v) <= maxKey && utf8.ValidString(v)
	})
}
