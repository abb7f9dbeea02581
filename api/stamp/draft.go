package stamp

import "math"

// draft draws the words that tell a draft from a certificate: outlines from corner to corner, under the text.
func (p *press) draft(c *canvas) {
	glyphs, total, err := measure(p.bold.face, p.sheet.Draft)
	if err != nil || total == 0 {
		if p.err == nil {
			p.err = err
		}
		return
	}
	const length, angle = 640.0, 52 * math.Pi / 180
	size := min(120, length/total)
	sin, cos := math.Sincos(angle)
	x, y := pageWidth/2-total*size*cos/2+size/3*sin, pageHeight/2+total*size*sin/2+size/3*cos
	c.fill(color{0.97, 0.85, 0.84})
	pen := 0.0
	for _, g := range glyphs {
		c.outline(p.bold.font.Outline(g.id), x+pen*cos, y-pen*sin, size, angle)
		pen += g.advance * size
	}
}
