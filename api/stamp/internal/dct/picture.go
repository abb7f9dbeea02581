package dct

import (
	"encoding/binary"
	"fmt"
)

// Markers of a JPEG file.
const (
	soi, eoi   = 0xD8, 0xD9
	sof0, sof1 = 0xC0, 0xC1
	dht, dqt   = 0xC4, 0xDB
	sos, dri   = 0xDA, 0xDD
	app0, app1 = 0xE0, 0xE1
	adbe       = 0xEE
)

// component is one of the planes of a picture.
type component struct {
	id     byte
	h, v   int // blocks in a unit, across and down
	quant  *[64]uint16
	number byte // of quant
	dc, ac *table
	in     int32 // the last DC value read
	out    int32 // and written
}

// picture is what the segments before the data say.
type picture struct {
	width, height int
	planes        []component
	across, down  int // blocks in a unit
	restart       int // units between restart markers; 0 for none
	quants        [4]*[64]uint16
	dcs, acs      [4]*table
	jfif, rgb     bool
	exif          bool
	dpiX, dpiY    float64
	data          []byte // from the first entropy-coded byte
}

// segments calls f with each segment up to the first scan, and returns where the scan's data begin.
func segments(file []byte, f func(marker byte, body []byte) error) (data []byte, err error) {
	if len(file) < 4 || file[0] != 0xFF || file[1] != soi {
		return nil, fmt.Errorf("%w: no JPEG", ErrMalformed)
	}
	for at := 2; at+4 <= len(file); {
		marker, length := file[at+1], int(binary.BigEndian.Uint16(file[at+2:]))
		switch {
		case file[at] != 0xFF:
			return nil, fmt.Errorf("%w: no marker where one must be", ErrMalformed)
		case marker == 0xFF: // fill
			at++
			continue
		case length < 2 || at+2+length > len(file):
			return nil, fmt.Errorf("%w: a segment is longer than the file", ErrMalformed)
		}
		if err := f(marker, file[at+4:at+2+length]); err != nil {
			return nil, err
		}
		if at += 2 + length; marker == sos {
			return file[at:], nil
		}
	}
	return nil, fmt.Errorf("%w: no scan", ErrMalformed)
}

// look reads all but the data. What it accepts is baseline, in one scan, grey or YCbCr.
func look(file []byte) (*picture, error) {
	p := &picture{}
	data, err := segments(file, p.segment)
	if err != nil {
		return nil, err
	}
	if len(p.planes) == 0 {
		return nil, fmt.Errorf("%w: no frame", ErrMalformed)
	}
	if p.rgb {
		return nil, fmt.Errorf("%w: not YCbCr", ErrUnsupported)
	}
	p.data = data
	return p, nil
}

func (p *picture) segment(marker byte, body []byte) error {
	switch {
	case marker == sof0 || marker == sof1:
		return p.frame(body)
	case marker == dht:
		return p.huffman(body)
	case marker == dqt:
		return p.quantisation(body)
	case marker == dri && len(body) == 2:
		p.restart = int(binary.BigEndian.Uint16(body))
	case marker == sos:
		return p.scan(body)
	case marker == app0 && len(body) >= 12 && string(body[:5]) == "JFIF\x00":
		p.jfif = true
		perInch := map[byte]float64{1: 1, 2: 2.54}[body[7]]
		p.dpiX = perInch * float64(binary.BigEndian.Uint16(body[8:]))
		p.dpiY = perInch * float64(binary.BigEndian.Uint16(body[10:]))
	case marker == app1:
		p.exif = true
	case marker == adbe && len(body) >= 12 && string(body[:5]) == "Adobe":
		p.rgb = body[11] == 0 && len(p.planes) != 1
	case marker&^0xF == 0xC0: // progressive, lossless, arithmetic
		return fmt.Errorf("%w: not baseline", ErrUnsupported)
	}
	return nil
}

