package stamp

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"dangan/api/stamp/internal/truetype"
)

// A4 in points.
const (
	pageWidth  = 595.28
	pageHeight = 841.89
)

// color is red, green and blue from 0 to 1.
type color [3]float64

// canvas writes a content stream. Its callers measure in points from the top left corner of a box of the
// given height; PDF measures from the bottom.
type canvas struct {
	buf    bytes.Buffer
	height float64

	structure *structure // of the document, on pages only
	page      ref
	marked    bool // within a tag or an artifact
}

func (c *canvas) y(top float64) float64 { return c.height - top }

// op writes operands and an operator.
func (c *canvas) op(operator string, operands ...float64) {
	for _, v := range operands {
		c.number(v)
		c.buf.WriteByte(' ')
	}
	c.buf.WriteString(operator)
	c.buf.WriteByte('\n')
}

// number writes v with at most three decimals: a thousandth of a point is below any printer.
func (c *canvas) number(v float64) {
	n := int64(math.Round(v * 1000))
	if n < 0 {
		c.buf.WriteByte('-')
		n = -n
	}
	b := strconv.AppendInt(c.buf.AvailableBuffer(), n/1000, 10)
	if rest := n % 1000; rest > 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	c.buf.Write(b)
}

func (c *canvas) save()                   { c.op("q") }
func (c *canvas) restore()                { c.op("Q") }
func (c *canvas) fill(k color)            { c.op("rg", k[0], k[1], k[2]) }
func (c *canvas) stroke(k color)          { c.op("RG", k[0], k[1], k[2]) }
func (c *canvas) lineWidth(w float64)     { c.op("w", w) }
func (c *canvas) use(kind, name string)   { fmt.Fprintf(&c.buf, "/%s %s\n", name, kind) }
func (c *canvas) rect(x, y, w, h float64) { c.op("re", x, c.y(y+h), w, h) }

func (c *canvas) line(x1, y1, x2, y2 float64) {
	c.artifact(func() {
		c.op("m", x1, c.y(y1))
		c.op("l", x2, c.y(y2))
		c.op("S")
	})
}

func (c *canvas) frame(x, y, w, h, width float64) {
	c.artifact(func() {
		c.lineWidth(width)
		c.rect(x, y, w, h)
		c.op("S")
	})
}

// circle strokes a circle made of four cubic curves.
func (c *canvas) circle(x, y, r, width float64) {
	const k = 0.5522847498 // the usual handle length; off by 0.03 % of r at most
	y = c.y(y)
	c.lineWidth(width)
	c.op("m", x+r, y)
	c.op("c", x+r, y+k*r, x+k*r, y+r, x, y+r)
	c.op("c", x-k*r, y+r, x-r, y+k*r, x-r, y)
	c.op("c", x-r, y-k*r, x-k*r, y-r, x, y-r)
	c.op("c", x+k*r, y-r, x+r, y-k*r, x+r, y)
	c.op("s")
}

// outline fills a glyph drawn as a path: its origin at (x, y), turned by angle (radians, counterclockwise).
// Marks that are pictures, not text, are drawn so: they must not mix into the page's text layer. The path
// stays in whole thousandths of an em, which is exact for lines and short to write.
func (c *canvas) outline(path []truetype.Segment, x, y, size, angle float64) {
	if len(path) == 0 {
		return
	}
	sin, cos := math.Sincos(angle)
	c.save()
	c.matrix(size/1000*cos, size/1000*sin, -size/1000*sin, size/1000*cos, x, c.y(y))
	var last truetype.Point
	for _, s := range path {
		switch {
		case s.Move:
			c.op("m", math.Round(s.End.X), math.Round(s.End.Y))
		case s.Curved: // the same curve as a cubic one
			c.op("c", math.Round(last.X+(s.Control.X-last.X)*2/3), math.Round(last.Y+(s.Control.Y-last.Y)*2/3),
				math.Round(s.End.X+(s.Control.X-s.End.X)*2/3), math.Round(s.End.Y+(s.Control.Y-s.End.Y)*2/3),
				math.Round(s.End.X), math.Round(s.End.Y))
		default:
			c.op("l", math.Round(s.End.X), math.Round(s.End.Y))
		}
		last = s.End
	}
	c.op("f")
	c.restore()
}

// matrix changes the coordinates; its scale needs more digits than a place on the page does.
func (c *canvas) matrix(a, b, cc, d, e, f float64) {
	fmt.Fprintf(&c.buf, "%.6f %.6f %.6f %.6f %.3f %.3f cm\n", a, b, cc, d, e, f)
}

// glyphs shows a laid-out line with its baseline at y. A heading that is spread out carries its plain text
// along (ISO 32000-1, 14.9.4), or readers would take every gap for a space.
func (c *canvas) glyphs(x, y float64, line []atom) {
	if !spread(line) {
		c.show(x, y, line)
		return
	}
	plain := make([]rune, len(line))
	for i, a := range line {
		plain[i] = a.r
	}
	fmt.Fprintf(&c.buf, "/Span<</ActualText %s>>BDC\n", textString(string(plain)))
	c.show(x, y, line)
	c.op("EMC")
}

func spread(line []atom) bool {
	for i := range len(line) - 1 {
		gap := line[i].width - line[i].natural
		if gap >= line[i].size/10 && ideographic(line[i].r) && ideographic(line[i+1].r) {
			return true
		}
	}
	return false
}

func (c *canvas) show(x, y float64, line []atom) {
	c.op("BT")
	var font *usedFont
	var size, rise float64
	var ink color
	pen, open := x, false // where the reader's pen stands, and whether a TJ array is open
	closeArray := func() {
		if open {
			c.buf.WriteString(">]TJ\n")
			open = false
		}
	}
	for i, a := range line {
		if a.font != font || a.size != size || a.rise != rise || a.ink != ink || i == 0 {
			closeArray()
			font, size, rise, ink = a.font, a.size, a.rise, a.ink
			c.fill(ink)
			fmt.Fprintf(&c.buf, "/%s ", font.resource)
			c.op("Tf", size)
			c.op("Tm", 1, 0, 0, 1, x+a.shift, c.y(y)+rise)
			pen = x + a.shift
		}
		if !open {
			c.buf.WriteString("[<")
			open = true
		}
		if back := (pen - x - a.shift) * 1000 / size; math.Abs(back) > 0.5 {
			c.buf.WriteByte('>')
			c.number(back)
			c.buf.WriteByte('<')
			pen = x + a.shift
		}
		fmt.Fprintf(&c.buf, "%04X", a.cid)
		pen += a.natural
		x += a.width
	}
	closeArray()
	c.op("ET")
}
