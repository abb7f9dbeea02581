package reader

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"golang.org/x/image/tiff"
)

// The tags of TIFF that are looked at.
const (
	tagKind        = 254
	tagWidth       = 256
	tagHeight      = 257
	tagBits        = 258
	tagCompression = 259
	tagPhotometric = 262
	tagFillOrder   = 266
	tagStrips      = 273
	tagOrientation = 274
	tagStripRows   = 278
	tagStripSizes  = 279
	tagResolutionX = 282
	tagResolutionY = 283
	tagPlanes      = 284
	tagFaxOptions  = 292
	tagUnit        = 296
	tagTileWidth   = 322
	tagTileHeight  = 323
	tagTiles       = 324
	tagTileSizes   = 325
	tagTables      = 347
)

// tiffFile is a TIFF file, which is also the form of what a camera notes in a
// JPEG.
type tiffFile struct {
	file  io.ReaderAt
	order binary.ByteOrder
	first uint32 // offset of the first directory
}

func openTIFF(file io.ReaderAt) (tiffFile, error) {
	var head [8]byte
	if _, err := file.ReadAt(head[:], 0); err != nil {
		return tiffFile{}, fmt.Errorf("head of TIFF: %w", err)
	}
	t := tiffFile{file: file}
	switch string(head[:4]) {
	case "II*\x00":
		t.order = binary.LittleEndian
	case "MM\x00*":
		t.order = binary.BigEndian
	case "II+\x00", "MM\x00+":
		return tiffFile{}, tiff.UnsupportedError("BigTIFF")
	default:
		return tiffFile{}, fmt.Errorf("head of TIFF: %x", head[:4])
	}
	t.first = t.order.Uint32(head[4:])
	return t, nil
}

// entry is one of a directory.
type entry struct {
	tag, kind uint16
	count     uint32
	value     [4]byte // or its offset
}

// directory reads the one at offset, and where the next is; 0 when it is the last.
func (t tiffFile) directory(offset uint32) (entries []entry, next uint32, err error) {
	var count [2]byte
	if _, err := t.file.ReadAt(count[:], int64(offset)); err != nil {
		return nil, 0, fmt.Errorf("directory at %d: %w", offset, err)
	}
	const size, most = 12, 1000
	n := int(t.order.Uint16(count[:]))
	if n > most {
		return nil, 0, fmt.Errorf("directory at %d: %d entries", offset, n)
	}
	raw := make([]byte, size*n+4)
	if _, err := t.file.ReadAt(raw, int64(offset)+2); err != nil {
		return nil, 0, fmt.Errorf("directory at %d: %w", offset, err)
	}
	for ; len(raw) > size; raw = raw[size:] {
		entries = append(entries, entry{t.order.Uint16(raw), t.order.Uint16(raw[2:]), t.order.Uint32(raw[4:]), [4]byte(raw[8:])})
	}
	return entries, t.order.Uint32(raw), nil
}

// directories returns those of a file, one for each picture, but at most one more
// than most.
func (t tiffFile) directories(most int) ([][]entry, error) {
	var all [][]entry
	seen := map[uint32]bool{}
	for next := t.first; next != 0 && len(all) <= most; {
		if seen[next] {
			return nil, fmt.Errorf("directory at %d comes again", next)
		}
		seen[next] = true
		entries, link, err := t.directory(next)
		if err != nil {
			return nil, err
		}
		all, next = append(all, entries), link
	}
	return all, nil
}

// The kinds of values that are looked at, and their sizes.
const (
	kindByte   = 1
	kindShort  = 3
	kindLong   = 4
	kindOpaque = 7
)

func sizeOfKind(kind uint16) int {
	switch kind {
	case kindByte, kindOpaque:
		return 1
	case kindShort:
		return 2
	case kindLong:
		return 4
	}
	return 0
}

// raw is the values of an entry, of which there may be no more than most.
func (t tiffFile) raw(e entry, most int) ([]byte, error) {
	size := sizeOfKind(e.kind)
	if size == 0 || int64(e.count) > int64(most) {
		return nil, fmt.Errorf("tag %d: %d values of kind %d", e.tag, e.count, e.kind)
	}
	length := size * int(e.count)
	if length <= len(e.value) {
		return e.value[:length], nil
	}
	raw := make([]byte, length)
	if _, err := t.file.ReadAt(raw, int64(t.order.Uint32(e.value[:]))); err != nil {
		return nil, fmt.Errorf("tag %d: %w", e.tag, err)
	}
	return raw, nil
}

// numbers are those of an entry, of which there may be no more than most.
func (t tiffFile) numbers(e entry, most int) ([]uint32, error) {
	raw, err := t.raw(e, most)
	if err != nil {
		return nil, err
	}
	numbers := make([]uint32, e.count)
	for i := range numbers {
		switch e.kind {
		case kindShort:
			numbers[i] = uint32(t.order.Uint16(raw[2*i:]))
		case kindLong:
			numbers[i] = t.order.Uint32(raw[4*i:])
		default:
			numbers[i] = uint32(raw[i])
		}
	}
	return numbers, nil
}

// isPage reports whether the picture of a directory is a page, and no smaller form
// or mask of one.
func (t tiffFile) isPage(entries []entry) bool {
	const smaller, mask = 1, 4
	i := slices.IndexFunc(entries, func(e entry) bool { return e.tag == tagKind && e.kind == kindLong })
	return i < 0 || t.order.Uint32(entries[i].value[:])&(smaller|mask) == 0
}

// look reads how the picture of a directory is meant to be seen. What is not
// said, or said wrongly, is left as it is by default.
func (t tiffFile) look(entries []entry) posture {
	p := upright()
	perUnit := 1.0 // inch
	for _, e := range entries {
		short := t.order.Uint16(e.value[:])
		switch e.tag {
		case tagOrientation:
			if short >= 1 && short <= 8 {
				p.orientation = int(short)
			}
		case tagUnit:
			perUnit = map[uint16]float64{2: 1, 3: 2.54}[short] // 0 for a mere ratio
		case tagResolutionX:
			p.dpiX = t.rational(e)
		case tagResolutionY:
			p.dpiY = t.rational(e)
		}
	}
	p.dpiX *= perUnit
	p.dpiY *= perUnit
	return p
}

func (t tiffFile) rational(e entry) float64 {
	var raw [8]byte
	if _, err := t.file.ReadAt(raw[:], int64(t.order.Uint32(e.value[:]))); err != nil {
		return 0
	}
	divisor := t.order.Uint32(raw[4:])
	if divisor == 0 {
		return 0
	}
	return float64(t.order.Uint32(raw[:])) / float64(divisor)
}
