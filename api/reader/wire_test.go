package reader

import (
	"bytes"
	"context"
	"io"
	"testing"
)

// FuzzConverse lets a child say anything: its pool must come to an end, and
// believe only what is sound and within its limits.
func FuzzConverse(f *testing.F) {
	said := func(t frame, body string) []byte {
		var out bytes.Buffer
		if err := writeFrame(&out, t, []byte(body)); err != nil {
			f.Fatal(err)
		}
		return out.Bytes()
	}
	f.Add(said(frameReading, `{"media_type":"image/png","pages":1,"text":[""]}`), 0, uint8(0), 0)
	f.Add(append(said(framePage, pngMagic), said(framePage, pngMagic)...), 1, uint8(2), 0)
	f.Add(said(framePixels, "\x00\x00\x00\x02pixels.."), 1, uint8(0), 300)
	f.Add(said(frameNoPage, ""), 1, uint8(1), 0)
	f.Add(append(said(frameWant, "\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x09"), said(frameFailed, "")...), 0, uint8(0), 0)
	f.Fuzz(func(t *testing.T, said []byte, page int, widths uint8, dpi int) {
		file := &source{ctx: context.Background(), file: bytes.NewReader([]byte("file")), size: 4}
		a, err := converse(io.Discard, bytes.NewReader(said), order{Size: 4, Page: page, Widths: make([]int, widths), DPI: dpi}, file)
		switch {
		case err != nil:
		case a.frame == frameReading && (page != 0 || !isSound(a.reading)), a.frame == framePage && (page == 0 || len(a.pngs) != int(widths)),
			a.frame == framePixels && (dpi == 0 || len(a.pixels.Pix) != a.pixels.Rect.Dy()*a.pixels.Stride):
			t.Errorf("believed %q", said)
		}
	})
}

// FuzzDistant holds that a child sees the same bytes of a file as its pool, in
// whatever order and pieces it looks at them.
func FuzzDistant(f *testing.F) {
	f.Add(3*blockSize+5, []byte{0, 1, 2, 250, 3, 4, 200, 7, 1, 255, 255, 255})
	f.Fuzz(func(t *testing.T, size int, looks []byte) {
		if size < 0 || size > 100*blockSize {
			return
		}
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i >> 8)
		}
		file := &source{ctx: t.Context(), file: bytes.NewReader(content), size: int64(size)}
		toChild, fromPool := io.Pipe()
		toPool, fromChild := io.Pipe()
		done := make(chan error)
		go func() {
			_, err := converse(fromPool, toPool, order{}, file)
			done <- err
		}()
		if err := readJSON(toChild, frameOrder, &order{}); err != nil {
			t.Fatal(err)
		}
		far := &distant{in: toChild, out: fromChild, size: int64(size)}
		for ; len(looks) >= 3; looks = looks[3:] {
			offset, got := int64(looks[0])<<16|int64(looks[1])<<8, make([]byte, int(looks[2])<<10)
			want := make([]byte, len(got))
			n, err := far.ReadAt(got, offset)
			wantN, wantErr := bytes.NewReader(content).ReadAt(want, offset)
			if n != wantN || (err == nil) != (wantErr == nil) || !bytes.Equal(got[:n], want[:n]) {
				t.Fatalf("%d bytes at %d of %d: %d, %v, want %d, %v", len(got), offset, size, n, err, wantN, wantErr)
			}
		}
		if err := writeFrame(fromChild, frameFailed, nil); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}
