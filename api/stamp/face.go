package stamp

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"unicode/utf16"

	"dangan/api/stamp/internal/truetype"
)

//go:embed fonts/NotoSerifSC-Regular.ttf
var regularTTF string

//go:embed fonts/NotoSerifSC-Bold.ttf
var boldTTF string

// RegularTTF returns a copy of Noto Serif SC Regular (SIL Open Font License 1.1), for others who draw.
func RegularTTF() []byte { return []byte(regularTTF) }

// BoldTTF returns a copy of Noto Serif SC Bold (SIL Open Font License 1.1), for others who draw.
func BoldTTF() []byte { return []byte(boldTTF) }

// MissingGlyphError says that the fonts cannot draw a code point. It names only that, never the text
// around it: the text may be somebody's name.
type MissingGlyphError struct{ CodePoint rune }

func (e *MissingGlyphError) Error() string {
	return fmt.Sprintf("no glyph for U+%04X", e.CodePoint)
}

// face is a parsed font with its PostScript name, shared by all documents.
type face struct {
	font  *truetype.Font
	name  string
	bold  bool
	marks drawnMarks
}

func newFace(data, name string, bold bool) (*face, error) {
	font, err := truetype.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	return &face{font: font, name: name, bold: bold, marks: drawnMarks{packed: map[string][]byte{}}}, nil
}

// glyph returns the glyph of r and its advance in thousandths of an em.
func (f *face) glyph(r rune) (truetype.GlyphID, int, error) {
	g, ok := f.font.Glyph(r)
	if !ok || r < ' ' || r == '\uFFFD' {
		return 0, 0, &MissingGlyphError{r}
	}
	return g, f.font.Advance(g), nil
}

// usedFont is a face inside one document. A CID stands for one code point, not for one glyph: two code
// points that share a glyph keep their own text (金 must not read back as the compatibility form U+F90A).
type usedFont struct {
	*face
	object   ref
	resource string
	runes    []rune // by CID-1
	glyphs   []truetype.GlyphID
	widths   []int
	cids     map[rune]uint16
}

func newUsedFont(f *face, d *document, resource string) *usedFont {
	return &usedFont{face: f, object: d.reserve(), resource: resource, cids: map[rune]uint16{}}
}

// cid returns the number that stands for r in this document's text and its advance in thousandths.
func (u *usedFont) cid(r rune) (uint16, int, error) {
	if cid, ok := u.cids[r]; ok {
		return cid, u.widths[cid-1], nil
	}
	g, advance, err := u.glyph(r)
	if err != nil {
		return 0, 0, err
	}
	u.runes, u.glyphs, u.widths = append(u.runes, r), append(u.glyphs, g), append(u.widths, advance)
	cid := uint16(len(u.runes))
	u.cids[r] = cid
	return cid, advance, nil
}

// write embeds the subset: a Type 0 font, Identity-H, with a CIDToGIDMap (ISO 32000-1, 9.7.4).
func (u *usedFont) write(d *document) {
	file, numbers := u.font.Subset(u.glyphs)
	toGID := make([]byte, 2, 2*len(u.glyphs)+2)
	for _, g := range u.glyphs {
		toGID = binary.BigEndian.AppendUint16(toGID, uint16(numbers[g]))
	}
	name := u.tag() + "+" + u.name
	fileRef := d.addStream(fmt.Sprintf("/Length1 %d", len(file)), file)
	box, weight := u.font.BBox, 80
	if u.bold {
		weight = 140
	}
	descriptor := d.add(fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0"+
		"/Ascent %d/Descent %d/CapHeight %d/StemV %d/FontFile2 %s>>",
		name, box[0], box[1], box[2], box[3], u.font.Ascent, u.font.Descent, u.font.CapHeight, weight, fileRef))
	descendant := d.add(fmt.Sprintf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"+
		"/FontDescriptor %s/DW 1000/W[1[%s]]/CIDToGIDMap %s>>",
		name, descriptor, strings.Trim(fmt.Sprint(u.widths), "[]"), d.addStream("", toGID)))
	d.put(u.object, fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%s]/ToUnicode %s>>",
		name, descendant, d.addStream("", u.toUnicode())))
}

// tag names the subset by its content (ISO 32000-1, 9.6.4: six capital letters).
func (u *usedFont) tag() string {
	sorted := slices.Clone(u.runes)
	slices.Sort(sorted)
	h := fnv.New64a()
	fmt.Fprint(h, sorted)
	sum := h.Sum64()
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + byte(sum%26)
		sum /= 26
	}
	return string(tag)
}

// toUnicode maps every CID to the code point that was drawn; a block holds at most 100 entries (Adobe
// Technical Note 5411).
func (u *usedFont) toUnicode() []byte {
	var b strings.Builder
	b.WriteString("/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n")
	cid := 1
	for block := range slices.Chunk(u.runes, 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n", len(block))
		for _, r := range block {
			fmt.Fprintf(&b, "<%04X><", cid)
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "%04X", unit)
			}
			b.WriteString(">\n")
			cid++
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n")
	return []byte(b.String())
}
