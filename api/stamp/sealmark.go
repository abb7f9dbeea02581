package stamp

import (
	"math"

	"dangan/api/stamp/internal/truetype"
)

const (
	sealRadius = 60.0 // 42 mm across, as round office seals are
	sealBox    = 2*sealRadius + 4
)

// sealMark draws the office's round seal as outlines: ring, star, name along the arc, purpose line and
// number. It is a picture without a text layer; the signature panel says whose it is.
func sealMark(f *face, name, purpose, number string) ([]byte, error) {
	c := canvas{height: sealBox}
	const centre = sealBox / 2
	ink := color{0.83, 0.10, 0.12}
	c.use("gs", "G")
	c.stroke(ink)
	c.fill(ink)
	c.circle(centre, centre, sealRadius-1.5, 3)
	c.circle(centre, centre, sealRadius-5.2, 0.6)
	star(&c, centre, centre-1, 17)
	c.op("f")
	if err := arc(&c, f, name, arcText{edge: 54.3, size: 17.5, tracking: 9, widest: 250 * math.Pi / 180, top: true}); err != nil {
		return nil, err
	}
	if err := arc(&c, f, number, arcText{edge: 51.8, size: 5.2, tracking: 1.1, widest: 110 * math.Pi / 180}); err != nil {
		return nil, err
	}
	if err := straight(&c, f, purpose, centre, centre+33, 8.8, 76); err != nil {
		return nil, err
	}
	return c.buf.Bytes(), nil
}

// star adds a five-pointed star standing on two points.
func star(c *canvas, x, y, r float64) {
	inner := r * math.Sin(math.Pi/10) / math.Sin(7*math.Pi/10)
	for i := range 10 {
		radius := r
		if i%2 == 1 {
			radius = inner
		}
		sin, cos := math.Sincos(math.Pi/2 + float64(i)*math.Pi/5)
		operator := "l"
		if i == 0 {
			operator = "m"
		}
		c.op(operator, x+radius*cos, c.y(y)+radius*sin)
	}
	c.op("h")
}

// arcText is how text runs along a circle around the seal's centre.
type arcText struct {
	edge     float64 // radius of the circle that the text touches from inside
	size     float64 // of the glyphs at most
	tracking float64 // between glyphs at most
	widest   float64 // angle that may be filled
	top      bool    // feet inwards and clockwise over the top; else feet outwards along the bottom
}

func arc(c *canvas, f *face, text string, a arcText) error {
	glyphs, total, err := measure(f, text)
	if err != nil || len(glyphs) == 0 {
		return err
	}
	// Glyphs stand apart at half their height, where the eye measures. Smaller ones come closer to the edge,
	// which again gives them more room.
	gaps := float64(len(glyphs) - 1)
	size := min(a.size, a.widest*a.edge/(total+0.12*gaps+0.47*a.widest))
	eye := a.edge - 0.47*size
	radius, space := a.edge-0.85*size, a.widest*eye
	if !a.top {
		radius = a.edge
	}
	tracking := 0.0
	if len(glyphs) > 1 {
		tracking = min(a.tracking, (space-total*size)/gaps)
	}
	angle := (total*size + tracking*gaps) / eye / 2 // from the middle to the first edge
	const centre = sealBox / 2
	for _, g := range glyphs {
		width := g.advance * size
		turn := angle - width/eye/2 // of this glyph's middle, counterclockwise from the vertical
		direction := 1.0
		if !a.top {
			turn, direction = -turn, -1
		}
		sin, cos := math.Sincos(turn)
		footX, footY := -radius*sin*direction, radius*cos*direction
		c.outline(f.font.Outline(g.id), centre+footX-width/2*cos, centre-footY+width/2*sin, size, turn)
		angle -= (width + tracking) / eye
	}
	return nil
}

// straight centres text on x with its baseline at y, no wider than given.
func straight(c *canvas, f *face, text string, x, y, size, width float64) error {
	glyphs, total, err := measure(f, text)
	if err != nil || len(glyphs) == 0 {
		return err
	}
	size = min(size, width/total)
	tracking := min(1.2, (width-total*size)/float64(len(glyphs)))
	x -= (total*size + tracking*float64(len(glyphs)-1)) / 2
	for _, g := range glyphs {
		c.outline(f.font.Outline(g.id), x, y, size, 0)
		x += g.advance*size + tracking
	}
	return nil
}

// pictureGlyph is a glyph that is drawn as an outline.
type pictureGlyph struct {
	id      truetype.GlyphID
	advance float64 // in em
}

func measure(f *face, text string) (glyphs []pictureGlyph, total float64, err error) {
	for _, r := range text {
		g, advance, err := f.glyph(r)
		if err != nil {
			return nil, 0, err
		}
		glyphs = append(glyphs, pictureGlyph{g, float64(advance) / 1000})
		total += float64(advance) / 1000
	}
	return glyphs, total, nil
}
