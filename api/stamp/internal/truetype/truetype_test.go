package truetype

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

func fontFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "fonts", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func parse(t testing.TB, data string) *Font {
	t.Helper()
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestAgreesWithSFNT compares every code point's glyph and width, and a sample of the outlines, with
// another reader.
func TestAgreesWithSFNT(t *testing.T) {
	for _, tt := range []struct {
		name, data        string
		codePoints, every int // at least so many; compare the outline of every so manyth
	}{
		{"Noto Serif SC Regular", fontFile(t, "NotoSerifSC-Regular.ttf"), 30000, 40},
		{"Noto Serif SC Bold", fontFile(t, "NotoSerifSC-Bold.ttf"), 30000, 40},
		{"Go Regular", string(goregular.TTF), 600, 1}, // another em
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := tt.data
			ours := parse(t, data)
			theirs, err := sfnt.Parse([]byte(data))
			if err != nil {
				t.Fatal(err)
			}
			var buf sfnt.Buffer
			em := fixed.I(ours.unitsPerEm)
			found := 0
			for r := rune(0); r <= 0x10FFFF; r++ {
				g, ok := ours.Glyph(r)
				want, err := theirs.GlyphIndex(&buf, r)
				if err != nil || GlyphID(want) != g || ok != (want != 0) {
					t.Fatalf("U+%04X: glyph %d, want %d (%v)", r, g, want, err)
				}
				if !ok {
					continue
				}
				found++
				if advance, err := theirs.GlyphAdvance(&buf, want, em, font.HintingNone); err != nil || advance.Round()*1000/ours.unitsPerEm != ours.Advance(g) {
					t.Fatalf("U+%04X: advance %d, want %v (%v)", r, ours.Advance(g), advance, err)
				}
				if found%tt.every == 0 {
					sameOutline(t, r, ours, g, theirs)
				}
			}
			if found < tt.codePoints {
				t.Errorf("only %d code points", found)
			}
		})
	}
}

// sameOutline compares end points as sets: the two readers may begin a contour elsewhere. The other one
// cuts the halves off that implied points can have.
func sameOutline(t *testing.T, r rune, ours *Font, g GlyphID, theirs *sfnt.Font) {
	t.Helper()
	var buf sfnt.Buffer
	segments, err := theirs.LoadGlyph(&buf, sfnt.GlyphIndex(g), fixed.I(ours.unitsPerEm), nil)
	if err != nil {
		t.Fatal(err)
	}
	type point [2]int
	a, b := map[point]bool{}, map[point]bool{}
	units := float64(ours.unitsPerEm) / 1000
	for _, s := range ours.Outline(g) {
		x, y := math.Round(s.End.X*units*4)/4, math.Round(s.End.Y*units*4)/4
		a[point{int(math.Trunc(x)), int(math.Trunc(y))}] = true
	}
	for _, s := range segments {
		end := s.Args[0]
		if s.Op == sfnt.SegmentOpQuadTo {
			end = s.Args[1]
		}
		b[point{int(math.Round(float64(end.X) / 64)), -int(math.Round(float64(end.Y) / 64))}] = true
	}
	if !maps.Equal(a, b) {
		t.Errorf("U+%04X: %d end points, want %d, or others", r, len(a), len(b))
	}
}

// compositeFont has "A" as glyph 1, and glyph 2 made of it twice: at half size, and turned by a quarter.
func compositeFont(t testing.TB) (*Font, string) {
	t.Helper()
	f := parse(t, string(goregular.TTF))
	g, _ := f.Glyph('A')
	glyf := []byte(f.outline(g))
	for len(glyf)%4 != 0 {
		glyf = append(glyf, 0)
	}
	first := len(glyf)
	glyf = append(glyf, "\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"+
		"\x00\x2b\x00\x01\x00\x64\xff\xce\x20\x00"+ // words, offsets, scale, more; (100, -50), 0.5
		"\x00\x82\x00\x01\x0a\x14\x00\x00\x40\x00\xc0\x00\x00\x00"...) // offsets, matrix; (10, 20)
	var loca []byte
	for _, at := range []int{0, 0, first, len(glyf)} {
		loca = binary.BigEndian.AppendUint32(loca, uint32(at))
	}
	hmtx := []byte("\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00")
	data := string(withCmap(assemble(f.subsetTables(3, glyf, loca, hmtx))))
	return parse(t, data), data
}

func TestCompositeOutline(t *testing.T) {
	f, _ := compositeFont(t)
	scale := 1000 / float64(f.unitsPerEm)
	base, got := f.Outline(1), f.Outline(2)
	if len(base) == 0 || len(got) != 2*len(base) {
		t.Fatalf("%d segments from %d", len(got), len(base))
	}
	near := func(a, b Point) bool { return math.Hypot(a.X-b.X, a.Y-b.Y) < 1e-6 }
	for i, s := range base {
		half := Point{s.End.X/2 + 100*scale, s.End.Y/2 - 50*scale}
		turned := Point{-s.End.Y + 10*scale, s.End.X + 20*scale}
		if !near(got[i].End, half) || !near(got[len(base)+i].End, turned) {
			t.Errorf("point %d: %v, %v; want %v, %v", i, got[i].End, got[len(base)+i].End, half, turned)
		}
	}
}

