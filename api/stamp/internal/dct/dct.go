// Package dct changes parts of JPEG pictures where they lie. A picture is read down to the coefficients of its
// blocks and no further: blocks under a box become black, blocks under a mark become darker, and all others keep
// every value that they have. That is several times quicker than drawing the picture, and loses nothing.
//
// It owns: ITU-T T.81 (JPEG), baseline, one scan. It must not know: pages, PDF, what the boxes hide.
package dct

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math/bits"
)

// ErrMalformed is wrapped when a file is no whole JPEG.
var ErrMalformed = errors.New("malformed JPEG")

// ErrUnsupported is wrapped when a JPEG is of a kind that must be drawn: progressive, CMYK, RGB and others.
var ErrUnsupported = errors.New("unsupported kind of JPEG")

// Edit is what is to be done with a picture.
type Edit struct {
	Boxes []image.Rectangle // in pixels; black afterwards, with the blocks of 8 or 16 pixels that they touch
	Shade *Shade            // of a picture of this size; nil for none
	// Strength is asked once for each block under the shade, and says how dark it becomes. When it varies, the
	// shade cannot be subtracted again.
	Strength func() float32
}

// Info is what a JPEG says of itself before its data.
type Info struct {
	Width, Height int // in pixels
	Grey          bool
	DPIX, DPIY    float64 // 0 when not said
	Exif          bool    // it may have to be turned before it is seen
}

// Look reads the segments before the data. It fails with ErrMalformed or ErrUnsupported.
func Look(file []byte) (Info, error) {
	p, err := look(file)
	if err != nil {
		return Info{}, err
	}
	return Info{Width: p.width, Height: p.height, Grey: len(p.planes) == 1, DPIX: p.dpiX, DPIY: p.dpiY, Exif: p.exif}, nil
}

// editor is one picture on its way.
type editor struct {
	*picture
	Edit
	tables [4]*table
	r      bitReader
	w      bitWriter
}

// Apply returns the picture with the edit, and without comments, previews, and whatever else was in the file
// besides. It fails with ErrMalformed or ErrUnsupported.
func Apply(file []byte, e Edit) ([]byte, error) {
	p, err := look(file)
	if err != nil {
		return nil, err
	}
	tables, err := standard()
	if err != nil {
		return nil, err
	}
	ed := editor{picture: p, Edit: e, tables: tables, r: bitReader{data: p.data}}
	ed.w.out = p.header(make([]byte, 0, len(file)+len(file)/8+1024), tables)
	if err := ed.units(); err != nil {
		return nil, err
	}
	ed.w.close()
	return append(ed.w.out, 0xFF, eoi), nil
}

func (e *editor) units() error {
	wide, high := 8*e.across, 8*e.down
	count := 0
	for y := 0; y < e.height; y += high {
		for x := 0; x < e.width; x += wide {
			if e.restart > 0 && count > 0 && count%e.restart == 0 {
				if !e.r.restart() {
					return fmt.Errorf("%w: restart", ErrMalformed)
				}
				for i := range e.planes {
					e.planes[i].in = 0
				}
			}
			count++
			if err := e.unit(x, y, e.boxed(image.Rect(x, y, x+wide, y+high))); err != nil {
				return err
			}
			if e.r.n < 0 {
				return fmt.Errorf("%w: cut off", ErrMalformed)
			}
		}
	}
	if !bytes.HasPrefix(e.r.data[e.r.at:], []byte{0xFF, eoi}) {
		return fmt.Errorf("%w: no end", ErrMalformed)
	}
	return nil
}

func (e *editor) boxed(unit image.Rectangle) bool {
	for _, b := range e.Boxes {
		if unit.Overlaps(b) {
			return true
		}
	}
	return false
}

func (e *editor) unit(x, y int, boxed bool) error {
	for i := range e.planes {
		c := &e.planes[i]
		for n := range c.h * c.v {
			var shade *[64]float32
			if i == 0 && e.Shade != nil {
				shade = e.Shade.at(x/8+n%c.h, y/8+n/c.h)
			}
			ok := false
			switch dc, ac := e.tables[2*min(i, 1)], e.tables[2*min(i, 1)+1]; {
			case boxed:
				if ok = e.skip(c); ok {
					e.flat(c, i == 0, dc, ac)
				}
			case shade != nil:
				ok = e.darken(c, shade, dc, ac)
			default:
				ok = e.keep(c, dc, ac)
			}
			if !ok {
				return fmt.Errorf("%w: block", ErrMalformed)
			}
		}
	}
	return nil
}

