package truetype

import (
	"encoding/binary"
	"slices"
)

// Flags of a composite glyph's component (OpenType, chapter glyf).
const (
	argsAreWords   = 0x0001
	argsAreOffsets = 0x0002
	hasScale       = 0x0008
	moreComponents = 0x0020
	hasXYScale     = 0x0040
	hasTwoByTwo    = 0x0080
)

// maxComponents bounds what one glyph may be made of, so that a hostile font cannot make us loop.
const maxComponents = 64

// component is one part of a composite glyph.
type component struct {
	at     int // offset of the glyph number inside the glyf entry
	glyph  GlyphID
	dx, dy float64
	matrix [4]float64 // xscale, scale01, scale10, yscale
}

// components lists the parts of a composite glyph; nil for a simple one.
func components(outline view) []component {
	if outline.i16(0) >= 0 {
		return nil
	}
	var list []component
	for at := 10; at+4 <= len(outline) && len(list) < maxComponents; {
		flags := outline.u16(at)
		c := component{at: at + 2, glyph: GlyphID(outline.u16(at + 2)), matrix: [4]float64{1, 0, 0, 1}}
		at += 4
		dx, dy, size := 0, 0, 2
		if flags&argsAreWords != 0 {
			dx, dy, size = outline.i16(at), outline.i16(at+2), 4
		} else {
			pair := outline.u16(at)
			dx, dy = int(int8(pair>>8)), int(int8(pair))
		}
		if flags&argsAreOffsets != 0 {
			c.dx, c.dy = float64(dx), float64(dy)
		}
		at += size
		f2dot14 := func(i int) float64 { return float64(outline.i16(at+2*i)) / (1 << 14) }
		switch {
		case flags&hasScale != 0:
			c.matrix[0], c.matrix[3] = f2dot14(0), f2dot14(0)
			at += 2
		case flags&hasXYScale != 0:
			c.matrix[0], c.matrix[3] = f2dot14(0), f2dot14(1)
			at += 4
		case flags&hasTwoByTwo != 0:
			c.matrix = [4]float64{f2dot14(0), f2dot14(1), f2dot14(2), f2dot14(3)}
			at += 8
		}
		list = append(list, c)
		if flags&moreComponents == 0 {
			break
		}
	}
	return list
}

// Subset cuts a font that holds glyph 0, the wanted glyphs and the parts they are made of. It returns the
// new font, which has no cmap (a PDF names glyphs by number), and the new number of each wanted glyph.
func (f *Font) Subset(wanted []GlyphID) ([]byte, map[GlyphID]GlyphID) {
	renumbered := map[GlyphID]GlyphID{0: 0}
	order := []GlyphID{0}
	include := func(g GlyphID) GlyphID {
		n, ok := renumbered[g]
		if !ok {
			n = GlyphID(len(order))
			renumbered[g] = n
			order = append(order, g)
		}
		return n
	}
	for _, g := range wanted {
		include(g)
	}
	size := 0
	for _, g := range wanted {
		size += len(f.outline(g)) + 3
	}
	glyf, hmtx := make([]byte, 0, size+1024), make([]byte, 0, 4*(len(wanted)+2))
	loca := make([]byte, 4, 4*(len(wanted)+2))
	for i := 0; i < len(order); i++ { // order grows while parts are found
		outline := f.outline(order[i])
		start := len(glyf)
		glyf = append(glyf, outline...)
		for _, c := range components(outline) {
			binary.BigEndian.PutUint16(glyf[start+c.at:], uint16(include(c.glyph)))
		}
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.tables["hmtx"].u16(4*min(int(order[i]), f.metrics-1))))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.leftBearing(order[i])))
	}
	return assemble(f.subsetTables(len(order), glyf, loca, hmtx)), renumbered
}

func (f *Font) leftBearing(g GlyphID) int {
	if int(g) < f.metrics {
		return f.tables["hmtx"].u16(4*int(g) + 2)
	}
	return f.tables["hmtx"].u16(4*f.metrics + 2*(int(g)-f.metrics))
}

type table struct {
	tag  string
	data []byte
}

func (f *Font) subsetTables(count int, glyf, loca, hmtx []byte) []table {
	head := []byte(f.tables["head"])
	binary.BigEndian.PutUint32(head[8:], 0) // checkSumAdjustment, set by assemble
	binary.BigEndian.PutUint16(head[50:], 1)
	hhea := []byte(f.tables["hhea"])
	binary.BigEndian.PutUint16(hhea[34:], uint16(count))
	maxp := []byte(f.tables["maxp"])
	binary.BigEndian.PutUint16(maxp[4:], uint16(count))
	all := []table{
		{"cvt ", []byte(f.tables["cvt "])}, {"fpgm", []byte(f.tables["fpgm"])}, {"glyf", glyf}, {"head", head}, {"hhea", hhea},
		{"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp}, {"prep", []byte(f.tables["prep"])},
	}
	return slices.DeleteFunc(all, func(t table) bool {
		_, present := f.tables[t.tag]
		return !present
	})
}

// assemble writes the file: directory, tables in tag order, checksums.
func assemble(tables []table) []byte {
	count := len(tables)
	pow, log := 1, 0
	for pow*2 <= count {
		pow, log = pow*2, log+1
	}
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, v := range []int{count, 16 * pow, log, 16 * (count - pow)} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	offset, headAt := 12+16*count, 0
	for _, t := range tables {
		if t.tag == "head" {
			headAt = offset
		}
		out = append(out, t.tag...)
		for _, v := range []uint32{checksum(t.data), uint32(offset), uint32(len(t.data))} {
			out = binary.BigEndian.AppendUint32(out, v)
		}
		offset += (len(t.data) + 3) &^ 3
	}
	for _, t := range tables {
		out = append(out, t.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	binary.BigEndian.PutUint32(out[headAt+8:], 0xB1B0AFBA-checksum(out))
	return out
}

func checksum(data []byte) uint32 {
	var sum uint32
	for ; len(data) >= 4; data = data[4:] {
		sum += binary.BigEndian.Uint32(data)
	}
	var last [4]byte
	copy(last[:], data)
	return sum + binary.BigEndian.Uint32(last[:])
}
