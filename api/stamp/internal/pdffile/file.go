// Package pdffile reads PDF files of others as far as a copy of them needs it: the objects, the pages, and whether
// there is anything in the file besides. It is strict: a file that two programs could read differently is refused,
// since a copy can be made without it.
//
// It owns: ISO 32000-1, clause 7.2 to 7.7, without encryption. It must not know: what is done with the file.
package pdffile

import (
	"bufio"
	"bytes"
	"compress/zlib"
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

// section reads one section and returns where the one before it is, or -1.
func (f *File) section(at int64) (previous int64, err error) {
	l, err := f.seek(at)
	if err != nil {
		return 0, err
	}
	first, err := l.object(0)
	if err != nil {
		return 0, unexpected(err)
	}
	var trailer Dict
	if first == Keyword("xref") {
		if trailer, err = f.table(l); err == nil {
			f.tables = append(f.tables, span{at, l.at})
		}
	} else {
		trailer, err = f.stream(at)
	}
	if err != nil {
		return 0, err
	}
	if f.Trailer == nil {
		f.Trailer = trailer
	}
	if hybrid := trailer["XRefStm"]; hybrid != nil {
		where, err := whole(hybrid, int(f.size))
		if err != nil {
			return 0, err
		}
		if _, err := f.stream(int64(where)); err != nil {
			return 0, err
		}
	}
	if trailer["Prev"] == nil {
		return -1, nil
	}
	where, err := whole(trailer["Prev"], int(f.size))
	return int64(where), err
}

// table reads a classic cross-reference table (7.5.4) and its trailer.
func (f *File) table(l *lexer) (Dict, error) {
	for {
		o, err := l.object(0)
		if err != nil {
			return nil, unexpected(err)
		}
		if o == Keyword("trailer") {
			o, err := l.object(0)
			trailer, ok := o.(Dict)
			if err != nil || !ok {
				return nil, malformed("trailer")
			}
			return trailer, nil
		}
		first, err := whole(o, maxObjects)
		if err != nil {
			return nil, err
		}
		count, err := l.whole(maxObjects)
		if err != nil {
			return nil, err
		}
		for i := range count {
			if err := f.line(l, first+i); err != nil {
				return nil, err
			}
		}
		l.nodes = 0
	}
}

func (l *lexer) whole(most int) (int, error) {
	o, err := l.object(0)
	if err != nil {
		return 0, unexpected(err)
	}
	return whole(o, most)
}

func (f *File) line(l *lexer, number int) error {
	offset, err := l.whole(int(f.size))
	if err != nil {
		return err
	}
	generation, err := l.whole(65535)
	if err != nil {
		return err
	}
	switch kind, err := l.object(0); {
	case err != nil:
		return unexpected(err)
	case kind == Keyword("n"):
		return f.set(number, entry{1, int64(offset), generation})
	case kind == Keyword("f"):
		return f.set(number, entry{})
	}
	return malformed("cross-reference")
}

// set keeps the newest entry of an object, which is read first.
func (f *File) set(number int, e entry) error {
	if number >= maxObjects {
		return malformed("too many objects")
	}
	for len(f.entries) <= number {
		f.entries = append(f.entries, entry{kind: 0xFF})
	}
	if f.entries[number].kind == 0xFF {
		f.entries[number] = e
	}
	return nil
}

// stream reads a cross-reference stream (7.5.8).
func (f *File) stream(at int64) (Dict, error) {
	o, where, err := f.indirect(at, -1)
	if err != nil {
		return nil, err
	}
	f.tables = append(f.tables, where)
	s, ok := o.(*Stream)
	if !ok || s.Dict["Type"] != Name("XRef") {
		return nil, malformed("cross-reference stream")
	}
	data, err := f.Data(s)
	if err != nil {
		return nil, err
	}
	widths, ok := s.Dict["W"].(Array)
	if !ok || len(widths) != 3 {
		return nil, malformed("cross-reference stream")
	}
	var w [3]int
	for i := range w {
		if w[i], err = whole(widths[i], 7); err != nil {
			return nil, err
		}
	}
	index, ok := s.Dict["Index"].(Array)
	if !ok {
		index = Array{0.0, s.Dict["Size"]}
	}
	for ; len(index) >= 2; index = index[2:] {
		first, err := whole(index[0], maxObjects)
		if err != nil {
			return nil, err
		}
		count, err := whole(index[1], maxObjects)
		if err != nil {
			return nil, err
		}
		if data, err = f.rows(data, w, first, count); err != nil {
			return nil, err
		}
	}
	return s.Dict, nil
}

func (f *File) rows(data []byte, w [3]int, first, count int) (rest []byte, err error) {
	width := w[0] + w[1] + w[2]
	if width == 0 || count > len(data)/width {
		return nil, malformed("cross-reference stream")
	}
	for i := range count {
		row, values := data[i*width:], [3]int64{1}
		for j, n := range w {
			if n > 0 {
				values[j] = 0
			}
			for ; n > 0; n-- {
				values[j], row = values[j]<<8|int64(row[0]), row[1:]
			}
		}
		if values[0] > 2 || values[1] > f.size || values[2] > maxObjects {
			return nil, malformed("cross-reference")
		}
		e := entry{byte(values[0]), values[1], int(values[2])}
		if e.kind == 0 {
			e = entry{}
		}
		if err := f.set(first+i, e); err != nil {
			return nil, err
		}
	}
	return data[count*width:], nil
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

// unpack reads an object stream (7.5.7): numbers and objects in turns.
func (f *File) unpack(number int) ([]Object, error) {
	if list, ok := f.packed[number]; ok {
		return list, nil
	}
	if number >= len(f.entries) || f.entries[number].kind != 1 {
		return nil, malformed("object stream")
	}
	o, _, err := f.indirect(f.entries[number].offset, number)
	if err != nil {
		return nil, err
	}
	s, ok := o.(*Stream)
	if !ok || s.Dict["Type"] != Name("ObjStm") || s.Dict["Extends"] != nil {
		return nil, malformed("object stream")
	}
	data, err := f.Data(s)
	if err != nil {
		return nil, err
	}
	count, err := whole(s.Dict["N"], maxObjects)
	if err != nil {
		return nil, err
	}
	first, err := whole(s.Dict["First"], len(data))
	if err != nil {
		return nil, err
	}
	list, err := unpacked(data, count, first)
	if err != nil {
		return nil, err
	}
	f.packed[number] = list
	return list, nil
}

// unpacked reads what is in an object stream, which must be nothing else.
func unpacked(data []byte, count, first int) ([]Object, error) {
	head := lexer{in: bufio.NewReader(bytes.NewReader(data[:first]))}
	var list []Object
	var offsets []int
	for range count {
		number, err := head.whole(maxObjects)
		if err != nil {
			return nil, err
		}
		offset, err := head.whole(len(data) - first)
		if err != nil {
			return nil, err
		}
		list, offsets = append(list, float64(number), nil), append(offsets, first+offset)
	}
	if _, err := head.object(0); err != io.EOF || head.commented {
		return nil, malformed("object stream")
	}
	offsets = append(offsets, len(data))
	for i := range count {
		if offsets[i] > offsets[i+1] || i == 0 && offsets[0] != first {
			return nil, malformed("object stream")
		}
		body := lexer{in: bufio.NewReader(bytes.NewReader(data[offsets[i]:offsets[i+1]]))}
		o, err := body.object(0)
		if err != nil {
			return nil, unexpected(err)
		}
		switch o.(type) {
		case Keyword, closing:
			return nil, malformed("object stream")
		}
		if _, err := body.object(0); err != io.EOF || body.commented {
			return nil, malformed("object stream")
		}
		list[2*i+1] = o
	}
	return list, nil
}

// Raw returns the data of a stream as they are stored.
func (f *File) Raw(s *Stream) *io.SectionReader { return io.NewSectionReader(f.src, s.From, s.Size) }

// Data returns the data of a stream that has no filter or FlateDecode, up to a bound.
func (f *File) Data(s *Stream) ([]byte, error) {
	filter, parameters := s.Dict["Filter"], s.Dict["DecodeParms"]
	if list, ok := filter.(Array); ok && len(list) == 1 {
		filter = list[0]
		if of, ok := parameters.(Array); ok && len(of) == 1 {
			parameters = of[0]
		}
	}
	var in io.Reader = f.Raw(s)
	switch filter {
	case nil:
	case Name("FlateDecode"):
		z, err := zlib.NewReader(in)
		if err != nil {
			return nil, malformed("compressed data")
		}
		in = z
	default:
		return nil, malformed("filter")
	}
	data, err := io.ReadAll(io.LimitReader(in, maxInflated+1))
	if err != nil || len(data) > maxInflated {
		return nil, malformed("compressed data")
	}
	if d, ok := parameters.(Dict); ok {
		return unpredict(data, d)
	}
	if parameters != nil {
		return nil, malformed("filter")
	}
	return data, nil
}

// unpredict undoes the PNG predictors that cross-reference streams use (7.4.4.4).
func unpredict(data []byte, parameters Dict) ([]byte, error) {
	if p, err := whole(parameters["Predictor"], 15); parameters["Predictor"] == nil || err == nil && p == 1 {
		return data, nil
	} else if err != nil || p < 10 || parameters["Colors"] != nil || parameters["BitsPerComponent"] != nil {
		return nil, malformed("filter")
	}
	columns, err := whole(parameters["Columns"], 64)
	if err != nil || columns == 0 || len(data)%(columns+1) != 0 {
		return nil, malformed("filter")
	}
	out := make([]byte, 0, len(data))
	above := make([]byte, columns)
	for ; len(data) > 0; data = data[columns+1:] {
		row := data[1 : columns+1]
		switch data[0] {
		case 0:
		case 2:
			for i := range row {
				row[i] += above[i]
			}
		case 1:
			for i := range row[1:] {
				row[i+1] += row[i]
			}
		default: // nobody uses the others here
			return nil, malformed("filter")
		}
		out = append(out, row...)
		above = row
	}
	return out, nil
}
