package indextest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"dangan/archive"
	"dangan/archive/match"
)

// class is one way of asking for a record, with the least that an engine must
// achieve: how many in a hundred answers have a right record first, and within ten.
type class struct {
	name       string
	asked      int
	first, ten float64
	ask        asker
}

// asker makes a question that the record answers; false if it cannot be asked for in
// this way.
type asker func(c *crowd, r *rand.Rand, s specimen) (question, bool)

// question is a query and what answers it: a record, or the name that is meant among
// the suggestions.
type question struct {
	text      string
	right     func(archive.Hit) bool
	name      string
	suggested bool
}

// classes are the ways people ask, with those last that can have more than one answer.
func classes() []class {
	list := []class{
		{name: "record id", ask: keyed(func(s specimen) string { return strings.ToLower(s.doc.Record.ID) })},
		{name: "keyed hash of an id number", ask: keyed(func(s specimen) string { return s.doc.Persons[0] })},
		{name: "name of two characters", ask: named(func(h human) bool { return h.kind == plain && runes(h) == 2 }, same)},
		{name: "name of three characters", ask: named(func(h human) bool { return h.kind == plain && runes(h) == 3 }, same)},
		{name: "name of four characters", ask: named(func(h human) bool { return h.kind == plain && runes(h) == 4 }, same)},
		{name: "name with a rare character", ask: named(of(rare), same)},
		{name: "Uyghur name", ask: named(of(uyghur), same)},
		{name: "Tibetan name", ask: named(of(tibetan), same)},
		{name: "beginning: two of three characters", ask: begun(func(h human) bool { return h.kind == plain && runes(h) == 3 }, func(name string) string {
			_, last := utf8.DecodeLastRuneInString(name)
			return name[:len(name)-last]
		})},
		{name: "beginning: before the dot", ask: begun(of(uyghur), func(name string) string { first, _, _ := strings.Cut(name, "·"); return first })},
		{name: "whole title", ask: titled},
		{name: "middle dot, another", ask: named(of(uyghur), replace("·", "・"))},
		{name: "middle dot, a blank", ask: named(of(uyghur), replace("·", " "))},
		{name: "middle dot, none", ask: named(of(uyghur), replace("·", ""))},
		{name: "person only in the title", ask: passing(plain)},
		{name: "name glued to its neighbours", ask: passing(glued)},
		{name: "name and topic", ask: topical},
		{name: "two people", ask: couple},
		{name: "traditional characters", ask: traditional},
		{name: "pinyin in full", ask: spelt(of(plain), "", false)},
		{name: "pinyin, spaced", ask: spelt(of(plain), " ", false)},
		{name: "initials of two", ask: spelt(func(h human) bool { return len(h.syllables) == 2 }, "", true)},
		{name: "initials of three", ask: spelt(func(h human) bool { return len(h.syllables) == 3 }, "", true)},
		{name: "initials of four", ask: spelt(func(h human) bool { return h.kind == plain && len(h.syllables) == 4 }, "", true)},
		{name: "pinyin of a Uyghur name", ask: spelt(of(uyghur), "", false)},
		{name: "code in full", ask: coded(func(code string) string { return code })},
		{name: "code, lower case", ask: coded(strings.ToLower)},
		{name: "code, other dot and dashes", ask: coded(strings.NewReplacer("·", "•", "-", "—").Replace)},
		{name: "code, full width", ask: coded(wide)},
		{name: "code without separators", ask: coded(strings.NewReplacer("·", "", "-", "").Replace)},
		{name: "beginning of a code", ask: shelved},
	}
	for i := range list {
		list[i].asked, list[i].first, list[i].ten = 60, 100, 100
	}
	return append(list,
		class{name: "homophone", asked: 300, first: 97, ten: 99, ask: mistyped(homophone, nobodys)},
		class{name: "homophone, suggested", asked: 300, first: 95, ten: 99, ask: suggested(mistyped(homophone, nobodys))},
		class{name: "homophone that is somebody's name, suggested", asked: 40, first: 80, ten: 99, ask: suggested(mistyped(homophone, somebodys))},
		class{name: "one wrong character, suggested", asked: 300, ten: 74, ask: suggested(mistyped(wrong, nobodys))},
	)
}

// questions asks for records at random, in an order that the stream decides.
func (c class) questions(p *Population, all *crowd, stream uint64) []question {
	var list []question
	r := rand.New(rand.NewPCG(p.seed+1, stream))
	for tries := 0; len(list) < c.asked && tries < 20*p.size; tries++ {
		if q, ok := c.ask(all, r, p.specimen(r.IntN(p.size))); ok {
			list = append(list, q)
		}
	}
	return list
}

// Queries are texts that people ask for records of the population with, by the way
// they ask, for benchmarks.
func Queries(p *Population) map[string][]string {
	all, queries := newCrowd(p), map[string][]string{}
	for i, c := range classes() {
		for _, q := range c.questions(p, all, uint64(i)) {
			queries[c.name] = append(queries[c.name], q.text)
		}
	}
	return queries
}

