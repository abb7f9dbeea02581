// Package pdffile reads PDF files of others as far as a copy of them needs it: the objects, the pages, and whether
// there is anything in the file besides. It is strict: a file that two programs could read differently is refused,
// since a copy can be made without it.
//
// It owns: ISO 32000-1, clause 7.2 to 7.7, without encryption. It must not know: what is done with the file.
package pdffile

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
)

const (
	maxObjects  = 200_000
	maxInflated = 16 << 20
	maxSections = 4 // of cross-references
)

// entry is where an object is.
type entry struct {
	kind   byte  // 0 nowhere, 1 in the file, 2 in an object stream
	offset int64 // or the number of the object stream
	index  int   // in it, or the generation
}

// span is a part of the file, to end exclusively.
type span struct{ from, end int64 }

// File is an open file. It is not safe for concurrent use.
type File struct {
	Trailer Dict
	src     io.ReaderAt
	size    int64
	entries []entry
	tables  []span // sections of cross-references
	updates int    // sections of cross-references that another one came after
	packed  map[int][]Object
	lexer   lexer
	zip     io.Reader
}

// Open reads the cross-references. It fails with ErrMalformed, or with what src says.
func Open(src io.ReaderAt, size int64) (*File, error) {
	f := &File{src: src, size: size, packed: map[int][]Object{}, lexer: lexer{in: bufio.NewReader(nil)}}
	tail := make([]byte, min(size, 1024))
	if _, err := src.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return nil, err
	}
	m := regexp.MustCompile(`startxref\s+(\d{1,12})\s+%%EOF\s*$`).FindSubmatch(tail)
	if m == nil {
		return nil, malformed("end")
	}
	at, _ := strconv.ParseInt(string(m[1]), 10, 64) // twelve digits at most
	for ; at >= 0; f.updates++ {
		if f.updates == maxSections {
			return nil, malformed("cross-references")
		}
		previous, err := f.section(at)
		if err != nil {
			return nil, fmt.Errorf("read cross-references: %w", err)
		}
		at = previous
	}
	f.updates--
	if f.Trailer["Encrypt"] != nil {
		return nil, malformed("it is encrypted")
	}
	return f, nil
}

// seek returns the lexer at a place in the file.
func (f *File) seek(at int64) (*lexer, error) {
	if at < 0 || at >= f.size {
		return nil, malformed("offset")
	}
	f.lexer.in.Reset(io.NewSectionReader(f.src, at, f.size-at))
	f.lexer.at, f.lexer.nodes = at, 0
	return &f.lexer, nil
}

// indirect reads the object with the given number at a place, any when it is below 0, and returns where it ends.
func (f *File) indirect(at int64, number int) (Object, span, error) {
	l, err := f.seek(at)
	if err != nil {
		return nil, span{}, err
	}
	n, err := l.whole(maxObjects)
	if err != nil {
		return nil, span{}, err
	}
	if _, err := l.whole(65535); err != nil {
		return nil, span{}, err
	}
	keyword, err := l.object(0)
	if err != nil || keyword != Keyword("obj") || number >= 0 && n != number {
		return nil, span{}, malformed("object")
	}
	o, err := l.object(0)
	if err != nil {
		return nil, span{}, unexpected(err)
	}
	end, err := l.object(0)
	if d, ok := o.(Dict); ok && err == nil && end == Keyword("stream") {
		if o, err = f.endOfStream(d); err != nil {
			return nil, span{}, err
		}
		end, err = f.lexer.object(0)
	}
	switch o.(type) {
	case Keyword, closing:
		return nil, span{}, malformed("object")
	}
	if err != nil || end != Keyword("endobj") {
		return nil, span{}, malformed("end of an object")
	}
	return o, span{at, f.lexer.at}, nil
}

// endOfStream is where the lexer goes on behind the data that it stands before.
func (f *File) endOfStream(d Dict) (*Stream, error) {
	l := &f.lexer
	b, err := l.next()
	if err == nil && b == '\r' {
		b, err = l.next()
	}
	if err != nil || b != '\n' {
		return nil, malformed("stream")
	}
	s := &Stream{Dict: d, From: l.at}
	length := d["Length"]
	if r, ok := length.(Ref); ok { // a number of its own: it may not be a stream again
		if length, err = f.number(r); err != nil {
			return nil, err
		}
	}
	size, err := whole(length, int(f.size))
	if err != nil {
		return nil, err
	}
	s.Size = int64(size)
	if l, err = f.seek(s.From + s.Size); err != nil {
		return nil, err
	}
	if end, err := l.object(0); err != nil || end != Keyword("endstream") || l.at > s.From+s.Size+int64(len("\r\nendstream")) {
		return nil, malformed("end of a stream")
	}
	return s, nil
}

func (f *File) number(r Ref) (Object, error) {
	if r.Number >= len(f.entries) || f.entries[r.Number].kind != 1 {
		return nil, malformed("length")
	}
	l, err := f.seek(f.entries[r.Number].offset)
	if err != nil {
		return nil, err
	}
	if n, err := l.whole(maxObjects); err != nil || n != r.Number {
		return nil, malformed("length")
	}
	if _, err := l.whole(65535); err != nil {
		return nil, err
	}
	if keyword, err := l.object(0); err != nil || keyword != Keyword("obj") {
		return nil, malformed("length")
	}
	return l.object(0)
}

// Get follows references; what is not there is null.
func (f *File) Get(o Object) (Object, error) {
	for range 8 {
		r, ok := o.(Ref)
		if !ok {
			return o, nil
		}
		var err error
		if o, _, err = f.object(r.Number); err != nil {
			return nil, err
		}
	}
	return nil, malformed("reference")
}

// object reads an object; its span is empty when it is in an object stream.
func (f *File) object(number int) (Object, span, error) {
	if number < 0 || number >= len(f.entries) {
		return nil, span{}, nil
	}
	switch e := f.entries[number]; e.kind {
	case 1:
		return f.indirect(e.offset, number)
	case 2:
		list, err := f.unpack(int(e.offset))
		if err != nil {
			return nil, span{}, err
		}
		if 2*e.index+1 >= len(list) || list[2*e.index] != float64(number) {
			return nil, span{}, malformed("object stream")
		}
		return list[2*e.index+1], span{}, nil
	}
	return nil, span{}, nil
}
