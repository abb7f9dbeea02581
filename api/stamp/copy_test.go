package stamp

import (
	"bytes"
	"context"
	"fmt"
	"image"
	inks "image/color"
	"image/jpeg"
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
	return d.finish(d.add(fmt.Sprintf("<</Type/Catalog/Pages %s>>", tree)), d.add("<<>>"))
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

func TestCopyLooks(t *testing.T) {
	s := newTestStamper(t)
	text := pdfOf(t, leaf{box: "0 0 842 595", content: words("A page that was born digital")})
	c := Copy{Cover: coverSample(), Mark: copyMarkSample(), Straddle: true, Pages: []CopyPage{
		{Source: 0, Page: 1, Place: "文件1第1页"}, {Source: 0, Page: 2, Masks: []Mask{{0.2, 0.3, 0.4, 0.05}}}, {Source: 1, Page: 1}}}
	pdf := makeCopy(t, s, c, source(scans(t, 2)), source(text))
	if dir := os.Getenv("DANGAN_LOOK"); dir != "" {
		os.WriteFile(dir+"/copy.pdf", pdf, 0o600)
	}
	if r := verdict(t, s, pdf); r.Word != Valid || r.Number != c.Cover.Number {
		t.Errorf("%s: %s", r.Word, r.Why)
	}
	file := write(t, "copy.pdf", pdf)
	run(t, "qpdf", "--check", file)
	checkPDFSig(t, s, file)
}

// whole is a copy of all pages of one source.
func whole(pages int) Copy {
	c := Copy{Cover: coverSample(), Mark: copyMarkSample(), Straddle: true, Append: true}
	for i := range pages {
		c.Pages = append(c.Pages, CopyPage{Page: i + 1, Place: fmt.Sprintf("文件1第%d页", i+1)})
	}
	return c
}

// TestAppend: the original is what the copy begins with, whatever kind of cross-references it has.
func TestAppend(t *testing.T) {
	s := newTestStamper(t)
	classic := write(t, "classic.pdf", pdfOf(t, leaf{box: "0 0 595 842", content: words("canary one")},
		leaf{box: "0 0 842 595", content: "q " + words("canary two") + " Q"}))
	for name, flags := range map[string][]string{
		"classic": {"--object-streams=disable"}, "object streams": {"--object-streams=generate"},
		"linear": {"--linearize", "--object-streams=disable"}, "linear, object streams": {"--linearize", "--object-streams=generate"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "base.pdf")
			run(t, "qpdf", append(flags, classic, path)...)
			base, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			pdf := makeCopy(t, s, whole(2), source(base))
			if dir := os.Getenv("DANGAN_LOOK"); dir != "" {
				os.WriteFile(dir+"/append.pdf", pdf, 0o600)
			}
			if !bytes.HasPrefix(pdf, base) {
				_, err := ReadBase(context.Background(), source(base))
				t.Fatalf("the copy does not begin with the original: %v", err)
			}
			checkCopy(t, s, pdf, "canary one", "canary two", "文件1第2页")
		})
	}
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
