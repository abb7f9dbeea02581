package pdffile

import (
	"cmp"
	"regexp"
	"slices"
)

// Audit tells whether the file is nothing but what its pages need: one revision, every object used and no byte
// outside of them. It calls visit with each object, and passes on its error.
func (f *File) Audit(visit func(number int, o Object) error) error {
	a := audit{File: f, used: make([]bool, len(f.entries)), spans: slices.Clone(f.tables), inside: map[int]int{}}
	for number, e := range f.entries {
		if e.kind != 1 && e.kind != 2 {
			continue
		}
		if e.kind == 1 && e.index != 0 {
			return malformed("generation")
		}
		o, where, err := f.object(number)
		if err != nil {
			return err
		}
		if e.kind == 2 {
			a.inside[int(e.offset)]++
		} else {
			a.spans = append(a.spans, where)
		}
		a.note(number, o)
		if err := visit(number, o); err != nil {
			return err
		}
	}
	if f.updates > 1 || f.updates == 1 && !a.linear {
		return malformed("several revisions")
	}
	if err := a.reach(); err != nil {
		return err
	}
	return a.gaps()
}

type audit struct {
	*File
	used   []bool
	queue  []int
	spans  []span
	inside map[int]int // how many objects are in an object stream
	linear bool
	hints  float64 // where the hints of a linear file are
}

// note finds what makes a file linear (annex F): the first object tells where its hints are.
func (a *audit) note(number int, o Object) {
	d, _ := o.(Dict)
	hints, ok := d["H"].(Array)
	if d["Linearized"] != nil && d["L"] == float64(a.size) && ok && len(hints) > 0 {
		a.linear, a.used[number] = true, true
		a.hints, _ = hints[0].(float64)
	}
}

// structural tells whether an object holds the file together, so that nothing has to refer to it.
func (a *audit) structural(number int, e entry) bool {
	section := slices.ContainsFunc(a.tables, func(s span) bool { return e.kind == 1 && s.from == e.offset })
	return section || a.inside[number] > 0 || a.linear && float64(e.offset) == a.hints
}

// reach follows all references from the trailer.
func (a *audit) reach() error {
	follow := func(r Ref) {
		if r.Number < len(a.used) && !a.used[r.Number] {
			a.used[r.Number] = true
			a.queue = append(a.queue, r.Number)
		}
	}
	refs(a.Trailer, follow)
	for len(a.queue) > 0 {
		number := a.queue[len(a.queue)-1]
		a.queue = a.queue[:len(a.queue)-1]
		o, _, err := a.object(number)
		if err != nil {
			return err
		}
		refs(o, follow)
	}
	for number, e := range a.entries {
		if (e.kind == 1 || e.kind == 2) && !a.used[number] && !a.structural(number, e) {
			return malformed("an object that nothing refers to")
		}
	}
	for number, count := range a.inside {
		if len(a.packed[number]) != 2*count {
			return malformed("an object that nothing refers to")
		}
	}
	return nil
}

// gaps looks at what is between the objects.
func (a *audit) gaps() error {
	slices.SortFunc(a.spans, func(x, y span) int { return cmp.Compare(x.from, y.from) })
	head := regexp.MustCompile(`^%PDF-\d\.\d\s+(%[^\r\n]{1,16}\s+)?$`)
	between := regexp.MustCompile(`^\s*(startxref\s+\d+\s+%%EOF\s*)?$`)
	if a.lexer.commented {
		return malformed("comments")
	}
	at := int64(0)
	for _, s := range append(slices.Compact(a.spans), span{a.size, a.size}) {
		if s.from < at || s.from-at > 1024 {
			return malformed("bytes outside of objects")
		}
		gap := make([]byte, s.from-at)
		if _, err := a.src.ReadAt(gap, at); err != nil {
			return err
		}
		if at == 0 && !head.Match(gap) || at > 0 && !between.Match(gap) {
			return malformed("bytes outside of objects")
		}
		at = s.end
	}
	return nil
}

// Listing is where each object of a file is, for whoever writes a new table of them.
type Listing struct {
	Offsets []int64 // by number; 0 for those that are nowhere, or only hold the others together
	// Loose are the objects in object streams, which a classic table cannot list.
	Loose map[int]Object
}

// List returns the objects of an audited file.
func (f *File) List() (Listing, error) {
	l := Listing{Offsets: make([]int64, len(f.entries)), Loose: map[int]Object{}}
	for number, e := range f.entries {
		switch e.kind {
		case 1:
			l.Offsets[number] = e.offset
		case 2:
			o, _, err := f.object(number)
			if err != nil {
				return l, err
			}
			l.Loose[number] = o
		}
	}
	for number := range f.packed {
		l.Offsets[number] = 0
	}
	return l, nil
}
