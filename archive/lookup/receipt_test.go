package lookup_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// TestAReceiptIsOfThisQuestionAndAnswer computes both hashes as an agency would.
func TestAReceiptIsOfThisQuestionAndAnswer(t *testing.T) {
	w, r := room(t, record("1", "marriage", "zz", "2015", someone))
	q := question()
	q.Digest = "as it was sent"
	a, err := r.Ask(t.Context(), agency(), q)
	if err != nil {
		t.Fatal(err)
	}
	a.Signed = ""
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := archive.Digest(raw)
	want := archive.Receipt{ID: "receipt", Agency: "court", At: day.Unix(), Kind: archive.RecordExists, Question: q.Digest, Answer: digest,
		Purpose: archive.ForJustice, Case: "2026-88"}
	if diff := cmp.Diff(want, w.receipt); diff != "" || err != nil {
		t.Error(diff, err)
	}
	q.Digest = ""
	if _, err := r.Ask(t.Context(), agency(), q); err != nil || len(w.receipt.Question) != 64 {
		t.Errorf("asked on a page: %+v, %v", w.receipt, err)
	}
}

func TestNoAnswerWithoutItsReceipt(t *testing.T) {
	w, r := room(t, record("1", "marriage", "zz", "2015", someone))
	w.mute = errors.New("no key")
	if a, err := r.Ask(t.Context(), agency(), question()); !errors.Is(err, w.mute) || a.Exists || a.Receipt != "" {
		t.Error(a, err)
	}
}
