package ocr

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// Path is the file of the program.
func (t *Tesseract) Path() string { return t.config.Program }

const sample = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n" +
	"1\t1\t0\t0\t0\t0\t0\t0\t1000\t2000\t-1\t\n" +
	"4\t1\t1\t1\t1\t0\t100\t100\t400\t40\t-1\t\n" +
	"5\t1\t1\t1\t1\t1\t100\t100\t40\t40\t96\t结\n" +
	"5\t1\t1\t1\t1\t2\t150\t100\t40\t40\t96\t婚\n" +
	"5\t1\t1\t1\t1\t3\t300\t100\t40\t40\t96\t证\n" +
	"5\t1\t1\t1\t1\t4\t345\t105\t90\t30\t96\tNo.\n" +
	"5\t1\t1\t1\t1\t5\t440\t105\t20\t30\t96\t3\n" +
	"5\t1\t1\t1\t2\t1\t100\t200\t40\t40\t96\t青\n" +
	"5\t1\t1\t1\t2\t2\t150\t200\t40\t40\t96\t \n"

func TestParse(t *testing.T) {
	got, err := parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := []archive.TextLine{
		{
			{Text: "结婚", Place: archive.Place{0.1, 0.05, 0.19, 0.07}},
			{Text: "证No.", Place: archive.Place{0.3, 0.05, 0.435, 0.07}},
			{Text: "3", Place: archive.Place{0.44, 0.0525, 0.46, 0.0675}},
		},
		{{Text: "青", Place: archive.Place{0.1, 0.1, 0.14, 0.12}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := got[0].String(); text != "结婚证No. 3" {
		t.Error(text)
	}
}

// FuzzParse: the program has had a picture from outside in its hands, and may say
// anything.
func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add(strings.ReplaceAll(sample, "\t1000\t", "\t0\t"))
	f.Add("")
	f.Fuzz(func(t *testing.T, tsv string) {
		lines, err := parse([]byte(tsv))
		if err != nil {
			if !errors.Is(err, errOutput) || lines != nil {
				t.Error(lines, err)
			}
			return
		}
		for _, line := range lines {
			for _, w := range line {
				p := w.Place
				if w.Text == "" || !utf8.ValidString(w.Text) || !(p[0] >= 0 && p[0] <= p[2] && p[2] <= 1 && p[1] >= 0 && p[1] <= p[3] && p[3] <= 1) {
					t.Errorf("%+v", w)
				}
			}
		}
	})
}
