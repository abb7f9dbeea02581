package dct

import (
	"image"
	"math"
)

// Shade is a mark that makes a picture darker, ready to be laid onto any picture of its size.
type Shade struct {
	across int // blocks
	blocks []*[64]float32
}

// NewShade takes how much of each pixel is marked, from 0 to 255, and by how many of 255 levels a pixel that is
// wholly marked becomes darker.
func NewShade(mark *image.Alpha, levels float32) *Shade {
	size := mark.Rect.Size()
	s := &Shade{across: (size.X + 7) / 8}
	s.blocks = make([]*[64]float32, s.across*((size.Y+7)/8))
	cosines := cosineTable()
	for i := range s.blocks {
		x, y := i%s.across*8, i/s.across*8
		var pixels [64]float32
		marked := false
		for row := range min(8, size.Y-y) {
			for column, a := range mark.Pix[(y+row)*mark.Stride+x:][:min(8, size.X-x)] {
				if a > 0 {
					pixels[8*row+column] = float32(a) / 255 * levels
					marked = true
				}
			}
		}
		if marked {
			s.blocks[i] = transform(&pixels, &cosines)
		}
	}
	return s
}

// at is the shade of a block; nil where nothing is marked.
func (s *Shade) at(x, y int) *[64]float32 {
	if i := y*s.across + x; x < s.across && i < len(s.blocks) {
		return s.blocks[i]
	}
	return nil // in the padding of the picture
}

// cosineTable holds the factors of one dimension: frequency, then place.
func cosineTable() (table [8][8]float32) {
	for u := range table {
		scale := 0.5
		if u == 0 {
			scale = math.Sqrt2 / 4
		}
		for x := range table[u] {
			table[u][x] = float32(scale * math.Cos(float64((2*x+1)*u)*math.Pi/16))
		}
	}
	return table
}

// transform is the forward DCT of a block (T.81, A.3.3), in zigzag order.
func transform(pixels *[64]float32, cosines *[8][8]float32) *[64]float32 {
	var rows [64]float32
	for y := range 8 {
		for u := range 8 {
			for x := range 8 {
				rows[8*y+u] += pixels[8*y+x] * cosines[u][x]
			}
		}
	}
	var out [64]float32
	u, v, step := 0, 0, -1 // step: where v goes
	for i := range out {
		for y := range 8 {
			out[i] += rows[8*y+u] * cosines[v][y]
		}
		switch {
		case step < 0 && u == 7:
			v, step = v+1, 1
		case step < 0 && v == 0:
			u, step = u+1, 1
		case step > 0 && v == 7:
			u, step = u+1, -1
		case step > 0 && u == 0:
			v, step = v+1, -1
		default:
			u, v = u-step, v+step
		}
	}
	return &out
}
