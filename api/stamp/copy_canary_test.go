package stamp

import (
	"bytes"
	"image"
	inks "image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
)

// TestWhatIsNotReleasedIsNotThere plants canaries on a page that is left out, under masks, and in all corners of the
// sources, and looks for them in the copy with every stream inflated, in its text, and in its pixels.
func TestWhatIsNotReleasedIsNotThere(t *testing.T) {
	s := newTestStamper(t)
	mask := Mask{0.05, 0.35, 0.9, 0.12}
	commented := append([]byte{0xFF, 0xD8, 0xFF, 0xFE, 0, 8}, "canary"...)
	scanned := append(commented, jpegOf(t, secretScan())[2:]...)
	pdf := pdfWith(t, "/Names<</EmbeddedFiles<</Names[(canary)<<>>]>>>>", func(d *document) { d.addStream("", []byte("canary")) },
		leaf{box: "0 0 595 842", content: words("canary one")},
		leaf{box: "0 0 595 842", content: words("canary two") + " BT /F 20 Tf 60 100 Td (is shown) Tj ET", entries: "/PieceInfo<</X<</Private(canary)>>>>"},
		leaf{box: "0 0 595 842", content: "q 595 0 0 842 0 0 cm /I Do Q", jpeg: scanned},
		leaf{box: "-400 0 595 842", crop: "0 0 595 842", content: "q 995 0 0 842 -400 0 cm /I Do Q", jpeg: jpegOf(t, paper(497, 421, 9))})
	c := Copy{Cover: coverSample(), Mark: copyMarkSample(), Append: true,
		Pages: []CopyPage{{Page: 2, Masks: []Mask{mask}}, {Page: 3, Masks: []Mask{mask}}, {Source: 1, Page: 1, Masks: []Mask{mask}}, {Page: 4}}}
	out := makeCopy(t, s, c, source(pdf), source(scanned))
	checkCopy(t, s, out)
	path, inflated := write(t, "copy.pdf", out), filepath.Join(t.TempDir(), "inflated.pdf")
	run(t, "qpdf", "--qdf", "--object-streams=disable", "--decode-level=generalized", path, inflated)
	plain, err := os.ReadFile(inflated)
	if err != nil {
		t.Fatal(err)
	}
	for what, data := range map[string][]byte{"the file": out, "inflated": plain, "its text": []byte(run(t, "pdftotext", path, "-"))} {
		if bytes.Contains(bytes.ToLower(data), []byte("canary")) {
			t.Errorf("there is a canary in %s", what)
		}
	}
	checkPixels(t, path, mask)
}

// checkPixels looks at the pictures as they are stored.
func checkPixels(t *testing.T, path string, mask Mask) {
	t.Helper()
	dir := t.TempDir()
	run(t, "pdfimages", "-j", path, filepath.Join(dir, "p"))
	files, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%d pictures, %v", len(files), err)
	}
	for i, name := range files[:3] {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		w, h := float64(img.Bounds().Dx()), float64(img.Bounds().Dy())
		black := image.Rect(int(mask.X*w), int(mask.Y*h), int((mask.X+mask.W)*w)+1, int((mask.Y+mask.H)*h)+1)
		if off := difference(img, image.Black, black); off > 0.5 {
			t.Errorf("picture %d is not black under its mask: %.1f", i, off)
		}
	}
}

// secretScan has something under the mask that is nowhere else.
func secretScan() *image.RGBA {
	img := paper(496, 702, 5)
	draw.Draw(img, image.Rect(100, 250, 300, 320), image.NewUniform(inks.RGBA{200, 30, 90, 255}), image.Point{}, draw.Src)
	return img
}

// TestCopyDoesNotDependOnWhatIsHidden: two sources that differ only in what is not released give the same pictures.
func TestCopyDoesNotDependOnWhatIsHidden(t *testing.T) {
	s := newTestStamper(t)
	var drawn [2][]byte
	for i, scan := range []*image.RGBA{secretScan(), paper(496, 702, 5)} {
		base := pdfOf(t, leaf{box: "0 0 595 842", content: "q 595 0 0 842 0 0 cm /I Do Q", jpeg: jpegOf(t, scan)},
			leaf{box: "0 0 595 842", content: words([]string{"one", "two"}[i])})
		c := whole(1)
		c.Mark.PurposeMark = "" // its strength is a matter of chance
		c.Pages[0].Masks = []Mask{{0.2, 0.35, 0.42, 0.12}}
		var out bytes.Buffer
		if err := s.DrawCopy(t.Context(), c, []Source{source(base)}, noRaster{}, &out); err != nil {
			t.Fatal(err)
		}
		drawn[i] = out.Bytes()
	}
	if !bytes.Equal(drawn[0], drawn[1]) {
		t.Error("the copy says something about what it hides")
	}
}
