package reader_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/api/reader"
	"dangan/archive"
)

// tiffPages is a TIFF file that is being written.
type tiffPages struct {
	out  []byte
	link int // where the offset of the next directory goes
}

func newTIFF() *tiffPages { return &tiffPages{[]byte("MM\x00*\x00\x00\x00\x00"), 4} }

// page adds a picture of the given tags and blocks: tiles, where it has tag 322.
func (p *tiffPages) page(tags map[uint16][]uint32, blocks ...[]byte) *tiffPages {
	tags = maps.Clone(tags)
	offsets, sizes := uint16(273), uint16(279)
	if tags[322] != nil {
		offsets, sizes = 324, 325
	}
	for _, b := range blocks {
		tags[offsets] = append(tags[offsets], uint32(len(p.out)))
		tags[sizes] = append(tags[sizes], uint32(len(b)))
		p.out = append(p.out, b...)
	}
	order := binary.BigEndian
	var entries []byte
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		kind, values := uint16(4), []byte(nil)
		for _, v := range tags[tag] {
			switch tag {
			case 258, 259, 262, 266, 277, 284:
				kind, values = 3, order.AppendUint16(values, uint16(v))
			case 347:
				kind, values = 7, append(values, byte(v))
			default:
				values = order.AppendUint32(values, v)
			}
		}
		if len(values) > 4 {
			at := uint32(len(p.out))
			p.out, values = append(p.out, values...), order.AppendUint32(nil, at)
		}
		entries = order.AppendUint16(order.AppendUint16(entries, tag), kind)
		entries = order.AppendUint32(entries, uint32(len(tags[tag])))
		entries = append(entries, append(values, 0, 0, 0)[:4]...)
	}
	order.PutUint32(p.out[p.link:], uint32(len(p.out)))
	p.out = append(order.AppendUint16(p.out, uint16(len(tags))), entries...)
	p.link = len(p.out)
	p.out = order.AppendUint32(p.out, 0)
	return p
}

// halves is a picture with a dark left half, and a light one whose red is full.
func halves(width, height int) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		c := color.RGBA{20, 20, 20, 255}
		if i%width >= width/2 {
			c = color.RGBA{250, 220, 210, 255}
		}
		picture.SetRGBA(i%width, i/width, c)
	}
	return picture
}

// samples are the pixels of a part of a picture, three bytes each, as if it were
// repeated beyond its edges.
func samples(picture *image.RGBA, part image.Rectangle) []byte {
	var out []byte
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			out = append(out, picture.Pix[picture.PixOffset(min(x, picture.Rect.Max.X-1), min(y, picture.Rect.Max.Y-1)):][:3]...)
		}
	}
	return out
}

func deflated(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// splitJPEG parts the tables of a JPEG from the rest, as they are kept in a TIFF.
func splitJPEG(tb testing.TB, picture image.Image) (tables, rest []byte) {
	tb.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 95}); err != nil {
		tb.Fatal(err)
	}
	const soi, eoi, dqt, dht, sos = "\xFF\xD8", "\xFF\xD9", 0xDB, 0xC4, 0xDA
	tables, rest = []byte(soi), []byte(soi)
	for in := out.Bytes()[2:]; ; {
		segment := in[:2+binary.BigEndian.Uint16(in[2:])]
		switch in[1] {
		case dqt, dht:
			tables = append(tables, segment...)
		case sos:
			return append(tables, eoi...), append(rest, in...)
		default:
			rest = append(rest, segment...)
		}
		in = in[len(segment):]
	}
}

func numbersOf(b []byte) []uint32 {
	var out []uint32
	for _, v := range b {
		out = append(out, uint32(v))
	}
	return out
}

// bitsOf are bits, written as digits, in bytes.
func bitsOf(digits string) []byte {
	out := make([]byte, (len(digits)+7)/8)
	for i, d := range digits {
		out[i/8] |= byte(d-'0') << (7 - i%8)
	}
	return out
}

func colours(width, height, compression int) map[uint16][]uint32 {
	return map[uint16][]uint32{256: {uint32(width)}, 257: {uint32(height)}, 258: {8, 8, 8}, 259: {uint32(compression)}, 262: {2}, 277: {3}}
}

func with(tags map[uint16][]uint32, more map[uint16][]uint32) map[uint16][]uint32 {
	maps.Copy(tags, more)
	return tags
}

