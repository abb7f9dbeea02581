package reader

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"

	"dangan/archive"
)

// posture is how a picture is meant to be seen.
type posture struct {
	orientation int     // as in Exif: 1 is upright, 6 and 8 lie on a side
	dpiX, dpiY  float64 // 0 when not said
}

func upright() posture { return posture{orientation: 1} }

// lies reports whether width and height change places when it is turned.
func (p posture) lies() bool { return p.orientation >= 5 }

// size is that of the page that shows a picture. A resolution is believed when
// it is one that scanners and cameras have.
func (p posture) size(width, height int) archive.PageSize {
	const least, most, points = 10, 5000, 72
	s := archive.PageSize{Width: float64(width), Height: float64(height)}
	if min(p.dpiX, p.dpiY) >= least && max(p.dpiX, p.dpiY) <= most {
		s.Width *= points / p.dpiX
		s.Height *= points / p.dpiY
	}
	s.Rotate = [...]int{0, 0, 180, 180, 270, 90, 90, 270}[p.orientation-1]
	return s
}

// turn returns the picture as it is meant to be seen.
func (p posture) turn(picture *image.RGBA) *image.RGBA {
	if p.orientation == 1 {
		return picture
	}
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if p.lies() {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			tx, ty := p.place(x, y, w, h)
			copy(out.Pix[out.PixOffset(tx, ty):][:4], picture.Pix[picture.PixOffset(x, y):][:4])
		}
	}
	return out
}

// place is where a pixel of a picture is seen: Exif 2.3, 4.6.4 A, Orientation.
func (p posture) place(x, y, w, h int) (int, int) {
	right, bottom := w-1-x, h-1-y
	switch p.orientation {
	case 2:
		return right, y
	case 3:
		return right, bottom
	case 4:
		return x, bottom
	case 5:
		return y, x
	case 6:
		return bottom, x
	case 7:
		return bottom, right
	case 8:
		return y, right
	}
	return x, y
}

// postureOfJPEG reads the segments before the picture.
func postureOfJPEG(file io.ReaderAt) posture {
	p := upright()
	const soi, sos, app0, app1 = 2, 0xDA, 0xE0, 0xE1
	var head [4]byte
	for at := int64(soi); ; {
		if _, err := file.ReadAt(head[:], at); err != nil || head[0] != 0xFF || head[1] == sos {
			return p
		}
		length := int64(binary.BigEndian.Uint16(head[2:]))
		if length < 2 {
			return p
		}
		body := make([]byte, length-2)
		if head[1] == app0 || head[1] == app1 {
			if _, err := file.ReadAt(body, at+4); err != nil {
				return p
			}
		}
		exif, isExif := bytes.CutPrefix(body, []byte("Exif\x00\x00"))
		switch {
		case head[1] == app0 && bytes.HasPrefix(body, []byte("JFIF\x00")) && len(body) >= 12:
			perUnit := map[byte]float64{1: 1, 2: 2.54}[body[7]]
			p.dpiX = perUnit * float64(binary.BigEndian.Uint16(body[8:]))
			p.dpiY = perUnit * float64(binary.BigEndian.Uint16(body[10:]))
		case head[1] == app1 && isExif:
			return p.withExif(exif)
		}
		at += 2 + length
	}
}

// withExif is p with what a camera has noted.
func (p posture) withExif(exif []byte) posture {
	t, err := openTIFF(bytes.NewReader(exif))
	if err != nil {
		return p
	}
	entries, _, err := t.directory(t.first)
	if err != nil {
		return p
	}
	noted := t.look(entries)
	if noted.dpiX == 0 || noted.dpiY == 0 {
		noted.dpiX, noted.dpiY = p.dpiX, p.dpiY
	}
	return noted
}

// postureOfPNG reads the chunks before the picture.
func postureOfPNG(file io.ReaderAt) posture {
	p := upright()
	var head [8 + 9]byte // length, type, and all of a pHYs chunk
	for at := int64(len(pngMagic)); ; {
		if n, _ := file.ReadAt(head[:], at); n < len(head) || string(head[4:8]) == "IDAT" {
			return p
		}
		if body := head[8:]; string(head[4:8]) == "pHYs" && body[8] == 1 { // per metre
			p.dpiX = 0.0254 * float64(binary.BigEndian.Uint32(body))
			p.dpiY = 0.0254 * float64(binary.BigEndian.Uint32(body[4:]))
			return p
		}
		at += 12 + int64(binary.BigEndian.Uint32(head[:]))
	}
}
