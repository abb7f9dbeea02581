package demo

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// pen draws glyphs of one font. It is not safe for concurrent use.
type pen struct {
	font   *sfnt.Font
	faces  map[int]font.Face // by size in pixels
	buffer sfnt.Buffer
}

func newPen(ttf []byte) (*pen, error) {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	return &pen{font: f, faces: map[int]font.Face{}}, nil
}

func (p *pen) face(size int) (font.Face, error) {
	if f, ok := p.faces[size]; ok {
		return f, nil
	}
	f, err := opentype.NewFace(p.font, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("font face: %w", err)
	}
	p.faces[size] = f
	return f, nil
}

// glyph draws one character with its baseline at y, and returns how wide it is.
func (p *pen) glyph(dst draw.Image, ink image.Image, size int, x, y float64, r rune) (float64, error) {
	f, err := p.face(size)
	if err != nil {
		return 0, err
	}
	at := fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}
	box, mask, from, advance, ok := f.Glyph(at, r)
	if !ok {
		return 0, fmt.Errorf("no glyph for %U", r)
	}
	draw.DrawMask(dst, box, ink, image.Point{}, mask, from, draw.Over)
	return float64(advance) / 64, nil
}

func (p *pen) width(size int, text string) (float64, error) {
	f, err := p.face(size)
	if err != nil {
		return 0, err
	}
	return float64(font.MeasureString(f, text)) / 64, nil
}

// turned adds the outline of a character to a path: centred on x, y, and turned
// by an angle (clockwise, since y grows downwards).
func (p *pen) turned(path *vector.Rasterizer, r rune, size, x, y, angle float64) error {
	index, err := p.font.GlyphIndex(&p.buffer, r)
	if err != nil || index == 0 {
		return fmt.Errorf("no glyph for %U", r)
	}
	ppem := fixed.I(int(size))
	segments, err := p.font.LoadGlyph(&p.buffer, index, ppem, nil)
	if err != nil {
		return fmt.Errorf("outline: %w", err)
	}
	sin, cos := math.Sincos(angle)
	at := func(q fixed.Point26_6) (float32, float32) {
		gx, gy := float64(q.X)/64-size/2, float64(q.Y)/64+0.38*size
		return float32(x + gx*cos - gy*sin), float32(y + gx*sin + gy*cos)
	}
	for _, s := range segments {
		ax, ay := at(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			path.ClosePath()
			path.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			path.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			bx, by := at(s.Args[1])
			path.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			bx, by := at(s.Args[1])
			cx, cy := at(s.Args[2])
			path.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	path.ClosePath()
	return nil
}

// roundStamp is the round red stamp of an authority (公章): a ring, a star, and
// the name along the arc, as coverage.
func (p *pen) roundStamp(name string) (*image.Alpha, error) {
	const side, centre, ring = 250, 125.0, 116.0
	path := vector.NewRasterizer(side, side)
	circle(path, centre, centre, ring, false)
	circle(path, centre, centre, ring-5, true)
	star(path, centre, centre, 34)
	text := []rune(name)
	step := min(0.42, 4.4/float64(len(text)))
	for i, r := range text {
		angle := (float64(i) - float64(len(text)-1)/2) * step
		sin, cos := math.Sincos(angle)
		const middle = 92.0
		if err := p.turned(path, r, min(30, step*middle*1.05), centre+middle*sin, centre-middle*cos, angle); err != nil {
			return nil, err
		}
	}
	mask := image.NewAlpha(image.Rect(0, 0, side, side))
	path.Draw(mask, mask.Bounds(), image.NewUniform(color.Alpha{A: 0xC0}), image.Point{})
	return mask, nil
}

// circle adds a circle of four curves; a hole runs the other way round.
func circle(path *vector.Rasterizer, x, y, radius float64, hole bool) {
	const k = 0.5522847498
	turn := 1.0
	if hole {
		turn = -1
	}
	at := func(dx, dy float64) (float32, float32) {
		return float32(x + dx*radius), float32(y + turn*dy*radius)
	}
	startX, startY := at(1, 0)
	path.MoveTo(startX, startY)
	for _, c := range [4][6]float64{{1, k, k, 1, 0, 1}, {-k, 1, -1, k, -1, 0}, {-1, -k, -k, -1, 0, -1}, {k, -1, 1, -k, 1, 0}} {
		ax, ay := at(c[0], c[1])
		bx, by := at(c[2], c[3])
		cx, cy := at(c[4], c[5])
		path.CubeTo(ax, ay, bx, by, cx, cy)
	}
	path.ClosePath()
}

func star(path *vector.Rasterizer, x, y, radius float64) {
	for i := range 10 {
		r := radius
		if i%2 == 1 {
			r *= 0.382
		}
		sin, cos := math.Sincos(float64(i) * math.Pi / 5)
		px, py := float32(x+r*sin), float32(y-r*cos)
		if i == 0 {
			path.MoveTo(px, py)
		} else {
			path.LineTo(px, py)
		}
	}
	path.ClosePath()
}
