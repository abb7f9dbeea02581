package reader

import (
	"image"
	"image/color"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Each pixel is the mean of what lies under it, however the picture comes.
func TestShrinkerTakesTheMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 150)
		width, height := size.Draw(t, "width"), size.Draw(t, "height")
		picture := image.NewGray(image.Rect(0, 0, width, height))
		seed := rapid.Uint8().Draw(t, "seed")
		for i := range picture.Pix {
			picture.Pix[i] = uint8(i*i) * seed
		}
		wide, high := rapid.IntRange(1, width).Draw(t, "wide"), rapid.IntRange(1, 2*height).Draw(t, "high")
		s := newShrinker(image.NewRGBA(image.Rect(0, 0, wide, high)), width, height)
		rows, piece := size.Draw(t, "rows"), size.Draw(t, "piece")
		for y := 0; y < height; y += rows {
			var pieces []image.Image
			for x := 0; x < width; x += piece {
				pieces = append(pieces, picture.SubImage(image.Rect(x, y, x+piece, y+rows)))
			}
			s.add(rows, pieces...)
		}
		x, y := rapid.IntRange(0, wide-1).Draw(t, "x"), rapid.IntRange(0, high-1).Draw(t, "y")
		want := mean(picture, float64(x)*float64(width)/float64(wide), float64(x+1)*float64(width)/float64(wide),
			float64(y)*float64(height)/float64(high), float64(y+1)*float64(height)/float64(high))
		got := s.out.RGBAAt(x, y)
		if math.Abs(float64(got.R)-want) > 0.51 || got != (color.RGBA{got.R, got.R, got.R, 255}) {
			t.Fatalf("%v at %d, %d, want %.2f", got, x, y, want)
		}
	})
}

// mean is that of a part of a picture, whose edges may lie within pixels.
func mean(picture *image.Gray, left, right, top, bottom float64) float64 {
	sum, all := 0.0, 0.0
	for y := int(top); float64(y) < bottom && y < picture.Rect.Max.Y; y++ {
		for x := int(left); float64(x) < right && x < picture.Rect.Max.X; x++ {
			weight := (min(right, float64(x+1)) - max(left, float64(x))) * (min(bottom, float64(y+1)) - max(top, float64(y)))
			sum, all = sum+weight*float64(picture.GrayAt(x, y).Y), all+weight
		}
	}
	return sum / all
}
