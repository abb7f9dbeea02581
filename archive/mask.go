package archive

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Masked returns a copy in which the parts that masks name are shortened, in
// the persons and wherever the same number or name is repeated in a text.
func (r Record) Masked(masks []Mask) Record {
	for _, m := range masks {
		switch m {
		case MaskIDs:
			r = r.shortened(r.shortIDs, func(p *Person) {
				p.ID = p.ID.short()
			})
		case MaskNames:
			r = r.shortened(r.shortNames, func(p *Person) {
				p.Name = MaskName(p.Name)
				p.Aliases = mapped(p.Aliases, MaskName)
			})
		}
	}
	return r
}

// Masked returns a copy in which every id number is shortened, for everybody who
// looks at a request: who has to compare numbers has the matching for it.
func (r Request) Masked() Request {
	r.IDNumber = r.IDNumber.short()
	r.Wanted.Persons = slices.Clone(r.Wanted.Persons)
	for i, p := range r.Wanted.Persons {
		r.Wanted.Persons[i].ID = p.ID.short()
	}
	return r
}

func (id IDNumber) short() IDNumber {
	id.Number = id.Masked()
	id.Original = id.Number
	return id
}

// WithoutIDs returns a copy from which every id number is gone, for places that
// must not hold even a part of one (the index).
func (r Record) WithoutIDs() Record {
	gone := func(s string) string {
		for _, p := range r.Persons {
			s = replaceID(s, p.ID, " ")
		}
		return WithoutIDs(s)
	}
	return r.shortened(gone, func(p *Person) { p.ID = IDNumber{} })
}

// shortened applies text to every free text of a copy of r, and person to every
// person.
func (r Record) shortened(text func(string) string, person func(*Person)) Record {
	persons := slices.Clone(r.Persons)
	for i := range persons {
		person(&persons[i])
	}
	files := slices.Clone(r.Files)
	for i := range files {
		files[i].Name = text(files[i].Name)
	}
	fields := make(map[string]string, len(r.Fields))
	for k, v := range r.Fields {
		fields[k] = text(v)
	}
	if r.Fields != nil {
		r.Fields = fields
	}
	r.Title, r.Note, r.Responsible = text(r.Title), text(r.Note), text(r.Responsible)
	r.Persons, r.Files = persons, files
	return r
}

func (r Record) shortIDs(s string) string {
	for _, p := range r.Persons {
		s = replaceID(s, p.ID, p.ID.Masked())
	}
	return idRun.ReplaceAllStringFunc(s, shortID)
}

func (r Record) shortNames(s string) string {
	for _, p := range r.Persons {
		for _, name := range p.Names() {
			if utf8.RuneCountInString(name) > 1 {
				s = strings.ReplaceAll(s, name, MaskName(name))
			}
		}
	}
	return s
}

// replaceID leaves very short numbers alone: they occur in texts by chance.
func replaceID(s string, id IDNumber, short string) string {
	for _, n := range []string{id.Original, id.Number} {
		if len(n) >= 6 {
			s = strings.ReplaceAll(s, n, short)
		}
	}
	return s
}

// idRun is what may be a resident number in a text: printed in groups of 6, 8
// and 4, with a blank after every digit as forms with boxes are read, or as one
// run of digits in either width.
var idRun = regexp.MustCompile(
	`[0-9０-９]{6}[ \x{3000}-][0-9０-９]{8}[ \x{3000}-][0-9０-９]{3}[0-9０-９XxＸｘ]` +
		`|[0-9０-９](?:[ \x{3000}][0-9０-９]){14,}(?:[ \x{3000}][XxＸｘ])?` +
		`|[0-9０-９]{15,}[XxＸｘ]?`)

// WithoutIDs removes from a text everything that may hold a resident number,
// whether or not it passes the check: old records hold wrong numbers, and a lost
// serial number costs less than a leaked identity. A blank takes its place, so that
// what stood on either side does not become one word.
func WithoutIDs(text string) string { return idRun.ReplaceAllString(text, " ") }

// shortID shortens a run that is a resident number and leaves others alone.
func shortID(run string) string {
	n := strings.ReplaceAll(plain(run), "-", "")
	if id := NewIDNumber(IDResident, n); !id.Flagged {
		return id.Masked()
	}
	return run
}

func mapped(list []string, f func(string) string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = f(out[i])
	}
	return out
}
