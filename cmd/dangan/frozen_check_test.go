package main

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/storage"
)

// checkAll holds that everything is read as it was, found by every look-up, and
// that work goes on where it stopped.
func (r *rig) checkAll(t *testing.T, want contents) {
	r.t = t
	got := r.contents(t)
	if diff := gocmp.Diff(asJSON(t, want), asJSON(t, got)); diff != "" {
		t.Fatal("not read as it was written:", diff)
	}
	for what, n := range map[string]int{"records": len(got.Records) - 5, "requests": len(got.Requests) - 1, "certificates": len(got.Certificates) - 1,
		"fences": len(got.Fenced) - 1, "jobs": len(got.Jobs) - 1} {
		if n != 0 {
			t.Errorf("%d %s more than there should be", n, what)
		}
	}
	for finding, err := range storage.Check(t.Context(), r.house.bucket, storage.CheckConfig{Age: time.Nanosecond}) {
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s at %s", finding.Code, finding.Object)
	}
	if len(got.Accesses) == 0 {
		t.Error("no access entry")
	}
	r.checkFound(t, got)
	r.checkCertificate(t, got)
	r.checkGoesOn(t, got)
}

// asJSON makes values comparable that are equal to whoever reads them.
func asJSON(t *testing.T, c contents) string {
	t.Helper()
	raw, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// checkFound looks every settled record up by its code, its id and its people, and
// reads its files.
func (r *rig) checkFound(t *testing.T, c contents) {
	t.Helper()
	several := false
	for id, history := range c.Records {
		several = several || len(history) > 1
		if c.Jobs[0].Ref.ID != id { // which is not marked yet
			r.checkOneFound(t, history[len(history)-1].Value)
		}
	}
	if !several {
		t.Error("no record was ever described anew")
	}
}

func (r *rig) checkOneFound(t *testing.T, record archive.Record) {
	t.Helper()
	questions := []string{record.ID, record.RefCode.Original}
	for _, p := range record.Persons {
		if !p.ID.IsZero() {
			questions = append(questions, p.ID.Original)
		}
	}
	for _, q := range questions {
		hits, err := r.house.holdings.Search(t.Context(), r.actor("reviewer"), archive.Query{Text: q, Limit: 50})
		if err != nil || !slices.ContainsFunc(hits.Hits, func(h archive.Hit) bool { return h.ID == record.ID }) {
			t.Errorf("%s is not found by %q: %v", record.ID, q, err)
		}
	}
	for n, file := range record.Files {
		_, content, err := r.house.holdings.File(t.Context(), r.actor("reviewer"), archive.Purpose{Code: archive.ForConsultation}, record.ID, n+1)
		if err != nil {
			t.Fatal(err)
		}
		if read := readAll(t, content); int64(len(read)) != file.Size {
			t.Errorf("%s: file %d has %d bytes", record.ID, n+1, len(read))
		}
	}
}

// checkCertificate verifies it by its number and by its PDF.
func (r *rig) checkCertificate(t *testing.T, c contents) {
	t.Helper()
	for id, history := range c.Certificates {
		r.checkIssued(t, id)
		v := history[len(history)-1].Value
		answer, err := r.house.certificates.Verify(t.Context(), v.Number, v.Code)
		if err != nil || answer.Verdict != archive.Valid {
			t.Errorf("%s verifies as %s, %v", v.Number, answer.Verdict, err)
		}
	}
}

// checkGoesOn: what is taken stays taken, what was begun is finished, and what is
// new does not collide with what was.
func (r *rig) checkGoesOn(t *testing.T, c contents) {
	t.Helper()
	if err := r.house.records.Append(t.Context(), c.Fenced[0], 1, archive.Record{}); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("a fenced chain was begun: %v", err)
	}
	lease, err := r.house.bucket.Work().Acquire(t.Context(), "sweep", "today", time.Minute)
	if err != nil || lease.Fence != 2 {
		t.Errorf("lease %+v, %v", lease, err)
	}
	r.settle()
	left := c.Jobs[0].Ref.ID
	if code := c.Records[left][0].Value.RefCode.Original; r.index.docs[left].Version != 1 {
		t.Errorf("%s was not indexed by the job that was left", code)
	}
	id := r.reviewed(t)
	if err := r.approve(r.actor("approver"), id); err != nil {
		t.Fatal(err)
	}
	r.settle()
	v, err := r.house.desk.Request(t.Context(), r.actor("citizen"), id)
	if err != nil || v.Value.State != archive.Issued {
		t.Fatalf("request is %s, %v", v.Value.State, err)
	}
	for _, history := range c.Certificates {
		if history[0].Value.Number == v.Value.Certificate {
			t.Errorf("number %s was given out twice", v.Value.Certificate)
		}
	}
}
