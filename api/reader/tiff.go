package reader

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
	"slices"

	"golang.org/x/image/ccitt"
	"golang.org/x/image/tiff"
)

// The compressions of TIFF that are not left to x/image: JPEG it does not know, and
// of a fax it would hold every pixel, and show those that say that black is zero
// inside out.
const (
	compressionFax3 = 3
	compressionFax4 = 4
	compressionJPEG = 7
)

// Photometric interpretations.
const (
	blackIsZero = 1
	colourRGB   = 2
	colourYCbCr = 6
)

// sheet is a picture of a TIFF file: strips, one below the other, or tiles.
type sheet struct {
	tiffFile
	size                              int64 // of the file
	entries                           []entry
	width, height                     int
	blockWidth, blockHeight           int
	tiled                             bool
	offsets, lengths                  []uint32
	compression, photometric, options int
	lsbFirst                          bool
	tables                            []byte // of its JPEGs
}

// maxBlocks is how many strips or tiles a picture may have.
const maxBlocks = 1 << 20

// newSheet reads a directory. The largest picture has ten times maxPixels, because
// no more than a row of its blocks is in memory, which may have maxPixels.
func newSheet(t tiffFile, size int64, entries []entry, maxPixels int64) (sheet, error) {
	s := sheet{tiffFile: t, size: size, entries: entries}
	if err := s.measure(); err != nil {
		return s, err
	}
	if int64(s.width)*int64(s.height) > 10*maxPixels || !s.isStream() && int64(s.across()*s.blockWidth)*int64(s.blockHeight) > maxPixels {
		return s, fmt.Errorf("picture of %d by %d: %w", s.width, s.height, errLimit)
	}
	return s, s.vet()
}

// findBlocks is left until they are needed: a file may have thousands of pictures
// with lists of a million blocks.
func (s *sheet) findBlocks() (err error) {
	offsets, lengths := uint16(tagStrips), uint16(tagStripSizes)
	if s.tiled {
		offsets, lengths = tagTiles, tagTileSizes
	}
	if s.offsets, err = s.list(offsets); err != nil {
		return err
	}
	if s.lengths, err = s.list(lengths); err != nil {
		return err
	}
	if n := s.across() * ((s.height + s.blockHeight - 1) / s.blockHeight); len(s.offsets) < n || len(s.lengths) < n {
		return errors.New("TIFF with blocks missing")
	}
	return nil
}

// measure reads the numbers of a directory.
func (s *sheet) measure() error {
	var rows, tileWidth, tileHeight, fill int
	for _, n := range []struct {
		to        *int
		tag       uint16
		otherwise int
	}{
		{&s.width, tagWidth, 0}, {&s.height, tagHeight, 0}, {&rows, tagStripRows, 0}, {&tileWidth, tagTileWidth, 0}, {&tileHeight, tagTileHeight, 0},
		{&s.compression, tagCompression, 1}, {&s.photometric, tagPhotometric, 0}, {&s.options, tagFaxOptions, 0}, {&fill, tagFillOrder, 1},
	} {
		*n.to = n.otherwise
		if i := s.find(n.tag); i >= 0 {
			values, err := s.numbers(s.entries[i], 1)
			if err != nil || len(values) == 0 || values[0] > math.MaxInt32 && n.tag != tagStripRows {
				return fmt.Errorf("tag %d: %w", n.tag, cmp.Or(err, errors.New("no number")))
			}
			*n.to = int(values[0])
		}
	}
	if s.width < 1 || s.height < 1 || s.width > 1<<20 {
		return errors.New("TIFF without a size")
	}
	s.blockWidth, s.blockHeight, s.tiled, s.lsbFirst = s.width, s.height, tileWidth > 0 || tileHeight > 0, fill == 2
	switch {
	case s.tiled && (min(tileWidth, tileHeight) < 8 || max(tileWidth, tileHeight) > 1<<16):
		return errors.New("TIFF with impossible tiles")
	case s.tiled:
		s.blockWidth, s.blockHeight = tileWidth, tileHeight
	case rows > 0:
		s.blockHeight = min(rows, s.height)
	}
	return nil
}

