package plan

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dangan/archive"
	"dangan/archive/match"
)

// Tier is one question of a plan. Tiers are asked in order until the page is full.
type Tier struct {
	Terms []Term
	// Spare tiers guess; they are asked only while nothing has been found.
	Spare bool
	// Near, when set, puts the records first whose names differ from it least.
	Near string
}

// maxWords bounds the work a query can make.
const maxWords = 6

// Tiers plans a query: what is most surely meant comes first. No text that holds an
// id number makes a question.
func Tiers(q match.Typed) []Tier {
	if q.HasID {
		return nil
	}
	switch q.Kind {
	case match.Empty:
		return []Tier{{}}
	case match.Token:
		return []Tier{{Terms: is(FieldToken, q.Key)}}
	case match.RecordID:
		return []Tier{{Terms: is(FieldID, strings.ToUpper(q.Key))}}
	case match.RefCode:
		return []Tier{
			{Terms: is(FieldRefKey, q.Key)},
			{Terms: starts(FieldRefKey, q.Key)},
			{Terms: phrase(q.Key), Spare: true},
			{Terms: words(All, q), Spare: true},
		}
	case match.Digits:
		return []Tier{
			{Terms: is(FieldRefKey, q.Key)},
			{Terms: starts(FieldRefKey, q.Key)},
			{Terms: phrase(q.Key)},
			{Terms: words(All, q)},
		}
	case match.Latin:
		return latin(q)
	}
	return hanzi(q)
}

func latin(q match.Typed) []Tier {
	spelt := strings.ReplaceAll(q.Key, "ü", "v")
	return []Tier{
		{Terms: is(FieldNameKey, q.Key)},
		{Terms: is(FieldNameLike, spelt)},
		{Terms: starts(FieldNameLike, spelt)},
		{Terms: phrase(q.Key)},
		{Terms: words(All, q)},
	}
}

func hanzi(q match.Typed) []Tier {
	name := match.FoldName(q.Text)
	tiers := []Tier{{Terms: is(FieldNameKey, name)}}
	if len(q.Words) > 1 {
		tiers = append(tiers, several(q)...)
	}
	tiers = append(tiers,
		Tier{Terms: starts(FieldNameKey, name)},
		Tier{Terms: phrase(q.Key)})
	readings, masked := like(name)
	tiers = append(tiers, Tier{Terms: is(FieldNameLike, readings...), Near: name})
	if len(masked) > 2 { // of two characters, one alone says nothing: suggestions must do
		tiers = append(tiers, Tier{Terms: is(FieldNameLike, masked...), Near: name, Spare: true})
	}
	return append(tiers,
		Tier{Terms: words(All, q)},
		Tier{Terms: words(Any, q), Spare: true})
}

// several is for words that mean different things: two names (a couple), or a name
// and what the record is about, in any order.
func several(q match.Typed) []Tier {
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
	tiers := []Tier{{Terms: everyone}}
	for i, person := range everyone {
		rest := slices.Delete(slices.Clone(keys), i, i+1)
		tiers = append(tiers,
			Tier{Terms: append([]Term{person}, phrase(rest...)...)},
			Tier{Terms: []Term{person, {Op: All, Values: rest}}})
	}
	return append(tiers,
		Tier{Terms: phrase(keys...)},
		Tier{Terms: everyone[:1], Spare: true})
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