func (p *picture) frame(body []byte) error {
	if len(p.planes) > 0 || len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return fmt.Errorf("%w: frame", ErrMalformed)
	}
	p.height, p.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if planes := body[5]; body[0] != 8 || p.width == 0 || p.height == 0 || planes != 1 && planes != 3 {
		return fmt.Errorf("%w: not 8 bits of grey or colour", ErrUnsupported)
	}
	for spec := body[6:]; len(spec) > 0; spec = spec[3:] {
		c := component{id: spec[0], h: int(spec[1] >> 4), v: int(spec[1] & 15), number: spec[2]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.number > 3 {
			return fmt.Errorf("%w: plane", ErrMalformed)
		}
		p.across, p.down = max(p.across, c.h), max(p.down, c.v)
		p.planes = append(p.planes, c)
	}
	if len(p.planes) == 1 { // a unit is one block, whatever the factors say
		p.planes[0].h, p.planes[0].v, p.across, p.down = 1, 1, 1, 1
		p.rgb = false
		return nil
	}
	first := p.planes[0]
	p.rgb = p.rgb || !p.jfif && first.id == 'R' && p.planes[1].id == 'G' && p.planes[2].id == 'B'
	if first.h != p.across || first.v != p.down || p.across*p.down > 4 {
		return fmt.Errorf("%w: sampling", ErrUnsupported)
	}
	return nil
}

func (p *picture) quantisation(body []byte) error {
	for len(body) > 0 {
		precision, number := body[0]>>4, body[0]&15
		if precision != 0 {
			return fmt.Errorf("%w: quantisation of more than 8 bits", ErrUnsupported)
		}
		if number > 3 || len(body) < 65 {
			return fmt.Errorf("%w: quantisation", ErrMalformed)
		}
		p.quants[number] = &[64]uint16{}
		for i, q := range body[1:65] {
			if q == 0 {
				return fmt.Errorf("%w: quantisation", ErrMalformed)
			}
			p.quants[number][i] = uint16(q)
		}
		body = body[65:]
	}
	return nil
}

func (p *picture) huffman(body []byte) error {
	for len(body) >= 17 {
		class, number, counts := body[0]>>4, body[0]&15, [16]byte(body[1:17])
		total := 0
		for _, n := range counts {
			total += int(n)
		}
		if class > 1 || number > 3 || len(body) < 17+total {
			return fmt.Errorf("%w: Huffman table", ErrMalformed)
		}
		t, err := newTable(counts, body[17:17+total])
		if err != nil {
			return err
		}
		if class == 0 {
			p.dcs[number] = t
		} else {
			p.acs[number] = t
		}
		body = body[17+total:]
	}
	if len(body) > 0 {
		return fmt.Errorf("%w: Huffman table", ErrMalformed)
	}
	return nil
}

// scan wants one that carries all planes.
func (p *picture) scan(body []byte) error {
	n := len(p.planes)
	if n == 0 || len(body) < 4 || len(body) != 4+2*int(body[0]) {
		return fmt.Errorf("%w: scan", ErrMalformed)
	}
	if int(body[0]) != n || body[1+2*n] != 0 || body[2+2*n] != 63 || body[3+2*n] != 0 {
		return fmt.Errorf("%w: several scans", ErrUnsupported)
	}
	for i := range p.planes {
		c, id, tables := &p.planes[i], body[1+2*i], body[2+2*i]
		if c.id != id || tables>>4 > 3 || tables&15 > 3 {
			return fmt.Errorf("%w: scan", ErrMalformed)
		}
		c.quant, c.dc, c.ac = p.quants[c.number], p.dcs[tables>>4], p.acs[tables&15]
		if c.quant == nil || c.dc == nil || c.ac == nil {
			return fmt.Errorf("%w: a table is missing", ErrMalformed)
		}
	}
	return nil
}

// header writes the segments of a picture with the standard Huffman tables. A word of the file it came from is in
// none of them but the sizes and the quantisation.
func (p *picture) header(out []byte, tables [4]*table) []byte {
	segment := func(marker byte, body ...byte) {
		out = append(out, 0xFF, marker)
		out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
		out = append(out, body...)
	}
	out = append(out, 0xFF, soi)
	segment(app0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")...)
	frame := []byte{8, byte(p.height >> 8), byte(p.height), byte(p.width >> 8), byte(p.width), byte(len(p.planes))}
	scan := []byte{byte(len(p.planes))}
	for i, c := range p.planes {
		kind := byte(min(i, 1))
		quant := []byte{byte(i)}
		for _, q := range c.quant {
			quant = append(quant, byte(q))
		}
		segment(dqt, quant...)
		frame = append(frame, byte(i+1), byte(c.h<<4|c.v), byte(i))
		scan = append(scan, byte(i+1), kind<<4|kind)
	}
	segment(sof0, frame...)
	for i, t := range tables[:2*min(len(p.planes), 2)] {
		segment(dht, append(append([]byte{byte(i%2<<4 | i/2)}, t.counts[:]...), t.symbols...)...)
	}
	segment(sos, append(scan, 0, 63, 0)...)
	return out
}
