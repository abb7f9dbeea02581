package reader

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"image"
	"testing"
)

// FuzzTIFF holds that a picture that can be drawn has all its rows, as wide as it is.
func FuzzTIFF(f *testing.F) {
	long := func(tag, value int) []byte {
		return binary.LittleEndian.AppendUint32([]byte{byte(tag), byte(tag >> 8), kindLong, 0, 1, 0, 0, 0}, uint32(value))
	}
	for _, compression := range []int{1, 2, compressionFax4, 5, compressionJPEG, 32773} {
		file := append([]byte("II*\x00\x08\x00\x00\x00\x07\x00"), long(tagWidth, 8)...)
		for _, e := range [][2]int{{tagHeight, 8}, {tagCompression, compression}, {tagPhotometric, 1}, {tagStrips, 0}, {tagStripRows, 4}, {tagStripSizes, 100}} {
			file = append(file, long(e[0], e[1])...)
		}
		f.Add(append(file, 0, 0, 0, 0))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		opened, err := openTIFF(bytes.NewReader(file))
		if err != nil {
			return
		}
		directories, err := opened.directories(10)
		if err != nil {
			return
		}
		for _, entries := range directories {
			if p := opened.look(entries); p.orientation < 1 || p.orientation > 8 {
				t.Errorf("%+v", p)
			}
			s, err := newSheet(opened, int64(len(file)), entries, 100_000)
			if err != nil {
				continue
			}
			drawn := newShrinker(image.NewRGBA(image.Rect(0, 0, 1, 1)), s.width, s.height)
			err = s.draw(func(rows int, pieces ...image.Image) {
				wide := 0
				for _, p := range pieces {
					wide += p.Bounds().Dx()
				}
				if wide < s.width {
					t.Errorf("%d of %d pixels", wide, s.width)
				}
				drawn.add(rows, pieces...)
			})
			if err == nil && drawn.y != s.height {
				t.Errorf("%d of %d rows", drawn.y, s.height)
			}
		}
	})
}

// FuzzPosture holds that whatever a camera or scanner notes leaves a page that can
// be drawn.
func FuzzPosture(f *testing.F) {
	f.Add([]byte("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x02\x01\x01\x2C\x01\x2C\x00\x00\xFF\xDA"))
	f.Add([]byte("\xFF\xD8\xFF\xE1\x00\x20Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte(pngMagic + "\x00\x00\x00\x09pHYs\x00\x00\x0B\x13\x00\x00\x0B\x13\x01...."))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, p := range []posture{postureOfJPEG(bytes.NewReader(file)), postureOfPNG(bytes.NewReader(file))} {
			size := p.size(100, 50)
			if !(size.Width > 0 && size.Width < 1000 && size.Height > 0 && size.Height < 500) || size.Rotate%90 != 0 {
				t.Errorf("%+v is a page of %+v", p, size)
			}
			seen := image.Rect(0, 0, 100, 50)
			if p.lies() {
				seen = image.Rect(0, 0, 50, 100)
			}
			if x, y := p.place(99, 49, 100, 50); !image.Pt(x, y).In(seen) {
				t.Errorf("%+v puts the last pixel at %d, %d", p, x, y)
			}
		}
	})
}

// FuzzDouble holds that no file that opens as a ZIP is taken for anything else only.
func FuzzDouble(f *testing.F) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	if _, err := z.Create("a.exe"); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte("PK\x05\x06PK\x05\x06.................."))
	f.Fuzz(func(t *testing.T, file []byte) {
		z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
		if err == nil && len(z.File) > 0 && !endsAsZIP(file[max(0, len(file)-maxZIPEnd):]) {
			t.Errorf("%q is a ZIP of %d files", file, len(z.File))
		}
	})
}
