package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

func TestSubmit(t *testing.T) {
	w := newWorld(t)
	r := asked()
	r.ID, r.Applicant, r.Name, r.State, r.Approver = "forged", "other", "forged", archive.Approved, "forged"
	r.Wanted.Persons[0].ID = archive.IDNumber{Original: " 999999900101001"}
	got, err := w.room().Submit(t.Context(), wife, "", r)
	if err != nil {
		t.Fatal(err)
	}
	want := asked()
	want.ID, want.Applicant, want.Name, want.IDNumber = got.Value.ID, "wife", "张㛃", archive.NewIDNumber("", wifeID)
	want.State = archive.Submitted
	want.Events = []archive.Event{{At: w.now, Actor: "wife", Step: archive.StepSubmit, State: archive.Submitted}}
	want.Wanted.Persons[0].ID = archive.IDNumber{Type: archive.IDResident, Original: " 999999900101001", Number: wifeID}
	if diff := cmp.Diff(want, got.Value); diff != "" || got.N != 1 {
		t.Error(got.N, diff)
	}
	if len(w.started) != 1 {
		t.Errorf("%d jobs started", len(w.started))
	}
}

func TestSubmitIsRefused(t *testing.T) {
	unknown := wife
	unknown.Assurance = archive.Unverified
	personnel := asked()
	personnel.Wanted.Category = "dossier_item"
	empty := archive.Request{}
	tests := []struct {
		name  string
		actor archive.Actor
		r     archive.Request
		want  error
		codes string
	}{
		{"staff", reviewer, asked(), archive.ErrForbidden, ""},
		{"agency", archive.Actor{ID: "g", Role: archive.RoleAgency}, asked(), archive.ErrForbidden, ""},
		{"not known by real name", unknown, asked(), archive.ErrInvalid, "real_name_required"},
		{"personnel", wife, personnel, archive.ErrInvalid, "personnel_not_requestable"},
		{"nothing", wife, empty, archive.ErrInvalid, "office: required; purpose: required; wanted.category: unknown_category; wanted.persons: required"},
	}
	for _, tt := range tests {
		w := newWorld(t)
		_, err := w.room().Submit(t.Context(), tt.actor, "key", tt.r)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.codes) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if len(w.requests)+len(w.claims)+len(w.jobs) != 0 {
			t.Errorf("%s: something was written", tt.name)
		}
	}
}

func TestSubmitOnce(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	first, err := room.Submit(t.Context(), wife, "key", asked())
	if err != nil {
		t.Fatal(err)
	}
	again, err := room.Submit(t.Context(), wife, "key", asked())
	if err != nil || again.Value.ID != first.Value.ID || len(w.requests) != 1 {
		t.Errorf("%v, %d requests", err, len(w.requests))
	}
	other := asked()
	other.Purpose = "出国"
	if _, err := room.Submit(t.Context(), wife, "key", other); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("another request under the key: %v", err)
	}
	if v, err := room.Submit(t.Context(), citizen("other"), "key", asked()); err != nil || v.Value.ID == first.Value.ID {
		t.Errorf("another citizen with the same key: %v", err)
	}
	if v, err := room.Submit(t.Context(), wife, "key2", asked()); err != nil || v.Value.ID == first.Value.ID {
		t.Errorf("another key: %v", err)
	}
}

// TestSubmitThroughFaults breaks every write of a submission in both ways. The
// client repeats with its key until it gets through: there is one request, in
// both lists, whatever happened, and nothing but the marks of attempts remains.
func TestSubmitThroughFaults(t *testing.T) {
	for _, sweeps := range []bool{false, true} {
		for _, persisted := range []bool{false, true} {
			for at := 1; ; at++ {
				w := newWorld(t)
				room, writes, broken := w.room(), 0, false
				w.fault = func(string) (bool, error) {
					if writes++; writes == at {
						broken = true
						return persisted, archive.ErrUnavailable
					}
					return true, nil
				}
				v, err := room.Submit(t.Context(), wife, "key", asked())
				if !broken {
					break
				}
				if err == nil {
					t.Fatalf("write %d failed unnoticed", at)
				}
				if sweeps {
					w.sweep(room)
				}
				if v, err = room.Submit(t.Context(), wife, "key", asked()); err != nil {
					t.Fatalf("repeated after write %d, persisted %v, swept %v: %v", at, persisted, sweeps, err)
				}
				w.sweep(room)
				for _, actor := range []archive.Actor{wife, reviewer} {
					list, err := room.Requests(t.Context(), actor, archive.RequestFilter{})
					if err != nil || len(list) != 1 || list[0].Value.ID != v.Value.ID {
						t.Errorf("write %d: the list is %v, %v", at, list, err)
					}
				}
				if len(w.jobs) != 0 || len(w.claims) != 1 {
					t.Errorf("write %d: left %v %v", at, w.jobs, w.claims)
				}
			}
		}
	}
}

