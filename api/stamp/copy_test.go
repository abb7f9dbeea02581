package stamp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	inks "image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dangan/api/stamp/internal/dct"
)

// file is a source in memory.
type file struct{ *bytes.Reader }

func source(data []byte) Source { return file{bytes.NewReader(data)} }

// poppler draws pages with pdftoppm, and pictures as they are.
type poppler struct{ t *testing.T }

func (p poppler) Render(_ context.Context, s Source, page, dpi int) (Picture, error) {
	p.t.Helper()
	data := make([]byte, s.Size())
	if _, err := s.ReadAt(data, 0); err != nil {
		return Picture{}, err
	}
	if !bytes.HasPrefix(data, []byte("%PDF-")) {
		img, _, err := image.Decode(bytes.NewReader(data))
		return Picture{Image: img}, err
	}
	img := render(p.t, data, page, dpi)
	return Picture{Image: img}, nil
}

// render draws a page with a program that shares no code with this package.
func render(t *testing.T, pdf []byte, page, dpi int) *image.RGBA {
	t.Helper()
	dir, n := t.TempDir(), strconv.Itoa(page)
	run(t, "pdftoppm", "-r", strconv.Itoa(dpi), "-cropbox", "-f", n, "-l", n, "-singlefile", write(t, "in.pdf", pdf), filepath.Join(dir, "out"))
	data, err := os.ReadFile(filepath.Join(dir, "out.ppm"))
	if err != nil {
		t.Fatal(err)
	}
	return readPPM(t, data)
}

