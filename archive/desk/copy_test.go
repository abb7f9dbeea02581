package desk_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/policy"
)

// files are those of every record: one of two pages, and one that is encrypted.
type files struct{ w *world }

func (f files) Open(_ context.Context, actor archive.Actor, p archive.Purpose, id string) (archive.RecordView, error) {
	r, ok := f.w.records[id]
	if !ok || !policy.Decide(actor, archive.ActRead, r.Target()).Allowed {
		return archive.RecordView{}, archive.ErrNotFound
	}
	if !p.Valid() {
		f.w.t.Error("a record is opened to no purpose")
	}
	return archive.RecordView{Record: r, Version: 1, States: []archive.FileState{
		{State: archive.Ready, Kind: "application/pdf", Pages: 2},
		{State: archive.Rejected, Findings: []archive.Finding{{Code: "encrypted", Rejects: true}}},
	}}, nil
}

func wantsCopy(r *archive.Request) { r.Service = archive.ServiceCopy }

func pages(list ...archive.PageRef) []archive.CopyPage {
	var chosen []archive.CopyPage
	for _, p := range list {
		chosen = append(chosen, archive.CopyPage{PageRef: p})
	}
	return chosen
}

// TestCopyGoesItsWay: two pages are chosen, reviewed as chosen, and approved by
// somebody who has not chosen them.
func TestCopyGoesItsWay(t *testing.T) {
	w := newWorld(t)
	room, v := w.room(), w.at(archive.Matched, func(r *archive.Request) { wantsCopy(r); r.Sources = nil })
	id, masked := v.Value.ID, pages(archive.PageRef{File: 1, Page: 2}, archive.PageRef{File: 1, Page: 1})
	masked[1].Masks = []archive.Box{{X: 0.1, Y: 0.1, Width: 0.2, Height: 0.1, Reason: archive.MaskThirdParty}}
	move := func(actor archive.Actor, n int, m archive.Move) (archive.Version[archive.Request], error) {
		return room.Move(t.Context(), actor, id, n, m)
	}
	if _, err := move(reviewer, 1, archive.Move{Step: archive.StepReview}); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("reviewed without pages: %v", err)
	}
	v, err := move(approver, 1, archive.Move{Step: archive.StepChoose, Pages: pages(archive.PageRef{File: 1, Page: 1})})
	if err != nil || v.Value.State != archive.Matched || v.Value.Matcher != "m" {
		t.Fatalf("%v %+v", err, v.Value)
	}
	if v, err = move(reviewer, 2, archive.Move{Step: archive.StepChoose, Pages: masked}); err != nil {
		t.Fatal(err)
	}
	if v, err = move(reviewer, 3, archive.Move{Step: archive.StepReview}); err != nil || v.Value.Reviewer != reviewer.ID {
		t.Fatal(err)
	}
	want := &archive.Copy{Pages: masked, Originals: []archive.Original{{File: 1, Kind: "application/pdf", Pages: 2}}}
	if diff := cmp.Diff(want, v.Value.Copy); diff != "" {
		t.Error(diff)
	}
	if _, err := move(approver, 4, archive.Move{Step: archive.StepApprove}); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("approved by one who has chosen: %v", err)
	}
	other := staff("a2", archive.RoleApprover)
	if v, err = move(other, 4, archive.Move{Step: archive.StepApprove}); err != nil || v.Value.State != archive.Approved || len(w.started) != 1 {
		t.Errorf("%v, %d jobs", err, len(w.started))
	}
}

func TestChoiceOfPages(t *testing.T) {
	tests := []struct {
		name   string
		change func(*archive.Request)
		pages  []archive.CopyPage
		want   archive.Problem
	}{
		{"no copy", nil, pages(archive.PageRef{File: 1, Page: 1}), archive.Problem{Code: "no_copy_wanted", Field: "step"}},
		{"nothing", wantsCopy, nil, archive.Problem{Code: "required", Field: "pages"}},
		{"encrypted", wantsCopy, pages(archive.PageRef{File: 2, Page: 1}), archive.Problem{Code: "file_encrypted", Field: "pages[0].file"}},
		{"no such page", wantsCopy, pages(archive.PageRef{File: 1, Page: 3}), archive.Problem{Code: "unknown_page", Field: "pages[0].page"}},
	}
	for _, tt := range tests {
		w := newWorld(t)
		v := w.at(archive.Matched, tt.change)
		_, err := w.room().Move(t.Context(), reviewer, v.Value.ID, 1, archive.Move{Step: archive.StepChoose, Pages: tt.pages})
		var ps archive.Problems
		if !errors.As(err, &ps) || len(ps) != 1 || ps[0] != tt.want || len(w.requests[v.Value.ID]) != 1 {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestMatchForgetsPages: they are of the record that was matched before.
func TestMatchForgetsPages(t *testing.T) {
	for _, step := range []archive.Step{archive.StepMatch, archive.StepUnmatch, archive.StepAsk, archive.StepNotFound} {
		w := newWorld(t)
		v := w.at(archive.Matched, func(r *archive.Request) { wantsCopy(r); r.Copy = &archive.Copy{} })
		got, err := w.room().Move(t.Context(), reviewer, v.Value.ID, 1, archive.Move{Step: step, Record: w.marriage(nil), Note: "因为"})
		if err != nil || got.Value.Copy != nil {
			t.Errorf("%s: %v", step, err)
		}
	}
}

func TestChoice(t *testing.T) {
	w := newWorld(t)
	room, v := w.room(), w.at(archive.Matched, wantsCopy)
	got, view, err := room.Choice(t.Context(), reviewer, v.Value.ID)
	if err != nil || got.N != 1 || view.ID != v.Value.Record || len(view.Choices()) != 2 {
		t.Errorf("%v %+v", err, view)
	}
	if len(w.traces) == 0 {
		t.Error("the files were shown without a trace")
	}
	if _, _, err := room.Choice(t.Context(), wife, v.Value.ID); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("by the applicant: %v", err)
	}
	for _, r := range []archive.Version[archive.Request]{w.at(archive.Submitted, wantsCopy), w.at(archive.Matched, nil), w.at(archive.Issued, wantsCopy)} {
		if _, _, err := room.Choice(t.Context(), reviewer, r.Value.ID); !errors.Is(err, archive.ErrState) {
			t.Errorf("%q, %s: %v", r.Value.Service, r.Value.State, err)
		}
	}
}

// TestServices: the same submission for another service is another one.
func TestServices(t *testing.T) {
	w := newWorld(t)
	room, copies := w.room(), asked()
	copies.Service = archive.ServiceCopy
	v, err := room.Submit(t.Context(), wife, "key", copies)
	if err != nil || v.Value.Service != archive.ServiceCopy {
		t.Fatalf("%v %+v", err, v.Value)
	}
	var ps archive.Problems
	if _, err := room.Submit(t.Context(), wife, "key", asked()); !errors.As(err, &ps) || ps[0].Code != "idempotency_key_reused" {
		t.Error(err)
	}
	copies.Service = "tea"
	if _, err := room.Submit(t.Context(), wife, "", copies); !errors.As(err, &ps) || ps[0] != (archive.Problem{Code: "unknown_value", Field: "service"}) {
		t.Error(err)
	}
}
