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
	v = math.Round(v*1000) / 1000
	if v == 0 {
		v = 0 // not -0
	}
	c.buf.Write(strconv.AppendFloat(c.buf.AvailableBuffer(), v, 'f', -1, 64))
}

func (c *canvas) save()                   { c.op("q") }
func (c *canvas) restore()                { c.op("Q") }
func (c *canvas) fill(k color)            { c.op("rg", k[0], k[1], k[2]) }
func (c *canvas) stroke(k color)          { c.op("RG", k[0], k[1], k[2]) }
func (c *canvas) lineWidth(w float64)     { c.op("w", w) }
func (c *canvas) use(kind, name string)   { fmt.Fprintf(&c.buf, "/%s %s\n", name, kind) }
func (c *canvas) rect(x, y, w, h float64) { c.op("re", x, c.y(y+h), w, h) }

func (c *canvas) line(x1, y1, x2, y2 float64) {
	c.op("m", x1, c.y(y1))
	c.op("l", x2, c.y(y2))
	c.op("S")
}

func (c *canvas) frame(x, y, w, h, width float64) {
	c.lineWidth(width)
	c.rect(x, y, w, h)
	c.op("S")
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

// outline adds a glyph as a path: its origin at (x, y), turned by angle (radians, counterclockwise).
// Marks that are pictures, not text, are drawn so: they must not mix into the page's text layer.
func (c *canvas) outline(path []truetype.Segment, x, y, size, angle float64) {
	sin, cos := math.Sincos(angle)
	at := func(p truetype.Point) (float64, float64) {
		px, py := p.X*size/1000, p.Y*size/1000
		return x + px*cos - py*sin, c.y(y) + px*sin + py*cos
	}
	var lastX, lastY float64
	for _, s := range path {
		endX, endY := at(s.End)
		switch {
		case s.Move:
			c.op("m", endX, endY)
		case s.Curved:
			qx, qy := at(s.Control)
			c.op("c", lastX+(qx-lastX)*2/3, lastY+(qy-lastY)*2/3, endX+(qx-endX)*2/3, endY+(qy-endY)*2/3, endX, endY)
		default:
			c.op("l", endX, endY)
		}
		lastX, lastY = endX, endY
	}
}

// glyphs shows a laid-out line with its baseline at y.
func (c *canvas) glyphs(x, y float64, line []atom) {
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
