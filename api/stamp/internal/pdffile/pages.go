package pdffile

import (
	"cmp"
	"regexp"
	"slices"
)

const maxPages = 10_000

// Page is a page with what it inherits.
type Page struct {
	Number   int // of the object
	Dict     Dict
	Media    [4]float64 // left, bottom, right, top
	Crop     [4]float64 // inside of Media
	Rotate   int        // clockwise: 0, 90, 180 or 270
	UserUnit float64
}

// Pages returns all pages in their order.
func (f *File) Pages() ([]Page, error) {
	catalog, err := f.dict(f.Trailer["Root"])
	if err != nil {
		return nil, err
	}
	w := walk{File: f, seen: map[int]bool{}}
	if err := w.node(catalog["Pages"], Dict{}, 0); err != nil {
		return nil, err
	}
	return w.pages, nil
}

// dict follows a reference to a dictionary.
func (f *File) dict(o Object) (Dict, error) {
	o, err := f.Get(o)
	if err != nil {
		return nil, err
	}
	d, ok := o.(Dict)
	if !ok {
		return nil, malformed("no dictionary where one must be")
	}
	return d, nil
}

type walk struct {
	*File
	seen  map[int]bool
	pages []Page
}

// node reads a part of the page tree (7.7.3).
func (w *walk) node(o Object, inherited Dict, depth int) error {
	r, ok := o.(Ref)
	if !ok || w.seen[r.Number] || depth > maxDepth || len(w.pages) == maxPages {
		return malformed("page tree")
	}
	w.seen[r.Number] = true
	d, err := w.dict(r)
	if err != nil {
		return err
	}
	passed := Dict{}
	for _, key := range []Name{"Resources", "MediaBox", "CropBox", "Rotate"} {
		passed[key] = inherited[key]
		if v := d[key]; v != nil {
			passed[key] = v
		}
	}
	if d["Type"] == Name("Page") {
		p, err := w.page(r.Number, d, passed)
		if err != nil {
			return err
		}
		w.pages = append(w.pages, p)
		return nil
	}
	o, err = w.Get(d["Kids"])
	kids, ok := o.(Array)
	if err != nil || !ok || d["Type"] != Name("Pages") {
		return malformed("page tree")
	}
	for _, kid := range kids {
		if err := w.node(kid, passed, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) page(number int, own, inherited Dict) (p Page, err error) {
	p = Page{Number: number, Dict: Dict{}, UserUnit: 1}
	for key, v := range own {
		p.Dict[key] = v
	}
	for key, v := range inherited {
		if v != nil {
			p.Dict[key] = v
		}
	}
	if p.Media, err = w.rectangle(p.Dict["MediaBox"]); err != nil {
		return p, err
	}
	p.Crop = p.Media
	if box := p.Dict["CropBox"]; box != nil {
		crop, err := w.rectangle(box)
		if err != nil {
			return p, err
		}
		for i := range crop[:2] {
			p.Crop[i], p.Crop[i+2] = max(p.Media[i], crop[i]), min(p.Media[i+2], crop[i+2])
		}
	}
	if p.Crop[2]-p.Crop[0] < 1 || p.Crop[3]-p.Crop[1] < 1 {
		return p, malformed("page size")
	}
	if unit := p.Dict["UserUnit"]; unit != nil {
		var ok bool
		if p.UserUnit, ok = unit.(float64); !ok || p.UserUnit < 0.01 || p.UserUnit > 1000 {
			return p, malformed("page size")
		}
	}
	if turn, err := w.Get(p.Dict["Rotate"]); err != nil {
		return p, err
	} else if turn != nil {
		degrees, ok := turn.(float64)
		if !ok || int(degrees)%90 != 0 || degrees != float64(int(degrees)) {
			return p, malformed("rotation")
		}
		p.Rotate = (int(degrees)%360 + 360) % 360
	}
	return p, nil
}

func (w *walk) rectangle(o Object) (r [4]float64, err error) {
	o, err = w.Get(o)
	list, ok := o.(Array)
	if err != nil || !ok || len(list) != 4 {
		return r, malformed("rectangle")
	}
	for i, side := range list {
		if r[i], ok = side.(float64); !ok || r[i] < -1e5 || r[i] > 1e5 {
			return r, malformed("rectangle")
		}
	}
	if r[0] > r[2] {
		r[0], r[2] = r[2], r[0]
	}
	if r[1] > r[3] {
		r[1], r[3] = r[3], r[1]
	}
	return r, nil
}

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
