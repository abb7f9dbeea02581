package ocr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"dangan/archive"
)

// Levels of rows in the program's output: a page, and a word.
const (
	levelPage = "1"
	levelWord = "5"
)

// parse reads what the program writes: a head, and a row of twelve fields for each
// page, block, paragraph, line and word, in this order. It takes nearly every
// Chinese character for a word; those that stand close together become one.
func parse(tsv []byte) ([]archive.TextLine, error) {
	var (
		lines []archive.TextLine
		page  [4]float64
		at    string // the line of the last word
	)
	for n, row := range strings.Split(strings.TrimSuffix(string(tsv), "\n"), "\n") {
		f := strings.SplitN(row, "\t", 12)
		if len(f) < 12 {
			return nil, fmt.Errorf("%w: row %d", errOutput, n+1)
		}
		text := strings.TrimFunc(f[11], func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
		if n == 0 || f[0] != levelPage && (f[0] != levelWord || text == "") {
			continue
		}
		box, err := boxOf(f[6:10])
		if err != nil || !utf8.ValidString(text) || (f[0] == levelWord) == (page == [4]float64{}) {
			return nil, fmt.Errorf("%w: row %d", errOutput, n+1)
		}
		if f[0] == levelPage {
			page = box
			continue
		}
		word := archive.Word{Text: text, Place: placeOf(box, page[2], page[3])}
		if here := strings.Join(f[1:5], " "); here != at || len(lines) == 0 {
			lines, at = append(lines, nil), here
		}
		last := &lines[len(lines)-1]
		*last = add(*last, word, page[2]/page[3])
	}
	return lines, nil
}

// boxOf reads left, top, width and height, and returns left, top, right and bottom.
func boxOf(fields []string) (box [4]float64, err error) {
	const most = 1 << 20 // pixels
	for i, f := range fields {
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 || n > most {
			return box, errOutput
		}
		box[i] = float64(n)
	}
	if box[2] == 0 || box[3] == 0 {
		return box, errOutput
	}
	return [4]float64{box[0], box[1], box[0] + box[2], box[1] + box[3]}, nil
}

// placeOf is a box as fractions of the page, as exact as a picture can be.
func placeOf(box [4]float64, width, height float64) archive.Place {
	part := func(n, of float64) float64 { return math.Round(min(n/of, 1)*1e4) / 1e4 }
	return archive.Place{part(box[0], width), part(box[1], height), part(box[2], width), part(box[3], height)}
}

// add puts a word at the end of a line, or to the last word when no blank is between
// them and the gap is less wide than they are high.
func add(line archive.TextLine, w archive.Word, wide float64) archive.TextLine {
	if len(line) > 0 {
		last := &line[len(line)-1]
		high := max(w.Place[3]-w.Place[1], last.Place[3]-last.Place[1])
		together := last.Text + w.Text
		if (w.Place[0]-last.Place[2])*wide < high && (archive.TextLine{*last, w}).String() == together {
			*last = archive.Word{Text: together, Place: archive.TextLine{*last, w}.Place()}
			return line
		}
	}
	return append(line, w)
}