// tiffs are TIFF files of all kinds that show halves.
func tiffs(tb testing.TB) map[string][]byte {
	tb.Helper()
	small := halves(40, 20)
	tables, whole := splitJPEG(tb, small)
	raw := image.NewYCbCr(image.Rect(0, 0, 40, 20), image.YCbCrSubsampleRatio420) // of which the JPEG says nothing
	for i := range raw.Y {
		raw.Y[i] = small.Pix[4*i]
	}
	for i := range raw.Cb {
		at := small.PixOffset(i%20*2, i/20*2)
		raw.Cb[i], raw.Cr[i] = small.Pix[at+1], small.Pix[at+2]
	}
	rgbTables, rgb := splitJPEG(tb, raw)
	var tiles [][]byte
	for i := range 6 {
		at := image.Pt(i%3*16, i/3*16)
		tiles = append(tiles, samples(small, image.Rectangle{at, at.Add(image.Pt(16, 16))}))
	}
	faxed := map[uint16][]uint32{256: {16}, 257: {16}, 258: {1}, 259: {4}, 262: {0}, 277: {1}}
	reversed := bitsOf(fax)
	for i, b := range reversed {
		for j := range 8 {
			reversed[i] = reversed[i]<<1&^1 | b>>j&1
		}
	}
	return map[string][]byte{
		"one strip":     newTIFF().page(colours(40, 20, 1), samples(small, small.Rect)).out,
		"three strips":  newTIFF().page(with(colours(40, 20, 8), map[uint16][]uint32{278: {8}}), deflated(tb, samples(small, image.Rect(0, 0, 40, 8))), deflated(tb, samples(small, image.Rect(0, 8, 40, 16))), deflated(tb, samples(small, image.Rect(0, 16, 40, 20)))).out,
		"tiles":         newTIFF().page(with(colours(40, 20, 1), map[uint16][]uint32{322: {16}, 323: {16}}), tiles...).out,
		"jpeg":          newTIFF().page(with(colours(40, 20, 7), map[uint16][]uint32{262: {6}, 347: numbersOf(tables)}), whole).out,
		"jpeg of rgb":   newTIFF().page(with(colours(40, 20, 7), map[uint16][]uint32{347: numbersOf(rgbTables)}), rgb).out,
		"fax":           newTIFF().page(faxed, bitsOf(fax)).out,
		"fax lsb first": newTIFF().page(with(maps.Clone(faxed), map[uint16][]uint32{266: {2}}), reversed).out,
		"fax in tiles":  newTIFF().page(with(maps.Clone(faxed), map[uint16][]uint32{322: {16}, 323: {16}}), bitsOf(fax)).out,
	}
}

func TestTIFFs(t *testing.T) {
	r := newReader(t, reader.Config{})
	for name, file := range tiffs(t) {
		t.Run(name, func(t *testing.T) {
			if got := read(t, r, file); got.Pages != 1 || len(got.Findings) > 0 {
				t.Fatalf("%d pages, %v", got.Pages, got.Findings)
			}
			page := pageOf(t, r, file, 1, 200)
			dark, light := color.RGBA{20, 20, 20, 255}, color.RGBA{250, 220, 210, 255}
			if strings.HasPrefix(name, "fax") {
				dark, light = color.RGBA{0, 0, 0, 255}, color.RGBA{255, 255, 255, 255}
			}
			size := page.Bounds().Size()
			for at, want := range map[image.Point]color.RGBA{{1, 1}: dark, {size.X/2 - 3, size.Y - 2}: dark, {size.X/2 + 2, 1}: light, {size.X - 2, size.Y - 2}: light} {
				got := color.RGBAModel.Convert(page.At(at.X, at.Y)).(color.RGBA)
				if far := func(a, b uint8) bool { return max(a, b)-min(a, b) > 8 }; far(got.R, want.R) || far(got.G, want.G) || far(got.B, want.B) {
					t.Errorf("%v is %v, want %v", at, got, want)
				}
			}
		})
	}
}

// libtiff shows a fax whose black is zero with white for what the fax calls black.
func TestFaxWhoseBlackIsZero(t *testing.T) {
	file := newTIFF().page(map[uint16][]uint32{256: {16}, 257: {16}, 258: {1}, 259: {4}, 262: {1}, 277: {1}}, bitsOf(fax)).out
	page := pageOf(t, newReader(t, reader.Config{}), file, 1, 16)
	if left, right := shade(page, 1, 4), shade(page, 3, 4); left != 255 || right != 0 {
		t.Errorf("shades are %d and %d, want white and black", left, right)
	}
}

