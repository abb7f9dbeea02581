package desk_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

var states = []archive.RequestState{archive.Submitted, archive.Supplement, archive.Matched, archive.Reviewed, archive.ReviewedNone,
	archive.Approved, archive.Issued, archive.Refused, archive.NotFound, archive.Withdrawn}

// TestEveryStepInEveryState: the table says where a step leads from a state;
// what it does not name is impossible.
func TestEveryStepInEveryState(t *testing.T) {
	type from map[archive.RequestState]archive.RequestState
	tests := []struct {
		step  archive.Step
		actor archive.Actor
		leads from
	}{
		{archive.StepMatch, reviewer, from{archive.Submitted: archive.Matched, archive.Matched: archive.Matched}},
		{archive.StepUnmatch, reviewer, from{archive.Matched: archive.Submitted}},
		{archive.StepAsk, reviewer, from{archive.Submitted: archive.Supplement, archive.Matched: archive.Supplement}},
		{archive.StepSupplement, wife, from{archive.Supplement: archive.Submitted}},
		{archive.StepReview, reviewer, from{archive.Matched: archive.Reviewed}},
		{archive.StepNotFound, reviewer, from{archive.Submitted: archive.ReviewedNone, archive.Matched: archive.ReviewedNone}},
		{archive.StepReject, reviewer, from{archive.Submitted: archive.Refused, archive.Supplement: archive.Refused,
			archive.Matched: archive.Refused, archive.Reviewed: archive.Refused}},
		{archive.StepReturn, approver, from{archive.Reviewed: archive.Submitted, archive.ReviewedNone: archive.Submitted}},
		{archive.StepApprove, approver, from{archive.Reviewed: archive.Approved, archive.ReviewedNone: archive.Approved}},
		{archive.StepWithdraw, wife, from{archive.Submitted: archive.Withdrawn, archive.Supplement: archive.Withdrawn,
			archive.Matched: archive.Withdrawn, archive.Reviewed: archive.Withdrawn, archive.ReviewedNone: archive.Withdrawn}},
	}
	for _, tt := range tests {
		for _, state := range states {
			t.Run(string(tt.step)+" from "+string(state), func(t *testing.T) {
				w := newWorld(t)
				room, v := w.room(), w.at(state, nil)
				got, err := room.Move(t.Context(), tt.actor, v.Value.ID, 1,
					archive.Move{Step: tt.step, Record: w.marriage(nil), Sources: []archive.PageRef{{File: 2, Page: 1}}, Note: "因为"})
				want, allowed := tt.leads[state]
				shown := slices.Contains(archive.Steps(v.Value, func(archive.Action) bool { return true }), tt.step)
				if shown != allowed {
					t.Errorf("Steps shows it: %v", shown)
				}
				if !allowed {
					if !errors.Is(err, archive.ErrState) || len(w.requests[v.Value.ID]) != 1 {
						t.Errorf("%v, %d entries", err, len(w.requests[v.Value.ID]))
					}
					return
				}
				if err != nil || got.N != 2 || got.Value.State != want {
					t.Fatalf("%+v, %v", got, err)
				}
				event := archive.Event{At: w.now, Actor: tt.actor.ID, Step: tt.step, State: want, Note: "因为"}
				if diff := cmp.Diff(event, got.Value.Events[1]); diff != "" {
					t.Error(diff)
				}
				if sealing := len(w.started) == 1 && w.started[0].Kind == archive.JobCertificate; sealing != (want == archive.Approved) {
					t.Errorf("planned %v", w.started)
				}
			})
		}
	}
	for _, step := range []archive.Step{archive.StepSubmit, archive.StepIssue, "burn", ""} {
		w := newWorld(t)
		_, err := w.room().Move(t.Context(), reviewer, w.at(archive.Submitted, nil).Value.ID, 1, archive.Move{Step: step})
		if !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("step %q: %v", step, err)
		}
	}
}

