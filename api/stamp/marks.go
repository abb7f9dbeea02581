package stamp

import (
	"fmt"
	"math"
	"sync"

	"rsc.io/qr"

	"dangan/api/stamp/internal/truetype"
)

// watermark is one purpose mark, drawn once and repeated.
type watermark struct {
	object        ref
	words         string
	face          *face
	glyphs        []pictureGlyph
	size          float64
	width, height float64
}

const (
	watermarkSize  = 13.5 // at most
	watermarkAngle = 28 * math.Pi / 180
)

// newWatermark sets the words as outlines: a picture that must not mix into the text of the page.
func newWatermark(f *face, words string) (*watermark, error) {
	glyphs, total, err := measure(f, words)
	if err != nil {
		return nil, err
	}
	size := min(watermarkSize, 480/total) // a long purpose still fits the page
	sin, cos := math.Sincos(watermarkAngle)
	return &watermark{words: words, face: f, glyphs: glyphs, size: size, width: total*size*cos + 1.4*size, height: total*size*sin + 1.3*size}, nil
}

// outlines calls draw with each glyph and its origin, from the top left corner of the mark.
func (w *watermark) outlines(draw func(path []truetype.Segment, x, y float64)) {
	sin, cos := math.Sincos(watermarkAngle)
	pen := 0.0
	for _, g := range w.glyphs {
		draw(w.face.font.Outline(g.id), 0.6*w.size+pen*cos, w.height-0.3*w.size-pen*sin)
		pen += g.advance * w.size
	}
}

// write puts the mark into the file as a form, which takes its ink from where it is shown.
func (w *watermark) write(d *document) {
	packed := w.face.marks.of(w.words, func() []byte {
		c := canvas{height: w.height}
		w.outlines(func(path []truetype.Segment, x, y float64) { c.outline(path, x, y, w.size, watermarkAngle) })
		return deflate(d.zip, c.buf.Bytes())
	})
	w.object = d.reserve()
	d.putPacked(w.object, fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]/Resources<<>>", w.width, w.height), packed)
}

// drawnMarks keeps purpose marks as they were drawn: an office has few purposes, and a mark costs a fifth of its
// certificate.
type drawnMarks struct {
	mu     sync.Mutex
	packed map[string][]byte // by the words
}

// mostMarks bounds what is kept, at a few kilobytes each.
const mostMarks = 256

func (m *drawnMarks) of(words string, draw func() []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	packed, ok := m.packed[words]
	if !ok {
		if len(m.packed) == mostMarks {
			clear(m.packed)
		}
		packed = draw()
		m.packed[words] = packed
	}
	return packed
}

// prepareMarks draws the purpose mark. The words themselves belong into a row of the table.
func (p *press) prepareMarks() (err error) {
	if p.sheet.PurposeMark == "" {
		return nil
	}
	if p.watermark, err = newWatermark(p.regular.face, p.sheet.PurposeMark); err != nil {
		return err
	}
	p.watermark.write(p.doc)
	return nil
}

// draw tiles the mark over the inside of the frame.
func (w *watermark) draw(c *canvas) {
	c.fill(faint())
	w.tile(pageWidth, pageHeight, frameInner+10, func(x, y float64) {
		c.save()
		c.matrix(1, 0, 0, 1, x, c.y(y+w.height))
		c.use("Do", "W")
		c.restore()
	})
}

// tile calls place with the top left corner of each mark on a page: whole marks only, evenly spread, every second
// row standing in the gaps of the first.
func (w *watermark) tile(width, height, inset float64, place func(x, y float64)) {
	spread := func(space, size, gap float64) (count int, step float64) {
		count = max(1, int((space+gap)/(size+gap)))
		return count, (space - size) / float64(max(1, count-1))
	}
	columns, stepX := spread(width-2*inset, w.width, 14)
	rows, stepY := spread(height-2*inset, w.height, 22)
	for row := range rows {
		x, n := inset, columns
		if row%2 == 1 && columns > 1 {
			x, n = inset+stepX/2, columns-1
		}
		for i := range n {
			place(x+float64(i)*stepX, inset+float64(row)*stepY)
		}
	}
}

// drawQR draws the code as rectangles on a white ground with its quiet zone of four modules.
func drawQR(c *canvas, text string, x, y, size float64) error {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return fmt.Errorf("encode QR: %w", err)
	}
	module := size / float64(code.Size)
	c.fill(color{1, 1, 1})
	c.rect(x-4*module, y-4*module, size+8*module, size+8*module)
	c.op("f")
	c.fill(black())
	c.save()
	c.matrix(module, 0, 0, module, x, c.y(y))
	for row := range code.Size {
		for col := 0; col < code.Size; col++ {
			run := 0
			for col+run < code.Size && code.Black(col+run, row) {
				run++
			}
			if run > 0 { // a hair of overlap closes the seams that some printers leave
				c.op("re", float64(col), float64(-row-1), float64(run), 1.01)
				col += run
			}
		}
	}
	c.op("f")
	c.restore()
	return nil
}

// maxNoteLines is what stands between the table and the footer.
const maxNoteLines = 10

// closing draws the foot of the last page: QR code, check code and notes, name and date, and the seal.
func (p *press) closing(page *canvasPage, seal func(*canvasPage)) error {
	c, s := &page.canvas, p.sheet
	textLeft := left + 4
	if s.QRText != "" {
		var err error
		c.tag("Figure", alt(s.Labels.Scan), func() { err = drawQR(c, s.QRText, left+4, qrTop, qrSize) })
		if err != nil {
			return err
		}
		textLeft += qrSize + 9
	}
	small := style{font: p.regular, size: 9, ink: grey()}
	var lines []textLine
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, p.wrapped(small, label+text, sealX-66-textLeft)...)
		}
	}
	if s.QRText != "" {
		add("", s.Labels.Scan)
	}
	add(s.Labels.CheckCode, s.CheckCode)
	add(s.Labels.VerifyURL, s.VerifyURL)
	for _, note := range s.Notes {
		add("", note)
	}
	const lead = 15.2
	if len(lines) > maxNoteLines {
		return fmt.Errorf("%w: more than %d lines beside the QR code", ErrTooLong, maxNoteLines)
	}
	y := qrTop + qrSize/2 - float64(len(lines)-1)*lead/2 + 3
	c.tag("P", "", func() { show(c, lines, textLeft, y, 0, lead, toLeft) })

	const half = right - sealX // what fits under the seal without leaving the column
	name := p.heading(style{font: p.regular, size: 14.5, ink: black(), tracking: 1}, s.SignedBy, 2*half)
	date := p.heading(style{font: p.regular, size: 14.5, ink: black(), tracking: 0.6}, s.Date, 2*half)
	if len(name) > 3 || len(date) > 1 {
		return fmt.Errorf("%w: name or date under the seal", ErrTooLong)
	}
	c.tag("P", "", func() { show(c, name, sealX-half, nameLine-float64(len(name)-1)*18, 2*half, 18, centered) })
	c.tag("P", "", func() { show(c, date, sealX-half, dateLine, 2*half, 18, centered) })
	if seal != nil {
		seal(page)
	}
	return nil
}