func TestTIFFsThatAreKept(t *testing.T) {
	small := halves(40, 20)
	tables, whole := splitJPEG(t, small)
	r := newReader(t, reader.Config{})
	for name, test := range map[string]struct {
		file []byte
		want []archive.Finding
	}{
		"planes":            {newTIFF().page(with(colours(40, 20, 1), map[uint16][]uint32{284: {2}}), samples(small, small.Rect)).out, []archive.Finding{{Code: reader.CodeNoPreview}}},
		"old jpeg":          {newTIFF().page(colours(40, 20, 6), whole).out, []archive.Finding{{Code: reader.CodeNoPreview}}},
		"fax of group 3":    {newTIFF().page(map[uint16][]uint32{256: {16}, 257: {16}, 258: {1}, 259: {3}, 262: {0}, 292: {4}}, bitsOf(fax)).out, []archive.Finding{{Code: reader.CodeNoPreview}}},
		"strip too few":     {newTIFF().page(with(colours(40, 20, 1), map[uint16][]uint32{278: {10}}), samples(small, small.Rect)).out, []archive.Finding{{Code: reader.CodeDamaged, Rejects: true}}},
		"jpeg of its own":   {newTIFF().page(with(colours(80, 20, 7), map[uint16][]uint32{262: {6}, 347: numbersOf(tables)}), whole).out, []archive.Finding{{Code: reader.CodeDamaged, Rejects: true}}},
		"fax cut short":     {newTIFF().page(map[uint16][]uint32{256: {16}, 257: {16}, 258: {1}, 259: {4}, 262: {0}}, bitsOf(fax)[:4]).out, []archive.Finding{{Code: reader.CodeDamaged, Rejects: true}}},
		"tile of a village": {newTIFF().page(with(colours(40, 20, 1), map[uint16][]uint32{322: {1 << 20}, 323: {16}}), samples(small, small.Rect)).out, []archive.Finding{{Code: reader.CodeDamaged, Rejects: true}}},
		"tile of a town":    {newTIFF().page(with(colours(40, 20, 4), map[uint16][]uint32{258: {1}, 262: {0}, 322: {1 << 16}, 323: {1 << 16}}), bitsOf(fax)).out, []archive.Finding{{Code: reader.CodeBomb, Rejects: true}}},
		"strip of a city":   {newTIFF().page(colours(20_000, 20_000, 1), samples(small, small.Rect)).out, []archive.Finding{{Code: reader.CodeBomb, Rejects: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, read(t, r, test.file).Findings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPagesOfATIFF(t *testing.T) {
	file := newTIFF()
	for _, width := range []int{10, 20, 30} {
		picture := halves(width, 20)
		file.page(with(colours(width, 20, 1), map[uint16][]uint32{254: {2}}), samples(picture, picture.Rect))
		file.page(with(colours(width/2, 10, 1), map[uint16][]uint32{254: {1}}), samples(picture, image.Rect(0, 0, width/2, 10))) // its thumbnail
	}
	r := newReader(t, reader.Config{})
	if got := read(t, r, file.out); got.Pages != 3 || len(got.Text) != 3 {
		t.Errorf("%d pages", got.Pages)
	}
	for i, width := range []int{10, 20, 30} {
		if got := pageOf(t, r, file.out, i+1, 100).Bounds().Dx(); got != width {
			t.Errorf("page %d is %d wide, want %d", i+1, got, width)
		}
	}
}

// wallMap is a scan of 20,000 by 30,000 pixels in one strip, black on the left.
func wallMap() []byte {
	const black10000 = "000000011111" + "000000011111" + "000000011111" + "000000010111" + "0000010111"
	lines := "001" + "00110101" + black10000 + "1" + strings.Repeat("111", 30_000-1) + "000000000001" + "000000000001"
	return newTIFF().page(map[uint16][]uint32{256: {20_000}, 257: {30_000}, 258: {1}, 259: {4}, 262: {0}, 277: {1}}, bitsOf(lines)).out
}

// Six hundred million pixels are drawn by a child that may have a gigabyte, in the
// time that a file may take.
func TestWallMap(t *testing.T) {
	p, file := newPool(t, reader.PoolConfig{}), wallMap()
	if got := read(t, p, file); got.Pages != 1 || len(got.Findings) > 0 {
		t.Fatalf("%d pages, %v", got.Pages, got.Findings)
	}
	drawn, err := p.Render(t.Context(), bytes.NewReader(file), int64(len(file)), 1, 300)
	if err != nil {
		t.Fatal(err)
	}
	if left, right := shade(drawn, 1, 4), shade(drawn, 3, 4); left != 0 || right != 255 {
		t.Errorf("shades are %d and %d, want black and white", left, right)
	}
	if size := drawn.Rect.Size(); size.X*size.Y > 18_010_000 {
		t.Errorf("drawn with %v pixels", size)
	}
}
