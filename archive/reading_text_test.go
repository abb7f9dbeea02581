package archive_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

func line(words ...string) archive.TextLine {
	var l archive.TextLine
	for _, w := range words {
		l = append(l, archive.Word{Text: w})
	}
	return l
}

func TestBlanksOfLines(t *testing.T) {
	for want, l := range map[string]archive.TextLine{
		"":                   nil,
		"结婚证":                line("结", "婚", "证"),
		"1995年3月1日编号G179-TX": line("1995", "年", "3", "月", "1", "日", "编号", "G179-TX"),
		"Zhang San与王五":       line("Zhang", "San", "与", "王五"),
		"（甲）Zhang San":       line("（", "甲", "）", "Zhang", "San"),
		"𬱖No 3":              line("𬱖", "No", "3"),
		"Name：Zhang":         line("Name", "：", "Zhang"),
		"a b":                line("", "a", "", "b"),
	} {
		if got := l.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPlaceOfALine(t *testing.T) {
	l := archive.TextLine{{Place: archive.Place{0.2, 0.1, 0.3, 0.15}}, {Place: archive.Place{0.4, 0.09, 0.5, 0.14}}}
	if got, want := l.Place(), (archive.Place{0.2, 0.09, 0.5, 0.15}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got := (archive.TextLine{}).Place(); got != (archive.Place{}) {
		t.Errorf("of nothing: %v", got)
	}
}

func TestScannedPages(t *testing.T) {
	r := archive.Reading{Pages: 3, Text: []string{"typed", " \n", ""}}
	var scanned []int
	for page := range 5 {
		if r.Scanned(page) {
			scanned = append(scanned, page)
		}
	}
	if diff := cmp.Diff([]int{2, 3}, scanned); diff != "" || !r.HasScans() {
		t.Error(diff)
	}
	if (archive.Reading{Pages: 1, Text: []string{"typed"}}).HasScans() || (archive.Reading{}).HasScans() {
		t.Error("a scan where there is none")
	}
	s := archive.ScanText{Pages: [][]archive.TextLine{nil, {line("结", "婚"), line("证")}}}
	if diff := cmp.Diff([]string{"", "结婚\n证"}, s.Text()); diff != "" {
		t.Error(diff)
	}
}
