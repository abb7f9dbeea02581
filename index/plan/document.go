package plan

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"dangan/archive"
	"dangan/archive/match"
)

// Shown is the part of a document that may leave the engine.
type Shown struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Names    []string `json:"names"`
	RefCode  string   `json:"ref_code"`
	Date     string   `json:"date,omitempty"` // ISO, as much as is known
	Year     int      `json:"year,omitempty"`
	Family   string   `json:"family"`
	Category string   `json:"category"`
	Office   string   `json:"office"`
	Fonds    string   `json:"fonds"`
	Openness string   `json:"openness"`
	Version  int      `json:"ver"`
	Machine  bool     `json:"machine,omitempty"` // some of the text was read by a machine
}

// Document is a record as an engine holds it. Its JSON names are the fields of the
// settings. No id number is in it, nor a part of one.
type Document struct {
	Shown
	Called   []string `json:"called"`    // names and aliases as written
	NameKey  []string `json:"name_key"`  // their folded letters
	NameLike []string `json:"name_like"` // readings, initials, and the key with each character hidden
	Tokens   []string `json:"id_tok"`    // keyed hashes of full id numbers
	RefKey   string   `json:"ref_key"`
	TitleNG  string   `json:"title_ng"`  // folded, a blank between all letters and digits
	TitleKey string   `json:"title_key"` // folded
	Text     string   `json:"text"`      // folded; never leaves
}

const (
	maxKey  = 468     // bytes; Meilisearch accepts longer filter values and never finds them
	maxText = 1 << 18 // bytes of text that are searched, of each record
)

// NewDocument is the one place where a record becomes what is searched.
func NewDocument(d archive.Document) Document {
	r := d.Record
	out := Document{
		Shown: Shown{
			ID: r.ID, Title: clean(r.Title), Names: []string{}, RefCode: clean(r.RefCode.String()),
			Date: r.Date.ISO(), Year: r.Date.Year,
			Family: string(r.Family), Category: r.Category, Office: r.Office, Fonds: r.Fonds,
			Openness: string(r.Openness), Version: d.Version, Machine: d.Machine,
		},
		Tokens:   d.Persons,
		RefKey:   r.RefCode.Key(),
		TitleNG:  spaced(match.Fold(r.Title)),
		TitleKey: match.Fold(clean(r.Title)),
		Text:     match.Fold(clean(cut(allText(d)))),
	}
	for _, p := range r.Persons {
		out.Names = append(out.Names, clean(p.Name))
		for _, name := range p.Names() {
			out.Called = append(out.Called, clean(name))
			out.NameKey = appendKey(out.NameKey, match.FoldName(name))
			full, initials := match.Pinyin(name)
			out.NameLike = appendKey(out.NameLike, full...)
			out.NameLike = appendKey(out.NameLike, initials...)
			out.NameLike = appendKey(out.NameLike, match.Masked(name)...)
		}
	}
	return out
}

// allText is what a reader of the record would see beside its title.
func allText(d archive.Document) string {
	r := d.Record
	parts := []string{r.Responsible, r.Note}
	if r.Date.Year != 0 {
		parts = append(parts, strconv.Itoa(r.Date.Year))
	}
	for _, key := range sortedKeys(r.Fields) {
		parts = append(parts, r.Fields[key])
	}
	return strings.Join(append(parts, d.Text), "\n")
}

// spaced makes every letter and digit a word, so that a phrase of such words is any
// piece of the text: segmentation by a dictionary loses names inside titles.
func spaced(folded string) string {
	var b strings.Builder
	for _, r := range folded {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteByte(' ')
			b.WriteRune(r)
		case unicode.IsMark(r):
			b.WriteRune(r)
		}
	}
	return strings.TrimPrefix(b.String(), " ")
}

// clean takes out control characters, which text from files may hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// cut shortens a text to what is searched, at a character.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// record has what scope and filter look at.
func (s Shown) record() archive.Record {
	return archive.Record{
		ID: s.ID, Family: archive.Family(s.Family), Category: s.Category, Office: s.Office, Fonds: s.Fonds,
		Openness: archive.Openness(s.Openness), Date: archive.Date{Year: s.Year},
	}
}

func (s Shown) hit() archive.Hit {
	return archive.Hit{
		ID: s.ID, Title: s.Title, Names: s.Names, RefCode: s.RefCode, Date: s.Date, Year: s.Year,
		Family: archive.Family(s.Family), Category: s.Category, Office: s.Office, Fonds: s.Fonds,
		Openness: archive.Openness(s.Openness), Version: s.Version, Machine: s.Machine,
	}
}
