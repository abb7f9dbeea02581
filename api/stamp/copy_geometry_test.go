package stamp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	inks "image/color"
	"image/draw"
	"strings"
	"testing"
)

// geometries are pages of all kinds. What is outside of a crop is black, and must not be seen.
func geometries() []leaf {
	list := []leaf{
		{box: "0 0 595 842"},
		{box: "0 0 595 842", entries: "/Rotate 90"},
		{box: "0 0 595 842", entries: "/Rotate 180"},
		{box: "0 0 595 842", entries: "/Rotate -90"},
		{box: "-50 30 545 872", crop: "50 130 450 780"},
		{box: "0 0 842 595", crop: "100 50 800 500", entries: "/Rotate 90"},
		{box: "0 0 297 421", entries: "/UserUnit 2"},
		{box: "0 0 300 900"},
		{box: "0 0 842 1191", crop: "0 100 842 1191", entries: "/Rotate 270"},
	}
	for i := range list {
		list[i].content = drawing(list[i])
	}
	return list
}

// drawing is a frame along the visible edge, an F, and black all around.
func drawing(l leaf) string {
	var x0, y0, x1, y1 float64
	visible := l.crop
	if visible == "" {
		visible = l.box
	}
	if _, err := fmt.Sscan(visible, &x0, &y0, &x1, &y1); err != nil {
		return err.Error()
	}
	w, h := x1-x0, y1-y0
	return fmt.Sprintf("-9999 -9999 29999 29999 re f 1 g %g %g %g %g re f 0.6 G 6 w %g %g %g %g re S 0.75 g q 1 0 0 1 %g %g cm "+
		"0 0 20 100 re 0 80 60 20 re 0 45 45 20 re f Q", x0, y0, w, h, x0+20, y0+20, w-40, h-40, x0+w/2-30, y0+h/2-50)
}

func pictures(t *testing.T, pdf []byte, from, to int) image.Image {
	t.Helper()
	var list []image.Image
	for page := from; page <= to; page++ {
		list = append(list, render(t, pdf, page, 32))
	}
	return beside(list...)
}

// TestGeometry: the mark is upright below the page as it is seen, the seal at its right edge, the purpose on it and
// nothing outside of the crop shows.
func TestGeometry(t *testing.T) {
	s := newTestStamper(t)
	base := pdfOf(t, geometries()...)
	n := len(geometries())
	for name, c := range map[string]Copy{"copy-appended": whole(n), "copy-rebuilt": whole(n)} {
		c.Append = name == "copy-appended"
		pdf := makeCopy(t, s, c, source(base))
		if bytes.HasPrefix(pdf, base) != c.Append {
			t.Errorf("%s: appended %t", name, !c.Append)
		}
		golden(t, name, pictures(t, pdf, 2, n+1))
	}
}

// TestGeometryOfScans: scans are kept as they are stored, whichever way they are turned.
func TestGeometryOfScans(t *testing.T) {
	s := newTestStamper(t)
	img := image.NewRGBA(image.Rect(0, 0, 496, 702))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	for _, r := range []image.Rectangle{image.Rect(20, 20, 476, 40), image.Rect(20, 60, 160, 300), image.Rect(20, 640, 60, 680)} {
		draw.Draw(img, r, image.NewUniform(inks.Gray{170}), image.Point{}, draw.Src)
	}
	upright, lying := jpegOf(t, img), "q 0 595 -842 0 842 0 cm /I Do Q"
	base := pdfOf(t,
		leaf{box: "0 0 595 842", content: "q 595 0 0 842 0 0 cm /I Do Q", jpeg: upright},
		leaf{box: "0 0 595 842", content: "q 595 0 0 842 0 0 cm /I Do Q", jpeg: upright, entries: "/Rotate 90"},
		leaf{box: "10 20 605 862", content: "q -595 0 0 -842 605 862 cm /I Do Q", jpeg: upright, entries: "/Rotate 90"},
		leaf{box: "0 0 595 842", content: "q 595 0 0 842 0 0 cm q 1 0 0 1 0 0 cm /I Do Q Q", jpeg: upright, entries: "/Rotate 180"},
		leaf{box: "0 0 842 595", content: lying, jpeg: upright},
		leaf{box: "0 0 842 595", content: lying, jpeg: upright, entries: "/Rotate 90"})
	c := whole(6)
	c.Append, c.Straddle = false, false
	for i := range c.Pages {
		c.Pages[i].Masks = []Mask{{0.5, 0.1, 0.3, 0.05}}
	}
	var out bytes.Buffer
	if err := s.Copy(t.Context(), c, []Source{source(base)}, noRaster{}, &out); err != nil {
		t.Fatal(err)
	}
	golden(t, "copy-scans", pictures(t, out.Bytes(), 2, 7))
	if n := strings.Count(run(t, "pdfimages", "-list", write(t, "copy.pdf", out.Bytes())), " 496   702 "); n != 6 {
		t.Errorf("%d scans are as they were stored", n)
	}
}

var errDrawn = errors.New("a page was to be drawn")

// noRaster is for pages that need not be drawn.
type noRaster struct{}

func (noRaster) Render(context.Context, Source, int, int) (Picture, error) {
	return Picture{}, errDrawn
}
