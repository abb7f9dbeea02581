package reader_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"maps"
	"slices"
	"testing"

	"dangan/api/reader"
)

// The generators of pictures, and how they are turned.

// faxPage is a page of 16 by 16 pixels with a black left half, in CCITT group 4,
// at 200 dpi (where a page says 1, at 100), lying as Exif says. Its strip is put in by tiffFile.
func faxPage(orientation uint32) map[uint16]uint32 {
	return map[uint16]uint32{256: 16, 257: 16, 258: 1, 259: 4, 262: 0, 274: orientation, 277: 1, 278: 16, 282: 0, 283: 0, 296: 2}
}

// fax: a line of 0 white, 8 black, the rest white; then 15 lines like the one
// above; the end.
const fax = "001" + "00110101" + "000101" + "1" +
	"111" + "111" + "111" + "111" + "111" + "111" + "111" + "111" + "111" + "111" + "111" + "111" + "111" + "111" + "111" +
	"000000000001" + "000000000001"

// tiffFile writes a TIFF of the given directories, all with the same strip.
func tiffFile(pages ...map[uint16]uint32) []byte {
	var strip []byte
	for bits := fax; bits != ""; bits = bits[min(8, len(bits)):] {
		b := byte(0)
		for i := range min(8, len(bits)) {
			b |= (bits[i] - '0') << (7 - i)
		}
		strip = append(strip, b)
	}
	order := binary.LittleEndian
	const density, start = 8, 24
	out := []byte("II*\x00\x00\x00\x00\x00")
	for _, dpi := range []uint32{200, 100} {
		out = order.AppendUint32(order.AppendUint32(out, dpi), 1)
	}
	out = append(out, strip...)
	link := 4
	for _, tags := range pages {
		tags = maps.Clone(tags)
		tags[273], tags[279] = start, uint32(len(strip))
		order.PutUint32(out[link:], uint32(len(out)))
		out = order.AppendUint16(out, uint16(len(tags)))
		for _, tag := range slices.Sorted(maps.Keys(tags)) {
			kind, value := uint16(4), tags[tag] // LONG
			switch tag {
			case 258, 259, 262, 274, 277, 296:
				kind = 3 // SHORT
			case 282, 283:
				kind, value = 5, density+8*value // RATIONAL: the first or the second
			}
			out = order.AppendUint16(order.AppendUint16(out, tag), kind)
			out = order.AppendUint32(order.AppendUint32(out, 1), value)
		}
		link = len(out)
		out = order.AppendUint32(out, 0)
	}
	return out
}

// withExif is a JPEG of 300 dpi that lies as Exif says.
func withExif(jpeg []byte, orientation uint32) []byte {
	order := binary.LittleEndian
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x04\x00")
	entry := func(tag, kind uint16, value uint32) {
		exif = order.AppendUint16(order.AppendUint16(exif, tag), kind)
		exif = order.AppendUint32(order.AppendUint32(exif, 1), value)
	}
	const behind = 8 + 2 + 4*12 + 4
	entry(274, 3, orientation)
	entry(282, 5, behind)
	entry(283, 5, behind)
	entry(296, 3, 2)
	exif = order.AppendUint32(exif, 0)
	exif = order.AppendUint32(order.AppendUint32(exif, 300), 1)
	segment := binary.BigEndian.AppendUint16([]byte{0xFF, 0xE1}, uint16(len(exif)+2))
	return slices.Insert(slices.Clone(jpeg), 2, append(segment, exif...)...)
}

// withDensity is a PNG with so many pixels per metre.
func withDensity(file []byte, perMetre uint32) []byte {
	density := binary.BigEndian.AppendUint32(nil, perMetre)
	return withChunk(file, "pHYs", string(density)+string(density)+"\x01")
}

func zipFile(tb testing.TB, names ...string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte("<ofd/>"))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// A picture with a dark left half, laid down in the eight ways, is dark where a
// reader of Exif sees it.
func TestPicturesAreTurned(t *testing.T) {
	r := newReader(t, reader.Config{})
	for orientation, dark := range map[uint32]image.Point{
		1: {0, 1}, 2: {2, 1}, 3: {2, 1}, 4: {0, 1}, 5: {1, 0}, 6: {1, 0}, 7: {1, 2}, 8: {1, 2},
	} {
		picture := pageOf(t, r, withExif(jpegFile(t, 300, 200), orientation), 1, 100)
		size := picture.Bounds().Size()
		if size.X != 100 || (size.Y > 100) != (orientation >= 5) {
			t.Errorf("orientation %d is drawn as %v", orientation, size)
		}
		at := func(p image.Point) uint8 {
			return color.GrayModel.Convert(picture.At((2*p.X+1)*size.X/6, (2*p.Y+1)*size.Y/6)).(color.Gray).Y
		}
		if light := image.Pt(2-dark.X, 2-dark.Y); at(dark) > 60 || at(light) < 200 {
			t.Errorf("orientation %d: %d at %v, %d at %v", orientation, at(dark), dark, at(light), light)
		}
	}
}

// FuzzPicture wants an answer to every picture, and sizes for those that pass.
func FuzzPicture(f *testing.F) {
	f.Add(tiffFile(faxPage(1), faxPage(8)))
	f.Add(withExif(jpegFile(f, 30, 20), 6))
	f.Add(withDensity(pngFile(f, 30, 20), 7874))
	f.Add(zipFile(f, "OFD.xml"))
	r := newReader(f, reader.Config{MaxPages: 10, MaxPixels: 1_000_000})
	f.Fuzz(func(t *testing.T, file []byte) {
		if bytes.HasPrefix(bytes.TrimLeft(file, "\xEF\xBB\xBF\x00\t\n\f\r "), []byte("%PDF-")) {
			return // FuzzRead's
		}
		reading := read(t, r, file)
		if !reading.Rejected() && (len(reading.Sizes) != reading.Pages || len(reading.Text) != reading.Pages) {
			t.Errorf("passed with %d pages, %d texts and %d sizes", reading.Pages, len(reading.Text), len(reading.Sizes))
		}
		for _, s := range reading.Sizes {
			if !(s.Width > 0 && s.Height > 0) || s.Rotate%90 != 0 {
				t.Errorf("a page of %v", s)
			}
		}
	})
}
