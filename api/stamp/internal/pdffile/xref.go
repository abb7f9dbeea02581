package pdffile

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
		trailer, err = f.classic(at, l)
	} else {
		trailer, err = f.stream(at)
	}
	if err != nil {
		return 0, err
	}
	if f.Trailer == nil {
		f.Trailer = trailer
	}
	if trailer["Prev"] == nil {
		return -1, nil
	}
	where, err := whole(trailer["Prev"], int(f.size))
	return int64(where), err
}

// line is one of a classic table.
type line struct {
	number int
	entry
}

// classic reads a table. What a hybrid file lists in a stream besides comes before that: its table calls the same
// objects free (7.5.8.4).
func (f *File) classic(at int64, l *lexer) (Dict, error) {
	lines, trailer, err := f.table(l)
	if err != nil {
		return nil, err
	}
	f.tables = append(f.tables, span{at, l.at})
	if hybrid := trailer["XRefStm"]; hybrid != nil {
		where, err := whole(hybrid, int(f.size))
		if err != nil {
			return nil, err
		}
		if _, err := f.stream(int64(where)); err != nil {
			return nil, err
		}
	}
	for _, line := range lines {
		if err := f.set(line.number, line.entry); err != nil {
			return nil, err
		}
	}
	return trailer, nil
}

// table reads the lines of a classic table (7.5.4) and its trailer.
func (f *File) table(l *lexer) (lines []line, trailer Dict, err error) {
	for {
		o, err := l.object(0)
		if err != nil {
			return nil, nil, unexpected(err)
		}
		if o == Keyword("trailer") {
			o, err := l.object(0)
			trailer, ok := o.(Dict)
			if err != nil || !ok {
				return nil, nil, malformed("trailer")
			}
			return lines, trailer, nil
		}
		first, err := whole(o, maxObjects)
		if err != nil {
			return nil, nil, err
		}
		count, err := l.whole(maxObjects)
		if err != nil {
			return nil, nil, err
		}
		for i := range count {
			e, err := f.line(l)
			if err != nil {
				return nil, nil, err
			}
			lines = append(lines, line{first + i, e})
		}
		if l.nodes = 0; len(lines) > maxObjects {
			return nil, nil, malformed("too many objects")
		}
	}
}

func (l *lexer) whole(most int) (int, error) {
	o, err := l.object(0)
	if err != nil {
		return 0, unexpected(err)
	}
	return whole(o, most)
}

func (f *File) line(l *lexer) (e entry, err error) {
	offset, err := l.whole(int(f.size))
	if err != nil {
		return e, err
	}
	generation, err := l.whole(65535)
	if err != nil {
		return e, err
	}
	switch kind, err := l.object(0); {
	case err != nil:
		return e, unexpected(err)
	case kind == Keyword("n"):
		return entry{1, int64(offset), generation}, nil
	case kind == Keyword("f"):
		return e, nil
	}
	return e, malformed("cross-reference")
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
