package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"testing"

	"dangan/archive"
)

// scans is a PDF of many large pictures, as a stream and its length.
func scans(pages int) (io.Reader, int64) {
	const side = 1826 // 10 MB of pixels
	pixels := make([]byte, 3*side*side)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(pixels) // never fails
	var parts []io.Reader
	var size int64
	add := func(b []byte) {
		parts, size = append(parts, bytes.NewReader(b)), size+int64(len(b))
	}
	add([]byte("%PDF-1.7\n"))
	xref, kids, n := "0000000000 65535 f \n", "", 0
	object := func(head string, more ...[]byte) {
		n++
		xref += fmt.Sprintf("%010d 00000 n \n", size)
		add(fmt.Appendf(nil, "%d 0 obj\n%s", n, head))
		for _, b := range more {
			add(b)
		}
		add([]byte("\nendobj\n"))
	}
	for i := range pages {
		kids += fmt.Sprintf("%d 0 R ", 3*i+1)
		object(fmt.Sprintf("<</Type/Page/Parent %d 0 R/MediaBox[0 0 500 500]/Contents %d 0 R/Resources<</XObject<</I %d 0 R>>>>>>", 3*pages+1, n+2, n+3))
		object("<</Length 27>>\nstream\nq 500 0 0 500 0 0 cm /I Do Q\nendstream")
		object(fmt.Sprintf("<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Length %d>>\nstream\n", side, side, len(pixels)),
			pixels, []byte("\nendstream"))
	}
	object(fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", pages, kids))
	object(fmt.Sprintf("<</Type/Catalog/Pages %d 0 R>>", n))
	add(fmt.Appendf(nil, "xref\n0 %d\n%strailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", n+1, xref, n+1, n, size))
	return io.MultiReader(parts...), size
}

// weighed notes how much memory this process has in use whenever its child asks
// for more of the file.
type weighed struct {
	archive.Content
	most, read uint64
}

func (w *weighed) ReadAt(p []byte, offset int64) (int, error) {
	w.most = max(w.most, heapInUse())
	n, err := w.Content.ReadAt(p, offset)
	w.read += uint64(n)
	return n, err
}

func heapInUse() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse
}

// TestALargeFileIsNotHeldInMemory has the largest kind of file read from a sealed
// store by a child, which sees all of it, while the service holds but windows.
func TestALargeFileIsNotHeldInMemory(t *testing.T) {
	e, err := openEmbedded(t.Context(), t.TempDir(), "http://127.0.0.1", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	owner := archive.Ref{Kind: archive.KindRecord, ID: e.house.newID()}
	file, size := scans(19)
	blob, err := e.house.bucket.Blobs().PutBlob(t.Context(), owner, file, archive.Carry{})
	if err != nil {
		t.Fatal(err)
	}
	content, err := e.house.bucket.Blobs().OpenBlob(t.Context(), owner, blob)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	runtime.GC()
	before, src := heapInUse(), &weighed{Content: content}
	found, err := e.house.reader.Read(t.Context(), src, size)
	if err != nil || found.Pages != 19 || len(found.Findings) > 0 || src.read < uint64(size) {
		t.Errorf("%d pages, %v, %v, %d bytes of %d read", found.Pages, found.Findings, err, src.read, size)
	}
	if _, err := e.house.reader.Page(t.Context(), src, size, 19, 900); err != nil {
		t.Error(err)
	}
	const room = 64 << 20 // for windows, and for what the collector has not come to
	t.Logf("%d MB of %d MB were asked for, and memory grew by %d MB at most", src.read>>20, size>>20, (src.most-min(src.most, before))>>20)
	if src.most > before+room {
		t.Errorf("memory grew from %d MB to %d MB", before>>20, src.most>>20)
	}
}
