package stamp

import (
	"io"
	"runtime"
	"testing"
)

// TestAppendedCopyNeedsLittleMemory: what a copy allocates does not grow with the file, and only by the marks of its
// pages with their number.
func TestAppendedCopyNeedsLittleMemory(t *testing.T) {
	s := newTestStamper(t)
	allocated := func(f func()) uint64 {
		f() // compressors and the like are made once
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	scan := jpegOf(t, paper(827, 1170, 1))
	of := func(pages int) (Source, uint64) {
		leaves := make([]leaf, pages)
		for i := range leaves {
			leaves[i] = leaf{box: "0 0 595 842", content: "q 595 0 0 842 0 0 cm /I Do Q", jpeg: scan}
		}
		file := source(pdfOf(t, leaves...))
		return file, allocated(func() {
			if err := s.Copy(t.Context(), whole(pages), []Source{file}, noRaster{}, struct{ io.Writer }{io.Discard}); err != nil {
				t.Fatal(err)
			}
		})
	}
	_, few := of(2)
	file, many := of(102)
	perPage, stored := (many-few)/100, uint64(file.Size())/102
	if perPage > stored/3 {
		t.Errorf("%d KiB for each page more, which is %d KiB large", perPage>>10, stored>>10)
	}
}
