package stamp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

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
			if !bytes.HasPrefix(pdf, base) {
				_, err := ReadBase(context.Background(), source(base))
				t.Fatalf("the copy does not begin with the original: %v", err)
			}
			checkCopy(t, s, pdf, "canary one", "canary two", "文件1第2页")
		})
	}
}

// TestHybrid: a file that has both kinds of cross-references, for old and new readers.
func TestHybrid(t *testing.T) {
	s := newTestStamper(t)
	base := hybrid(t)
	run(t, "qpdf", "--check", write(t, "hybrid.pdf", base))
	pdf := makeCopy(t, s, whole(1), source(base))
	if !bytes.HasPrefix(pdf, base) {
		t.Fatal("nothing was appended")
	}
	checkCopy(t, s, pdf, "canary")
}

// hybrid has its font in an object stream, which only the stream of cross-references lists.
func hybrid(t *testing.T) []byte {
	t.Helper()
	base := pdfOf(t, leaf{box: "0 0 595 842", content: words("canary")})
	font := []byte("2 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n")
	d := &document{zip: newZipPool()}
	d.buf.Write(bytes.Replace(base[:bytes.LastIndex(base, []byte("xref\n0 "))], font, nil, 1))
	body := d.buf.String()
	size := 0
	for _, m := range regexp.MustCompile(`(?m)^(\d+) 0 obj`).FindAllStringSubmatch(body, -1) {
		var n int
		fmt.Sscan(m[1], &n)
		size = max(size, n+1)
	}
	packed, table := d.at(), size+1
	fmt.Fprintf(&d.buf, "%d 0 obj\n<</Type/ObjStm/N 1/First 4/Length 58>>\nstream\n2 0 %-54s\nendstream\nendobj\n", size, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	stream := d.at()
	fmt.Fprintf(&d.buf, "%d 0 obj\n<</Type/XRef/Size %d/W[1 2 1]/Index[2 1]/Length 4>>\nstream\n\x02%c%c\x00\nendstream\nendobj\n", table, table+1, size>>8, size)
	start := d.at()
	fmt.Fprintf(&d.buf, "xref\n0 %d\n", table+1)
	for n := range table + 1 {
		at := bytes.Index(d.buf.Bytes(), fmt.Appendf(nil, "\n%d 0 obj\n", n)) + 1
		switch {
		case n == size:
			at = packed
		case n == table:
			at = stream
		case n == 0 || n == 2:
			d.buf.WriteString("0000000000 65535 f \n")
			continue
		}
		fmt.Fprintf(&d.buf, "%010d 00000 n \n", at)
	}
	root := regexp.MustCompile(`/Root \d+ 0 R/Info \d+ 0 R`).Find(base)
	fmt.Fprintf(&d.buf, "trailer\n<</Size %d%s/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n", table+1, root, stream, start)
	return d.buf.Bytes()
}

// white draws every page as nothing.
type white struct{}

func (white) Render(context.Context, Source, int, int) (Picture, error) {
	img := image.NewRGBA(image.Rect(0, 0, 600, 800))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	return Picture{Image: img}, nil
}

// TestNotAppended: where the original is more than what it shows, a copy holds only that.
func TestNotAppended(t *testing.T) {
	s := newTestStamper(t)
	page := leaf{box: "0 0 595 842", content: words("page")}
	with := func(change func(*leaf)) []byte {
		l := page
		change(&l)
		return pdfOf(t, l)
	}
	plain := pdfOf(t, page)
	path, locked := write(t, "plain.pdf", plain), filepath.Join(t.TempDir(), "locked.pdf")
	run(t, "qpdf", "--encrypt", "", "owner", "256", "--", path, locked)
	encrypted, err := os.ReadFile(locked)
	if err != nil {
		t.Fatal(err)
	}
	for name, base := range map[string][]byte{
		"an annotation":          with(func(l *leaf) { l.entries = "/Annots[<</Type/Annot/Subtype/Text/Contents(canary)/Rect[0 0 9 9]>>]" }),
		"data of a program":      with(func(l *leaf) { l.entries = "/PieceInfo<</X<</Private(canary)>>>>" }),
		"a layer":                pdfWith(t, "/OCProperties<</OCGs[]/D<<>>>>", nil, page),
		"a script":               pdfWith(t, "/OpenAction<</S/JavaScript/JS(canary)>>", nil, page),
		"an attachment":          pdfWith(t, "/Names<</EmbeddedFiles<</Names[(canary)<<>>]>>>>", nil, page),
		"an unused object":       pdfWith(t, "", func(d *document) { d.add("(canary)") }, page),
		"an unused stream":       pdfWith(t, "", func(d *document) { d.addStream("/Type/XRef", []byte("canary")) }, page),
		"bytes between objects":  pdfWith(t, "", func(d *document) { d.buf.WriteString("canary\n") }, page),
		"a comment":              pdfWith(t, "/Lang(zh)%canary\n", nil, page),
		"words of a seal":        pdfWith(t, "/Lang(/ByteRange [)", nil, page),
		"several revisions":      update(t, plain, `doc.getTrailer().get('Info').put('Title', 'canary');`),
		"a seal":                 issue(t, s, marriageSheet()),
		"encrypted":              encrypted,
		"content not in balance": with(func(l *leaf) { l.content = "q 0.1 0 0 0.1 0 0 cm" }),
		"content too far back":   with(func(l *leaf) { l.content = "Q q" }),
		"picture in the content": with(func(l *leaf) { l.content = "BI /W 1 /H 1 /BPC 8 /CS /G ID q EI" }),
		"a small page":           with(func(l *leaf) { l.box = "0 0 100 100" }),
		"bytes behind the end":   append(bytes.Clone(plain), "canary"...),
		"no PDF":                 []byte("canary"),
		"nothing":                nil,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadBase(t.Context(), source(base)); !errors.Is(err, ErrNotAppendable) {
				t.Errorf("ReadBase: %v", err)
			}
			var out bytes.Buffer
			if err := s.Copy(t.Context(), whole(1), []Source{source(base)}, white{}, &out); err != nil {
				t.Fatal(err)
			}
			if r := verdict(t, s, out.Bytes()); r.Word != Valid || bytes.Contains(out.Bytes(), []byte("canary")) {
				t.Errorf("%s: %s", r.Word, r.Why)
			}
		})
	}
	if _, err := ReadBase(t.Context(), source(plain)); err != nil {
		t.Errorf("the file without any of that: %v", err)
	}
}

