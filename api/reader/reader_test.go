package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdfcpu/pdfcpu/pkg/api"

	"dangan/api/reader"
	"dangan/archive"
)

// cacheDir is shared by all tests, so that pdfium is compiled once.
var cacheDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if len(os.Args) > 1 && os.Args[1] == childArg {
			return runChild(os.Args[2:])
		}
		api.DisableConfigDir()
		var err error
		if cacheDir, err = os.MkdirTemp("", "reader"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(cacheDir)
		return m.Run()
	}())
}

func newReader(tb testing.TB, config reader.Config) *reader.Reader {
	tb.Helper()
	config.CacheDir = cacheDir
	r, err := reader.New(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// looker is a Reader or a Pool of them.
type looker interface {
	Read(ctx context.Context, src io.ReaderAt, size int64) (archive.Reading, error)
}

func read(tb testing.TB, r looker, file []byte) archive.Reading {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	reading, err := r.Read(ctx, bytes.NewReader(file), int64(len(file)))
	if err != nil {
		tb.Fatal(err)
	}
	return reading
}

func TestReadGood(t *testing.T) {
	r := newReader(t, reader.Config{})
	seen := func(mediaType string, size archive.PageSize, text ...string) archive.Reading {
		return archive.Reading{MediaType: mediaType, Pages: len(text), Text: text, Sizes: slices.Repeat([]archive.PageSize{size}, len(text))}
	}
	a4, photo := archive.PageSize{Width: 595, Height: 842}, archive.PageSize{Width: 300, Height: 200}
	for name, test := range map[string]struct {
		file []byte
		want archive.Reading
	}{
		"text":           {textPDF("Marriage register 1987"), seen("application/pdf", a4, "Marriage register 1987")},
		"rare names":     {chinesePDF("张㛃𬱖结婚登记"), seen("application/pdf", a4, "张㛃𬱖结婚登记")},
		"rare only":      {chinesePDF("𬱖𬱖𬱖𬱖𬱖𬱖"), seen("application/pdf", a4, "𬱖𬱖𬱖𬱖𬱖𬱖")},
		"three pages":    {manyPages(3), seen("application/pdf", a4, "page 1", "page 2", "page 3")},
		"scan":           {scanPDF(jpegFile(t, 400, 566), 400, 566), seen("application/pdf", a4, "")},
		"blanks first":   {append([]byte("\n \n"), textPDF("late")...), seen("application/pdf", a4, "late")},
		"line of spaces": {textPDF("  "), seen("application/pdf", a4, "")},
		"turned": {pdf(catalog, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 842 1190]/CropBox[10 20 610 420]/Rotate 270>>"),
			seen("application/pdf", archive.PageSize{Width: 600, Height: 400, Rotate: 270}, "")},
		"jpeg":            {jpegFile(t, 300, 200), seen("image/jpeg", photo, "")},
		"jpeg on a side":  {withExif(jpegFile(t, 300, 200), 6), seen("image/jpeg", archive.PageSize{Width: 300. * 72 / 300, Height: 200. * 72 / 300, Rotate: 90}, "")},
		"png":             {pngFile(t, 300, 200), seen("image/png", photo, "")},
		"png of 200 dpi":  {withDensity(pngFile(t, 300, 200), 7874), seen("image/png", archive.PageSize{Width: 300 * 72 / (0.0254 * 7874), Height: 200 * 72 / (0.0254 * 7874)}, "")},
		"fax":             {tiffFile(faxPage(1)), seen("image/tiff", archive.PageSize{Width: 16. * 72 / 200, Height: 16. * 72 / 200}, "")},
		"fax of 3 pages":  {tiffFile(faxPage(1), faxPage(1), faxPage(1)), seen("image/tiff", archive.PageSize{Width: 16. * 72 / 200, Height: 16. * 72 / 200}, "", "", "")},
		"fax upside down": {tiffFile(faxPage(3)), seen("image/tiff", archive.PageSize{Width: 16. * 72 / 200, Height: 16. * 72 / 200, Rotate: 180}, "")},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, read(t, r, test.file)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Files with a note are kept and, where that can be done, shown.
func TestReadNoted(t *testing.T) {
	r := newReader(t, reader.Config{})
	for name, test := range map[string]struct {
		file  []byte
		want  string
		kind  string
		pages int
	}{
		"ofd":            {zipFile(t, "Doc_0/Document.xml", "OFD.xml"), reader.CodeNoPreview, "application/ofd", 0},
		"tiff of a kind": {tiffFile(map[uint16]uint32{256: 16, 257: 16, 258: 1, 259: 7, 262: 0, 277: 1}), reader.CodeNoPreview, "image/tiff", 0},
		"big tiff":       {[]byte("II+\x00\x08\x00\x00\x00"), reader.CodeNoPreview, "image/tiff", 0},
		"form":           {pdf("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>", pages, page, stream("", ""), latin, "<</FT/Tx/T(name)/V(filled)/DA(/F 12 Tf 0 g)>>"), reader.CodeForm, "application/pdf", 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, r, test.file)
			if diff := cmp.Diff([]archive.Finding{{Code: test.want}}, got.Findings); diff != "" {
				t.Error(diff)
			}
			if got.MediaType != test.kind || got.Pages != test.pages {
				t.Errorf("%d pages of %s, want %d of %s", got.Pages, got.MediaType, test.pages, test.kind)
			}
		})
	}
}

func TestTypeIsTheContent(t *testing.T) {
	r := newReader(t, reader.Config{})
	for want, file := range map[string]string{
		"image/tiff":               "MM\x00*",
		"application/ofd":          "PK\x03\x04 OFD.xml",
		"application/zip":          "PK\x03\x04 readme",
		"application/postscript":   "%!PS-Adobe",
		"application/octet-stream": "hello",
		"application/x-empty":      "",
	} {
		if got := read(t, r, []byte(file)).MediaType; got != want {
			t.Errorf("media type of %q is %s, want %s", file, got, want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	file := textPDF("large")
	r := newReader(t, reader.Config{MaxBytes: int64(len(file)) - 1})
	want := archive.Reading{MediaType: "application/pdf", Findings: []archive.Finding{{Code: reader.CodeTooLarge}}}
	if diff := cmp.Diff(want, read(t, r, file)); diff != "" {
		t.Error(diff)
	}
	_, err := r.Page(t.Context(), bytes.NewReader(file), int64(len(file)), 1, 100)
	if !errors.Is(err, reader.ErrNoPage) {
		t.Errorf("page of a large file: %v, want ErrNoPage", err)
	}
}

func TestSigned(t *testing.T) {
	r := newReader(t, reader.Config{})
	file := pdf("<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[6 0 R]>>>>", pages,
		strings.Replace(page, "/Contents", "/Annots[6 0 R]/Contents", 1), stream("", "BT /F 24 Tf 72 700 Td (sealed) Tj ET"), latin,
		"<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/V 7 0 R/P 3 0 R/Rect[0 0 0 0]/F 132>>",
		"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<00>>>")
	want := archive.Reading{MediaType: "application/pdf", Pages: 1, Text: []string{"sealed"}, Findings: []archive.Finding{{Code: reader.CodeSigned}},
		Sizes: []archive.PageSize{{Width: 595, Height: 842}}, Signatures: []archive.Signature{{State: archive.SignatureBroken}}}
	if diff := cmp.Diff(want, read(t, r, file)); diff != "" {
		t.Error(diff)
	}
}

// pageOf is the image of a page at a width.
func pageOf(tb testing.TB, r *reader.Reader, file []byte, page, width int) image.Image {
	tb.Helper()
	out, err := r.Page(tb.Context(), bytes.NewReader(file), int64(len(file)), page, width)
	if err != nil {
		tb.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(out[0]))
	if err != nil {
		tb.Fatal(err)
	}
	return picture
}

func TestPage(t *testing.T) {
	r := newReader(t, reader.Config{})
	for name, test := range map[string]struct {
		file []byte
		want image.Point
	}{
		"scan":  {scanPDF(jpegFile(t, 400, 566), 400, 566), image.Pt(200, 283)},
		"jpeg":  {jpegFile(t, 400, 566), image.Pt(200, 283)},
		"png":   {pngFile(t, 400, 566), image.Pt(200, 283)},
		"small": {pngFile(t, 100, 50), image.Pt(100, 50)},
		"fax":   {tiffFile(faxPage(1)), image.Pt(16, 16)},
	} {
		t.Run(name, func(t *testing.T) {
			picture := pageOf(t, r, test.file, 1, 200)
			if diff := cmp.Diff(test.want, picture.Bounds().Size()); diff != "" {
				t.Error(diff)
			}
			left, right := shade(picture, 1, 4), shade(picture, 3, 4)
			if left > 60 || right < 200 {
				t.Errorf("shades are %d and %d, want dark and light", left, right)
			}
		})
	}
}

// shade returns the mean grey of a small square at the given part of the width.
func shade(picture image.Image, numerator, denominator int) uint32 {
	sum := uint32(0)
	size := picture.Bounds().Size()
	for y := range 8 {
		for x := range 8 {
			red, _, _, _ := picture.At(size.X*numerator/denominator+x-4, size.Y/2+y-4).RGBA()
			sum += red >> 8
		}
	}
	return sum / 64
}

func TestPageIsOnWhitePaper(t *testing.T) {
	r := newReader(t, reader.Config{})
	file := pdf(catalog, pages,
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Group<</S/Transparency/CS/DeviceRGB>>/Contents 4 0 R/Resources<</ExtGState<</G<</ca 0.5>>>>>>>>",
		stream("", "/G gs 0 g 0 0 300 800 re f"))
	picture := pageOf(t, r, file, 1, 300)
	if left, right := shade(picture, 1, 4), shade(picture, 3, 4); left < 125 || left > 130 || right != 255 {
		t.Errorf("shades are %d and %d, want 127 and 255", left, right)
	}
}

func TestNoPage(t *testing.T) {
	r := newReader(t, reader.Config{})
	for name, test := range map[string]struct {
		file []byte
		page int
	}{
		"before the first": {textPDF("one"), 0},
		"after the last":   {textPDF("one"), 2},
		"second of a jpeg": {jpegFile(t, 100, 100), 2},
		"not a document":   {[]byte("hello"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.Page(t.Context(), bytes.NewReader(test.file), int64(len(test.file)), test.page, 100)
			if !errors.Is(err, reader.ErrNoPage) || !errors.Is(err, archive.ErrNotFound) {
				t.Errorf("error is %v, want ErrNoPage", err)
			}
		})
	}
}

// FuzzRead wants an answer to everything, and a complete one for what passes.
func FuzzRead(f *testing.F) {
	for _, file := range [][]byte{textPDF("seed"), chinesePDF("张㛃"), manyPages(2), selfReference(), jpegFile(f, 40, 20), pngFile(f, 40, 20), signedPDF(f), zipFile(f, "OFD.xml"), nil} {
		f.Add(file)
	}
	r := newReader(f, reader.Config{MaxPages: 10, MaxPixels: 1_000_000, MaxTime: time.Second})
	read(f, r, textPDF("x")) // whose start takes longer than any input may
	f.Fuzz(func(t *testing.T, file []byte) {
		reading := read(t, r, file)
		if !reading.Rejected() && (len(reading.Sizes) != reading.Pages || len(reading.Text) != reading.Pages) {
			t.Errorf("passed with %d pages, %d texts and %d sizes", reading.Pages, len(reading.Text), len(reading.Sizes))
		}
	})
}