func TestWhoMayMove(t *testing.T) {
	elsewhere := staff("r2", archive.RoleReviewer)
	elsewhere.Office = "zz"
	actors := map[string]archive.Actor{
		"applicant": wife, "stranger": citizen("other"), "reviewer": reviewer, "approver": approver, "elsewhere": elsewhere,
		"uploader": staff("u1", archive.RoleUploader), "auditor": staff("d1", archive.RoleAuditor),
		"agency": {ID: "g", Role: archive.RoleAgency}, "system": {Role: archive.RoleSystem}, "anonymous": {Role: archive.RoleAnonymous},
	}
	blind := []string{"stranger", "elsewhere", "auditor", "agency", "anonymous"} // they do not even learn that it exists
	tests := []struct {
		step  archive.Step
		state archive.RequestState
		may   []string
	}{
		{archive.StepMatch, archive.Submitted, []string{"reviewer", "approver"}},
		{archive.StepUnmatch, archive.Matched, []string{"reviewer", "approver"}},
		{archive.StepReview, archive.Matched, []string{"reviewer", "approver"}},
		{archive.StepAsk, archive.Submitted, []string{"reviewer", "approver"}},
		{archive.StepNotFound, archive.Submitted, []string{"reviewer", "approver"}},
		{archive.StepReject, archive.Submitted, []string{"reviewer", "approver"}},
		{archive.StepApprove, archive.Reviewed, []string{"approver"}},
		{archive.StepReturn, archive.Reviewed, []string{"approver"}},
		{archive.StepSupplement, archive.Supplement, []string{"applicant"}},
		{archive.StepWithdraw, archive.Submitted, []string{"applicant"}},
	}
	for _, tt := range tests {
		for name, actor := range actors {
			w := newWorld(t)
			v := w.at(tt.state, nil)
			_, err := w.room().Move(t.Context(), actor, v.Value.ID, 1, archive.Move{Step: tt.step, Record: w.marriage(nil), Note: "因为"})
			switch {
			case slices.Contains(tt.may, name):
				if err != nil {
					t.Errorf("%s by %s: %v", tt.step, name, err)
				}
			case slices.Contains(blind, name):
				if !errors.Is(err, archive.ErrNotFound) {
					t.Errorf("%s by %s: %v", tt.step, name, err)
				}
			case !errors.Is(err, archive.ErrForbidden):
				t.Errorf("%s by %s: %v", tt.step, name, err)
			}
		}
	}
}

func TestNobodyApprovesHisOwnWork(t *testing.T) {
	for _, state := range []archive.RequestState{archive.Reviewed, archive.ReviewedNone} {
		for name, mine := range map[string]func(*archive.Request){
			"matcher":   func(r *archive.Request) { r.Matcher = approver.ID },
			"reviewer":  func(r *archive.Request) { r.Reviewer = approver.ID },
			"applicant": func(r *archive.Request) { r.Applicant = approver.ID },
		} {
			w := newWorld(t)
			v := w.at(state, mine)
			_, err := w.room().Move(t.Context(), approver, v.Value.ID, 1, archive.Move{Step: archive.StepApprove})
			if !errors.Is(err, archive.ErrForbidden) || len(w.jobs) != 0 {
				t.Errorf("%s approves %s: %v", name, state, err)
			}
		}
	}
}

