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

// cases are those that are sealed, with who sealed them.
type cases map[string]string

func (c cases) Claim(_ context.Context, kind, value, owner string) (string, error) {
	if holder, ok := c[kind+value]; ok {
		return holder, archive.ErrExists
	}
	c[kind+value] = owner
	return owner, nil
}

func (c cases) Holder(_ context.Context, kind, value string) (string, error) {
	if holder, ok := c[kind+value]; ok {
		return holder, nil
	}
	return "", archive.ErrNotFound
}

// subjects is one person with two records.
type subjects struct{}

func (subjects) About(_ context.Context, a archive.Actor) (map[string]string, error) {
	if a.ID != "c1" {
		return nil, nil
	}
	return map[string]string{"mine": "marriage", "school": "education"}, nil
}

func (subjects) Agency(context.Context, string) (string, error) { return "公积金中心", nil }

func TestOwnAccesses(t *testing.T) {
	l := &log{}
	room := evidence.New(evidence.Config{Log: l, Subjects: subjects{}, Claims: cases{"caseqc\ncovert": "h1"}, Now: func() time.Time { return day }})
	record := func(id string) archive.Ref { return archive.Ref{Kind: archive.KindRecord, ID: id} }
	secret := archive.Purpose{Code: archive.ForPension, Case: "case of another"}
	add := func(a archive.Access) {
		a.ID = fmt.Sprintf("%026d", len(l.entries)+1)
		l.entries = append(l.entries, a)
	}
	add(archive.Access{Actor: "f1", Role: archive.RoleAgency, Action: archive.ActLookup, Ref: record("other"), Also: []string{"mine"}, At: day, Purpose: secret, Detail: "detail"})
	add(archive.Access{Actor: "u1", Role: archive.RoleUploader, Office: "qc", Action: archive.ActSearch, Also: []string{"x", "school", "y", "mine"}, At: day})
	add(archive.Access{Actor: "u1", Role: archive.RoleUploader, Office: "qc", Action: archive.ActRead, Ref: record("other"), At: day})
	add(archive.Access{Actor: "c1", Role: archive.RoleCitizen, Action: archive.ActCertificate, Ref: record("mine"), At: day})
	add(archive.Access{Actor: "u1", Role: archive.RoleUploader, Office: "qc", Action: archive.ActFile, Ref: archive.Ref{Kind: archive.KindRequest, ID: "mine"}, At: day})
	justice := archive.Purpose{Code: archive.ForJustice, Case: "covert"}
	add(archive.Access{Actor: "u1", Role: archive.RoleUploader, Office: "qc", Action: archive.ActFile, Ref: record("mine"), At: day.AddDate(0, 0, -179), Purpose: justice})
	add(archive.Access{Actor: "u1", Role: archive.RoleUploader, Office: "qc", Action: archive.ActFile, Ref: record("mine"), At: day.AddDate(0, 0, -181), Purpose: justice})
	citizen := archive.Actor{ID: "c1", Role: archive.RoleCitizen, Assurance: archive.RealName}
	got, next, err := room.Own(t.Context(), citizen, "")
	staff := archive.Seen{At: day, Role: archive.RoleUploader, Office: "qc", Action: archive.ActSearch, Record: "school", Category: "education"}
	second := staff
	second.Record, second.Category = "mine", "marriage"
	want := []archive.Seen{
		{At: day.AddDate(0, 0, -181), Role: archive.RoleUploader, Office: "qc", Action: archive.ActFile, Record: "mine", Category: "marriage", Purpose: archive.ForJustice},
		staff, second,
		{At: day, Role: archive.RoleAgency, Agency: "公积金中心", Action: archive.ActLookup, Record: "mine", Category: "marriage", Purpose: archive.ForPension},
	}
	if diff := cmp.Diff(want, got); diff != "" || next != "" || err != nil {
		t.Error(diff, next, err)
	}
	for _, actor := range []archive.Actor{{ID: "c1", Role: archive.RoleCitizen, Assurance: archive.Unverified}, {ID: "c1", Role: archive.RoleUploader, Assurance: archive.RealName}} {
		if list, _, err := room.Own(t.Context(), actor, ""); err == nil || len(list) != 0 {
			t.Errorf("%+v sees %v", actor, list)
		}
	}
	if list, next, err := room.Own(t.Context(), archive.Actor{ID: "c2", Role: archive.RoleCitizen, Assurance: archive.Counter}, ""); err != nil || len(list) != 0 || next != "" {
		t.Errorf("whom no record is about sees %v, %q, %v", list, next, err)
	}
}

