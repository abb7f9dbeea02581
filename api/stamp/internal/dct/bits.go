package dct

import "encoding/binary"

// bitReader reads entropy-coded data up to the next marker.
type bitReader struct {
	data []byte
	at   int
	bits uint64 // the next ones, to the left
	n    int    // how many of them there are; below 0 when more were taken than there are
}

// full tells whether one of four bytes is 0xFF, which stands for more than itself.
func full(x uint32) bool { return (^x-0x01010101)&x&0x80808080 != 0 }

func (r *bitReader) fill() {
	if r.n <= 32 && r.n >= 0 && r.at+4 <= len(r.data) {
		if x := binary.BigEndian.Uint32(r.data[r.at:]); !full(x) {
			r.bits |= uint64(x) << (32 - r.n)
			r.n, r.at = r.n+32, r.at+4
			return
		}
	}
	for r.n <= 56 && r.at < len(r.data) {
		b := r.data[r.at]
		if b == 0xFF {
			if r.at+1 >= len(r.data) || r.data[r.at+1] != 0 {
				return // a marker
			}
			r.at++
		}
		r.at++
		r.bits |= uint64(b) << (56 - r.n)
		r.n += 8
	}
}

// take returns the next n bits, 16 at most; zeros beyond the end.
func (r *bitReader) take(n int) uint32 {
	if r.n < n {
		r.fill()
	}
	v := uint32(r.bits >> (64 - n))
	r.bits <<= n
	r.n -= n
	return v
}

// symbol decodes the next one; ok is false when there is no such code.
func (r *bitReader) symbol(t *table) (symbol byte, ok bool) {
	if r.n < 16 {
		r.fill()
	}
	if v := t.fast[r.bits>>(64-fastBits)]; v != 0 {
		r.bits <<= v >> 8
		r.n -= int(v >> 8)
		return byte(v), true
	}
	next := int32(r.bits >> 48)
	for length := fastBits + 1; length <= 16; length++ {
		if next < t.last[length] {
			r.take(length)
			return t.symbols[next>>(16-length)+t.base[length]], true
		}
	}
	return 0, false
}

// restart skips to the end of the restart marker that must follow.
func (r *bitReader) restart() bool {
	if r.at+1 >= len(r.data) || r.data[r.at] != 0xFF || r.data[r.at+1]&^7 != 0xD0 {
		return false
	}
	r.at, r.bits, r.n = r.at+2, 0, 0
	return true
}

// bitWriter writes entropy-coded data.
type bitWriter struct {
	out  []byte
	bits uint64 // to the right
	n    int
}

// put adds the low n bits of v, 32 at most; the others must be 0.
func (w *bitWriter) put(v uint32, n int) {
	w.bits = w.bits<<n | uint64(v)
	w.n += n
	if w.n >= 32 {
		w.flush()
	}
}

func (w *bitWriter) flush() {
	if w.n >= 32 {
		if x := uint32(w.bits >> (w.n - 32)); !full(x) {
			w.out = binary.BigEndian.AppendUint32(w.out, x)
			w.n -= 32
			return
		}
	}
	for w.n >= 8 {
		w.n -= 8
		b := byte(w.bits >> w.n)
		w.out = append(w.out, b)
		if b == 0xFF {
			w.out = append(w.out, 0)
		}
	}
}

// close fills the last byte with ones, as the format wants.
func (w *bitWriter) close() {
	if spare := -w.n & 7; spare > 0 {
		w.put(1<<spare-1, spare)
	}
	w.flush()
	w.flush()
}