func runes(h human) int { return utf8.RuneCountInString(h.name) }

func of(k kind) func(human) bool { return func(h human) bool { return h.kind == k } }

func same(name string) string { return name }

func replace(old, with string) func(string) string {
	return func(name string) string { return strings.ReplaceAll(name, old, with) }
}

// bears reports whether somebody of the record has the name.
func bears(hit archive.Hit, name string) bool {
	return slices.ContainsFunc(hit.Names, func(n string) bool { return match.FoldName(n) == match.FoldName(name) })
}

// begins reports whether somebody of the record has a name that begins so.
func begins(hit archive.Hit, beginning string) bool {
	return slices.ContainsFunc(hit.Names, func(n string) bool {
		return strings.HasPrefix(match.FoldName(n), match.FoldName(beginning))
	})
}

func keyed(key func(specimen) string) asker {
	return func(_ *crowd, _ *rand.Rand, s specimen) (question, bool) {
		return question{text: key(s), right: func(hit archive.Hit) bool { return hit.ID == s.doc.Record.ID }}, true
	}
}

// named asks for the first person with the name written in another way.
func named(fits func(human) bool, write func(string) string) asker {
	return func(_ *crowd, _ *rand.Rand, s specimen) (question, bool) {
		h := s.persons[0]
		return question{text: write(h.name), right: func(hit archive.Hit) bool { return bears(hit, h.name) }}, fits(h)
	}
}

// begun asks for the first person with the beginning of the name.
func begun(fits func(human) bool, cut func(string) string) asker {
	return func(_ *crowd, _ *rand.Rand, s specimen) (question, bool) {
		text := cut(s.persons[0].name)
		return question{text: text, right: func(hit archive.Hit) bool { return begins(hit, text) }}, fits(s.persons[0])
	}
}

func traditional(c *crowd, _ *rand.Rand, s specimen) (question, bool) {
	name := s.persons[0].name
	text := c.names.old.Replace(name)
	return question{text: text, right: func(hit archive.Hit) bool { return bears(hit, name) }}, text != name
}

func titled(_ *crowd, _ *rand.Rand, s specimen) (question, bool) {
	title := s.doc.Record.Title
	return question{text: title, right: func(hit archive.Hit) bool { return hit.Title == title }}, true
}

// passing asks for somebody who stands in a title and is no person of a record.
func passing(k kind) asker {
	return func(c *crowd, _ *rand.Rand, s specimen) (question, bool) {
		name := s.passing.name
		right := func(hit archive.Hit) bool { return strings.Contains(hit.Title, name) }
		return question{text: name, right: right}, runes(s.passing) == 3 && s.passing.kind == k && c.bearers[name].records == 0
	}
}

func topical(_ *crowd, _ *rand.Rand, s specimen) (question, bool) {
	for _, topic := range []string{"退休", "工资", "结婚", "考核", "任职", "转业", "回城", "入党"} {
		if name := s.persons[0].name; s.passing.name == "" && strings.Contains(s.doc.Record.Title, topic) {
			right := func(hit archive.Hit) bool { return bears(hit, name) && strings.Contains(hit.Title, topic) }
			return question{text: name + " " + topic, right: right}, true
		}
	}
	return question{}, false
}

func couple(_ *crowd, _ *rand.Rand, s specimen) (question, bool) {
	if len(s.persons) < 2 {
		return question{}, false
	}
	a, b := s.persons[0].name, s.persons[1].name
	return question{text: b + " " + a, right: func(hit archive.Hit) bool { return bears(hit, a) && bears(hit, b) }}, true
}

// spelt asks in Latin letters, as the tables of testdata spell the name.
func spelt(fits func(human) bool, between string, initials bool) asker {
	return func(c *crowd, _ *rand.Rand, s specimen) (question, bool) {
		h := s.persons[0]
		letters := append([]string{}, h.syllables...)
		for i := range letters {
			if initials {
				letters[i] = letters[i][:1]
			}
		}
		text := strings.Join(letters, between)
		return question{text: text, right: func(hit archive.Hit) bool { return c.saidAlike(hit, text) }}, len(letters) > 0 && fits(h)
	}
}

func coded(write func(string) string) asker {
	return keyed(func(s specimen) string { return write(s.doc.Record.RefCode.String()) })
}

// shelved asks for the beginning of a code: whatever stands there is right.
func shelved(_ *crowd, r *rand.Rand, s specimen) (question, bool) {
	code := s.doc.Record.RefCode.String()
	levels := strings.Split(code, "-")
	text := strings.Join(levels[:1+r.IntN(len(levels)-1)], "-")
	return question{text: text, right: func(hit archive.Hit) bool { return strings.HasPrefix(hit.RefCode, text) }}, true
}

func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7F {
			return r + 0xFEE0
		}
		return r
	}, s)
}
