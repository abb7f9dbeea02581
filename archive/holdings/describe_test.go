package holdings_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/holdings"
)

// deposited is a world with one record that has been settled.
func deposited(t *testing.T, contents ...string) (*world, *holdings.Room, archive.RecordView) {
	t.Helper()
	w := newWorld(t)
	room := w.room()
	view, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads(contents...))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.work(room); err != nil {
		t.Fatal(err)
	}
	return w, room, view
}

func TestDescribe(t *testing.T) {
	w, room, view := deposited(t, "one")
	got, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(`{"title":"新题名","fields":{"registry":"旧登记处"},"note":"n"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Version != 2 || got.Title != "新题名" || got.Fields["registry"] != "旧登记处" || got.Fields["registration_kind"] != "marriage" || got.Note != "n" {
		t.Errorf("%+v", got)
	}
	if got.States[0].State != archive.Ready {
		t.Error("a change of the description puts the files back to checking")
	}
	first := w.records[view.ID][0].Value
	if first.Title == "新题名" || len(w.records[view.ID]) != 2 {
		t.Error("the first version changed")
	}
	if _, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(`{"title":"zu spät"}`)); !errors.Is(err, archive.ErrConflict) {
		t.Error(err)
	}
}

func TestDescribeProblems(t *testing.T) {
	_, room, view := deposited(t, "one")
	tests := []struct {
		patch string
		want  archive.Problems
	}{
		{`[]`, archive.Problems{{Code: "not_an_object"}}},
		{`null`, archive.Problems{{Code: "not_an_object"}}},
		{`{"title":""`, archive.Problems{{Code: "not_an_object"}}},
		{`{"id":"x","files":[],"office":"zz","by":"me","deposited":"2020-01-01T00:00:00Z","title":null}`, archive.Problems{
			{Code: "immutable", Field: "id"}, {Code: "immutable", Field: "files"}, {Code: "immutable", Field: "office"},
			{Code: "immutable", Field: "by"}, {Code: "immutable", Field: "deposited"}, {Code: "required", Field: "title"},
		}},
		{`{"title":7}`, archive.Problems{{Code: "wrong_type", Field: "title"}}},
		{`{"shoe_size":"43"}`, archive.Problems{{Code: "unknown_field"}}},
		{`{"persons":[{"name":"王五","role":"wife","id":{"original":"999999********0016"}}]}`, archive.Problems{{Code: "masked_value", Field: "persons[0].id"}}},
		{`{"parent":"` + view.ID + `"}`, archive.Problems{{Code: "parent_not_above", Field: "parent"}}},
	}
	for _, tt := range tests {
		_, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(tt.patch))
		var ps archive.Problems
		errors.As(err, &ps)
		if diff := cmp.Diff(tt.want, ps); diff != "" {
			t.Errorf("%s: %s", tt.patch, diff)
		}
	}
}

// TestWhatWasShownMaskedComesBackWhole sends back what Open showed.
func TestWhatWasShownMaskedComesBackWhole(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	r := marriage(t)
	r.Note = "另见 999999199001010016"
	view, err := room.Deposit(t.Context(), clerk(), "", r, uploads())
	if err != nil {
		t.Fatal(err)
	}
	shown, err := room.Open(t.Context(), clerk(), archive.Purpose{}, view.ID)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := json.Marshal(map[string]any{"persons": shown.Persons, "note": shown.Note, "title": "改"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := room.Describe(t.Context(), clerk(), view.ID, 1, patch); err != nil {
		t.Fatal(err)
	}
	before, after := w.records[view.ID][0].Value, w.records[view.ID][1].Value
	before.Title = "改"
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}

func TestAChangedReferenceCodeIsClaimedAndTheFormerNeverMoves(t *testing.T) {
	w, room, view := deposited(t, "one")
	got, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(`{"reference_code":"J020-ZY·2010·Y-0002"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Fonds != "J020" {
		t.Error("the fonds did not follow its code:", got.Fonds)
	}
	if _, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("x")); !hasProblem(err, "reference_code_taken", "reference_code") {
		t.Error(err)
	}
	if err := w.work(room); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"J020-ZY·2010·Y-0002", "J019-ZY·HY·2010·D100-001-0001"} {
		hits, err := room.Search(t.Context(), clerk(), archive.Query{Text: code})
		if err != nil || len(hits.Hits) != 1 || !hits.Exact {
			t.Errorf("%s: %+v %v", code, hits, err)
		}
	}
	second := marriage(t)
	second.RefCode = archive.BuildRefCode("J019", []string{"ZY"}, "7")
	two, err := room.Deposit(t.Context(), clerk(), "", second, uploads("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := room.Describe(t.Context(), clerk(), two.ID, 1, []byte(`{"reference_code":"J020-ZY·2010·Y-0002"}`)); !hasProblem(err, "reference_code_taken", "reference_code") {
		t.Error(err)
	}
}

func TestDescribeOfWhatOneMayNotChangeFindsNothing(t *testing.T) {
	_, room, view := deposited(t, "one")
	stranger := archive.Actor{ID: "z", Role: archive.RoleApprover, Office: "zz"}
	if _, err := room.Describe(t.Context(), stranger, view.ID, 1, []byte(`{}`)); !errors.Is(err, archive.ErrNotFound) || errors.Is(err, archive.ErrForbidden) {
		t.Error(err)
	}
}

func TestAPersonWhoIsNoLongerNamedIsNoLongerFound(t *testing.T) {
	w, room, view := deposited(t, "one")
	patch := []byte(`{"persons":[{"name":"王五","role":"wife","id":{"original":"999999199203030013"}},{"name":"李𬱖","role":"husband"}]}`)
	if _, err := room.Describe(t.Context(), clerk(), view.ID, 1, patch); err != nil {
		t.Fatal(err)
	}
	if err := w.work(room); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]int{"999999199001010016": 0, "999999199203030013": 1} {
		hits, err := room.Search(t.Context(), clerk(), archive.Query{Text: number})
		if err != nil || len(hits.Hits) != want {
			t.Errorf("%d hits, want %d, %v", len(hits.Hits), want, err)
		}
	}
	if w.index[view.ID].Version != 2 {
		t.Error("the index holds version", w.index[view.ID].Version)
	}
}

// TestDescribeUnderFaults breaks a change at every write: it is there as a whole
// or not at all, and what follows from it follows.
func TestDescribeUnderFaults(t *testing.T) {
	for step := range 3 {
		for _, apply := range []bool{false, true} {
			w, room, view := deposited(t, "one")
			n := 0
			w.fault = func(string) (bool, error) {
				n++
				if n == step+1 {
					return apply, errDisk
				}
				return true, nil
			}
			_, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(`{"title":"改","reference_code":"J020-ZY·2010·Y-0002"}`))
			w.fault = nil
			if !errors.Is(err, errDisk) {
				t.Fatalf("step %d: %v", step, err)
			}
			if err := w.work(room); err != nil {
				t.Fatal(err)
			}
			head := w.records[view.ID][len(w.records[view.ID])-1]
			committed := step == 2 && apply
			if (head.N == 2) != committed || w.index[view.ID].Version != head.N || w.index[view.ID].Record.Title != head.Value.Title {
				t.Errorf("step %d apply %v: version %d, index %+v", step, apply, head.N, w.index[view.ID])
			}
		}
	}
}

// FuzzDescribe sends any bytes as a patch: what must never change does not, and
// what is accepted is valid and has no masked number in it.
func FuzzDescribe(f *testing.F) {
	for _, patch := range []string{`{"title":"x"}`, `{"persons":null}`, `{"fields":{"registry":null}}`, `{"fields":"x"}`, `{"id":"x","":1}`, `{"persons":[{"id":{"original":"*"}}]}`, `[]`} {
		f.Add([]byte(patch))
	}
	schema, err := archive.DefaultSchema()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, patch []byte) {
		w, room, view := deposited(t, "one")
		_, err := room.Describe(t.Context(), clerk(), view.ID, 1, patch)
		if err != nil && !errors.Is(err, archive.ErrInvalid) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		before, after := w.records[view.ID][0].Value, w.records[view.ID][1].Value
		if after.ID != before.ID || after.Office != before.Office || !after.At.Equal(before.At) || cmp.Diff(before.Files, after.Files) != "" {
			t.Error("identity, office, origin or files changed")
		}
		if ps := after.Problems(schema); len(ps) != 0 {
			t.Error(ps)
		}
		for _, p := range after.Persons {
			if strings.Contains(p.ID.Original, "*") {
				t.Error("a masked number was kept")
			}
		}
	})
}
