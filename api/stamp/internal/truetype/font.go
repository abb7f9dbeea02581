// Package truetype reads TrueType fonts and cuts small ones out of them.
//
// It owns: finding the glyph of a code point (cmap formats 4 and 12), widths, outlines, and subsets that
// a PDF can embed. It reads fonts with glyf outlines only; it does no shaping, hinting or kerning.
// It must not know: PDF, certificates, or where a font comes from.
//
// Source for the format: OpenType specification 1.9 (ISO/IEC 14496-22), chapters head, hhea, maxp, hmtx,
// cmap, loca and glyf.
package truetype

import (
	"errors"
	"fmt"
	"sort"
)

// ErrFormat is wrapped by every error about the bytes of a font.
var ErrFormat = errors.New("not a usable TrueType font")

// GlyphID is the number of a glyph inside one font. 0 is the glyph drawn for what is missing.
type GlyphID uint16

// Font is a parsed font. It keeps the bytes it was parsed from and is safe for concurrent use.
type Font struct {
	tables map[string]view

	unitsPerEm int
	glyphs     int
	metrics    int // glyphs with an advance of their own; later ones repeat the last
	longLoca   bool
	lookup     func(rune) GlyphID

	// BBox is the box around all glyphs, Ascent and Descent (negative) the line extent and CapHeight the
	// height of H, all in thousandths of an em.
	BBox                       [4]int
	Ascent, Descent, CapHeight int
}

// view is a table whose reads never leave it: what lies outside reads as zero.
type view string

func (v view) u8(at int) int {
	if at < 0 || at >= len(v) {
		return 0
	}
	return int(v[at])
}

func (v view) u16(at int) int {
	if at < 0 || at+2 > len(v) {
		return 0
	}
	return int(v[at])<<8 | int(v[at+1])
}

func (v view) i16(at int) int { return int(int16(v.u16(at))) }
func (v view) u32(at int) int { return v.u16(at)<<16 | v.u16(at+2) }

func (v view) from(at int) view {
	if at < 0 || at > len(v) {
		return ""
	}
	return v[at:]
}

// Parse reads the font. It takes a string because that is what an embedded file costs no copy as.
func Parse(data string) (*Font, error) {
	file := view(data)
	if version := file.u32(0); version != 0x00010000 && version != 0x74727565 {
		return nil, fmt.Errorf("%w: version %08x", ErrFormat, version)
	}
	f := &Font{tables: map[string]view{}}
	for i := range file.u16(4) {
		entry := file.from(12 + 16*i)
		if len(entry) < 16 {
			return nil, fmt.Errorf("%w: table directory is cut off", ErrFormat)
		}
		offset, length := entry.u32(8), entry.u32(12)
		if offset > len(data) || length > len(data)-offset {
			return nil, fmt.Errorf("%w: table %q lies outside the file", ErrFormat, entry[:4])
		}
		f.tables[string(entry[:4])] = file[offset : offset+length]
	}
	if err := f.readHeaders(); err != nil {
		return nil, err
	}
	if f.lookup = chooseCmap(f.tables["cmap"]); f.lookup == nil {
		return nil, fmt.Errorf("%w: no Unicode cmap of format 4 or 12", ErrFormat)
	}
	return f, nil
}

