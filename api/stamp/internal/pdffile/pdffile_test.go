package pdffile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// parse reads one object from words.
func parse(text string) (Object, error) {
	l := lexer{in: bufio.NewReader(strings.NewReader(text))}
	o, err := l.object(0)
	if err != nil {
		return nil, err
	}
	if _, err := l.object(0); err != io.EOF {
		return nil, malformed("more than one object")
	}
	return o, nil
}

func TestObjects(t *testing.T) {
	for text, want := range map[string]Object{
		"null": nil, "true": true, "false": false, "-.5": -0.5, "+17": 17.0, "4.": 4.0,
		"/A#20B#2": Name("A B#2"), "/": Name(""), "(a(b)\\)\\n\\101\\7\\\nc\r\nd)": String("a(b))\nA\ac\nd"),
		"<48 656C6c6f2>": String("Hello "), "[1 0 R 2[3 4 R]]": Array{Ref{1, 0}, 2.0, Array{Ref{3, 4}}},
		"<</A 1/B<</C[]>>%x\n/D(e)>>": Dict{"A": 1.0, "B": Dict{"C": Array(nil)}, "D": String("e")},
		"BT":                          Keyword("BT"),
	} {
		got, err := parse(text)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q: %#v, %v", text, got, err)
		}
	}
	for _, text := range []string{"[", "<<", "<</A>>", "<</A 1/A 2>>", "<<1 2>>", "(", "<4", "<4x>", ">", "{", ")", "[R]", "[1 R]", "[-1 0 R]", "[1.5 0 R]", "1.2.3",
		"[q]", strings.Repeat("[", 50) + strings.Repeat("]", 50), "[" + strings.Repeat("0 ", maxNodes) + "]", "(" + strings.Repeat("0", maxToken) + ")"} {
		if o, err := parse(text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.20q: %v, %v", text, o, err)
		}
	}
}

// TestAppendReadsBack writes any object and reads it again.
func TestAppendReadsBack(t *testing.T) {
	text := rapid.StringMatching(`[\x00-\xff]{0,8}`)
	simple := rapid.OneOf(rapid.Just[Object](nil), rapid.Map(rapid.Bool(), func(b bool) Object { return b }),
		rapid.Map(rapid.Int32(), func(n int32) Object { return float64(n) / 1000 }), rapid.Map(text, func(s string) Object { return String(s) }),
		rapid.Map(text, func(s string) Object { return Name(strings.ReplaceAll(s, "\x00", "")) }),
		rapid.Map(rapid.IntRange(0, maxObjects), func(n int) Object { return Ref{n, n % 3} }))
	array := rapid.Map(rapid.SliceOf(simple), func(list []Object) Object { return append(Array(nil), list...) })
	dict := rapid.Map(rapid.MapOf(text, rapid.OneOf(simple, array)), func(m map[string]Object) Object {
		d := Dict{}
		for key, v := range m {
			d[Name(key)] = v
		}
		return d
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.OneOf(simple, array, dict).Draw(t, "object")
		got, err := parse("[" + string(Append(nil, want)) + "]")
		if err != nil || !cmp.Equal(got, Array{want}) {
			t.Fatalf("%#v, %v", got, err)
		}
	})
}

// small is a file of one page.
func small(page string) []byte {
	var b bytes.Buffer
	offsets := []int{}
	b.WriteString("%PDF-1.7\n")
	for i, o := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 10 20]/Rotate 450>>", page,
		"<</Length 5 0 R>>\nstream\nq Q\nendstream", "3"} {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	b.WriteString("xref\n0 6\n0000000000 65535 f \n")
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
	return b.Bytes()
}

func open(data []byte) (*File, error) { return Open(bytes.NewReader(data), int64(len(data))) }

func TestPage(t *testing.T) {
	f, err := open(small("<</Type/Page/Parent 2 0 R/Contents 4 0 R/CropBox[9 19 -5 2]/UserUnit 2>>"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := f.Pages()
	if err != nil || len(pages) != 1 {
		t.Fatal(pages, err)
	}
	p := pages[0]
	if p.Number != 3 || p.Rotate != 90 || p.UserUnit != 2 || p.Crop != [4]float64{0, 2, 9, 19} || p.Media != [4]float64{0, 0, 10, 20} {
		t.Errorf("%+v", p)
	}
	if err := f.Audit(func(int, Object) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	good := string(small("<</Type/Page/Parent 2 0 R/Contents 4 0 R>>"))
	for name, pair := range map[string][2]string{
		"a loop of pages":        {"/Kids[3 0 R]", "/Kids[2 0 R]"},
		"a page twice":           {"/Kids[3 0 R]", "/Kids[3 0 R 3 0 R]"},
		"no page":                {"/Type/Page/", "/Type/Pane/"},
		"a page of no size":      {"[0 0 10 20]", "[0 0 0.5 20]"},
		"a page askew":           {"/Rotate 450", "/Rotate 451"},
		"an object elsewhere":    {"3 0 obj", "9 0 obj"},
		"a length that is wrong": {"\n3\nendobj", "\n2\nendobj"},
		"no end":                 {"%%EOF", "%%EOG"},
		"a loop of tables":       {"/Root 1 0 R", "/Root 1 0 R/Prev 382"},
		"encrypted":              {"/Root 1 0 R", "/Root 1 0 R/Encrypt<<>>"},
		"too many objects":       {"xref\n0 6", "xref\n999999 6"},
	} {
		changed := strings.Replace(good, pair[0], pair[1], 1)
		if changed == good {
			t.Errorf("%s: nothing to change", name)
		}
		f, err := open([]byte(changed))
		if err == nil {
			if _, err = f.Pages(); err == nil {
				err = f.Audit(func(int, Object) error { return nil })
			}
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(small("<</Type/Page/Parent 2 0 R/Contents 4 0 R>>"))
	f.Add([]byte("%PDF-1.7\n1 0 obj\n<</Type/XRef/Size 2/W[1 2 1]/Length 8>>\nstream\n\x00\x00\x00\x00\x01\x00\x09\x00\nendstream\nendobj\nstartxref\n9\n%%EOF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := open(data)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		pages, err := file.Pages()
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
		for _, p := range pages {
			again, err := parse(string(Append(nil, p.Dict)))
			if err != nil || !cmp.Equal(again, Object(p.Dict)) {
				t.Fatalf("a page does not read back: %v", err)
			}
		}
		if err := file.Audit(func(int, Object) error { return nil }); err == nil {
			if _, err := file.List(); err != nil {
				t.Fatal(err)
			}
		} else if !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
	})
}

func FuzzContent(f *testing.F) {
	f.Add([]byte("q 1 0 0 1 0 0 cm /I Do Q BT (x) Tj ET"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := Content(bytes.NewReader(data), func(Keyword, []Object) error { return nil }); err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
	})
}
