package reader_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

// The generators of good and bad files.

// pdf writes a PDF with the given objects, numbered from 1; the first is the
// catalog.
func pdf(objects ...string) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	xref := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, object := range objects {
		xref += fmt.Sprintf("%010d 00000 n \n", out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := out.Len()
	fmt.Fprintf(&out, "%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", xref, len(objects)+1, start)
	return out.Bytes()
}

// stream writes a stream object; dict holds the entries besides the length.
func stream(dict, content string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(content), content)
}

// The parts of a one-page PDF, to be replaced where a test needs another.
const (
	catalog = "<</Type/Catalog/Pages 2 0 R>>"
	pages   = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
	page    = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
	latin   = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
)

func onePage(content string) []byte { return pdf(catalog, pages, page, stream("", content), latin) }

func textPDF(text string) []byte { return onePage("BT /F 24 Tf 72 700 Td (" + text + ") Tj ET") }

// manyPages has n pages that show their number.
func manyPages(n int) []byte {
	kids := ""
	objects := []string{catalog, "", latin}
	for i := range n {
		number := len(objects) + 1
		kids += fmt.Sprintf("%d 0 R ", number)
		objects = append(objects,
			fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>", number+1),
			stream("", fmt.Sprintf("BT /F 24 Tf 72 700 Td (page %d) Tj ET", i+1)))
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids, n)
	return pdf(objects...)
}

// chinesePDF shows glyphs 1, 2, 3 … of a font that maps them to the text.
func chinesePDF(text string) []byte {
	var codes, mapping strings.Builder
	n := 0
	for _, r := range text {
		n++
		fmt.Fprintf(&codes, "%04X", n)
		utf16, _ := binary.Append(nil, binary.BigEndian, utf16Of(r))
		fmt.Fprintf(&mapping, "<%04X> <%X>\n", n, utf16)
	}
	cmap := "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n" +
		"1 begincodespacerange <0000> <FFFF> endcodespacerange\n" +
		fmt.Sprintf("%d beginbfchar\n%sendbfchar\nendcmap end end", n, mapping.String())
	return pdf(catalog, pages, page,
		stream("", "BT /F 24 Tf 72 700 Td <"+codes.String()+"> Tj ET"),
		"<</Type/Font/Subtype/Type0/BaseFont/Song/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 8 0 R>>",
		"<</Type/Font/Subtype/CIDFontType2/BaseFont/Song/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor 7 0 R/DW 1000>>",
		"<</Type/FontDescriptor/FontName/Song/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 700/StemV 80>>",
		stream("", cmap))
}

func utf16Of(r rune) []uint16 {
	if r < 0x10000 {
		return []uint16{uint16(r)}
	}
	r -= 0x10000
	return []uint16{0xD800 + uint16(r>>10), 0xDC00 + uint16(r&0x3FF)}
}

// scanPDF is one page filled by a JPEG.
func scanPDF(picture []byte, width, height int) []byte {
	return pdf(catalog, pages,
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
		stream("", "q 595 0 0 842 0 0 cm /I Do Q"),
		stream(fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode", width, height), string(picture)))
}

// paper is a page with a dark left half and a light, noisy right half.
func paper(width, height int) *image.RGBA {
	random := rand.New(rand.NewPCG(1, 2))
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			shade := uint8(random.IntN(30))
			if x >= width/2 {
				shade += 220
			}
			picture.SetRGBA(x, y, color.RGBA{shade, shade, shade, 255})
		}
	}
	return picture
}

