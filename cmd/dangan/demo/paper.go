package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"

	"dangan/api/stamp"
)

// A page is A4 at about 100 dots per inch: readable, and quick to make.
const (
	pageWidth  = 840
	pageHeight = 1188
	papers     = 3
	quality    = 60
)

// Painter draws scans. It keeps what pages have in common, and is not safe for
// concurrent use.
type Painter struct {
	regular, bold *pen
	papers        [papers]*image.RGBA
	stamps        map[string]*image.Alpha
	typist        *stamp.Stamper
}

// NewPainter reads the fonts and makes the paper.
func NewPainter() (*Painter, error) {
	p := &Painter{stamps: map[string]*image.Alpha{}}
	var err error
	if p.regular, err = newPen(stamp.RegularTTF()); err != nil {
		return nil, err
	}
	if p.bold, err = newPen(stamp.BoldTTF()); err != nil {
		return nil, err
	}
	if p.typist, err = stamp.New(stamp.Config{SealName: "档案", SealPurpose: "样本", SealNumber: "0"}); err != nil {
		return nil, fmt.Errorf("typist: %w", err)
	}
	tints := [papers]color.RGBA{{242, 234, 214, 255}, {236, 232, 222, 255}, {246, 241, 230, 255}}
	for i, tint := range tints {
		p.papers[i] = paper(rand.New(rand.NewPCG(7, uint64(i))), tint)
	}
	return p, nil
}

// paper is an empty sheet: tinted, darker towards the edges, with fibres, stains
// and two punched holes.
func paper(r *rand.Rand, tint color.RGBA) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, pageWidth, pageHeight))
	for y := range pageHeight {
		for x := range pageWidth {
			edge := min(x, y, pageWidth-1-x, pageHeight-1-y)
			shade := r.IntN(7) + max(0, 30-edge)/2
			i := m.PixOffset(x, y)
			m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = darker(tint.R, shade), darker(tint.G, shade), darker(tint.B, shade+shade/3), 255
		}
	}
	for range 6 {
		stain(m, r.IntN(pageWidth), r.IntN(pageHeight), 8+r.IntN(60), 14)
	}
	for _, y := range []int{pageHeight/2 - 110, pageHeight/2 + 110} {
		stain(m, 24, y, 11, 600)
	}
	return m
}

func darker(v uint8, by int) uint8 { return uint8(max(0, int(v)-by)) }

// stain darkens a round spot, most in its middle.
func stain(m *image.RGBA, cx, cy, radius, by int) {
	for y := cy - radius; y <= cy+radius; y++ {
		for x := cx - radius; x <= cx+radius; x++ {
			off := (x-cx)*(x-cx) + (y-cy)*(y-cy)
			if off > radius*radius || !(image.Point{X: x, Y: y}).In(m.Rect) {
				continue
			}
			i, dark := m.PixOffset(x, y), by*(radius*radius-off)/(radius*radius)
			for k := range 3 {
				m.Pix[i+k] = darker(m.Pix[i+k], min(dark, 190))
			}
		}
	}
}

// sheet is one page while it is drawn. It lies a little askew on the scanner:
// everything is moved down by slope for each pixel to the right.
type sheet struct {
	*Painter
	rand  *rand.Rand
	image *image.RGBA
	slope float64
	err   error // the first one; drawing goes on without effect
}

func (p *Painter) sheet(r *rand.Rand) *sheet {
	blank := pick(r, p.papers[:])
	m := &image.RGBA{Pix: bytes.Clone(blank.Pix), Stride: blank.Stride, Rect: blank.Rect}
	return &sheet{Painter: p, rand: r, image: m, slope: (r.Float64() - 0.5) * 0.016}
}

func red() image.Image   { return image.NewUniform(color.RGBA{176, 28, 24, 255}) }
func black() image.Image { return image.NewUniform(color.RGBA{42, 40, 38, 255}) }
func blue() image.Image  { return image.NewUniform(color.RGBA{28, 42, 96, 255}) }

// print sets type: even, along a line.
func (s *sheet) print(with *pen, ink image.Image, size int, x, y float64, text string) {
	for _, r := range text {
		if s.err != nil {
			return
		}
		var wide float64
		wide, s.err = with.glyph(s.image, ink, size, x, y+x*s.slope, r)
		x += wide
	}
}

// write is handwriting, as near as a printed font comes to it: no two
// characters at the same height or distance. It turns to a new line at right.
func (s *sheet) write(ink image.Image, size int, x, y, right float64, text string) (endY float64) {
	start := x
	for _, r := range text {
		if s.err != nil {
			return y
		}
		if x+float64(size) > right {
			x, y = start, y+1.5*float64(size)
		}
		jump := (s.rand.Float64() - 0.5) * float64(size) / 7
		var wide float64
		wide, s.err = s.regular.glyph(s.image, ink, size+s.rand.IntN(3)-1, x, y+x*s.slope+jump, r)
		x += wide + (s.rand.Float64()-0.4)*float64(size)/10
	}
	return y
}

// middle prints a line in the middle of the page.
func (s *sheet) middle(with *pen, ink image.Image, size int, y float64, text string) {
	wide, err := with.width(size, text)
	if err != nil && s.err == nil {
		s.err = err
	}
	s.print(with, ink, size, (pageWidth-wide)/2, y, text)
}

// horizontal and vertical rule lines.
func (s *sheet) horizontal(ink color.RGBA, x0, x1, y int) {
	for x := x0; x <= x1; x++ {
		s.image.SetRGBA(x, y+int(float64(x)*s.slope), ink)
		s.image.SetRGBA(x, y+1+int(float64(x)*s.slope), ink)
	}
}

func (s *sheet) vertical(ink color.RGBA, x, y0, y1 int) {
	down := int(float64(x) * s.slope)
	for y := y0 + down; y <= y1+down; y++ {
		s.image.SetRGBA(x, y, ink)
		s.image.SetRGBA(x+1, y, ink)
	}
}

// seal presses the round stamp of an authority onto the page.
func (s *sheet) seal(name string, x, y int) {
	mask, ok := s.stamps[name]
	if !ok {
		if mask, s.err = s.bold.roundStamp(name); s.err != nil {
			return
		}
		s.stamps[name] = mask
	}
	draw.DrawMask(s.image, mask.Rect.Add(image.Pt(x, y)), image.NewUniform(color.RGBA{196, 30, 32, 255}), image.Point{}, mask, image.Point{}, draw.Over)
}

func (s *sheet) jpeg() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, s.image, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	return b.Bytes(), nil
}
