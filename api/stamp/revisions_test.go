package stamp

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dangan/internal/testenv"
)

// update has mutool change a certificate as an incremental update.
func update(t *testing.T, pdf []byte, change string) []byte {
	t.Helper()
	in, out := write(t, "in.pdf", pdf), filepath.Join(t.TempDir(), "out.pdf")
	run(t, "mutool", "run", write(t, "change.js", fmt.Appendf(nil,
		"var doc = new PDFDocument(%q);\n%s\ndoc.save(%q, 'incremental');\n", in, change, out)))
	changed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(changed, pdf) {
		t.Fatal("mutool did not append")
	}
	return changed
}

// TestWhatWasAdded: what other programs append to a certificate is named.
func TestWhatWasAdded(t *testing.T) {
	s := newTestStamper(t)
	pdf := issue(t, s, longSheet())
	annotated := update(t, pdf, `var a = doc.loadPage(1).createAnnotation('FreeText'); a.setContents('paid'); a.update();`)
	for _, tt := range []struct {
		name string
		pdf  []byte
		want Revision
	}{
		{"an annotation", annotated, Revision{Number: 2, Kinds: []string{"annotation"}, Pages: []int{2}}},
		{"page contents", update(t, pdf, `var p = doc.findPage(2); p.get('Contents').writeStream('0 0 99 99 re f');`),
			Revision{Number: 2, Kinds: []string{"page content"}, Pages: []int{3}}},
		{"a second update", update(t, annotated, `doc.getTrailer().get('Info').put('Title', 'other');`), Revision{Number: 3, Kinds: []string{"metadata"}}},
		{"no update", append(bytes.Clone(pdf), "\x00paid"...), Revision{Number: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := verdict(t, s, tt.pdf)
			if r.Word != Tampered || !strings.Contains(r.Why, fmt.Sprintf("revision %d adds", tt.want.Number)) {
				t.Errorf("%s: %s", r.Word, r.Why)
			}
			got := r.Added[len(r.Added)-1]
			for _, kind := range tt.want.Kinds {
				if !slices.Contains(got.Kinds, kind) {
					t.Errorf("%v without %q", got, kind)
				}
			}
			if got.Number != tt.want.Number || !slices.Equal(got.Pages, tt.want.Pages) || len(tt.want.Kinds) == 0 && len(got.Kinds) > 0 {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestObjectStreams: what a program packs before it appends it is named, too.
func TestObjectStreams(t *testing.T) {
	s := newTestStamper(t)
	packed := deflate(s.zip, []byte("900 0 901 28 <</Type/Annot/Subtype/Stamp>><</S/JavaScript/JS(0)>>"))
	head := fmt.Appendf(nil, "\n950 0 obj\n<</Type /ObjStm /N 2 /First 13 /Filter /FlateDecode /Length %d>>stream\n", len(packed))
	added := slices.Concat(issue(t, s, marriageSheet()), head, packed, []byte("\nendstream\nendobj\n%%EOF\n"))
	if r := verdict(t, s, added); len(r.Added) != 1 || !slices.Equal(r.Added[0].Kinds, []string{"annotation", "script"}) {
		t.Errorf("%v", r.Added)
	}
}

// TestRewrittenIsTampered: programs that write the file anew break the seal.
func TestRewrittenIsTampered(t *testing.T) {
	s := newTestStamper(t)
	sheet := marriageSheet()
	in := write(t, "in.pdf", issue(t, s, sheet))
	for name, args := range map[string][]string{
		"qpdf":              {"qpdf", in},
		"qpdf, packed":      {"qpdf", "--object-streams=generate", in},
		"qpdf, linearized":  {"qpdf", "--linearize", in},
		"mutool":            {"mutool", "clean", in},
		"mutool, decrypted": {"mutool", "clean", "-d", in},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.pdf")
			if said, err := exec.Command(testenv.Path(t, args[0]), append(args[1:], out)...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			pdf, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			want := Result{Word: Tampered, Number: sheet.Number}
			if strings.Contains(name, "packed") {
				want = Result{Word: Unknown} // nothing legible is left of it
			}
			if r := verdict(t, s, pdf); r.Word != want.Word || r.Number != want.Number {
				t.Errorf("%s, %q: %s", r.Word, r.Number, r.Why)
			}
		})
	}
}

// TestPrefixes: of a certificate that was cut off, nothing is VALID, and it is TAMPERED as soon as its
// signature is there.
func TestPrefixes(t *testing.T) {
	s := newTestStamper(t)
	pdf := issue(t, s, marriageSheet())
	signed := bytes.Index(pdf, []byte("0>>>\nendobj")) + len("0>")
	for n := 0; n < len(pdf); n += 211 {
		r, err := Verify(pdf[:n], s.roots, s.now)
		switch {
		case n < 5:
			if err == nil {
				t.Errorf("%d bytes: %s", n, r.Word)
			}
		case err != nil:
			t.Errorf("%d bytes: %v", n, err)
		case n >= signed && r.Word != Tampered || n < signed && r.Word != Unknown:
			t.Errorf("%d of %d bytes, signed at %d: %s (%s)", n, len(pdf), signed, r.Word, r.Why)
		}
	}
}
