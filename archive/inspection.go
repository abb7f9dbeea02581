package archive

import (
	"slices"
	"time"
)

// Inspection is the reading of a personnel file by a unit (查阅): by its letter, by two
// people whom it sends, of the pages that it needs, on one day.
type Inspection struct {
	Unit    string      `json:"unit"`
	Letter  string      `json:"letter"` // its number
	Purpose PurposeCode `json:"purpose"`
	Readers []Person    `json:"readers"`
	Pages   []PageRef   `json:"pages"`
	From    time.Time   `json:"from"`
	Until   time.Time   `json:"until"`
}

// An inspection is by so many readers, and not longer than a working day.
const (
	inspectionReaders = 2
	longestInspection = 10 * time.Hour
)

// Problems lists why a record must not be shown so. Nobody reads his own file or that
// of somebody in whose file he is named, which a relative is.
func (i Inspection) Problems(r Record) Problems {
	var ps Problems
	if r.Family != Personnel {
		ps.Add("not_personnel", "record")
	}
	for _, f := range []struct{ name, text string }{{"unit", i.Unit}, {"letter", i.Letter}} {
		if f.text == "" {
			ps.Add("required", f.name)
		}
		checkText(&ps, f.text, 100, f.name)
	}
	if !(Purpose{Code: i.Purpose}).Valid() {
		ps.Add("bad_purpose", "purpose")
	}
	if len(i.Readers) != inspectionReaders {
		ps.Add("two_readers", "readers")
	}
	for n, reader := range i.Readers {
		ps = append(ps, i.reader(n, reader, r).In(index("readers", n))...)
	}
	if len(i.Pages) == 0 {
		ps.Add("required", "pages")
	}
	for n, p := range i.Pages {
		if p.File < 1 || p.File > len(r.Files) || p.Page < 1 {
			ps.Add("unknown_page", index("pages", n))
		}
	}
	if !i.Until.After(i.From) || i.Until.Sub(i.From) > longestInspection {
		ps.Add("out_of_range", "until")
	}
	return ps
}

func (i Inspection) reader(n int, reader Person, r Record) Problems {
	var ps Problems
	same := func(p Person) bool { return p.ID.Key() == reader.ID.Key() }
	switch {
	case reader.Name == "":
		ps.Add("required", "name")
	case reader.ID.IsZero():
		ps.Add("required", "id")
	case reader.ID.Flagged:
		ps.Add("bad_id_number", "id")
	case slices.ContainsFunc(i.Readers[:n], same):
		ps.Add("same_person", "id")
	case slices.ContainsFunc(r.Persons, func(p Person) bool { return !p.ID.IsZero() && same(p) }):
		ps.Add("concerned", "id")
	}
	return ps
}

// Admits reports whether a page may be shown at a time.
func (i Inspection) Admits(p PageRef, at time.Time) bool {
	return slices.Contains(i.Pages, p) && !at.Before(i.From) && at.Before(i.Until)
}
