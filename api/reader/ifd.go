package reader

import (
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/image/tiff"
)

// The tags of TIFF that say how a picture is meant to be seen.
const (
	tagOrientation = 274
	tagResolutionX = 282
	tagResolutionY = 283
	tagUnit        = 296
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

// at is the file as if the directory at offset were its first.
func (t tiffFile) at(offset uint32) io.ReaderAt {
	head := [8]byte{'I', 'I', '*', 0}
	if t.order == binary.BigEndian {
		head = [8]byte{'M', 'M', 0, '*'}
	}
	t.order.PutUint32(head[4:], offset)
	return &headed{t.file, head}
}

// headed is a file with another head.
type headed struct {
	file io.ReaderAt
	head [8]byte
}

func (h *headed) ReadAt(p []byte, offset int64) (int, error) {
	n, err := h.file.ReadAt(p, offset)
	if offset >= 0 && offset < int64(len(h.head)) {
		copy(p[:n], h.head[offset:])
	}
	return n, err
}

// directories returns the offsets of the directories, one for each page.
func (t tiffFile) directories(most int) ([]uint32, error) {
	var offsets []uint32
	seen := map[uint32]bool{}
	for next := t.first; next != 0; {
		if seen[next] {
			return nil, fmt.Errorf("directory at %d comes again", next)
		}
		seen[next] = true
		if offsets = append(offsets, next); len(offsets) > most {
			return offsets, nil
		}
		var count [2]byte
		if _, err := t.file.ReadAt(count[:], int64(next)); err != nil {
			return nil, fmt.Errorf("directory at %d: %w", next, err)
		}
		var link [4]byte
		if _, err := t.file.ReadAt(link[:], int64(next)+2+12*int64(t.order.Uint16(count[:]))); err != nil {
			return nil, fmt.Errorf("directory at %d: %w", next, err)
		}
		next = t.order.Uint32(link[:])
	}
	return offsets, nil
}

// look reads how the picture of a directory is meant to be seen. What is not
// said, or said wrongly, is left as it is by default.
func (t tiffFile) look(offset uint32) (posture, error) {
	p := upright()
	var count [2]byte
	if _, err := t.file.ReadAt(count[:], int64(offset)); err != nil {
		return p, fmt.Errorf("directory at %d: %w", offset, err)
	}
	entries := make([]byte, 12*int(t.order.Uint16(count[:])))
	if _, err := t.file.ReadAt(entries, int64(offset)+2); err != nil {
		return p, fmt.Errorf("directory at %d: %w", offset, err)
	}
	perUnit := 1.0 // inch
	for ; len(entries) > 0; entries = entries[12:] {
		short := t.order.Uint16(entries[8:])
		switch t.order.Uint16(entries) {
		case tagOrientation:
			if short >= 1 && short <= 8 {
				p.orientation = int(short)
			}
		case tagUnit:
			perUnit = map[uint16]float64{2: 1, 3: 2.54}[short] // 0 for a mere ratio
		case tagResolutionX:
			p.dpiX = t.rational(t.order.Uint32(entries[8:]))
		case tagResolutionY:
			p.dpiY = t.rational(t.order.Uint32(entries[8:]))
		}
	}
	p.dpiX *= perUnit
	p.dpiY *= perUnit
	return p, nil
}

func (t tiffFile) rational(offset uint32) float64 {
	var raw [8]byte
	if _, err := t.file.ReadAt(raw[:], int64(offset)); err != nil {
		return 0
	}
	divisor := t.order.Uint32(raw[4:])
	if divisor == 0 {
		return 0
	}
	return float64(t.order.Uint32(raw[:])) / float64(divisor)
}