// TestNotWhole: nothing is appended when a page is left out, masked or moved.
func TestNotWhole(t *testing.T) {
	s := newTestStamper(t)
	base := pdfOf(t, leaf{box: "0 0 595 842", content: words("one")}, leaf{box: "0 0 595 842", content: words("two")})
	for name, change := range map[string]func(*Copy){
		"left out": func(c *Copy) { c.Pages = c.Pages[:1] },
		"masked":   func(c *Copy) { c.Pages[1].Masks = []Mask{{0, 0, 0.1, 0.1}} },
		"moved":    func(c *Copy) { c.Pages[0].Page, c.Pages[1].Page = 2, 1 },
		"twice":    func(c *Copy) { c.Pages = append(c.Pages, c.Pages[0]) },
		"of two":   func(c *Copy) { c.Pages[1].Source = 1 },
		"unwanted": func(c *Copy) { c.Append = false },
	} {
		c := whole(2)
		change(&c)
		var out bytes.Buffer
		if err := s.Copy(t.Context(), c, []Source{source(base), source(base)}, white{}, &out); err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(out.Bytes(), base) {
			t.Errorf("%s: the original is in the copy", name)
		}
		b, err := ReadBase(t.Context(), source(base))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AppendCopy(t.Context(), c, b); err == nil && name != "unwanted" {
			t.Errorf("%s: appended", name)
		}
	}
}

// TestOneBaseManyCopies is for the race detector.
func TestOneBaseManyCopies(t *testing.T) {
	s := newTestStamper(t)
	file := scans(t, 3)
	base, err := ReadBase(t.Context(), source(file))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			c := whole(3)
			c.Cover.Number = strings.Repeat("1", i+1)
			tail, err := s.AppendCopy(t.Context(), c, base)
			if err != nil {
				t.Error(err)
				return
			}
			if r, err := Verify(append(bytes.Clone(file), tail...), s.roots, s.now); err != nil || r.Word != Valid || r.Number != c.Cover.Number {
				t.Errorf("%v, %v", r, err)
			}
		})
	}
	all.Wait()
}
