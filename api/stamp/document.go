package stamp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/zlib"
)

// ref is the number of an indirect object; its generation is always 0.
type ref int

func (r ref) String() string { return fmt.Sprintf("%d 0 R", int(r)) }

// document writes the objects of one PDF 1.7 file (ISO 32000-1) with a classic cross-reference table.
type document struct {
	buf     bytes.Buffer
	before  int   // bytes of the file that stand before those in buf
	offsets []int // by object number; 0 while only reserved
	zip     *sync.Pool
	packer  *zlib.Writer // from zip, once there is a stream, until the file is finished
}

// at is where the next byte stands in the file.
func (d *document) at() int { return d.before + d.buf.Len() }

func newDocument(zip *sync.Pool) *document {
	d := &document{offsets: []int{0}, zip: zip}
	d.buf.Grow(96 << 10)
	d.buf.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	return d
}

// newZipPool keeps compressors: making one costs more than compressing a page with it.
func newZipPool() *sync.Pool {
	return &sync.Pool{New: func() any {
		w, err := zlib.NewWriterLevel(nil, zlib.BestSpeed)
		if err != nil {
			panic(err) // the level is a constant
		}
		return w
	}}
}

func (d *document) reserve() ref {
	d.offsets = append(d.offsets, 0)
	return ref(len(d.offsets) - 1)
}

func (d *document) begin(r ref) {
	d.offsets[r] = d.at()
	fmt.Fprintf(&d.buf, "%d 0 obj\n", int(r))
}

func (d *document) put(r ref, body string) {
	d.begin(r)
	d.buf.WriteString(body)
	d.buf.WriteString("\nendobj\n")
}

func (d *document) add(body string) ref {
	r := d.reserve()
	d.put(r, body)
	return r
}

// putStream writes data compressed; entries are the dictionary's entries besides Length and Filter.
func (d *document) putStream(r ref, entries string, data []byte) {
	if d.packer == nil {
		d.packer = d.zip.Get().(*zlib.Writer)
	}
	d.putPacked(r, entries, pack(d.packer, data))
}

func (d *document) putPacked(r ref, entries string, packed []byte) {
	d.begin(r)
	fmt.Fprintf(&d.buf, "<<%s/Filter/FlateDecode/Length %d>>\nstream\n", entries, len(packed))
	d.buf.Write(packed)
	d.buf.WriteString("\nendstream\nendobj\n")
}

func (d *document) addStream(entries string, data []byte) ref {
	r := d.reserve()
	d.putStream(r, entries, data)
	return r
}

func deflate(pool *sync.Pool, data []byte) []byte {
	w := pool.Get().(*zlib.Writer)
	defer pool.Put(w)
	return pack(w, data)
}

func pack(w *zlib.Writer, data []byte) []byte {
	var out bytes.Buffer
	out.Grow(3*len(data)/4 + 64) // outlines of glyphs hardly shrink
	w.Reset(&out)
	_, _ = w.Write(data) // a bytes.Buffer does not fail
	_ = w.Close()
	return out.Bytes()
}

// flush writes out what is complete so far. Nothing in it can be changed any more.
func (d *document) flush(w io.Writer) error {
	n, err := w.Write(d.buf.Bytes())
	d.before += n
	d.buf.Reset()
	return err
}

// finish writes the cross-reference table and the trailer and returns the file, or what is left of it after flush.
func (d *document) finish(root, info ref) []byte {
	if d.packer != nil {
		d.zip.Put(d.packer)
		d.packer = nil
	}
	sum := sha256.Sum256(d.buf.Bytes())
	id := hex.EncodeToString(sum[:16])
	start := d.at()
	fmt.Fprintf(&d.buf, "xref\n0 %d\n0000000000 65535 f \n", len(d.offsets))
	for _, offset := range d.offsets[1:] {
		if offset == 0 { // unused, in the file that was appended to
			d.buf.WriteString("0000000000 65535 f \n")
			continue
		}
		fmt.Fprintf(&d.buf, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&d.buf, "trailer\n<</Size %d/Root %s/Info %s/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n",
		len(d.offsets), root, info, id, id, start)
	return d.buf.Bytes()
}

// textString writes s as UTF-16 in hexadecimal, so that no text of a caller ever appears as raw bytes of
// the file: what Inspect looks for cannot be forged through a title.
func textString(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	b.WriteByte('>')
	return b.String()
}

// pdfDate is ISO 32000-1, 7.9.4.
func pdfDate(t time.Time) string {
	zone := t.Format("-07'00'")
	return "(D:" + t.Format("20060102150405") + zone + ")"
}