func jpegFile(tb testing.TB, width, height int) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, paper(width, height), &jpeg.Options{Quality: 75}); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func pngFile(tb testing.TB, width, height int) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, paper(width, height)); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// hugePNG claims 60000 by 60000 pixels in its header.
func hugePNG(tb testing.TB) []byte {
	tb.Helper()
	file := pngFile(tb, 10, 10)
	binary.BigEndian.PutUint32(file[16:], 60000)
	binary.BigEndian.PutUint32(file[20:], 60000)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

// ofSide is a JPEG that says that it is a square of another size.
func ofSide(file []byte, side uint16) []byte {
	file = bytes.Clone(file)
	at := bytes.Index(file, []byte{0xFF, 0xC0})
	binary.BigEndian.PutUint16(file[at+5:], side)
	binary.BigEndian.PutUint16(file[at+7:], side)
	return file
}

// progressive is a JPEG that says that it is a progressive one with full colours, of
// which a decoder keeps all coefficients.
func progressive(file []byte) []byte {
	file = bytes.Clone(file)
	at := bytes.Index(file, []byte{0xFF, 0xC0})
	file[at+1], file[at+11] = 0xC2, 0x11
	scan := bytes.Index(file, []byte{0xFF, 0xDA})
	file[scan+12] = 0 // the end of its spectrum
	return file
}

// pngOf is a grey PNG with the given pixels, as they are compressed.
func pngOf(tb testing.TB, width, height uint32, pixels string) []byte {
	tb.Helper()
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return slices.Concat([]byte("\x89PNG\r\n\x1A\n"), chunk("IHDR", string(head)+"\x08\x00\x00\x00\x00"), chunk("IDAT", pixels), chunk("IEND", ""))
}

// chunk is one of a PNG.
func chunk(kind, content string) []byte {
	body := []byte(kind + content)
	return binary.BigEndian.AppendUint32(append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), body...), crc32.ChecksumIEEE(body))
}

// withChunk is a PNG with another chunk behind its header.
func withChunk(file []byte, kind, content string) []byte {
	const behindIHDR = 8 + 25
	return slices.Insert(slices.Clone(file), behindIHDR, chunk(kind, content)...)
}

// zeros is a zlib stream of n megabytes of zeros, made of one compressed
// megabyte again and again: a segment up to a flush refers to nothing before.
func zeros(tb testing.TB, megabytes int) string {
	tb.Helper()
	var segment bytes.Buffer
	w, err := flate.NewWriter(&segment, flate.BestCompression)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return "\x78\x9C" + strings.Repeat(segment.String(), megabytes) + "\x03\x00\x00\x00\x00\x01"
}

// flateBomb is a page whose content is a gigabyte of zeros.
func flateBomb(tb testing.TB) []byte {
	return pdf(catalog, pages, page, stream("/Filter/FlateDecode", zeros(tb, 1024)), latin)
}

// tripleBomb packs the bomb into less than a kilobyte or so.
func tripleBomb(tb testing.TB) []byte {
	content := zeros(tb, 1024)
	for range 2 {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		if _, err := w.Write([]byte(content)); err != nil {
			tb.Fatal(err)
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
		content = out.String()
	}
	return pdf(catalog, pages, page, stream("/Filter[/FlateDecode/FlateDecode/FlateDecode]", content), latin)
}

// xrefStream writes a PDF whose cross-reference is a stream with the given
// dictionary entries and content; the objects are numbered from 1.
func xrefStream(dict, content string, objects ...string) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	for i, object := range objects {
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := out.Len()
	fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, stream("/Type/XRef/Root 1 0 R"+dict, content), start)
	return out.Bytes()
}

// xrefBomb claims nine million cross-reference entries.
func xrefBomb(tb testing.TB) []byte {
	return xrefStream("/Size 9000000/Index[0 9000000]/W[1 2 1]/Filter/FlateDecode", zeros(tb, 35), catalog, pages, page)
}

// selfReference has an object stream that lies in itself, which makes pdfcpu
// v0.15.0 panic.
func selfReference() []byte {
	entries := "\x00\x00\x00\xFF" + "\x02\x00\x02\x00" + "\x02\x00\x02\x00"
	return xrefStream("/Size 4/Index[0 3]/W[1 2 1]", entries, catalog, pages)
}

func encrypted(tb testing.TB, user, owner string) []byte {
	tb.Helper()
	conf := model.NewAESConfiguration(user, owner, 256)
	var out bytes.Buffer
	if err := api.Encrypt(bytes.NewReader(textPDF("secret")), &out, conf); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}