// keep copies a block.
func (e *editor) keep(c *component, dc, ac *table) bool {
	if !e.readDC(c) || !e.writeDC(c, c.in, dc) {
		return false
	}
	for k := 1; k < 64; k++ {
		symbol, ok := e.r.symbol(c.ac)
		if !ok || ac.length[symbol] == 0 {
			return false
		}
		size := int(symbol & 15)
		e.w.put(uint32(ac.code[symbol])<<size|e.r.take(size), int(ac.length[symbol])+size)
		if size == 0 && symbol != 0xF0 {
			break // nothing but zeros is left
		}
		if k += int(symbol >> 4); k > 63 {
			return false
		}
	}
	return true
}

// skip reads a block.
func (e *editor) skip(c *component) bool {
	var block [64]int32
	return e.read(c, &block)
}

// flat writes a block of black.
func (e *editor) flat(c *component, luma bool, dc, ac *table) {
	value := int32(0) // neither blue nor red
	if q := int32(c.quant[0]); luma {
		value = -(1024 + q - 1) / q
	}
	e.writeDC(c, value, dc)
	e.w.put(uint32(ac.code[0]), int(ac.length[0]))
}

func (e *editor) darken(c *component, shade *[64]float32, dc, ac *table) bool {
	var block [64]int32
	if !e.read(c, &block) {
		return false
	}
	strength := e.Strength()
	for i, s := range shade {
		q := int32(c.quant[i])
		down := s * strength / float32(q)
		if down < 0 {
			down--
		}
		limit := 1023 / q // what a baseline decoder need not take is of no use
		block[i] = min(max(block[i]-int32(down+0.5), -limit), limit)
	}
	return e.write(c, &block, dc, ac)
}

func (e *editor) readDC(c *component) bool {
	size, ok := e.r.symbol(c.dc)
	if !ok || size > 11 {
		return false
	}
	c.in += extend(e.r.take(int(size)), int(size))
	return -2048 < c.in && c.in < 2048
}

// read reads the values of a block, in zigzag order.
func (e *editor) read(c *component, block *[64]int32) bool {
	if !e.readDC(c) {
		return false
	}
	block[0] = c.in
	for k := 1; k < 64; k++ {
		symbol, ok := e.r.symbol(c.ac)
		size := int(symbol & 15)
		if !ok || size > 10 {
			return false
		}
		if size == 0 && symbol != 0xF0 {
			break
		}
		if k += int(symbol >> 4); k > 63 {
			return false
		}
		block[k] = extend(e.r.take(size), size)
	}
	return true
}

func (e *editor) writeDC(c *component, value int32, dc *table) bool {
	size, bits := magnitude(value - c.out)
	c.out = value
	if size > 11 {
		return false
	}
	e.w.put(uint32(dc.code[size])<<size|bits, int(dc.length[size])+size)
	return true
}

func (e *editor) write(c *component, block *[64]int32, dc, ac *table) bool {
	if !e.writeDC(c, block[0], dc) {
		return false
	}
	run := 0
	for _, v := range block[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			e.w.put(uint32(ac.code[0xF0]), int(ac.length[0xF0]))
		}
		size, bits := magnitude(v)
		symbol := run<<4 | size
		e.w.put(uint32(ac.code[symbol])<<size|bits, int(ac.length[symbol])+size)
		run = 0
	}
	if run > 0 {
		e.w.put(uint32(ac.code[0]), int(ac.length[0]))
	}
	return true
}

// extend makes a value of its bits (T.81, F.2.2.1).
func extend(bits uint32, size int) int32 {
	if v := int32(bits); size == 0 || v >= 1<<(size-1) {
		return v
	}
	return int32(bits) - 1<<size + 1
}

// magnitude is the reverse.
func magnitude(v int32) (size int, low uint32) {
	positive := v
	if v < 0 {
		positive, v = -v, v-1
	}
	size = bits.Len32(uint32(positive))
	return size, uint32(v) & (1<<size - 1)
}