// TestSubsetDrawsTheSame compares outlines and widths, the parts of a composite glyph included.
func TestSubsetDrawsTheSame(t *testing.T) {
	composite, _ := compositeFont(t)
	for name, tt := range map[string]struct {
		font   *Font
		wanted []GlyphID
		glyphs int
	}{
		"Chinese":   {parse(t, fontFile(t, "NotoSerifSC-Regular.ttf")), []GlyphID{30000, 5, 20000, 5}, 4},
		"composite": {composite, []GlyphID{2}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			data, numbers := tt.font.Subset(tt.wanted)
			cut := parse(t, string(withCmap(data)))
			if cut.glyphs != tt.glyphs {
				t.Errorf("%d glyphs, want %d", cut.glyphs, tt.glyphs)
			}
			for _, g := range tt.wanted {
				want := tt.font.Outline(g)
				if len(want) == 0 || !slices.Equal(want, cut.Outline(numbers[g])) || tt.font.Advance(g) != cut.Advance(numbers[g]) {
					t.Errorf("glyph %d became another as %d", g, numbers[g])
				}
			}
		})
	}
}

// TestCompositeOfItself: a hostile font must not keep us busy.
func TestCompositeOfItself(t *testing.T) {
	_, data := compositeFont(t)
	loop := strings.ReplaceAll(strings.ReplaceAll(data, "\x00\x2b\x00\x01", "\x00\x2b\x00\x02"), "\x00\x82\x00\x01", "\x00\x82\x00\x02")
	f := parse(t, loop)
	if path := f.Outline(2); len(path) != 0 {
		t.Errorf("%d segments out of nothing", len(path))
	}
	if _, numbers := f.Subset([]GlyphID{2}); len(numbers) != 2 {
		t.Errorf("glyphs %v", numbers)
	}
}

// withCmap adds a table that maps "A" to glyph 1, in both formats, so that a subset can be parsed again.
func withCmap(subset []byte) []byte {
	file := view(subset)
	cmap := "\x00\x00\x00\x02" + "\x00\x03\x00\x01\x00\x00\x00\x14" + "\x00\x03\x00\x0A\x00\x00\x00\x34" +
		"\x00\x04\x00\x20\x00\x00\x00\x04\x00\x04\x00\x01\x00\x00" + "\x00\x41\xff\xff\x00\x00\x00\x41\xff\xff\xff\xc0\x00\x01\x00\x00\x00\x00" +
		"\x00\x0c\x00\x00\x00\x00\x00\x1c\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x41\x00\x00\x00\x41\x00\x00\x00\x01"
	tables := []table{{"cmap", []byte(cmap)}}
	for i := range file.u16(4) {
		entry := file.from(12 + 16*i)
		tables = append(tables, table{string(entry[:4]), []byte(file[entry.u32(8) : entry.u32(8)+entry.u32(12)])})
	}
	return assemble(tables)
}

func TestBothCmapFormats(t *testing.T) {
	f := parse(t, fontFile(t, "NotoSerifSC-Regular.ttf"))
	g, _ := f.Glyph('档')
	data, _ := f.Subset([]GlyphID{g})
	full := withCmap(data)
	cut := parse(t, string(full))
	if got, ok := cut.Glyph('A'); got != 1 || !ok {
		t.Errorf("format 12: glyph %d, %v", got, ok)
	}
	only4 := format4(cut.tables["cmap"].from(0x14))
	for r, want := range map[rune]GlyphID{'A': 1, '@': 0, 'B': 0, 0x1F600: 0, -1: 0} {
		if got := only4(r); got != want {
			t.Errorf("format 4: U+%04X is glyph %d, want %d", r, got, want)
		}
	}
}

func TestBrokenFonts(t *testing.T) {
	f := parse(t, fontFile(t, "NotoSerifSC-Regular.ttf"))
	data, _ := f.Subset([]GlyphID{1000})
	for name, broken := range map[string]string{
		"empty": "", "not a font": "%PDF-1.7", "no cmap": string(data), "cut off": string(withCmap(data)[:200]), "CFF": "OTTO\x00\x01",
	} {
		if _, err := Parse(broken); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	full := parse(f, fontFile(f, "NotoSerifSC-Regular.ttf"))
	var wanted []GlyphID
	for _, r := range "档A,é" {
		g, _ := full.Glyph(r)
		wanted = append(wanted, g)
	}
	data, _ := full.Subset(wanted)
	f.Add(string(withCmap(data)))
	_, composite := compositeFont(f)
	f.Add(composite)
	f.Fuzz(func(t *testing.T, data string) {
		font, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		g, _ := font.Glyph('A')
		wanted := []GlyphID{g, 1, 2, 3, 0xFFFF}
		for _, g := range wanted {
			font.Advance(g)
			font.Outline(g)
		}
		subset, numbers := font.Subset(wanted)
		again, err := Parse(string(withCmap(subset)))
		if err != nil {
			t.Fatalf("the subset is not a font: %v", err)
		}
		if int(numbers[g]) >= again.glyphs {
			t.Fatalf("glyph %d of %d", numbers[g], again.glyphs)
		}
	})
}
