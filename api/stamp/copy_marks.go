package stamp

import (
	"fmt"
	"strings"
)

// box is a page in points.
type box struct{ width, height float64 }

// leastPage is how wide a page must be for its mark.
const leastPage = 240.0

// scale is how large marks are on a page, against A4.
func (s scan) scale() float64 { return min(max(min(s.width, s.height)/pageWidth, 0.7), 3) }

// page is the part of the page over the mark.
func (s scan) page() box { return box{max(s.width, leastPage), s.height} }

// copyMark is the band under a page that says whose copy it is. It stands below the picture and covers nothing.
type copyMark struct {
	page  box // with the band
	lines []textLine
	words string
	top   float64 // of the band
	scale float64
}

const markSize, markLead, markPad = 7.5, 10.5, 7.0

// layMark sets the mark of page i.
func (k *copying) layMark(p *press, page copiedPage, i int) copyMark {
	m, scale := k.Mark, page.scale()
	number := Labels{Page: m.Page}.page(i+1, len(k.pages))
	join := func(parts ...string) string {
		return strings.Join(strings.FieldsFunc(strings.Join(parts, "\n"), func(r rune) bool { return r == '\n' }), "   ")
	}
	st := style{font: p.regular, size: markSize * scale, ink: black()}
	mark := copyMark{page: page.page(), top: page.height, scale: scale, words: join(m.RefCode, page.place, number)}
	for _, text := range []string{join(m.Office, m.Agrees, m.RefCode, page.place, number), join(m.Request, m.Date, m.Purpose)} {
		mark.lines = append(mark.lines, breakLines(p.set(st, text), mark.page.width-4*markPad*scale, 0)...)
	}
	mark.page.height += (markLead*float64(len(mark.lines)) + 2*markPad) * scale
	return mark
}

// blank makes the band white: a page that grows could show there what was cut off.
func (m copyMark) blank(c *canvas) {
	c.fill(color{1, 1, 1})
	c.rect(0, m.top, m.page.width, m.page.height-m.top)
	c.op("f")
}

func (m copyMark) draw(c *canvas) {
	c.stroke(red())
	c.lineWidth(0.6 * m.scale)
	c.line(0, m.top, m.page.width, m.top)
	c.tag("P", "", func() {
		show(c, m.lines, 2*markPad*m.scale, m.top+(markPad+0.8*markSize)*m.scale, 0, markLead*m.scale, toLeft)
	})
}

// sealForm puts the seal into the file as a form, and returns its entry among the resources.
func (k *copying) sealForm() string {
	if k.seal == nil {
		return ""
	}
	form := k.doc.reserve()
	k.doc.putPacked(form, fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 %g %g]/Resources<</ExtGState<</G<</BM/Multiply/CA 0.88/ca 0.88>>>>>>",
		sealBox, sealBox), k.Stamper.seal)
	return fmt.Sprintf("/S %s", form)
}

// sealScale is how large the seal is: true to size, unless a page is too small for it. Parts of one seal must be
// of one size.
func (k *copying) sealScale() float64 {
	scale := 1.0
	for _, p := range k.pages {
		scale = min(scale, min(p.page().width, p.height)/(1.5*sealBox))
	}
	return scale
}

// maxStrips is how many pages share a seal that is cut: a strip is still 2 mm wide.
const maxStrips = 20

// strip tells which of how many parts of a seal stands on page i: all seals are cut into about as many.
func strip(i, pages int) (part, parts int) {
	seals := (pages + maxStrips - 1) / maxStrips
	n := i * seals / pages                    // which seal
	first := (n*pages + seals - 1) / seals    // its first page
	next := ((n+1)*pages + seals - 1) / seals // and that of the next
	return i - first, next - first
}

func (k *copying) drawSeal(c *canvas, page box, i int, scale float64) {
	if k.seal == nil {
		return
	}
	part, parts := 0, 1
	size := sealBox * scale
	const edge = 4
	x, y := page.width-size-edge, page.height-size-edge
	if k.Straddle && len(k.pages) > 1 {
		part, parts = strip(i, len(k.pages))
		x, y = page.width-size/float64(parts), (page.height-size)/2
	}
	c.artifact(func() {
		c.save()
		c.rect(x, y, size/float64(parts), size)
		c.op("W n")
		c.matrix(scale, 0, 0, scale, x-size*float64(part)/float64(parts), c.y(y+size))
		c.use("Do", "S")
		c.restore()
	})
}
