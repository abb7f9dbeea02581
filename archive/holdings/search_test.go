package holdings_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

func TestExactFormsAreFoundWithTheIndexDown(t *testing.T) {
	w, room, view := deposited(t, "one")
	w.down = true
	for _, q := range []string{
		"999999199001010016", "９９９９９９１９９００１０１００１６", "999999 19900101 0016", "999999900101001",
		view.ID, strings.ToLower(view.ID), "J019-ZY·HY·2010·D100-001-0001", "j019 zy hy 2010 d100 001 0001",
	} {
		hits, err := room.Search(t.Context(), clerk(), archive.Query{Text: q})
		if err != nil || len(hits.Hits) != 1 || hits.Hits[0].ID != view.ID || !hits.Exact || hits.Total != 1 {
			t.Errorf("%d characters: %+v %v", len(q), hits, err)
		}
	}
	if len(w.asked) != 0 {
		t.Error("the index was asked")
	}
	if _, err := room.Search(t.Context(), clerk(), archive.Query{Text: "张㛃"}); !errors.Is(err, archive.ErrUnavailable) {
		t.Error(err)
	}
}

func TestAnIDNumberNeverReachesTheIndex(t *testing.T) {
	w, room, _ := deposited(t, "张㛃 999999199001010016 的 文字")
	for _, q := range []string{"999999199203030013", "张㛃 999999199001010016", "张㛃 9 9 9 9 9 9 1 9 9 0 0 1 0 1 0 0 1 6"} {
		// Found, refused or scrubbed: all that counts is what the index sees.
		if _, err := room.Search(t.Context(), clerk(), archive.Query{Text: q}); err != nil && !errors.Is(err, archive.ErrInvalid) {
			t.Error(err)
		}
	}
	docs, err := json.Marshal(w.index)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range append(w.asked, string(docs)) {
		if strings.Contains(text, "19900101") || strings.Contains(text, "0 0 1 6") || strings.Contains(text, "1992") {
			t.Errorf("the index saw %q", text)
		}
	}
	if !slices.Contains(w.asked, "张㛃") {
		t.Error("the rest of the query was not searched:", w.asked)
	}
}

