package pdffile

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
