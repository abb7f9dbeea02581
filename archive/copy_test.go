package archive_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// scanned is a record with a file of each kind that decides about copies.
func scanned() archive.RecordView {
	finding := func(code string, rejects bool) []archive.Finding {
		return []archive.Finding{{Code: code, Rejects: rejects}}
	}
	upright := archive.PageSize{Width: 595, Height: 842}
	states := []archive.FileState{
		{State: archive.Ready, Kind: "application/pdf", Pages: 3, Sizes: []archive.PageSize{upright, {Width: 300, Height: 200, Rotate: 90}, upright}},
		{State: archive.Ready, Kind: "application/pdf", Pages: 1, Findings: finding("signed", false)},
		{State: archive.Checking},
		{State: archive.Rejected, Pages: 2, Findings: finding("encrypted", true)},
		{State: archive.Rejected, Findings: finding("active_content", true)},
		{State: archive.Ready, Findings: finding("too_large", false)},
		{State: archive.Ready, Kind: "image/tiff", Pages: 1, Findings: finding("no_preview", false)},
	}
	v := archive.RecordView{States: states}
	for i := range states {
		v.Files = append(v.Files, archive.File{Blob: archive.Blob{ID: string(rune('a' + i)), SHA256: "sum"}})
	}
	return v
}

func page(file, page int, masks ...archive.Box) archive.CopyPage {
	return archive.CopyPage{PageRef: archive.PageRef{File: file, Page: page}, Masks: masks}
}

func box(x, y, width, height float64) archive.Box {
	return archive.Box{X: x, Y: y, Width: width, Height: height, Reason: archive.MaskThirdParty}
}

func TestNewCopy(t *testing.T) {
	got, err := archive.NewCopy([]archive.CopyPage{page(2, 1), page(1, 3), page(1, 2, box(0.9, 0, 0.1, 1))}, scanned())
	if err != nil {
		t.Fatal(err)
	}
	want := []archive.Original{
		{File: 1, ID: "a", SHA256: "sum", Kind: "application/pdf", Pages: 3},
		{File: 2, ID: "b", SHA256: "sum", Kind: "application/pdf", Pages: 1, Images: true},
	}
	if diff := cmp.Diff(want, got.Originals); diff != "" {
		t.Error(diff)
	}
	if w, h := got.Pages[2].Seen(); w != 200 || h != 300 {
		t.Errorf("a turned page is %v by %v", w, h)
	}
	if w, h := got.Pages[0].Seen(); w >= h || w == 0 {
		t.Errorf("a page of unknown size is %v by %v", w, h)
	}
}

func TestNewCopyNamesEveryFault(t *testing.T) {
	odd := box(0.5, 0.5, 0.1, 0.1)
	odd.Reason = "because"
	pages := []archive.CopyPage{
		page(3, 1), page(4, 1), page(5, 1), page(6, 1), page(7, 1), page(8, 1), page(0, 1), page(1, 4), page(1, 0),
		page(1, 1, box(-0.1, 0, 0.5, 0.5), box(0, 1, 0.5, 0.5), box(0.6, 0, 0.5, 0.5), box(0, 0, 0, 0.5), box(0, 0, 0.5, math.NaN()), box(math.NaN(), 0, 1, 1), odd),
		page(1, 1),
	}
	_, err := archive.NewCopy(pages, scanned())
	var got archive.Problems
	if !errors.As(err, &got) {
		t.Fatal(err)
	}
	want := archive.Problems{
		{Code: "file_checking", Field: "pages[0].file"}, {Code: "file_encrypted", Field: "pages[1].file"},
		{Code: "file_rejected", Field: "pages[2].file"}, {Code: "file_unreadable", Field: "pages[3].file"},
		{Code: "file_unreadable", Field: "pages[4].file"}, {Code: "unknown_file", Field: "pages[5].file"},
		{Code: "unknown_file", Field: "pages[6].file"}, {Code: "unknown_page", Field: "pages[7].page"}, {Code: "unknown_page", Field: "pages[8].page"},
		{Code: "out_of_range", Field: "pages[9].masks[0].x"}, {Code: "out_of_range", Field: "pages[9].masks[1].y"},
		{Code: "out_of_range", Field: "pages[9].masks[2].width"}, {Code: "out_of_range", Field: "pages[9].masks[3].width"},
		{Code: "out_of_range", Field: "pages[9].masks[4].height"}, {Code: "out_of_range", Field: "pages[9].masks[5].x"},
		{Code: "unknown_value", Field: "pages[9].masks[6].reason"}, {Code: "duplicate", Field: "pages[10].page"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, pages := range map[string][]archive.CopyPage{
		"required": nil, "too_many": make([]archive.CopyPage, 201),
	} {
		if _, err := archive.NewCopy(pages, scanned()); !errors.As(err, &got) || got[0] != (archive.Problem{Code: name, Field: "pages"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := archive.NewCopy([]archive.CopyPage{page(1, 1, make([]archive.Box, 51)...)}, scanned()); !errors.As(err, &got) || got[0].Code != "too_many" {
		t.Errorf("too many boxes: %v", err)
	}
}

func TestRuns(t *testing.T) {
	c := archive.Copy{Pages: []archive.CopyPage{page(1, 2), page(1, 3), page(2, 4), page(2, 3), page(1, 4)}}
	want := []archive.PageRun{{At: 1, File: 1, Page: 2, Pages: 2}, {At: 3, File: 2, Page: 4, Pages: 1}, {At: 4, File: 2, Page: 3, Pages: 1}, {At: 5, File: 1, Page: 4, Pages: 1}}
	if diff := cmp.Diff(want, c.Runs()); diff != "" {
		t.Error(diff)
	}
	if one, more := archive.Span(7, 1), archive.Span(7, 3); one != "7" || more != "7–9" {
		t.Errorf("%q %q", one, more)
	}
}