func TestHitsAreMaskedAndTraced(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	r := marriage(t)
	r.Title = "张㛃 999999199001010016"
	view, err := room.Deposit(t.Context(), clerk(), "", r, uploads("one"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.work(room); err != nil {
		t.Fatal(err)
	}
	hits, err := room.Search(t.Context(), clerk(), archive.Query{Text: view.ID})
	if err != nil {
		t.Fatal(err)
	}
	want := archive.Hit{
		ID: view.ID, Title: "张㛃 999999********0016", Names: []string{"张㛃", "李𬱖"}, RefCode: r.RefCode.String(), Date: "2010-05-20", Year: 2010,
		Family: archive.Livelihood, Category: "marriage", Office: "qc", Fonds: "J019", Openness: archive.NotReviewed, Version: 1,
	}
	if diff := cmp.Diff([]archive.Hit{want}, hits.Hits); diff != "" {
		t.Error(diff)
	}
	if _, err := room.Search(t.Context(), clerk(), archive.Query{Text: "张㛃"}); err != nil {
		t.Fatal(err)
	}
	if _, err := room.Search(t.Context(), clerk(), archive.Query{Text: "无此人"}); err != nil {
		t.Fatal(err)
	}
	if len(w.traces) != 2 { // what found nothing disclosed nothing
		t.Fatal(w.traces)
	}
	for _, d := range w.traces {
		if d.Action != archive.ActSearch || !slices.Equal(d.Also, []string{view.ID}) || d.Detail != "1 of 1 hits" {
			t.Errorf("%+v", d)
		}
	}
}

func TestSearchIsCutToTheScope(t *testing.T) {
	w, room, view := deposited(t, "one")
	other := archive.Actor{ID: "z", Role: archive.RoleUploader, Office: "zz"}
	own := clerk()
	own.Person = w.Token(archive.MarkPerson, "resident:999999199001010016")
	for name, a := range map[string]archive.Actor{"another office": other, "its subject": own} {
		for _, q := range []string{"999999199001010016", view.ID, "J019-ZY·HY·2010·D100-001-0001", "结婚"} {
			hits, err := room.Search(t.Context(), a, archive.Query{Text: q})
			if err != nil || hits.Total != 0 {
				t.Errorf("%s: %+v %v", name, hits, err)
			}
		}
	}
	if _, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(`{"openness":"open"}`)); err != nil {
		t.Fatal(err)
	}
	hits, err := room.Search(t.Context(), other, archive.Query{Text: "999999199001010016"})
	if err != nil || hits.Total != 1 {
		t.Errorf("an open record: %+v %v", hits, err)
	}
	if err := w.work(room); err != nil {
		t.Fatal(err)
	}
	if hits, err := room.Search(t.Context(), other, archive.Query{Text: "结婚"}); err != nil || len(hits.Hits) != 1 {
		t.Errorf("an open record, ranked: %+v %v", hits, err)
	}
	if _, err := room.Describe(t.Context(), clerk(), view.ID, 2, []byte(`{"openness":"controlled"}`)); err != nil {
		t.Fatal(err)
	}
	if hits, err := room.Search(t.Context(), other, archive.Query{Text: "结婚"}); err != nil || len(hits.Hits) != 0 {
		t.Errorf("the index is behind and shows what was closed: %+v %v", hits, err)
	}
	for _, a := range []archive.Actor{{}, {ID: "c", Role: archive.RoleCitizen}, {ID: "a", Role: archive.RoleAuditor, Office: "qc"}, {ID: "g", Role: archive.RoleAgency}} {
		if _, err := room.Search(t.Context(), a, archive.Query{Text: "结婚"}); !errors.Is(err, archive.ErrForbidden) {
			t.Errorf("%s: %v", a.Role, err)
		}
	}
}

func TestExactHitsAreFilteredSortedAndPaged(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	for i, year := range []string{"2003", "2001", "2002"} {
		r := marriage(t)
		r.Date, _ = archive.ParseDate(year)
		r.RefCode = archive.BuildRefCode("J019", []string{"ZY"}, "000"+string(rune('1'+i)))
		if _, err := room.Deposit(t.Context(), clerk(), "", r, uploads("one")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.work(room); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		q     archive.Query
		want  []int
		total int
	}{
		{archive.Query{}, []int{2003, 2002, 2001}, 3},
		{archive.Query{Sort: archive.SortDate, Limit: 2}, []int{2001, 2002}, 3},
		{archive.Query{Sort: archive.SortRefCode, Offset: 1}, []int{2001, 2002}, 3},
		{archive.Query{Offset: 9}, nil, 3},
		{archive.Query{Filter: archive.Filter{YearFrom: 2002, YearTo: 2002}}, []int{2002}, 1},
		{archive.Query{Filter: archive.Filter{Family: archive.Personnel}}, nil, 0},
	} {
		tt.q.Text = "999999199001010016"
		hits, err := room.Search(t.Context(), clerk(), tt.q)
		if err != nil {
			t.Fatal(err)
		}
		var years []int
		for _, h := range hits.Hits {
			years = append(years, h.Year)
		}
		if !slices.Equal(years, tt.want) || hits.Total != tt.total || hits.Facets["category"]["marriage"] != tt.total {
			t.Errorf("%+v: %v of %d", tt.q, years, hits.Total)
		}
	}
}

func TestQueryProblemsComeAllAtOnce(t *testing.T) {
	_, err := newWorld(t).room().Search(t.Context(), clerk(), archive.Query{
		Text: strings.Repeat("张", 201), Sort: "name", Limit: 101, Offset: 1001,
		Filter: archive.Filter{Family: "x", Openness: "ajar", YearFrom: 2, YearTo: 1},
	})
	want := archive.Problems{
		{Code: "too_long", Field: "q"}, {Code: "unknown_value", Field: "sort"}, {Code: "out_of_range", Field: "limit"}, {Code: "out_of_range", Field: "offset"},
		{Code: "unknown_value", Field: "filter.family"}, {Code: "unknown_value", Field: "filter.openness"}, {Code: "bad_range", Field: "filter.year_to"},
	}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Error(diff)
	}
}

func TestNumbersOfOtherDocumentsAreLookedUpExactly(t *testing.T) {
	for _, id := range []archive.IDNumber{{Type: archive.IDPassport, Original: "E12345678"}, {Type: archive.IDTaiwan, Original: "12345678"}} {
		w := newWorld(t)
		room := w.room()
		w.down = true
		r := marriage(t)
		r.Persons[0].ID = id
		view, err := room.Deposit(t.Context(), clerk(), "", r, uploads())
		if err != nil {
			t.Fatal(err)
		}
		if err := room.Settle(t.Context(), w.started[0]); !errors.Is(err, archive.ErrUnavailable) {
			t.Fatal(err)
		}
		hits, err := room.Search(t.Context(), clerk(), archive.Query{Text: strings.ToLower(id.Original)})
		if err != nil || len(hits.Hits) != 1 || hits.Hits[0].ID != view.ID || len(w.asked) != 0 {
			t.Errorf("%s: %+v %v", id.Type, hits, err)
		}
	}
}
