package stamp

import (
	"bytes"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

var rewrite = flag.Bool("update", false, "rewrite the golden pictures")

// golden compares a picture with the one that was looked at, testdata/NAME.png: on the whole and in each of its
// parts, since no two programs draw an edge alike.
func golden(t *testing.T, name string, got image.Image) {
	t.Helper()
	path := filepath.Join("testdata", name+".png")
	if *rewrite {
		var out bytes.Buffer
		if err := png.Encode(&out, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != got.Bounds() {
		t.Fatalf("%s: %v, want %v", name, got.Bounds(), want.Bounds())
	}
	const tile = 24
	for y := 0; y < want.Bounds().Dy(); y += tile {
		for x := 0; x < want.Bounds().Dx(); x += tile {
			if off := difference(got, want, image.Rect(x, y, x+tile, y+tile).Intersect(want.Bounds())); off > 10 {
				t.Errorf("%s: the part at %d, %d is off by %.1f of 255", name, x, y, off)
			}
		}
	}
}

// difference is the mean difference of pixels in a part of two pictures.
func difference(a, b image.Image, part image.Rectangle) float64 {
	sum := 0.0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, pair := range [][2]uint32{{r, r2}, {g, g2}, {bl, b2}} {
				sum += float64(max(pair[0], pair[1])-min(pair[0], pair[1])) / 257
			}
		}
	}
	return sum / float64(3*part.Dx()*part.Dy())
}

// beside puts pictures into one, on grey.
func beside(pictures ...image.Image) image.Image {
	const gap = 6
	size := image.Pt(gap, 0)
	for _, p := range pictures {
		size = image.Pt(size.X+p.Bounds().Dx()+gap, max(size.Y, p.Bounds().Dy()+2*gap))
	}
	out := image.NewGray(image.Rectangle{Max: size})
	draw.Draw(out, out.Rect, image.NewUniform(image.Black.At(0, 0)), image.Point{}, draw.Src)
	at := image.Pt(gap, gap)
	for _, p := range pictures {
		draw.Draw(out, p.Bounds().Add(at), p, image.Point{}, draw.Src)
		at.X += p.Bounds().Dx() + gap
	}
	return out
}
