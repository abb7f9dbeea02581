package stamp

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"

	"dangan/api/stamp/internal/pdffile"
)

// appendTo draws and seals what comes behind the base. The update brings a complete cross-reference table of its
// own, whatever kind the base has: objects that a classic table cannot list are written once more. So the two
// kinds are never mixed, and the sealed file ends as all of ours do.
func (k *copying) appendTo(ctx context.Context, base *Base, source Source) (tail []byte, dater []*x509.Certificate, err error) {
	d := k.doc
	d.buf.Reset()
	d.before, d.offsets = int(base.size), make([]int, len(base.listing.Offsets))
	for number, offset := range base.listing.Offsets {
		d.offsets[number] = int(offset)
	}
	d.buf.WriteString("\n")
	for _, number := range slices.Sorted(maps.Keys(base.listing.Loose)) {
		d.put(ref(number), string(pdffile.Append(nil, base.listing.Loose[number])))
	}
	k.seal = k.newSealing(d, k.now)
	press := newPress(d, k.Cover, k.regular, k.bold)
	press.claim = claim{}
	press.below = len(base.pages) - 1
	press.more = func(tree ref) { k.mark(press, base, tree) }
	root, err := press.run(k.seal.place)
	if err != nil {
		return nil, nil, fmt.Errorf("draw copy: %w", err)
	}
	entries := "/Version/1.7" + k.seal.entries(k.Cover.Number)
	tail = d.finish(k.catalog(d, press, root, k.now, entries), info(d, k.Cover, k.now))
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	sum, err := k.resume(base, source)
	if err != nil {
		return nil, nil, err
	}
	if dater, err = k.signTail(ctx, sum, d.before, tail, k.seal); err != nil {
		return nil, nil, fmt.Errorf("seal copy: %w", err)
	}
	return tail, dater, nil
}

// mark puts the page tree of the base behind the cover, and marks on its pages.
func (k *copying) mark(p *press, base *Base, tree ref) {
	node := maps.Clone(base.tree)
	node["Parent"] = pdffile.Ref{Number: int(tree)}
	p.doc.put(ref(base.root), string(pdffile.Append(nil, node)))
	p.pages = append(p.pages, ref(base.root))
	for i, page := range base.pages {
		place := k.Pages[i].Place
		k.pages = append(k.pages, copiedPage{scan: page.shape(), place: place})
	}
	m := marker{copying: k, press: p, forms: k.sealForm(), scale: k.sealScale(), before: p.doc.addStream("", []byte("q"))}
	for i, page := range base.pages {
		m.page(page, i)
	}
}

// marker marks the pages of a base one by one.
type marker struct {
	*copying
	press  *press
	forms  string // entries of the seal and of the purpose mark
	scale  float64
	before ref // content that comes first on each page
	shape  scan
	ground ref // the purpose mark all over a page of that shape
}

// page writes a page anew: the same content, then the marks as a form, which stands upright on the page as it is
// seen. The page grows at its lower edge by the band that the mark needs.
func (m *marker) page(page basePage, i int) {
	d := m.doc
	mark := m.layMark(m.press, m.pages[i], i)
	c := &canvas{height: mark.page.height}
	mark.blank(c)
	m.purpose(page.shape())
	forms := m.forms
	if m.ground != 0 {
		forms += fmt.Sprintf("/P %s", m.ground)
		c.save()
		c.matrix(1, 0, 0, 1, 0, mark.page.height-mark.top)
		c.use("Do", "P")
		c.restore()
	}
	m.drawSeal(c, mark.page, i, m.scale)
	mark.draw(c)
	form := d.addStream(fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]/Resources<</Font<</R %s>>/XObject<<%s>>>>",
		mark.page.width, mark.page.height, m.press.regular.object, forms), c.buf.Bytes())

	crop, matrix := page.below((mark.page.height - mark.top) / page.UserUnit)
	name := freeName(page.objects)
	after := canvas{}
	after.restore()
	after.save()
	after.matrix(matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5])
	after.use("Do", string(name))
	after.restore()
	d.put(ref(page.Number), string(pdffile.Append(nil, page.with(crop, name, m.before, form, d.addStream("", after.buf.Bytes())))))
}

