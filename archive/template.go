package archive

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Occasion is what a certificate is issued on; it decides what its template may
// speak of.
type Occasion string

// The occasions of certificates.
const (
	OfRecord   Occasion = "record"        // what a record states
	OfHolding  Occasion = "holding"       // that a personnel file is held (存档证明)
	OfService  Occasion = "service_years" // what a personnel file states of work (工龄)
	OfNotFound Occasion = "not_found"     // that nothing was found, and where it was sought (查无此档)
	OfReading  Occasion = "reading"       // that somebody has read a record (查阅回执)
)

// Template is how certificates of one kind are worded. It is the body of a
// template chain: each change is a new entry, and a certificate pins the one that
// worded it. An office may have its own, which then counts in the place of the
// one for all.
type Template struct {
	Key      string   `json:"key" doc:"Which certificate: marriage, holding, not-found …"`
	Office   string   `json:"office,omitempty" doc:"Id of the office whose own it is; absent for that of all offices."`
	Occasion Occasion `json:"occasion"`
	Category string   `json:"category,omitempty"` // of the records it speaks of
	Title    Label    `json:"title"`
	Mark     Label    `json:"mark" doc:"Repeated in grey over every page."`
	// Source is where a statement is recorded, unless its block says otherwise.
	Source Label     `json:"source"`
	Blocks []Block   `json:"blocks"`
	By     string    `json:"by,omitempty"` // account that wrote this entry
	At     time.Time `json:"at,omitzero"`
}

// BlockKind says where on the page a block stands.
type BlockKind string

// The blocks of a page, from above. Only statements may say what is recorded.
const (
	BlockField     BlockKind = "field"     // a row of the table above the text
	BlockPair      BlockKind = "pair"      // half a row, if another one follows
	BlockSay       BlockKind = "say"       // a paragraph that states nothing
	BlockStatement BlockKind = "statement" // a sentence, with its source
	BlockAfter     BlockKind = "after"     // a row below the text
	BlockNote      BlockKind = "note"      // small print at the foot
	blockFacts     BlockKind = "facts"     // of the built-in frame: the category's sentences
)

// BlockKinds lists the kinds that a template may have, as they stand on the page.
func BlockKinds() []BlockKind {
	return []BlockKind{BlockField, BlockPair, BlockSay, BlockStatement, BlockAfter, BlockNote}
}

// Block is a part of a page. Its texts are in the language of templates, and a
// block with an incomplete one is left out.
type Block struct {
	Kind   BlockKind `json:"kind"`
	When   string    `json:"when,omitempty" doc:"A name that must stand for something; with ! before it, for nothing."`
	Each   string    `json:"each,omitempty" doc:"A list; the block is there for every element."`
	Label  Label     `json:"label,omitzero"` // of a row
	Text   Label     `json:"text"`
	Source Label     `json:"source,omitzero"` // of a statement
}

// TemplatePin is the entry of a template that worded a certificate.
type TemplatePin struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

var templateKey = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// TemplateID is the id of the chain of a key's template, that of all offices or
// an office's own. Two hyphens stand in no key.
func TemplateID(key, office string) string {
	if office == "" {
		return key
	}
	return key + "--" + strings.ToLower(office)
}

// Ref names the chain of the template.
func (t Template) Ref() Ref { return Ref{Kind: KindTemplate, ID: TemplateID(t.Key, t.Office)} }

// Target is what policy needs to know of the template.
func (t Template) Target() Target { return Target{Ref: t.Ref(), Office: t.Office} }

// Occasion is what a request that was answered ends in a certificate of.
func (r Request) Occasion() Occasion {
	switch {
	case r.Record == "":
		return OfNotFound
	case r.Service == "" || r.Service == ServiceCopy:
		return OfRecord
	}
	return Occasion(r.Service)
}

// TemplateKey is the key of the template that words certificates of an occasion
// about records of a category.
func TemplateKey(o Occasion, category string) string {
	if o == OfRecord {
		return strings.ReplaceAll(category, "_", "-")
	}
	return strings.ReplaceAll(string(o), "_", "-")
}

// Problems lists everything wrong with a template. Which names it may use follows
// from its occasion and category.
func (t Template) Problems(s Schema) Problems {
	var ps Problems
	category, ok := s.Category(t.Category)
	if !templateKey.MatchString(t.Key) || len(t.Key) > 40 {
		ps.Add("bad_value", "key")
	}
	if !slices.Contains([]Occasion{OfRecord, OfHolding, OfService, OfNotFound, OfReading}, t.Occasion) {
		ps.Add("unknown_value", "occasion")
	}
	if t.Category != "" && !ok {
		ps.Add("unknown_category", "category")
	}
	if len(ps) > 0 {
		return ps
	}
	names := ExampleCase(t.Occasion, category, time.Time{}).terms()
	ps = append(ps, names.label(t.Title, "title", true, false)...)
	ps = append(ps, names.label(t.Mark, "mark", false, false)...)
	ps = append(ps, names.label(t.Source, "source", true, true)...)
	if len(t.Blocks) > 80 {
		ps.Add("too_many", "blocks")
		return ps
	}
	states := func(b Block) bool { return b.Kind == BlockStatement }
	if !slices.ContainsFunc(t.Blocks, states) {
		ps.Add("states_nothing", "blocks")
	}
	for i, b := range t.Blocks {
		ps = append(ps, b.problems(names).In(index("blocks", i))...)
	}
	return ps
}

func (b Block) problems(names terms) Problems {
	var ps Problems
	states := b.Kind == BlockStatement
	if !slices.Contains(BlockKinds(), b.Kind) {
		ps.Add("unknown_value", "kind")
	}
	if name := strings.TrimPrefix(b.When, "!"); b.When != "" {
		if _, ok := names[name]; !ok {
			ps.Add("unknown_name", "when")
		}
	}
	if b.Each != "" {
		switch list, ok := names[b.Each]; {
		case !ok:
			ps.Add("unknown_name", "each")
		case list.kind != fieldList:
			ps.Add("not_this_way", "each")
		default:
			names = names.within(list)
		}
	}
	row := b.Kind == BlockField || b.Kind == BlockPair || b.Kind == BlockAfter
	ps = append(ps, names.label(b.Label, "label", row, false)...)
	ps = append(ps, names.label(b.Text, "text", true, states)...)
	return append(ps, names.label(b.Source, "source", false, true)...)
}

// label checks a text in both languages. English may be missing: then the Chinese
// text stands in its place.
func (ts terms) label(l Label, field string, required, sourced bool) (ps Problems) {
	if required && strings.TrimSpace(l.ZH) == "" {
		ps.Add("required", field+".zh")
	}
	for lang, s := range map[string]string{"zh": l.ZH, "en": l.EN} {
		t, bad := parseText(s, field+"."+lang)
		ps = append(ps, bad...)
		ps = append(ps, ts.check(t, field+"."+lang, sourced)...)
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return strings.Compare(b.Field, a.Field) }) // zh first
	return ps
}
