package pdffile

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"io"
)

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
		var err error
		if in, err = f.inflate(in); err != nil {
			return nil, malformed("compressed data")
		}
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

// inflate uses one decompressor for all streams: making one takes more than most of them.
func (f *File) inflate(in io.Reader) (io.Reader, error) {
	if r, ok := f.zip.(zlib.Resetter); ok {
		return f.zip, r.Reset(in, nil)
	}
	z, err := zlib.NewReader(in)
	if err == nil {
		f.zip = z
	}
	return z, err
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
