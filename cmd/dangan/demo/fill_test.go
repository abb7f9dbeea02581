package demo_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/cmd/dangan/demo"
)

const few = 20

func TestFill(t *testing.T) {
	h := newHouse(t)
	last, total := 0, 0
	samples, err := demo.Fill(t.Context(), h.rooms, few, func(done, of int, _ string) {
		if done != last+1 {
			t.Errorf("step %d after %d", done, last)
		}
		last, total = done, of
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != total {
		t.Errorf("ended at %d of %d", last, total)
	}
	if got := len(heads[archive.Record](h, archive.KindRecord)); got != few {
		t.Errorf("%d records", got)
	}
	h.checkStates()
	h.checkSamples(samples)

	before := h.everything()
	again, err := demo.Fill(t.Context(), h.rooms, few, func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(samples, again); diff != "" {
		t.Errorf("the second time: %s", diff)
	}
	if diff := cmp.Diff(before, h.everything()); diff != "" {
		t.Errorf("filling a full house wrote: %s", diff)
	}
}

// checkStates holds that requests and certificates are in every state they can
// rest in.
func (h *house) checkStates() {
	h.t.Helper()
	requests := map[archive.RequestState]int{}
	for _, v := range heads[archive.Request](h, archive.KindRequest) {
		requests[v.Value.State]++
	}
	want := map[archive.RequestState]int{archive.Submitted: 1, archive.Supplement: 1, archive.Matched: 2, archive.Reviewed: 1, archive.Issued: 6,
		archive.Refused: 1, archive.NotFound: 1, archive.ReviewedNone: 1, archive.Withdrawn: 1}
	if diff := cmp.Diff(want, requests); diff != "" {
		h.t.Error(diff)
	}
	sealed := map[archive.CertState]int{}
	for _, v := range heads[archive.Certificate](h, archive.KindCertificate) {
		sealed[v.Value.State]++
	}
	if diff := cmp.Diff(map[archive.CertState]int{archive.CertSealed: 5, archive.CertRevoked: 1, archive.CertSuperseded: 1}, sealed); diff != "" {
		h.t.Error(diff)
	}
}

func (h *house) checkSamples(s demo.Samples) {
	h.t.Helper()
	v, err := h.rooms.Certificates.Verify(h.t.Context(), s.Certificate.Number, s.Certificate.Code)
	if err != nil || v.Verdict != archive.Valid {
		h.t.Errorf("the sample verifies as %s, %v", v.Verdict, err)
	}
	r, ok := heads[archive.Record](h, archive.KindRecord)[s.Record]
	if !ok || r.Value.RefCode.Original != s.RefCode {
		h.t.Errorf("the sample record is %+v", r.Value.RefCode)
	}
	if _, ok := heads[archive.Request](h, archive.KindRequest)[s.Request]; !ok {
		h.t.Error("there is no sample request")
	}
}

// everything counts the entries of all chains.
func (h *house) everything() map[string]int {
	h.t.Helper()
	entries := map[string]int{}
	for id, v := range heads[archive.Record](h, archive.KindRecord) {
		entries["record "+id] = v.N
	}
	for id, v := range heads[archive.Request](h, archive.KindRequest) {
		entries["request "+id] = v.N
	}
	for id, v := range heads[archive.Certificate](h, archive.KindCertificate) {
		entries["certificate "+id] = v.N
	}
	return entries
}

// TestFillGoesOn ends a filling half way, and lets somebody withdraw a request,
// before it is filled again.
func TestFillGoesOn(t *testing.T) {
	h := newHouse(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	_, err := demo.Fill(ctx, h.rooms, few, func(done, _ int, _ string) {
		if done == few+4 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("ended with %v", err)
	}
	if _, err := demo.Fill(t.Context(), h.rooms, few, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	if got := len(heads[archive.Record](h, archive.KindRecord)); got != few {
		t.Errorf("%d records", got)
	}
	h.checkStates()

	h.withdraw(archive.Matched)
	before := h.everything()
	if _, err := demo.Fill(t.Context(), h.rooms, few, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, h.everything()); diff != "" {
		t.Errorf("what people did was taken further: %s", diff)
	}
}

// withdraw withdraws the citizen's requests in a state.
func (h *house) withdraw(state archive.RequestState) {
	h.t.Helper()
	citizen := h.people["citizen"]
	list, err := h.rooms.Desk.Requests(h.t.Context(), citizen, archive.RequestFilter{State: state})
	if err != nil || len(list) == 0 {
		h.t.Fatalf("%d requests, %v", len(list), err)
	}
	for _, v := range list {
		if _, err := h.rooms.Desk.Move(h.t.Context(), citizen, v.Value.ID, v.N, archive.Move{Step: archive.StepWithdraw}); err != nil {
			h.t.Fatal(err)
		}
	}
}