// readPPM reads what pdftoppm writes.
func readPPM(t *testing.T, data []byte) *image.RGBA {
	t.Helper()
	fields := strings.Fields(string(data[:min(len(data), 40)]))
	if len(fields) < 4 || fields[0] != "P6" {
		t.Fatal("no PPM")
	}
	w, _ := strconv.Atoi(fields[1])
	h, _ := strconv.Atoi(fields[2])
	pixels := data[len(data)-3*w*h:]
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		copy(img.Pix[4*i:], pixels[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	return img
}

// jpegOf is a scan of a page.
func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 80}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// leaf is a page of a file made up for a test.
type leaf struct {
	box, crop string // four numbers; crop may be empty
	entries   string
	content   string
	jpeg      []byte // as /I
}

// pdfOf writes a file with a classic cross-reference table; fonts are /F.
func pdfOf(t testing.TB, leaves ...leaf) []byte {
	t.Helper()
	return pdfWith(t, "", nil, leaves...)
}

// pdfWith is pdfOf with more entries of the catalog, and whatever more adds to the file.
func pdfWith(t testing.TB, catalog string, more func(d *document), leaves ...leaf) []byte {
	t.Helper()
	d := newDocument(newZipPool())
	tree := d.reserve()
	font := d.add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	var kids []ref
	for _, l := range leaves {
		picture := ""
		if l.jpeg != nil {
			info, err := dct.Look(l.jpeg)
			if err != nil {
				t.Fatal(err)
			}
			k := copying{doc: d}
			picture = fmt.Sprintf("/XObject<</I %s>>", k.addPicture(scan{jpeg: l.jpeg, grey: info.Grey, pixels: image.Pt(info.Width, info.Height)}))
		}
		if l.crop != "" {
			l.entries += "/CropBox[" + l.crop + "]"
		}
		kids = append(kids, d.add(fmt.Sprintf("<</Type/Page/Parent %s/MediaBox[%s]%s/Resources<</Font<</F %s>>%s>>/Contents %s>>",
			tree, l.box, l.entries, font, picture, d.addStream("", []byte(l.content)))))
	}
	d.put(tree, fmt.Sprintf("<</Type/Pages/Count %d/Kids%s>>", len(kids), kids))
	if more != nil {
		more(d)
	}
	return d.finish(d.add(fmt.Sprintf("<</Type/Catalog/Pages %s%s>>", tree, catalog)), d.add("<</Title(canary of the file)>>"))
}

func words(text string) string { return "BT /F 24 Tf 60 500 Td (" + text + ") Tj ET" }

// scans is a file of scanned pages.
func scans(t testing.TB, pages int) []byte {
	t.Helper()
	leaves := make([]leaf, pages)
	for i := range leaves {
		leaves[i] = leaf{box: "0 0 595 842", content: "q 595 0 0 842 0 0 cm /I Do Q", jpeg: jpegOf(t, paper(827, 1170, i))}
	}
	return pdfOf(t, leaves...)
}

// paper looks like a page that was scanned: a frame, lines of writing, a grain.
func paper(w, h, n int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	grain := rand.New(rand.NewPCG(uint64(n), 7))
	for y := range h {
		for x := range w {
			v := 226 + uint8(grain.IntN(20))
			if line := y*40/h > 3 && y*40/h%2 == 0 && x*10/w > 0 && x*10/w < 9 && (x/7+y/5+n)%3 != 0; line {
				v = 50
			}
			img.SetRGBA(x, y, inks.RGBA{v, v, v - v/8, 255})
		}
	}
	return img
}

func copyMarkSample() CopyMark {
	return CopyMark{Office: "青川市档案馆", Agrees: "与馆藏原件一致", RefCode: "档号：J019-ZY·HY·2010·D100-001-0001", Page: "第 {page} 页 共 {pages} 页",
		Request: "利用申请：20261124-0007", Date: "2026年11月24日", Purpose: "用途：办理公积金贷款", PurposeMark: "仅供办理公积金贷款使用"}
}

func coverSample() Sheet {
	s := marriageSheet()
	s.Title, s.Labels.Body = "档案核证副本", "副本说明"
	s.Body = []Paragraph{{{"本副本共两页，与馆藏档案原件核对无异；涉及第三人的内容已依法遮盖。", "J0231-MS-2010-0456-0078 第3页，结婚登记申请书，2010年5月20日"}}}
	return s
}

func makeCopy(t *testing.T, s testStamper, c Copy, sources ...Source) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := s.Copy(context.Background(), c, sources, poppler{t}, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCopy: a scan, a scan with a mask, and a page of another file.
func TestCopy(t *testing.T) {
	s := newTestStamper(t)
	text := pdfOf(t, leaf{box: "0 0 842 595", content: words("A page that was born digital")})
	c := Copy{Cover: coverSample(), Mark: copyMarkSample(), Straddle: true, Pages: []CopyPage{
		{Page: 1, Place: "文件1第1页"}, {Page: 2, Masks: []Mask{{0.2, 0.3, 0.4, 0.05}}}, {Source: 1, Page: 1}}}
	pdf := makeCopy(t, s, c, source(scans(t, 2)), source(text))
	checkCopy(t, s, pdf, c.Cover.Number, "与馆藏原件一致", "第2页共3页", "利用申请：20261124-0007", "文件1第1页")
	if text := run(t, "pdftotext", write(t, "copy.pdf", pdf), "-"); strings.Contains(text, "born digital") {
		t.Error("a page that was drawn carries text")
	}
	var list []image.Image
	for page := 1; page <= 4; page++ {
		list = append(list, render(t, pdf, page, 30))
	}
	golden(t, "copy", beside(list...))
}

// checkCopy asks all checkers, and for words that must be readable.
func checkCopy(t *testing.T, s testStamper, pdf []byte, words ...string) {
	t.Helper()
	if r := verdict(t, s, pdf); r.Word != Valid {
		t.Errorf("%s: %s", r.Word, r.Why)
	}
	if r := verdict(t, s, append(bytes.Clone(pdf), "% more"...)); r.Word != Tampered {
		t.Errorf("with something behind it: %s: %s", r.Word, r.Why)
	}
	path := write(t, "copy.pdf", pdf)
	run(t, "qpdf", "--check", path)
	checkPDFSig(t, s, path)
	checkOpenSSL(t, s, pdf)
	if out := run(t, "mutool", "sign", "-v", path); !strings.Contains(out, "unchanged since signing") {
		t.Errorf("mutool: %s", out)
	}
	text := squash(run(t, "pdftotext", "-raw", path, "-"))
	for _, want := range words {
		if !strings.Contains(text, squash(want)) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

// TestCopyOfPictures: a JPEG that says how large it is is kept, other pictures are drawn.
func TestCopyOfPictures(t *testing.T) {
	s := newTestStamper(t)
	img := paper(620, 877, 3)
	plain := jpegOf(t, img)
	sized := append([]byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 16}, "JFIF\x00\x01\x02\x01\x00\x4B\x00\x4B\x00\x00"...) // 75 dpi
	turned := append(bytes.Clone(sized), 0xFF, 0xE1, 0, 8, 'E', 'x', 'i', 'f', 0, 0)
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, img); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		file  []byte
		drawn bool
	}{
		"JPEG": {append(sized, plain[2:]...), false}, "JPEG of no size": {plain, true},
		"JPEG of a camera": {append(turned, plain[2:]...), true}, "PNG": {encoded.Bytes(), true},
	} {
		c := Copy{Cover: coverSample(), Mark: copyMarkSample(), Pages: []CopyPage{{Page: 1}}, Append: true}
		var out bytes.Buffer
		err := s.Copy(t.Context(), c, []Source{source(tt.file)}, noRaster{}, &out)
		if drawn := errors.Is(err, errDrawn); drawn != tt.drawn || err != nil && !drawn {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkCopy(t, s, makeCopy(t, s, c, source(tt.file)))
	}
}

// TestCopyIsSealedAsCertificatesAre: with a time-stamp, and with evidence behind the seal.
func TestCopyIsSealedAsCertificatesAre(t *testing.T) {
	dated, proven := newDatedStamper(t, newTestStamper(t)), newProvenStamper(t)
	base := pdfOf(t, leaf{box: "0 0 595 842", content: words("page")})
	for name, s := range map[string]testStamper{"dated": dated.testStamper, "proven": proven.testStamper} {
		for _, appended := range []bool{true, false} {
			c := whole(1)
			c.Append = appended
			pdf := makeCopy(t, s, c, source(base))
			if r := verdict(t, s, pdf); r.Word != Valid || bytes.HasPrefix(pdf, base) != appended {
				t.Errorf("%s, appended %t: %s: %s", name, appended, r.Word, r.Why)
			}
			run(t, "qpdf", "--check", write(t, "copy.pdf", pdf))
		}
	}
}

// TestDraftOfCopy carries no seal and no number, and is nobody's certificate.
func TestDraftOfCopy(t *testing.T) {
	s := newTestStamper(t)
	var out bytes.Buffer
	if err := s.DrawCopy(t.Context(), whole(1), []Source{source(scans(t, 1))}, noRaster{}, &out); err != nil {
		t.Fatal(err)
	}
	if id, err := Inspect(out.Bytes()); err != nil || id.State != Foreign {
		t.Errorf("%v, %v", id.State, err)
	}
	run(t, "qpdf", "--check", write(t, "draft.pdf", out.Bytes()))
}

func TestIncompleteCopy(t *testing.T) {
	s := newTestStamper(t)
	src := []Source{source(scans(t, 1))}
	for name, spoil := range map[string]func(*Copy){
		"no pages":            func(c *Copy) { c.Pages = nil },
		"no such source":      func(c *Copy) { c.Pages[0].Source = 1 },
		"no such page":        func(c *Copy) { c.Pages[0].Page = 0 },
		"a mask beside it":    func(c *Copy) { c.Pages[0].Masks = []Mask{{0.8, 0, 0.3, 0.1}} },
		"a mask of no size":   func(c *Copy) { c.Pages[0].Masks = []Mask{{0.8, 0, 0, 0.1}} },
		"a mask of no number": func(c *Copy) { c.Pages[0].Masks = []Mask{{math.NaN(), 0, 0.1, 0.1}} },
		"no office":           func(c *Copy) { c.Mark.Office = " " },
		"no cover":            func(c *Copy) { c.Cover.Title = "" },
	} {
		c := whole(1)
		spoil(&c)
		if err := s.Copy(t.Context(), c, src, noRaster{}, io.Discard); !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	c := whole(1)
	c.Mark.Purpose = "𠮷"
	var missing *MissingGlyphError
	if err := s.Copy(t.Context(), c, src, noRaster{}, io.Discard); !errors.As(err, &missing) || missing.CodePoint != '𠮷' {
		t.Errorf("a character that cannot be drawn: %v", err)
	}
	c = whole(1)
	c.Pages[0].Page = 9
	if err := s.Copy(t.Context(), c, src, noRaster{}, io.Discard); !errors.Is(err, errDrawn) {
		t.Errorf("a page that the file does not have: %v", err)
	}
}

// TestStrips: each seal is cut into parts of one width, in the order of the pages.
func TestStrips(t *testing.T) {
	for pages := 1; pages <= 200; pages++ {
		for i := 0; i < pages; {
			_, parts := strip(i, pages)
			if parts > maxStrips || parts < min(pages, maxStrips/2) {
				t.Fatalf("%d pages: a seal of %d parts", pages, parts)
			}
			for want := range parts {
				if part, of := strip(i, pages); part != want || of != parts {
					t.Fatalf("page %d of %d has part %d of %d, want %d of %d", i, pages, part, of, want, parts)
				}
				i++
			}
		}
	}
}

// TestSamplesOfCopies writes a rebuilt copy and an appended one into the folder copies of DANGAN_SAMPLES, for make
// conformance; without that, into one that goes away.
func TestSamplesOfCopies(t *testing.T) {
	dir := filepath.Join(cmp.Or(os.Getenv("DANGAN_SAMPLES"), t.TempDir()), "copies")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := newTestStamper(t)
	c := whole(2)
	c.Pages[1].Masks = []Mask{{0.2, 0.3, 0.4, 0.05}}
	for name, data := range map[string][]byte{"authority.pem": certificatePEM(s.ca), "rebuilt.pdf": makeCopy(t, s, c, source(scans(t, 2))),
		"appended.pdf": makeCopy(t, s, whole(2), source(scans(t, 2)))} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, ".pdf") {
			continue
		}
		if name == "rebuilt.pdf" { // the other begins with a test's own idea of a font
			pdfcpuAccepts(t, name, data)
		}
		if verdict(t, s, data).Word != Valid {
			t.Errorf("%s is not valid", name)
		}
	}
}
