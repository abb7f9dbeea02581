package stamp

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkAppendCopy appends to files that were read before; BenchmarkCopy rebuilds and masks pages.
func BenchmarkAppendCopy(b *testing.B) {
	s := newTestStamper(b)
	for _, pages := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(pages), func(b *testing.B) {
			base, err := ReadBase(b.Context(), source(scans(b, pages)))
			if err != nil {
				b.Fatal(err)
			}
			c := whole(pages)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.AppendCopy(b.Context(), c, base); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCopy(b *testing.B) {
	s := newTestStamper(b)
	file := scans(b, 10)
	c := whole(10)
	c.Append = false
	for i := range c.Pages {
		c.Pages[i].Masks = []Mask{{0.2, 0.2, 0.5, 0.05}}
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		var out bytes.Buffer
		if err := s.Copy(b.Context(), c, []Source{source(file)}, noRaster{}, &out); err != nil {
			b.Fatal(err)
		}
	}
}