func (f *Font) readHeaders() error {
	for tag, least := range map[string]int{"head": 54, "hhea": 36, "maxp": 6, "cmap": 4, "hmtx": 4, "loca": 4, "glyf": 0} {
		if t, ok := f.tables[tag]; !ok || len(t) < least {
			return fmt.Errorf("%w: table %q is missing or too short", ErrFormat, tag)
		}
	}
	head, hhea := f.tables["head"], f.tables["hhea"]
	f.unitsPerEm = head.u16(18)
	f.longLoca = head.u16(50) != 0
	f.glyphs = f.tables["maxp"].u16(4)
	f.metrics = hhea.u16(34)
	if f.unitsPerEm < 16 || f.glyphs == 0 || f.metrics == 0 {
		return fmt.Errorf("%w: head, maxp or hhea is empty", ErrFormat)
	}
	if f.metrics > f.glyphs || len(f.tables["hmtx"]) < 4*f.metrics {
		return fmt.Errorf("%w: hmtx is too short", ErrFormat)
	}
	for i := range f.BBox {
		f.BBox[i] = f.perMille(head.i16(36 + 2*i))
	}
	f.Ascent, f.Descent = f.perMille(hhea.i16(4)), f.perMille(hhea.i16(6))
	f.CapHeight = f.Ascent
	if os2 := f.tables["OS/2"]; os2.u16(0) >= 2 {
		f.CapHeight = f.perMille(os2.i16(88))
	}
	return nil
}

func (f *Font) perMille(units int) int { return units * 1000 / f.unitsPerEm }

// Glyph returns the glyph of a code point and whether the font has one.
func (f *Font) Glyph(r rune) (GlyphID, bool) {
	g := f.lookup(r)
	return g, g != 0 && int(g) < f.glyphs
}

// Advance is how far the pen moves after g, in thousandths of an em.
func (f *Font) Advance(g GlyphID) int {
	return f.perMille(f.tables["hmtx"].u16(4 * min(int(g), f.metrics-1)))
}

// outline returns the glyf entry of g; empty for a blank glyph and for one the font does not have.
func (f *Font) outline(g GlyphID) view {
	if int(g) >= f.glyphs {
		return ""
	}
	loca, glyf := f.tables["loca"], f.tables["glyf"]
	start, end := 2*loca.u16(2*int(g)), 2*loca.u16(2*int(g)+2)
	if f.longLoca {
		start, end = loca.u32(4*int(g)), loca.u32(4*int(g)+4)
	}
	if start >= end || end > len(glyf) {
		return ""
	}
	return glyf[start:end]
}

// chooseCmap prefers full Unicode (format 12) over the basic plane (format 4). Nil when there is neither.
func chooseCmap(cmap view) func(rune) GlyphID {
	var best func(rune) GlyphID
	for i := range cmap.u16(2) {
		entry := cmap.from(4 + 8*i)
		platform, encoding := entry.u16(0), entry.u16(2)
		if platform != 0 && (platform != 3 || encoding != 1 && encoding != 10) {
			continue
		}
		table := cmap.from(entry.u32(4))
		switch table.u16(0) {
		case 12:
			return format12(table)
		case 4:
			best = format4(table)
		}
	}
	return best
}

func format12(table view) func(rune) GlyphID {
	groups := min(table.u32(12), max(0, len(table)-16)/12)
	return func(r rune) GlyphID {
		i := sort.Search(groups, func(i int) bool { return table.u32(16+12*i+4) >= int(r) })
		first := table.u32(16 + 12*i)
		if i == groups || int(r) < first {
			return 0
		}
		g := table.u32(16+12*i+8) + int(r) - first
		if g > 0xFFFF {
			return 0
		}
		return GlyphID(g)
	}
}

func format4(table view) func(rune) GlyphID {
	segments := table.u16(6) / 2
	ends, starts := table.from(14), table.from(16+2*segments)
	deltas, offsets := table.from(16+4*segments), table.from(16+6*segments)
	return func(r rune) GlyphID {
		if r < 0 || r > 0xFFFF {
			return 0
		}
		i := sort.Search(segments, func(i int) bool { return ends.u16(2*i) >= int(r) })
		first := starts.u16(2 * i)
		if i == segments || int(r) < first {
			return 0
		}
		delta, offset := deltas.u16(2*i), offsets.u16(2*i)
		if offset == 0 {
			return GlyphID(int(r) + delta) // modulo 65536, as the format wants it
		}
		g := offsets.u16(2*i + offset + 2*(int(r)-first))
		if g == 0 {
			return 0
		}
		return GlyphID(g + delta)
	}
}
