package archive_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// inspection is a good one of a file with two pages that may be named.
func inspection() (archive.Inspection, archive.Record) {
	id := func(body string) archive.IDNumber {
		return archive.NewIDNumber("", body+string(archive.CheckCharacter(body)))
	}
	from := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	return archive.Inspection{Unit: "青川市委组织部", Letter: "青组函〔2026〕12号", Purpose: archive.ForVetting, From: from, Until: from.Add(2 * time.Hour),
			Readers: []archive.Person{{Name: "赵一", ID: id("99999919800101001")}, {Name: "钱二", ID: id("99999919800101002")}},
			Pages:   []archive.PageRef{{File: 1, Page: 3}}},
		archive.Record{Family: archive.Personnel, Files: make([]archive.File, 1),
			Persons: []archive.Person{{Name: "张三", Role: "subject", ID: id("99999919900101001")}, {Name: "李四", Role: "relative"}}}
}

func TestInspection(t *testing.T) {
	good, file := inspection()
	if ps := good.Problems(file); len(ps) > 0 {
		t.Fatalf("a good one: %v", ps)
	}
	for name, tt := range map[string]struct {
		change func(*archive.Inspection, *archive.Record)
		want   archive.Problem
	}{
		"a livelihood record": {func(_ *archive.Inspection, r *archive.Record) { r.Family = archive.Livelihood }, archive.Problem{Code: "not_personnel", Field: "record"}},
		"without a letter":    {func(i *archive.Inspection, _ *archive.Record) { i.Letter = "" }, archive.Problem{Code: "required", Field: "letter"}},
		"out of curiosity":    {func(i *archive.Inspection, _ *archive.Record) { i.Purpose = "curiosity" }, archive.Problem{Code: "bad_purpose", Field: "purpose"}},
		"one reader":          {func(i *archive.Inspection, _ *archive.Record) { i.Readers = i.Readers[:1] }, archive.Problem{Code: "two_readers", Field: "readers"}},
		"one reader twice":    {func(i *archive.Inspection, _ *archive.Record) { i.Readers[1].ID = i.Readers[0].ID }, archive.Problem{Code: "same_person", Field: "readers[1].id"}},
		"a reader unknown":    {func(i *archive.Inspection, _ *archive.Record) { i.Readers[1].ID = archive.IDNumber{} }, archive.Problem{Code: "required", Field: "readers[1].id"}},
		"the subject":         {func(i *archive.Inspection, r *archive.Record) { i.Readers[0].ID = r.Persons[0].ID }, archive.Problem{Code: "concerned", Field: "readers[0].id"}},
		"a relative":          {func(i *archive.Inspection, r *archive.Record) { r.Persons[1].ID = i.Readers[1].ID }, archive.Problem{Code: "concerned", Field: "readers[1].id"}},
		"the whole file":      {func(i *archive.Inspection, _ *archive.Record) { i.Pages = nil }, archive.Problem{Code: "required", Field: "pages"}},
		"another file":        {func(i *archive.Inspection, _ *archive.Record) { i.Pages[0].File = 2 }, archive.Problem{Code: "unknown_page", Field: "pages[0]"}},
		"over night":          {func(i *archive.Inspection, _ *archive.Record) { i.Until = i.From.Add(11 * time.Hour) }, archive.Problem{Code: "out_of_range", Field: "until"}},
	} {
		i, r := inspection()
		tt.change(&i, &r)
		if diff := cmp.Diff(archive.Problems{tt.want}, i.Problems(r)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	page := archive.PageRef{File: 1, Page: 3}
	for at, want := range map[time.Time]bool{good.From.Add(-time.Second): false, good.From: true, good.Until.Add(-time.Second): true, good.Until: false} {
		if good.Admits(page, at) != want || good.Admits(archive.PageRef{File: 1, Page: 4}, at) {
			t.Errorf("at %s", at)
		}
	}
}
