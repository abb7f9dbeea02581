package demo

import (
	"bytes"
	"fmt"
	"strings"
)

// imagePDF is what a scanner writes: a PDF (ISO 32000-1) whose pages are
// pictures and nothing else. All pages are JPEG files of the size of a page.
func imagePDF(pages [][]byte) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")
	var offsets []int
	object := func(dict string, stream []byte) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(offsets))
		if stream == nil {
			fmt.Fprintf(&b, "<<%s>>\nendobj\n", dict)
			return
		}
		fmt.Fprintf(&b, "<<%s/Length %d>>\nstream\n%s\nendstream\nendobj\n", dict, len(stream), stream)
	}
	kids := make([]string, len(pages)) // three objects a page, after two for all
	for i := range pages {
		kids[i] = fmt.Sprintf("%d 0 R", 3+3*i)
	}
	object("/Type/Catalog/Pages 2 0 R", nil)
	object(fmt.Sprintf("/Type/Pages/Kids[%s]/Count %d", strings.Join(kids, " "), len(pages)), nil)
	for i, page := range pages {
		n := 3 + 3*i
		object(fmt.Sprintf("/Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</Im %d 0 R>>>>/Contents %d 0 R", n+2, n+1), nil)
		object("", []byte("q 595 0 0 842 0 0 cm /Im Do Q"))
		object(fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode", pageWidth, pageHeight), page)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}