func TestSettleWaitsForTheCommit(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	job, err := w.Plan(t.Context(), archive.Job{Kind: "request", Ref: archive.Ref{Kind: archive.KindRequest, ID: w.id()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := room.Settle(t.Context(), job); !errors.Is(err, archive.ErrEarly) {
		t.Errorf("within the grace period: %v", err)
	}
	w.sweep(room)
	if !w.fenced[job.Ref.ID] {
		t.Error("not fenced off after it")
	}
}

// TestFencedMeanwhile: the sweep fences an attempt while it is repeated. The
// client is told to try again, not that its request was not found.
func TestFencedMeanwhile(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	w.fault = func(op string) (bool, error) {
		if op == "append" {
			return false, archive.ErrUnavailable
		}
		return true, nil
	}
	if _, err := room.Submit(t.Context(), wife, "key", asked()); err == nil {
		t.Fatal("submitted")
	}
	w.fault = nil
	for _, job := range w.jobs {
		w.fenced[job.Ref.ID] = true
	}
	if _, err := room.Submit(t.Context(), wife, "key", asked()); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("%v", err)
	}
	w.sweep(room)
	if _, err := room.Submit(t.Context(), wife, "key", asked()); err != nil {
		t.Errorf("after the sweep: %v", err)
	}
}

func TestRequestIsShownToWhomItConcerns(t *testing.T) {
	w := newWorld(t)
	room, v := w.room(), w.at(archive.Submitted, nil)
	for _, actor := range []archive.Actor{wife, reviewer, approver, staff("u", archive.RoleUploader)} {
		if got, err := room.Request(t.Context(), actor, v.Value.ID); err != nil || got.N != 1 {
			t.Errorf("%s: %v", actor.ID, err)
		}
	}
	elsewhere := reviewer
	elsewhere.Office = "zz"
	for _, actor := range []archive.Actor{citizen("other"), elsewhere, staff("d", archive.RoleAuditor), {}} {
		got, err := room.Request(t.Context(), actor, v.Value.ID)
		if !errors.Is(err, archive.ErrNotFound) || got.Value.ID != "" {
			t.Errorf("%s: %v", actor.ID, err)
		}
	}
	w.noLog = archive.ErrUnavailable
	if got, err := room.Request(t.Context(), reviewer, v.Value.ID); !errors.Is(err, archive.ErrUnavailable) || got.Value.ID != "" {
		t.Errorf("shown without a trace: %v", err)
	}
}

func TestRequestsNewestFirst(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	var ids []string
	for i := range 5 {
		v, err := room.Submit(t.Context(), wife, "", asked())
		if err != nil {
			t.Fatal(err)
		}
		ids = append([]string{v.Value.ID}, ids...)
		if i == 2 {
			if _, err := room.Move(t.Context(), wife, v.Value.ID, 1, archive.Move{Step: archive.StepWithdraw}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := room.Submit(t.Context(), citizen("other"), "", asked()); err != nil {
		t.Fatal(err)
	}
	if err := w.Mark(t.Context(), archive.MarkApplicant, "wife", w.id()); err != nil { // of an attempt that came to nothing
		t.Fatal(err)
	}
	tests := []struct {
		f    archive.RequestFilter
		want []string
	}{
		{archive.RequestFilter{}, ids},
		{archive.RequestFilter{Limit: 2}, ids[:2]},
		{archive.RequestFilter{Limit: 2, Before: ids[1]}, ids[2:4]},
		{archive.RequestFilter{Limit: 2, Before: ids[3]}, ids[4:]},
		{archive.RequestFilter{Before: ids[4]}, nil},
		{archive.RequestFilter{State: archive.Withdrawn}, ids[2:3]},
		{archive.RequestFilter{State: archive.Submitted, Limit: 3}, []string{ids[0], ids[1], ids[3]}},
	}
	for _, tt := range tests {
		list, err := room.Requests(t.Context(), wife, tt.f)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range list {
			got = append(got, v.Value.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: %s", tt.f, diff)
		}
	}
	for actor, want := range map[string]int{"r1": 6, "zz": 0} {
		a := staff(actor, archive.RoleReviewer)
		if want == 0 {
			a.Office = "zz"
		}
		if list, err := room.Requests(t.Context(), a, archive.RequestFilter{}); err != nil || len(list) != want {
			t.Errorf("%s sees %d, %v", actor, len(list), err)
		}
	}
	if _, err := room.Requests(t.Context(), archive.Actor{ID: "g", Role: archive.RoleAgency}, archive.RequestFilter{}); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("agency: %v", err)
	}
}

func TestCandidates(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	byNumber := w.marriage(func(r *archive.Record) { r.Title = "结婚登记 " + wifeID })
	byName := w.marriage(func(r *archive.Record) { r.Persons[0].ID = archive.IDNumber{}; r.Date = date(t, "2005") })
	elsewhere := w.marriage(func(r *archive.Record) { r.Office = "zz" })
	otherKind := w.marriage(func(r *archive.Record) { r.Category = "education" })
	mine := w.marriage(func(r *archive.Record) { r.Persons[1].ID = archive.NewIDNumber("", otherID) })
	w.hits["张㛃"] = []string{byName, byNumber, elsewhere, otherKind, "00000000000000000000000999"}
	w.hits["李𬱖"] = []string{mine}
	v := w.at(archive.Submitted, nil)
	actor := reviewer
	actor.Person = token(archive.MarkPerson, archive.NewIDNumber("", otherID).Key())

	list, ranked, err := room.Candidates(t.Context(), actor, v.Value.ID)
	if err != nil || !ranked {
		t.Fatal(ranked, err)
	}
	var ids []string
	for _, c := range list {
		ids = append(ids, c.Record)
	}
	if diff := cmp.Diff([]string{byNumber, byName}, ids); diff != "" {
		t.Fatal(diff)
	}
	if strings.Contains(fmt.Sprint(list), wifeID) {
		t.Error("a candidate shows a whole id number")
	}
	last := w.traces[len(w.traces)-1]
	if last.Action != archive.ActSearch || !cmp.Equal(last.Also, ids) || last.Purpose.Case != v.Value.ID {
		t.Errorf("trace %+v", last)
	}

	w.down = true
	list, ranked, err = room.Candidates(t.Context(), actor, v.Value.ID)
	if err != nil || ranked || len(list) != 1 || list[0].Record != byNumber {
		t.Errorf("index down: %+v, %v, %v", list, ranked, err)
	}
	w.noLog = archive.ErrUnavailable
	if list, _, err := room.Candidates(t.Context(), actor, v.Value.ID); err == nil || list != nil {
		t.Errorf("shown without a trace: %v", err)
	}
}

func TestCandidatesAreNotForEverybody(t *testing.T) {
	w := newWorld(t)
	room, v := w.room(), w.at(archive.Submitted, nil)
	elsewhere := reviewer
	elsewhere.Office = "zz"
	for _, actor := range []archive.Actor{wife, elsewhere, staff("u", archive.RoleUploader), {}} {
		if _, _, err := room.Candidates(t.Context(), actor, v.Value.ID); !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("%s: %v", actor.ID, err)
		}
	}
	closed := w.at(archive.Withdrawn, nil)
	if _, _, err := room.Candidates(t.Context(), reviewer, closed.Value.ID); !errors.Is(err, archive.ErrState) || w.searched != 0 {
		t.Errorf("a closed request: %v", err)
	}
}

func TestCandidatesAreBounded(t *testing.T) {
	for _, down := range []bool{false, true} {
		w := newWorld(t)
		for range 60 {
			w.marriage(nil)
		}
		w.down = down
		v := w.at(archive.Submitted, func(r *archive.Request) {
			for i := range 50 {
				r.Wanted.Persons = append(r.Wanted.Persons, archive.Person{Name: fmt.Sprint("张", i), Role: "wife"})
			}
		})
		list, _, err := w.room().Candidates(t.Context(), reviewer, v.Value.ID)
		if err != nil || len(list) > 40 || w.searched > 10 {
			t.Errorf("%d candidates, %d searches, %v", len(list), w.searched, err)
		}
	}
}