func (s *sheet) find(tag uint16) int {
	return slices.IndexFunc(s.entries, func(e entry) bool { return e.tag == tag })
}

func (s *sheet) list(tag uint16) ([]uint32, error) {
	i := s.find(tag)
	if i < 0 {
		return nil, fmt.Errorf("TIFF without tag %d", tag)
	}
	return s.numbers(s.entries[i], maxBlocks)
}

func (s *sheet) across() int { return (s.width + s.blockWidth - 1) / s.blockWidth }

func (s *sheet) isFax() bool {
	return s.compression == compressionFax3 || s.compression == compressionFax4
}

// isStream reports whether rows come one by one.
func (s *sheet) isStream() bool { return s.isFax() && !s.tiled }

// vet finds out whether the picture is of a variety that can be drawn.
func (s *sheet) vet() error {
	planes := 1
	if i := s.find(tagPlanes); i >= 0 {
		planes = int(s.order.Uint16(s.entries[i].value[:]))
	}
	switch {
	case planes != 1 && s.photometric >= colourRGB:
		return tiff.UnsupportedError("planes")
	case s.isFax():
		bits := s.find(tagBits)
		if s.photometric > blackIsZero || bits >= 0 && s.order.Uint16(s.entries[bits].value[:]) != 1 || s.compression == compressionFax3 && s.options != 0 {
			return tiff.UnsupportedError("fax")
		}
	case s.compression == compressionJPEG:
		if s.photometric != blackIsZero && s.photometric != colourRGB && s.photometric != colourYCbCr {
			return tiff.UnsupportedError("JPEG of these colours")
		}
		if i := s.find(tagTables); i >= 0 {
			var err error
			s.tables, err = s.raw(s.entries[i], 1<<16)
			return err
		}
	default:
		_, err := tiff.DecodeConfig(s.alone(0, 0, 1))
		return err
	}
	return nil
}

// draw has all rows of the picture added, from the top.
func (s *sheet) draw(add func(rows int, pieces ...image.Image)) error {
	if err := s.findBlocks(); err != nil {
		return err
	}
	for y, i := 0, 0; y < s.height; y += s.blockHeight {
		rows := min(s.blockHeight, s.height-y)
		if s.isStream() {
			if err := s.fax(i, rows, add); err != nil {
				return err
			}
			i++
			continue
		}
		has := rows // of them a block has
		if s.tiled {
			has = s.blockHeight
		}
		pieces := make([]image.Image, s.across())
		for x := range pieces {
			var err error
			if pieces[x], err = s.block(i, has); err != nil {
				return fmt.Errorf("block %d: %w", i, err)
			}
			i++
		}
		add(rows, pieces...)
	}
	return nil
}

// block decodes a strip or tile.
func (s *sheet) block(i, rows int) (image.Image, error) {
	switch {
	case s.isFax():
		tile := image.NewGray(image.Rect(0, 0, s.blockWidth, rows))
		return tile, expand(tile, s.bits(i, rows))
	case s.compression == compressionJPEG:
		return s.jpeg(i, rows)
	}
	return tiff.Decode(s.alone(s.offsets[i], s.lengths[i], rows))
}

// section is what the file has of a block.
func (s *sheet) section(i int) *io.SectionReader {
	return io.NewSectionReader(s.file, int64(s.offsets[i]), int64(s.lengths[i]))
}

// fax adds a strip a few rows at a time.
func (s *sheet) fax(i, rows int, add func(rows int, pieces ...image.Image)) error {
	bits := s.bits(i, rows)
	band := image.NewGray(image.Rect(0, 0, s.width, bandRows))
	for ; rows > 0; rows -= bandRows {
		band.Rect.Max.Y = min(rows, bandRows)
		if err := expand(band, bits); err != nil {
			return fmt.Errorf("strip %d: %w", i, err)
		}
		add(band.Rect.Max.Y, band)
	}
	return nil
}