// TestApproverWhoDidTheWork goes the whole way: one person does it all, and is
// stopped at the last step; a second person is not.
func TestApproverWhoDidTheWork(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	v, err := room.Submit(t.Context(), wife, "", asked())
	if err != nil {
		t.Fatal(err)
	}
	id := v.Value.ID
	for i, m := range []archive.Move{
		{Step: archive.StepMatch, Record: w.marriage(nil)},
		{Step: archive.StepReview, Sources: []archive.PageRef{{File: 1, Page: 3}, {File: 2, Page: 1}}},
	} {
		if v, err = room.Move(t.Context(), approver, id, i+1, m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := room.Move(t.Context(), approver, id, v.N, archive.Move{Step: archive.StepApprove}); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("approved his own work: %v", err)
	}
	second := staff("a2", archive.RoleApprover)
	v, err = room.Move(t.Context(), second, id, v.N, archive.Move{Step: archive.StepApprove})
	if err != nil || v.Value.Matcher != approver.ID || v.Value.Reviewer != approver.ID || v.Value.Approver != second.ID {
		t.Errorf("%+v, %v", v.Value, err)
	}
}

// TestRecordThatChangedSinceItsReview must be reviewed again: what is approved is
// what the reviewer saw.
func TestRecordThatChangedSinceItsReview(t *testing.T) {
	w := newWorld(t)
	v := w.at(archive.Reviewed, func(r *archive.Request) { r.RecordVersion = 7 })
	_, err := w.room().Move(t.Context(), approver, v.Value.ID, 1, archive.Move{Step: archive.StepApprove})
	if want := (archive.Problems{{Code: "record_changed", Field: "record"}}); !cmp.Equal(err, error(want)) {
		t.Errorf("%v", err)
	}
}

func TestSubmitToAnUnknownOffice(t *testing.T) {
	r := asked()
	r.Office = "nowhere"
	_, err := newWorld(t).room().Submit(t.Context(), wife, "", r)
	if want := (archive.Problems{{Code: "unknown_office", Field: "office"}}); !cmp.Equal(err, error(want)) {
		t.Errorf("%v", err)
	}
}

// TestRecusal: staff handle no matter of their own or of a declared relative.
func TestRecusal(t *testing.T) {
	mine := token(archive.MarkPerson, archive.NewIDNumber("", otherID).Key())
	about := map[string]func(*archive.Request, *archive.Record){
		"the applicant's": func(r *archive.Request, _ *archive.Record) {
			r.IDNumber = archive.NewIDNumber("", otherID)
			r.Name = "张㛃"
		},
		"a wanted person's": func(r *archive.Request, _ *archive.Record) {
			r.Wanted.Persons[1].ID = archive.NewIDNumber("", otherID)
		},
		"the record's": func(_ *archive.Request, v *archive.Record) { v.Persons[1].ID = archive.NewIDNumber("", otherID) },
	}
	steps := map[archive.Step]archive.RequestState{archive.StepMatch: archive.Submitted, archive.StepReview: archive.Matched, archive.StepApprove: archive.Reviewed}
	for name, change := range about {
		for step, state := range steps {
			w := newWorld(t)
			v := w.at(state, func(r *archive.Request) {
				record := r.Record
				if record == "" {
					record = w.marriage(nil)
				}
				rec := w.records[record]
				change(r, &rec)
				w.records[record] = rec
			})
			ids := slices.Collect(func(yield func(string) bool) {
				for id := range w.records {
					if !yield(id) {
						return
					}
				}
			})
			own, kin := staff("a9", archive.RoleApprover), staff("a9", archive.RoleApprover)
			own.Person, kin.Relatives = mine, []string{mine}
			m := archive.Move{Step: step, Record: ids[0]}
			for _, actor := range []archive.Actor{own, kin} {
				if _, err := w.room().Move(t.Context(), actor, v.Value.ID, 1, m); !errors.Is(err, archive.ErrForbidden) {
					t.Errorf("%s of %s matter by %+v: %v", step, name, actor, err)
				}
			}
		}
	}
}

func TestOnlyThePersonRecorded(t *testing.T) {
	wifeIs := func(p archive.Person) func(*archive.Record) {
		return func(r *archive.Record) { p.Role = "wife"; r.Persons[0] = p }
	}
	tests := []struct {
		name   string
		record func(*archive.Record)
		ok     bool
	}{
		{"same number", nil, true},
		{"same number, another name", wifeIs(archive.Person{Name: "张洁", ID: archive.NewIDNumber("", wifeID)}), true},
		{"old number of 15 digits", wifeIs(archive.Person{Name: "张洁", ID: archive.NewIDNumber("", "999999900101001")}), true},
		{"no number, same name", wifeIs(archive.Person{Name: "张㛃"}), true},
		{"no number, former name", wifeIs(archive.Person{Name: "张红", Aliases: []string{"张㛃"}}), true},
		{"a number that cannot be right, same name", wifeIs(archive.Person{Name: "张㛃", ID: archive.NewIDNumber("", "999999199001010017")}), true},
		{"a passport, same name", wifeIs(archive.Person{Name: "张㛃", ID: archive.NewIDNumber(archive.IDPassport, "E12345678")}), true},
		{"another number, same name", wifeIs(archive.Person{Name: "张㛃", ID: archive.NewIDNumber("", otherID)}), false},
		{"another name", wifeIs(archive.Person{Name: "张洁"}), false},
		{"only the registrar", func(r *archive.Record) {
			r.Persons = []archive.Person{{Name: "王五", Role: "wife"}, {Name: "张㛃", Role: "registrar", ID: archive.NewIDNumber("", wifeID)}}
		}, false},
		{"nobody", func(r *archive.Record) { r.Persons = nil }, false},
	}
	for _, tt := range tests {
		w := newWorld(t)
		v := w.at(archive.Submitted, nil)
		_, err := w.room().Move(t.Context(), reviewer, v.Value.ID, 1, archive.Move{Step: archive.StepMatch, Record: w.marriage(tt.record)})
		want := error(nil)
		if !tt.ok {
			want = archive.Problems{{Code: "applicant_not_recorded", Field: "record"}}
		}
		if diff := cmp.Diff(want, err); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	w := newWorld(t)
	v := w.at(archive.Submitted, func(r *archive.Request) { r.Name, r.IDNumber = "", archive.IDNumber{} })
	nameless := w.marriage(wifeIs(archive.Person{Name: "佚名", Aliases: []string{""}}))
	if _, err := w.room().Move(t.Context(), reviewer, v.Value.ID, 1, archive.Move{Step: archive.StepMatch, Record: nameless}); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("no name fits no name: %v", err)
	}
}

func TestMovesAreChecked(t *testing.T) {
	tests := []struct {
		name   string
		state  archive.RequestState
		record func(*archive.Record)
		move   archive.Move
		want   archive.Problem
	}{
		{"no such record", archive.Submitted, nil, archive.Move{Step: archive.StepMatch, Record: "00000000000000000000000999"}, archive.Problem{Code: "unknown_record", Field: "record"}},
		{"no id", archive.Submitted, nil, archive.Move{Step: archive.StepMatch, Record: "../x"}, archive.Problem{Code: "unknown_record", Field: "record"}},
		{"another office's", archive.Submitted, func(r *archive.Record) { r.Office = "zz" }, archive.Move{Step: archive.StepMatch}, archive.Problem{Code: "unknown_record", Field: "record"}},
		{"personnel", archive.Submitted, func(r *archive.Record) { r.Family = archive.Personnel }, archive.Move{Step: archive.StepMatch}, archive.Problem{Code: "unknown_record", Field: "record"}},
		{"no such file", archive.Submitted, nil, archive.Move{Step: archive.StepMatch, Sources: []archive.PageRef{{File: 3, Page: 1}}}, archive.Problem{Code: "unknown_page", Field: "sources[0]"}},
		{"page 0", archive.Matched, nil, archive.Move{Step: archive.StepReview, Sources: []archive.PageRef{{File: 1, Page: 1}, {File: 1}}}, archive.Problem{Code: "unknown_page", Field: "sources[1]"}},
		{"no reason", archive.Submitted, nil, archive.Move{Step: archive.StepReject, Note: " "}, archive.Problem{Code: "required", Field: "note"}},
		{"a bad note", archive.Submitted, nil, archive.Move{Step: archive.StepAsk, Note: "\x00"}, archive.Problem{Code: "control_character", Field: "note"}},
		{"a bad supplement", archive.Supplement, nil, archive.Move{Step: archive.StepSupplement, Wanted: &archive.Wanted{Category: "marriage"}}, archive.Problem{Code: "required", Field: "wanted.persons"}},
	}
	for _, tt := range tests {
		w := newWorld(t)
		if tt.move.Record == "" {
			tt.move.Record = w.marriage(tt.record)
		}
		actor := reviewer
		if tt.state == archive.Supplement {
			actor = wife
		}
		_, err := w.room().Move(t.Context(), actor, w.at(tt.state, nil).Value.ID, 1, tt.move)
		if diff := cmp.Diff(error(archive.Problems{tt.want}), err); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestReviewLooksAtTheRecordAsItIsNow(t *testing.T) {
	for want, change := range map[string]func(*archive.Record){
		"nothing_to_certify":     func(r *archive.Record) { r.Fields = nil },
		"applicant_not_recorded": func(r *archive.Record) { r.Persons = r.Persons[1:] },
	} {
		w := newWorld(t)
		v := w.at(archive.Matched, nil)
		rec := w.records[v.Value.Record]
		change(&rec)
		w.records[rec.ID] = rec
		_, err := w.room().Move(t.Context(), reviewer, v.Value.ID, 1, archive.Move{Step: archive.StepReview})
		if diff := cmp.Diff(error(archive.Problems{{Code: want, Field: "record"}}), err); diff != "" {
			t.Error(diff)
		}
	}
}

func TestStaleMoveIsAConflict(t *testing.T) {
	w := newWorld(t)
	room, v := w.room(), w.at(archive.Reviewed, nil)
	if _, err := room.Move(t.Context(), wife, v.Value.ID, 1, archive.Move{Step: archive.StepWithdraw}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 3} {
		if _, err := room.Move(t.Context(), approver, v.Value.ID, n, archive.Move{Step: archive.StepApprove}); !errors.Is(err, archive.ErrConflict) {
			t.Errorf("seen at %d: %v", n, err)
		}
	}
}

// TestApprovalThatLosesTheRace: the withdrawal gets in between reading and
// writing. Its job is taken back, so nothing is sealed.
func TestApprovalThatLosesTheRace(t *testing.T) {
	w := newWorld(t)
	room, v := w.room(), w.at(archive.Reviewed, nil)
	w.fault = func(op string) (bool, error) {
		if op == "plan" {
			w.fault = nil
			if _, err := room.Move(t.Context(), wife, v.Value.ID, 1, archive.Move{Step: archive.StepWithdraw}); err != nil {
				t.Error(err)
			}
		}
		return true, nil
	}
	_, err := room.Move(t.Context(), approver, v.Value.ID, 1, archive.Move{Step: archive.StepApprove})
	if !errors.Is(err, archive.ErrConflict) || len(w.jobs) != 0 || len(w.started) != 0 {
		t.Errorf("%v, jobs %v", err, w.jobs)
	}
}

// TestApprovalThatMayHaveHappened keeps its job: the entry may be there.
func TestApprovalThatMayHaveHappened(t *testing.T) {
	lost := errors.New("connection lost")
	for _, persisted := range []bool{false, true} {
		w := newWorld(t)
		room, v := w.room(), w.at(archive.Reviewed, nil)
		w.fault = func(op string) (bool, error) {
			if op == "append" {
				return persisted, lost
			}
			return true, nil
		}
		if _, err := room.Move(t.Context(), approver, v.Value.ID, 1, archive.Move{Step: archive.StepApprove}); !errors.Is(err, lost) {
			t.Errorf("%v", err)
		}
		if len(w.jobs) != 1 {
			t.Errorf("persisted %v: %d jobs", persisted, len(w.jobs))
		}
	}
}

func TestSupplement(t *testing.T) {
	w := newWorld(t)
	room, v := w.room(), w.at(archive.Matched, nil)
	id := v.Value.ID
	v, err := room.Move(t.Context(), reviewer, id, 1, archive.Move{Step: archive.StepAsk, Note: "请补充证件号码"})
	if err != nil || v.Value.Reason != "请补充证件号码" || v.Value.Record != "" || v.Value.Matcher != "" {
		t.Fatalf("%+v, %v", v.Value, err)
	}
	wanted := asked().Wanted
	wanted.Persons[0].ID = archive.IDNumber{Original: "９９９９９９ 19900101 0016", Number: "forged"}
	v, err = room.Move(t.Context(), wife, id, 2, archive.Move{Step: archive.StepSupplement, Wanted: &wanted})
	if err != nil || v.Value.Reason != "" {
		t.Fatalf("%+v, %v", v.Value, err)
	}
	if got := v.Value.Wanted.Persons[0].ID.Number; got != wifeID {
		t.Errorf("the number is compared as %q", got)
	}
	if wanted.Persons[0].ID.Number != "forged" {
		t.Error("the caller's value was changed")
	}
}

func TestNotFoundTakesTwo(t *testing.T) {
	w := newWorld(t)
	room, v := w.room(), w.at(archive.Submitted, nil)
	both := staff("a2", archive.RoleApprover)
	v, err := room.Move(t.Context(), both, v.Value.ID, 1, archive.Move{Step: archive.StepNotFound, Note: "馆藏无此档案"})
	if err != nil || v.Value.State != archive.ReviewedNone {
		t.Fatal(v.Value.State, err)
	}
	if _, err := room.Move(t.Context(), both, v.Value.ID, 2, archive.Move{Step: archive.StepApprove}); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("the same person: %v", err)
	}
	v, err = room.Move(t.Context(), approver, v.Value.ID, 2, archive.Move{Step: archive.StepApprove})
	if err != nil || v.Value.State != archive.Approved || v.Value.Reason != "馆藏无此档案" || len(w.jobs) != 1 || len(v.Value.Searched) != 1 || len(v.Value.Searched[0].Names) == 0 {
		t.Errorf("%+v, %v", v.Value, err)
	}
}

func TestReturnStartsAfresh(t *testing.T) {
	w := newWorld(t)
	v := w.at(archive.ReviewedNone, func(r *archive.Request) { r.Matcher, r.Reviewer, r.Reason = "m", "r", "馆藏无此档案" })
	v, err := w.room().Move(t.Context(), approver, v.Value.ID, 1, archive.Move{Step: archive.StepReturn, Note: "请再查"})
	if err != nil || v.Value.Matcher != "" || v.Value.Reviewer != "" || v.Value.Reason != "" {
		t.Errorf("%+v, %v", v.Value, err)
	}
}