// TestOwnAccessesGoOn: among many traces of others a page may be empty and has a next.
func TestOwnAccessesGoOn(t *testing.T) {
	l := &log{}
	room := evidence.New(evidence.Config{Log: l, Subjects: subjects{}, Now: func() time.Time { return day }})
	for i := range 6000 {
		a := archive.Access{ID: fmt.Sprintf("%026d", i+1), Actor: "u1", Role: archive.RoleUploader, At: day, Ref: archive.Ref{Kind: archive.KindRecord, ID: "other"}}
		if i < 60 {
			a.Ref.ID = "mine"
		}
		l.entries = append(l.entries, a)
	}
	citizen := archive.Actor{ID: "c1", Role: archive.RoleCitizen, Assurance: archive.RealName}
	var found []int
	for before, pages := "", 0; pages == 0 || before != ""; pages++ {
		list, next, err := room.Own(t.Context(), citizen, before)
		if err != nil {
			t.Fatal(err)
		}
		found, before = append(found, len(list)), next
	}
	if !slices.Equal(found, []int{0, 50, 10}) {
		t.Errorf("pages of %v", found)
	}
}

func TestACaseIsRequired(t *testing.T) {
	l := &log{}
	d := dossier()
	d.Action, d.Purpose.Case = archive.ActReveal, ""
	_, err := door(l).Pass(t.Context(), d)
	if diff := cmp.Diff(archive.Problems{{Code: "case_required", Field: "purpose"}}, err); diff != "" || len(l.entries) != 0 {
		t.Error(diff)
	}
	d.Purpose.Case = "2026-17"
	if _, err := door(l).Pass(t.Context(), d); err != nil || len(l.entries) != 1 {
		t.Error(err)
	}
}

// TestOnlyTheHeadSealsACase: what a clerk calls a police case is heard of at once; when
// the head has sealed it, half a year later, unless it was the head who looked.
func TestOnlyTheHeadSealsACase(t *testing.T) {
	l := &log{}
	now := day
	n := 0
	room := evidence.New(evidence.Config{Log: l, Subjects: subjects{}, Claims: cases{}, Now: func() time.Time { return now }, NewID: func() string {
		n++
		return fmt.Sprintf("%026d", n)
	}})
	justice := archive.Purpose{Code: archive.ForJustice, Case: "17"}
	head := archive.Actor{ID: "h1", Role: archive.RoleHead, Office: "qc"}
	clerk := archive.Actor{ID: "u1", Role: archive.RoleUploader, Office: "qc"}
	look := func(a archive.Actor, p archive.Purpose) {
		t.Helper()
		_, err := room.Pass(t.Context(), archive.Disclosure{Actor: a, Action: archive.ActFile, Purpose: p,
			Target: archive.Target{Ref: archive.Ref{Kind: archive.KindRecord, ID: "mine"}, Office: "qc", Family: archive.Livelihood}})
		if err != nil {
			t.Fatal(err)
		}
	}
	heard := func(want int) {
		t.Helper()
		list, _, err := room.Own(t.Context(), archive.Actor{ID: "c1", Role: archive.RoleCitizen, Assurance: archive.RealName}, "")
		if err != nil || len(list) != want {
			t.Errorf("heard of %d, not %d: %v", len(list), want, err)
		}
	}
	look(clerk, justice)
	heard(1)
	if err := room.SealCase(t.Context(), clerk, justice); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("a clerk seals a case: %v", err)
	}
	for range 2 {
		if err := room.SealCase(t.Context(), head, justice); err != nil {
			t.Fatal(err)
		}
	}
	heard(0)
	look(head, justice)
	heard(1)
	look(clerk, archive.Purpose{Code: archive.ForJustice, Case: "18"})
	heard(2)
	now = now.AddDate(0, 0, 181)
	heard(3)
	if err := room.SealCase(t.Context(), head, archive.Purpose{Code: archive.ForPension, Case: "17"}); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("a pension is sealed: %v", err)
	}
	if l.entries[1].Action != archive.ActSealCase || l.entries[1].Purpose != justice {
		t.Errorf("%+v", l.entries[1])
	}
}
