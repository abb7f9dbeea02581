package reader_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/api/reader"
)

// quarters is a page of 400 by 200 points with a red quarter at the top left, a
// green one beside it, and a border of black around it that nobody is shown.
func quarters(entries string) []byte {
	return pdf(catalog, pages,
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 400]/CropBox[100 100 500 300]/Contents 4 0 R"+entries+">>",
		stream("", "0 g 0 0 600 400 re f 1 g 100 100 400 200 re f 1 0 0 rg 100 200 200 100 re f 0 1 0 rg 300 200 200 100 re f"),
		"<</Type/Annot/Subtype/Stamp/F 4/Rect[120 120 180 180]/AP<</N 6 0 R>>>>",
		stream("/Type/XObject/Subtype/Form/BBox[0 0 60 60]", "0 0 1 rg 0 0 60 60 re f"))
}

func TestRenderIsWhatIsSeen(t *testing.T) {
	const paper, red, green, blue = 0xFFFFFF, 0xFF0000, 0x00FF00, 0x0000FF
	fax := faxPage(1)
	fax[257], fax[283] = 8, 1 // half as many rows to the inch
	for name, test := range map[string]struct {
		file []byte
		dpi  int
		size image.Point
		want [4]int // in the middle of the quarters, row by row
	}{
		"upright":     {quarters(""), 72, image.Pt(400, 200), [4]int{red, green, paper, paper}},
		"turned":      {quarters("/Rotate 90"), 72, image.Pt(200, 400), [4]int{paper, red, paper, green}},
		"upside down": {quarters("/Rotate 180"), 144, image.Pt(800, 400), [4]int{paper, paper, green, red}},
		"stamped":     {quarters("/Annots[5 0 R]"), 36, image.Pt(200, 100), [4]int{red, green, paper, paper}},
		"jpeg":        {withExif(jpegFile(t, 300, 200), 1), 150, image.Pt(150, 100), [4]int{-1, -1, -1, -1}},
		"not larger":  {withExif(jpegFile(t, 300, 200), 8), 600, image.Pt(200, 300), [4]int{-1, -1, -1, -1}},
		"fax":         {tiffFile(fax), 200, image.Pt(16, 16), [4]int{0, paper, 0, paper}},
	} {
		t.Run(name, func(t *testing.T) {
			drawn, err := newReader(t, reader.Config{}).Render(t.Context(), bytes.NewReader(test.file), int64(len(test.file)), 1, test.dpi)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.size, drawn.Rect.Size()); diff != "" || !drawn.Opaque() {
				t.Error("opaque:", drawn.Opaque(), diff)
			}
			for i, want := range test.want {
				at := color.RGBA{uint8(want >> 16), uint8(want >> 8), uint8(want), 0xFF}
				if got := drawn.RGBAAt(test.size.X*(1+i%2*2)/4, test.size.Y*(1+i/2*2)/4); want >= 0 && got != at {
					t.Errorf("quarter %d is %v, want %v", i, got, at)
				}
			}
			if got := drawn.RGBAAt(25, 75); name == "stamped" && got != (color.RGBA{0, 0, 0xFF, 0xFF}) {
				t.Errorf("the stamp is %v, want %06x", got, blue)
			}
		})
	}
}

func TestRenderIsBounded(t *testing.T) {
	p := newPool(t, reader.PoolConfig{})
	file := bytes.Replace(textPDF("wall"), []byte("[0 0 595 842]"), []byte("[0 0 5000 50]"), 1)
	drawn, err := p.Render(t.Context(), bytes.NewReader(file), int64(len(file)), 1, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	if size := drawn.Rect.Size(); size.X*size.Y > 18_010_000 || size.X < 40_000 {
		t.Errorf("drawn with %v pixels", size)
	}
	if _, err := p.Render(t.Context(), bytes.NewReader(file), int64(len(file)), 2, 300); !errors.Is(err, reader.ErrNoPage) {
		t.Errorf("second page: %v, want ErrNoPage", err)
	}
}

func TestPagesOfOneReading(t *testing.T) {
	file := scanPDF(jpegFile(t, 400, 566), 400, 566)
	r := newReader(t, reader.Config{})
	pages, err := r.Page(t.Context(), bytes.NewReader(file), int64(len(file)), 1, 50, 300)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []image.Point{{50, 71}, {300, 425}} {
		picture, _, err := image.Decode(bytes.NewReader(pages[i]))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, picture.Bounds().Size()); diff != "" {
			t.Error(diff)
		}
		if left, right := shade(picture, 1, 4), shade(picture, 3, 4); left > 60 || right < 200 {
			t.Errorf("shades are %d and %d, want dark and light", left, right)
		}
	}
}

// A form is shown as it is filled in.
func TestFieldsAreSeen(t *testing.T) {
	file := pdf("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>", pages,
		strings.Replace(page, "/Contents", "/Annots[6 0 R]/Contents", 1), stream("", ""), latin,
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(filled)/DA(/F 12 Tf 0 g)/F 4/P 3 0 R/Rect[0 0 595 842]/AP<</N 7 0 R>>>>",
		stream("/Type/XObject/Subtype/Form/BBox[0 0 595 842]", "0 g 0 0 300 842 re f"))
	if got := shade(pageOf(t, newReader(t, reader.Config{}), file, 1, 100), 1, 4); got > 60 {
		t.Errorf("the field is drawn as %d, want dark", got)
	}
}

// The image of a page is smaller where there are no colours, and has them where
// there are.
func TestColoursOfAPage(t *testing.T) {
	r := newReader(t, reader.Config{})
	if page := pageOf(t, r, textPDF("black"), 1, 100); page.ColorModel() != color.GrayModel {
		t.Errorf("a page of black text is a %T", page)
	}
	if red, green, _, _ := pageOf(t, r, quarters(""), 1, 400).At(100, 50).RGBA(); red != 0xFFFF || green != 0 {
		t.Errorf("red is %x, %x", red, green)
	}
}
