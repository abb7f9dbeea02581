package certificates_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/certificates"
)

func TestVerify(t *testing.T) {
	w := newWorld(t)
	w.term = 24 * time.Hour
	room := w.room()
	c := w.sealed(room, nil)
	verify := func(number, code string) archive.Verification {
		t.Helper()
		v, err := room.Verify(t.Context(), number, code)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	valid := archive.Verification{Verdict: archive.Valid, AsOf: w.now, Number: c.Number, Issuer: c.Issuer, Title: c.Title,
		IssuedAt: c.IssuedAt, Holder: "张*", Purpose: c.Purpose, SHA256: c.PDF.SHA256}
	unknown := archive.Verification{Verdict: archive.Unknown, AsOf: w.now}
	tests := []struct {
		name, number, code string
		want               archive.Verification
	}{
		{"right", c.Number, c.Code, valid},
		{"by id", c.ID, c.Code, valid},
		{"wrong code", c.Number, "0000-0000-0000", unknown},
		{"no code", c.Number, "", unknown},
		{"wrong number", "青民档证〔2026〕000002号", c.Code, unknown},
		{"no number", "", c.Code, unknown},
		{"id without a certificate", "00000000000000000000000999", c.Code, unknown},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, verify(tt.number, tt.code)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	w.now = w.now.Add(25 * time.Hour)
	valid.AsOf, valid.Expired = w.now, true
	if diff := cmp.Diff(valid, verify(c.Number, c.Code)); diff != "" {
		t.Errorf("after its term: %s", diff)
	}
}

// TestTypedByPeople: the code has an O and an I in what people read of it.
func TestTypedByPeople(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	c := w.sealed(room, nil)
	stored := w.certs[c.ID]
	stored[len(stored)-1].Value.Code = "01AB-CDEF-GH10"
	const number, code = "青民档证〔2026〕000001号", "01AB-CDEF-GH10"
	tests := []struct {
		number, code string
		want         archive.Verdict
	}{
		{number, code, archive.Valid},
		{"青民档证(2026)000001号", code, archive.Valid},
		{"青民档证（2026）000001号", code, archive.Valid},
		{"青民档证[2026]000001号", code, archive.Valid},
		{"青民档证［2026］000001号", code, archive.Valid},
		{"青民档证【2026】000001号", code, archive.Valid},
		{"青民档证﹝２０２６﹞０００００１号", code, archive.Valid},
		{" 青民档证 〔2026〕　000001 号\n", code, archive.Valid},
		{"青民档证\u200b〔2026〕000001号\ufeff", code, archive.Valid},
		{number, "01abcdefgh10", archive.Valid},
		{number, "oLab-cdef-ghiO", archive.Valid},
		{number, "OIAB CDEF GHlo", archive.Valid},
		{number, "０１ＡＢ－ＣＤＥＦ－ＧＨ１０", archive.Valid},
		{number, "01AB—CDEF—GH10 ", archive.Valid},
		{"青民档证〔2026〕000011号", code, archive.Unknown},
		{"青民档证2026000001号", code, archive.Unknown},
		{number, "01AB-CDEF-GH1", archive.Unknown},
		{number, "01AB-CDEF-GH100", archive.Unknown},
		{number, "01AB-CDEF-GH11", archive.Unknown},
	}
	for _, tt := range tests {
		if v, err := room.Verify(t.Context(), tt.number, tt.code); err != nil || v.Verdict != tt.want {
			t.Errorf("%q %q: %s, %v", tt.number, tt.code, v.Verdict, err)
		}
	}
}

func TestVerifyPDF(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	c := w.sealed(room, nil)
	w.stamp = func(int) error { return errors.New("broken") }
	unsealed := w.sealed(room, nil) // approved, never sealed
	ours := w.pdf(c)
	tests := []struct {
		name    string
		pdf     []byte
		verdict archive.Verdict
		number  string
		reason  string
	}{
		{"ours", ours, archive.Valid, c.Number, ""},
		{"changed", append(bytes.Clone(ours), '\n'), archive.Tampered, c.Number, "changed_after_sealing"},
		{"forged for a certificate not released", []byte("%PDF\n" + unsealed.Number + "\n"), archive.Unknown, "", "not_ours"},
		{"with a number of nobody's", []byte("%PDF\n青民档证〔2026〕999999号\n"), archive.Unknown, "", "not_ours"},
		{"stranger", []byte("%PDF"), archive.Unknown, "", "not_ours"},
		{"no PDF", []byte("<html>"), archive.Unknown, "", "not_pdf"},
		{"nothing", nil, archive.Unknown, "", "not_pdf"},
	}
	for _, tt := range tests {
		v, err := room.VerifyPDF(t.Context(), tt.pdf)
		if err != nil || v.Verdict != tt.verdict || v.Number != tt.number || v.Reason != tt.reason {
			t.Errorf("%s: %+v, %v", tt.name, v, err)
		}
		if v.Verdict != archive.Valid && (v.Holder != "" || v.Purpose != "" || v.SHA256 != "" || !v.IssuedAt.IsZero()) {
			t.Errorf("%s: says too much: %+v", tt.name, v)
		}
	}
	if err := room.Revoke(t.Context(), approver, c.Number, "误发"); err != nil {
		t.Fatal(err)
	}
	if v, err := room.VerifyPDF(t.Context(), ours); err != nil || v.Verdict != archive.Revoked {
		t.Errorf("after revocation: %+v, %v", v, err)
	}
}

// away is a store that cannot be asked. What cannot be known is an error, and
// never an answer.
type away struct{ certificates.Numbers }

func (away) Holder(context.Context, string, string) (string, error) {
	return "", archive.ErrUnavailable
}

func TestVerifyWithoutStoreIsNoAnswer(t *testing.T) {
	w := newWorld(t)
	room := certificates.New(certificates.Config{Numbers: away{}, Certificates: certs{w}, Stamper: w, Now: time.Now})
	if v, err := room.Verify(t.Context(), "青民档证〔2026〕000001号", "x"); !errors.Is(err, archive.ErrUnavailable) || v.Verdict != "" {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := room.VerifyPDF(t.Context(), []byte("%PDF")); !errors.Is(err, archive.ErrUnavailable) || v.Verdict != "" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestWhoMayReadAndChange(t *testing.T) {
	elsewhere := approver
	elsewhere.Office = "zz"
	tests := []struct {
		name                 string
		actor                archive.Actor
		read, revoke, reseal error
	}{
		{"holder", wife, nil, archive.ErrForbidden, archive.ErrForbidden},
		{"clerk", clerk, nil, archive.ErrForbidden, archive.ErrForbidden},
		{"approver", approver, nil, nil, nil},
		{"elsewhere", elsewhere, archive.ErrNotFound, archive.ErrNotFound, archive.ErrNotFound},
		{"stranger", archive.Actor{ID: "other", Role: archive.RoleCitizen}, archive.ErrNotFound, archive.ErrNotFound, archive.ErrNotFound},
		{"auditor", archive.Actor{ID: "d", Role: archive.RoleAuditor, Office: "qc"}, archive.ErrNotFound, archive.ErrNotFound, archive.ErrNotFound},
		{"agency", archive.Actor{ID: "g", Role: archive.RoleAgency}, archive.ErrNotFound, archive.ErrNotFound, archive.ErrNotFound},
		{"anonymous", archive.Actor{Role: archive.RoleAnonymous}, archive.ErrNotFound, archive.ErrNotFound, archive.ErrNotFound},
	}
	for _, tt := range tests {
		w := newWorld(t)
		room := w.room()
		c := w.sealed(room, nil)
		v, err := room.Certificate(t.Context(), tt.actor, c.Number)
		if !errors.Is(err, tt.read) || (v.Value.ID == "") != (tt.read != nil) {
			t.Errorf("%s reads: %v", tt.name, err)
		}
		content, err := room.PDF(t.Context(), tt.actor, c.ID)
		if !errors.Is(err, tt.read) || (content == nil) != (tt.read != nil) {
			t.Errorf("%s fetches: %v", tt.name, err)
		}
		if traced := len(w.traces); (traced == 2) != (tt.read == nil) {
			t.Errorf("%s left %d traces", tt.name, traced)
		}
		if err := room.Revoke(t.Context(), tt.actor, c.Number, "误发"); !errors.Is(err, tt.revoke) {
			t.Errorf("%s revokes: %v", tt.name, err)
		}
		w.stamp = func(int) error { return errors.New("broken") }
		if err := room.Reseal(t.Context(), tt.actor, w.sealed(room, nil).ID); !errors.Is(err, tt.reseal) {
			t.Errorf("%s reseals: %v", tt.name, err)
		}
	}
}

func TestPDFIsTheOneSealed(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	c := w.sealed(room, nil)
	content, err := room.PDF(t.Context(), wife, c.Number)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(io.NewSectionReader(content, 0, content.Size()))
	if err != nil || digest(got) != c.PDF.SHA256 {
		t.Errorf("%v", err)
	}
}

func TestEnd(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	old, next, third := w.sealed(room, nil), w.sealed(room, nil), w.sealed(room, nil)
	anothers := w.sealed(room, func(r *archive.Request, _ *archive.Record) { r.Applicant = "other" })
	faraway := w.sealed(room, func(r *archive.Request, _ *archive.Record) { r.Office = "zz" })
	w.stamp = func(int) error { return errors.New("broken") }
	unsealed := w.sealed(room, nil)
	if err := room.Revoke(t.Context(), approver, third.Number, "误发"); err != nil {
		t.Fatal(err)
	}

	for name, successor := range map[string]string{"itself": old.Number, "another's": anothers.Number, "of another office": faraway.Number,
		"not sealed": unsealed.ID, "revoked": third.Number, "no such": "青民档证〔2026〕999999号", "none": ""} {
		err := room.Supersede(t.Context(), approver, old.Number, successor, "更正")
		if diff := cmp.Diff(error(archive.Problems{{Code: "bad_successor", Field: "successor"}}), err); diff != "" {
			t.Errorf("successor %s: %s", name, diff)
		}
	}
	if err := room.Revoke(t.Context(), approver, old.Number, " "); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	if err := room.Supersede(t.Context(), approver, old.Number, strings.ReplaceAll(next.Number, "〔", "("), "更正"); err != nil {
		t.Fatal(err)
	}
	if v, err := room.Verify(t.Context(), old.Number, old.Code); err != nil || v.Verdict != archive.Superseded || v.Successor != next.Number {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := room.Verify(t.Context(), third.Number, third.Code); err != nil || v.Verdict != archive.Revoked || v.Reason != "误发" {
		t.Errorf("%+v, %v", v, err)
	}
	c := w.head(old.ID)
	if c.ChangedBy != approver.ID || c.Reason != "更正" || !c.ChangedAt.Equal(w.now) {
		t.Errorf("%+v", c)
	}
	for _, ended := range []string{old.Number, third.Number, unsealed.ID} {
		if err := room.Revoke(t.Context(), approver, ended, "误发"); !errors.Is(err, archive.ErrState) {
			t.Errorf("%s: %v", ended, err)
		}
	}
	for _, released := range []string{old.Number, next.Number, third.Number} {
		if err := room.Reseal(t.Context(), approver, released); !errors.Is(err, archive.ErrState) {
			t.Errorf("resealed %s: %v", released, err)
		}
	}
	if err := room.Supersede(t.Context(), approver, next.Number, old.Number, "更正"); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("a circle: %v", err)
	}
}

func TestRevokedMeanwhile(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	c := w.sealed(room, nil)
	w.fault = func(string) (bool, error) { return false, archive.ErrConflict }
	if err := room.Revoke(t.Context(), approver, c.Number, "误发"); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("%v", err)
	}
}
