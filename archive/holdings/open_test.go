package holdings_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"dangan/archive"
)

var forPension = archive.Purpose{Code: archive.ForPension, Case: "2026-17"}

func TestOpenShowsWhatTheActorMaySee(t *testing.T) {
	w, room, view := deposited(t, "one", "BAD")
	got, err := room.Open(t.Context(), clerk(), archive.Purpose{}, view.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Persons[0].ID.Number != "999999********0016" || !slices.Equal(got.Masked, []archive.Mask{archive.MaskIDs}) {
		t.Errorf("%+v", got)
	}
	if got.States[0].State != archive.Ready || got.States[0].Pages != 2 || got.States[1].State != archive.Rejected {
		t.Errorf("%+v", got.States)
	}
	if len(w.traces) != 1 || w.traces[0].Target.Ref.ID != view.ID || w.traces[0].Action != archive.ActRead {
		t.Errorf("%+v", w.traces)
	}
}

func TestWhatOneMayNotSeeLooksLikeNothing(t *testing.T) {
	w, room, view := deposited(t, "one")
	own := clerk()
	own.Person = w.Token(archive.MarkPerson, "resident:999999199001010016")
	for name, tt := range map[string]struct {
		actor archive.Actor
		id    string
	}{
		"another office": {archive.Actor{ID: "z", Role: archive.RoleApprover, Office: "zz"}, view.ID},
		"a citizen":      {archive.Actor{ID: "c", Role: archive.RoleCitizen}, view.ID},
		"an auditor":     {archive.Actor{ID: "a", Role: archive.RoleAuditor, Office: "qc"}, view.ID},
		"its subject":    {own, view.ID},
		"unknown":        {clerk(), "0000000000000000000000ZZZZ"},
		"no id":          {clerk(), "../secrets"},
	} {
		_, open := room.Open(t.Context(), tt.actor, forPension, tt.id)
		_, versions := room.Versions(t.Context(), tt.actor, forPension, tt.id)
		_, _, file := room.File(t.Context(), tt.actor, forPension, tt.id, 1)
		_, page := room.Page(t.Context(), tt.actor, forPension, tt.id, 1, 1, 900)
		_, text := room.PageText(t.Context(), tt.actor, forPension, tt.id, 1, 1)
		for i, err := range []error{open, versions, file, page, text} {
			if !errors.Is(err, archive.ErrNotFound) || errors.Is(err, archive.ErrForbidden) {
				t.Errorf("%s, %d: %v", name, i, err)
			}
		}
	}
	if len(w.traces) != 0 {
		t.Errorf("%+v", w.traces)
	}
}

func TestVersionsAreMaskedToo(t *testing.T) {
	_, room, view := deposited(t, "one")
	if _, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(`{"title":"改"}`)); err != nil {
		t.Fatal(err)
	}
	list, err := room.Versions(t.Context(), clerk(), archive.Purpose{}, view.ID)
	if err != nil || len(list) != 2 || list[0].N != 1 || list[1].Value.Title != "改" {
		t.Fatal(list, err)
	}
	if strings.Contains(list[0].Value.Persons[0].ID.Original, "19900101") {
		t.Error("an id number in an earlier version")
	}
}

func TestASubjectOfAFormerVersionIsStillASubject(t *testing.T) {
	w, room, view := deposited(t, "one")
	if _, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(`{"persons":[{"name":"王五","role":"wife"},{"name":"李𬱖","role":"husband"}]}`)); err != nil {
		t.Fatal(err)
	}
	own := clerk()
	own.Person = w.Token(archive.MarkPerson, "resident:999999199001010016")
	if _, err := room.Versions(t.Context(), own, archive.Purpose{}, view.ID); !errors.Is(err, archive.ErrNotFound) {
		t.Error(err)
	}
}

func TestFile(t *testing.T) {
	w, room, view := deposited(t, "one", "BAD")
	if _, _, err := room.File(t.Context(), clerk(), archive.Purpose{}, view.ID, 1); !hasProblem(err, "purpose_required", "purpose") {
		t.Error(err)
	}
	f, content, err := room.File(t.Context(), clerk(), forPension, view.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(io.NewSectionReader(content, 0, content.Size()))
	if err != nil || string(data) != "one" || f.Name != "file1.pdf" {
		t.Error(string(data), f, err)
	}
	if len(w.traces) != 1 || w.traces[0].Detail != "file 1" || w.traces[0].Purpose != forPension {
		t.Errorf("%+v", w.traces)
	}
	for _, n := range []int{-1, 0, 2, 3} { // the second was rejected
		if _, _, err := room.File(t.Context(), clerk(), forPension, view.ID, n); !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("file %d: %v", n, err)
		}
	}
}

func TestAFileIsShownToNobodyBeforeItWasRead(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	view, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := room.File(t.Context(), clerk(), forPension, view.ID, 1); !errors.Is(err, archive.ErrState) {
		t.Error(err)
	}
	if _, err := room.Page(t.Context(), clerk(), forPension, view.ID, 1, 1, 900); !errors.Is(err, archive.ErrState) {
		t.Error(err)
	}
	stranger := archive.Actor{ID: "z", Role: archive.RoleApprover, Office: "zz"}
	if _, _, err := room.File(t.Context(), stranger, forPension, view.ID, 1); !errors.Is(err, archive.ErrNotFound) {
		t.Error("a stranger learns that there is a record:", err)
	}
	if len(w.traces) != 0 {
		t.Error(w.traces)
	}
}

func TestPageIsDrawnOnceAndTracedEveryTime(t *testing.T) {
	w, room, view := deposited(t, "one")
	before := w.reads
	for range 2 {
		png, err := room.Page(t.Context(), clerk(), forPension, view.ID, 1, 2, 900)
		if err != nil || string(png) != "page 2 at 900" {
			t.Fatal(string(png), err)
		}
	}
	if w.reads != before+1 || len(w.traces) != 2 || w.traces[1].Detail != "file 1 page 2" {
		t.Errorf("drawn %d times, %+v", w.reads-before, w.traces)
	}
	if _, err := room.Page(t.Context(), clerk(), forPension, view.ID, 1, 3, 900); !errors.Is(err, archive.ErrNotFound) {
		t.Error(err)
	}
	if _, err := room.Page(t.Context(), clerk(), forPension, view.ID, 1, 2, 1); err != nil || w.reads != before+1 {
		t.Error("a thumbnail was not drawn with its page:", err)
	}
	for asked, drawn := range map[int]string{1: "page 1 at 200", 1234: "page 1 at 1600", 9999: "page 1 at 1600"} {
		if png, err := room.Page(t.Context(), clerk(), forPension, view.ID, 1, 1, asked); err != nil || string(png) != drawn {
			t.Errorf("width %d: %s, %v", asked, png, err)
		}
	}
}