// purpose draws the purpose mark all over a page, once for all of one shape. It is content: the pictures are not
// touched.
func (m *marker) purpose(s scan) {
	if m.Mark.PurposeMark == "" || m.ground != 0 && m.shape.sameShape(s) {
		return
	}
	w := m.press.watermark
	if w == nil || w.words != m.Mark.PurposeMark { // the cover mostly has the same
		var err error
		if w, err = newWatermark(m.regular, m.Mark.PurposeMark); err != nil {
			m.press.err = err
			return
		}
		w.write(m.doc)
		m.press.watermark = w
	}
	c, scale := canvas{height: s.height}, s.scale()
	const dark = 1 - copyLevels/255
	c.fill(color{dark, dark, dark})
	c.use("gs", "G")
	w.tile(s.width/scale, s.height/scale, purposeInset, func(x, y float64) {
		c.save()
		c.matrix(scale, 0, 0, scale, x*scale, c.y((y+w.height)*scale))
		c.use("Do", "W")
		c.restore()
	})
	m.shape, m.ground = s, m.doc.addStream(fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]/Resources<</XObject<</W %s>>/ExtGState<</G<</BM/Multiply>>>>>>",
		s.width, s.height, w.object), c.buf.Bytes())
}

// shape is the page as it is seen.
func (p basePage) shape() scan {
	s := scan{width: (p.Crop[2] - p.Crop[0]) * p.UserUnit, height: (p.Crop[3] - p.Crop[1]) * p.UserUnit, turn: p.Rotate}
	if p.Rotate%180 == 90 {
		s.width, s.height = s.height, s.width
	}
	return s
}

// below is what the page shows when it grows at the edge that is seen as the lower one, and how a form with its
// origin in the lower left corner of that, in points, comes to stand upright on it.
func (p basePage) below(band float64) (crop [4]float64, m matrix) {
	crop = p.Crop
	u := 1 / p.UserUnit
	switch p.Rotate {
	case 90:
		crop[2] += band
		return crop, matrix{0, u, -u, 0, crop[2], crop[1]}
	case 180:
		crop[3] += band
		return crop, matrix{-u, 0, 0, -u, crop[2], crop[3]}
	case 270:
		crop[0] -= band
		return crop, matrix{0, -u, u, 0, crop[0], crop[3]}
	}
	crop[1] -= band
	return crop, matrix{u, 0, 0, u, crop[0], crop[1]}
}

// freeName is a name that the page does not use.
func freeName(used pdffile.Dict) pdffile.Name {
	for i := 0; ; i++ {
		name := pdffile.Name(fmt.Sprintf("Mark%d", i))
		if _, taken := used[name]; !taken {
			return name
		}
	}
}

// with is the dictionary of the page with marks on it. What belongs to the structure of the base is left out: the
// copy has one of its own.
func (p basePage) with(crop [4]float64, name pdffile.Name, before, form, after ref) pdffile.Dict {
	d, resources, objects := maps.Clone(p.Dict), maps.Clone(p.resources), maps.Clone(p.objects)
	objects[name] = pdffile.Ref{Number: int(form)}
	resources["XObject"] = objects
	content := pdffile.Array{pdffile.Ref{Number: int(before)}}
	if list, ok := d["Contents"].(pdffile.Array); ok {
		content = append(content, list...)
	} else {
		content = append(content, d["Contents"])
	}
	d["Contents"] = append(content, pdffile.Ref{Number: int(after)})
	d["Resources"] = resources
	d["MediaBox"] = rectangle([4]float64{min(p.Media[0], crop[0]), min(p.Media[1], crop[1]), max(p.Media[2], crop[2]), max(p.Media[3], crop[3])})
	d["CropBox"] = rectangle(crop)
	for _, key := range []pdffile.Name{"StructParents", "Tabs", "BleedBox", "TrimBox", "ArtBox"} {
		delete(d, key)
	}
	return d
}

func rectangle(r [4]float64) pdffile.Array {
	return pdffile.Array{r[0], r[1], r[2], r[3]}
}