// bits are the pixels of a block of a fax, one for a white one. Where black is zero,
// what the fax took for black was white.
func (s *sheet) bits(i, rows int) io.Reader {
	order, kind := ccitt.MSB, ccitt.Group4
	if s.lsbFirst {
		order = ccitt.LSB
	}
	if s.compression == compressionFax3 {
		kind = ccitt.Group3
	}
	return ccitt.NewReader(s.section(i), order, kind, s.blockWidth, rows, &ccitt.Options{Invert: s.photometric == blackIsZero})
}

func expand(band *image.Gray, bits io.Reader) error {
	row := make([]byte, (band.Rect.Dx()+7)/8)
	for y := range band.Rect.Dy() {
		if _, err := io.ReadFull(bits, row); err != nil {
			return err
		}
		pix := band.Pix[y*band.Stride:][:band.Rect.Dx()]
		for x := range pix {
			pix[x] = -(row[x/8] >> (7 - x%8) & 1)
		}
	}
	return nil
}

// jpeg decodes a block, which leaves its tables to the directory: TIFF Technical
// Note 2.
func (s *sheet) jpeg(i, rows int) (image.Image, error) {
	const marker = 2
	var head []byte
	if n := len(s.tables); n > 2*marker {
		head = s.tables[:n-marker] // without the end of image
	} else {
		head = []byte("\xFF\xD8")
	}
	if s.photometric == colourRGB { // which a JPEG says only in this way
		head = append(slices.Clip(head), "\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x00"...)
	}
	open := func() io.Reader {
		return io.MultiReader(bytes.NewReader(head), io.NewSectionReader(s.section(i), marker, math.MaxInt64))
	}
	config, err := jpeg.DecodeConfig(open())
	if err != nil {
		return nil, err
	}
	if config.Width != s.blockWidth || config.Height < rows || config.Height > s.blockHeight {
		return nil, fmt.Errorf("JPEG of %d by %d", config.Width, config.Height)
	}
	return jpeg.Decode(open())
}

// alone is a TIFF file that has a single block of the picture, and is the same
// otherwise. Its directory lies behind the end of the file.
func (s *sheet) alone(offset, length uint32, rows int) io.Reader {
	long := func(tag uint16, value uint32) entry {
		e := entry{tag: tag, kind: kindLong, count: 1}
		s.order.PutUint32(e.value[:], value)
		return e
	}
	entries := []entry{
		long(tagWidth, uint32(s.blockWidth)), long(tagHeight, uint32(rows)), long(tagStripRows, uint32(rows)),
		long(tagStrips, offset), long(tagStripSizes, length),
	}
	for _, e := range s.entries {
		switch e.tag {
		case tagTileWidth, tagTileHeight, tagTiles, tagTileSizes:
		default:
			if !slices.ContainsFunc(entries, func(other entry) bool { return other.tag == e.tag }) {
				entries = append(entries, e)
			}
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.tag, b.tag) })
	p := &patched{file: s.file, head: [8]byte{'I', 'I', '*', 0}, size: s.size}
	if s.order == binary.BigEndian {
		p.head = [8]byte{'M', 'M', 0, '*'}
	}
	s.order.PutUint32(p.head[4:], uint32(s.size))
	p.tail = append(p.tail, 0, 0)
	s.order.PutUint16(p.tail, uint16(len(entries)))
	for _, e := range entries {
		raw := [12]byte{8: e.value[0], e.value[1], e.value[2], e.value[3]}
		s.order.PutUint16(raw[0:], e.tag)
		s.order.PutUint16(raw[2:], e.kind)
		s.order.PutUint32(raw[4:], e.count)
		p.tail = append(p.tail, raw[:]...)
	}
	p.tail = append(p.tail, 0, 0, 0, 0)
	return io.NewSectionReader(p, 0, s.size+int64(len(p.tail)))
}

// patched is a file with another head, and something behind its end.
type patched struct {
	file io.ReaderAt
	head [8]byte
	size int64
	tail []byte
}

func (p *patched) ReadAt(b []byte, offset int64) (int, error) {
	if offset >= p.size {
		return bytes.NewReader(p.tail).ReadAt(b, offset-p.size)
	}
	n, err := p.file.ReadAt(b, offset)
	if offset >= 0 && offset < int64(len(p.head)) {
		copy(b[:n], p.head[offset:])
	}
	return n, err
}
