package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/evidence"
)

// log is an access log in memory that can be made to fail.
type log struct {
	entries []archive.Access
	err     error
}

func (l *log) Record(_ context.Context, a archive.Access) error {
	if l.err != nil {
		return l.err
	}
	l.entries = append(l.entries, a)
	return nil
}

func (l *log) Accesses(_ context.Context, before string, limit int) ([]archive.Access, error) {
	list := slices.Clone(l.entries)
	slices.Reverse(list)
	list = slices.DeleteFunc(list, func(a archive.Access) bool { return before != "" && a.ID >= before })
	return list[:min(limit, len(list))], nil
}

var day = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func door(l *log) *evidence.Room {
	n := 0
	return evidence.New(evidence.Config{Log: l, Now: func() time.Time { return day }, NewID: func() string {
		n++
		return fmt.Sprintf("0000000000000000000000000%d", n)
	}})
}

func dossier() archive.Disclosure {
	return archive.Disclosure{
		Actor:   archive.Actor{ID: "u1", Role: archive.RoleUploader, Office: "qc"},
		Action:  archive.ActFile,
		Target:  archive.Target{Ref: archive.Ref{Kind: archive.KindRecord, ID: "r1"}, Office: "qc", Family: archive.Personnel, Openness: archive.Controlled},
		Purpose: archive.Purpose{Code: archive.ForPension, Case: "2026-17"},
		Detail:  "file 1",
	}
}

func TestPassWritesTheTraceBeforeItLetsGo(t *testing.T) {
	l := &log{}
	d, err := door(l).Pass(t.Context(), dossier())
	if err != nil || !d.Allowed {
		t.Fatal(d, err)
	}
	want := []archive.Access{{
		ID: d.Receipt, At: day, Actor: "u1", Role: archive.RoleUploader, Office: "qc", Action: archive.ActFile,
		Ref: archive.Ref{Kind: archive.KindRecord, ID: "r1"}, Detail: "file 1",
		Purpose: archive.Purpose{Code: archive.ForPension, Case: "2026-17"},
	}}
	if diff := cmp.Diff(want, l.entries); diff != "" || d.Receipt == "" {
		t.Error(diff)
	}
}

func TestNothingIsReleasedWithoutItsTrace(t *testing.T) {
	full := errors.New("disk full")
	d, err := door(&log{err: full}).Pass(t.Context(), dossier())
	if !errors.Is(err, full) || d.Allowed {
		t.Error(d, err)
	}
}

func TestPurpose(t *testing.T) {
	tests := []struct {
		name    string
		purpose archive.Purpose
		problem string
	}{
		{"missing", archive.Purpose{}, "purpose_required"},
		{"case only", archive.Purpose{Case: "7"}, "bad_purpose"},
		{"not of the list", archive.Purpose{Code: "curiosity"}, "bad_purpose"},
		{"good", archive.Purpose{Code: archive.ForAudit}, ""},
	}
	for _, tt := range tests {
		l := &log{}
		d := dossier()
		d.Purpose = tt.purpose
		_, err := door(l).Pass(t.Context(), d)
		var ps archive.Problems
		errors.As(err, &ps)
		switch {
		case tt.problem == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.problem != "" && (len(ps) != 1 || ps[0].Code != tt.problem || ps[0].Field != "purpose" || len(l.entries) != 0):
			t.Errorf("%s: %v, %d traces", tt.name, err, len(l.entries))
		}
	}
}

func TestRefusalLeavesNoTraceAndSaysNothing(t *testing.T) {
	l := &log{}
	d := dossier()
	d.Actor.Office = "zz"
	if _, err := door(l).Pass(t.Context(), d); !errors.Is(err, archive.ErrForbidden) || len(l.entries) != 0 {
		t.Error(err, l.entries)
	}
}

func TestAuditorsLeaveATraceToo(t *testing.T) {
	l := &log{}
	room := door(l)
	if _, err := room.Pass(t.Context(), dossier()); err != nil {
		t.Fatal(err)
	}
	auditor := archive.Actor{ID: "a1", Role: archive.RoleAuditor, Office: "qc"}
	list, err := room.Accesses(t.Context(), auditor, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Action != archive.ActAccesses || list[1].Action != archive.ActFile {
		t.Errorf("%+v", list)
	}
	older, err := room.Accesses(t.Context(), auditor, list[0].ID, 10)
	if err != nil || len(older) != 1 || older[0].ID != list[1].ID {
		t.Error(older, err)
	}
	if _, err := room.Accesses(t.Context(), dossier().Actor, "", 10); !errors.Is(err, archive.ErrForbidden) {
		t.Error(err)
	}
	_, err = room.Accesses(t.Context(), auditor, "yesterday", 0)
	if diff := cmp.Diff(archive.Problems{{Code: "bad_id", Field: "before"}, {Code: "out_of_range", Field: "limit"}}, err); diff != "" {
		t.Error(diff)
	}
}
