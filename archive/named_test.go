package archive_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// bodies are entries as a chain holds them.
func bodies(t *testing.T, entries ...any) [][]byte {
	t.Helper()
	var all [][]byte
	for _, e := range entries {
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

func TestNames(t *testing.T) {
	code := func(s string) archive.RefCode { return archive.RefCode{Original: s} }
	first := archive.Record{ID: "r", RefCode: code("A-1"), Parent: "p",
		Persons: []archive.Person{{ID: archive.NewIDNumber("", "999999199001010016")}, {Name: "张三"}},
		Files:   []archive.File{{Blob: archive.Blob{ID: "b", SHA256: "sum", Size: 3}}}}
	second := first
	second.RefCode, second.Persons = code("B-1"), nil
	issued := time.Date(2025, 12, 31, 20, 0, 0, 0, time.UTC) // next year in the office
	sealed := archive.Certificate{ID: "q", Record: "r", RecordVersion: 2, Office: "o", Number: "青民档证〔2026〕000012号",
		State: archive.CertSealed, IssuedAt: issued, PDF: archive.Blob{ID: "pdf", SHA256: "sum"}}
	failed := sealed
	failed.State, failed.PDF, failed.Number = archive.CertSealFailed, archive.Blob{}, "void"
	renewed := sealed
	renewed.Earlier, renewed.PDF = []archive.Blob{sealed.PDF}, archive.Blob{ID: "renewed", SHA256: "sum of renewed"}
	for name, test := range map[string]struct {
		kind    archive.Kind
		entries []any
		want    archive.Named
	}{
		"record": {archive.KindRecord, []any{first, second}, archive.Named{
			Final: true, Blobs: first.Blobs(), Derived: []archive.Derivation{{Blob: "b", What: "reading"}},
			Marks:  []archive.Value{{Kind: "digest", Value: "sum"}, {Kind: "refkey", Value: "a1"}, {Kind: "refkey", Value: "b1"}},
			Claims: []archive.Value{{Kind: "refcode", Value: "A-1"}, {Kind: "refcode", Value: "B-1"}},
			Chains: []archive.Reference{{Ref: archive.Ref{Kind: archive.KindRecord, ID: "p"}, N: 1}},
		}},
		"record with a person": {archive.KindRecord, []any{second, first}, archive.Named{
			Final: true, Blobs: first.Blobs(), Derived: []archive.Derivation{{Blob: "b", What: "reading"}},
			Marks: []archive.Value{{Kind: "digest", Value: "sum"}, {Kind: "person", Value: "resident:999999199001010016"},
				{Kind: "refkey", Value: "b1"}, {Kind: "refkey", Value: "a1"}},
			Claims: []archive.Value{{Kind: "refcode", Value: "B-1"}, {Kind: "refcode", Value: "A-1"}},
			Chains: []archive.Reference{{Ref: archive.Ref{Kind: archive.KindRecord, ID: "p"}, N: 1}},
		}},
		"request": {archive.KindRequest, []any{archive.Request{ID: "q", Office: "o", Applicant: "a", Record: "r", RecordVersion: 2, State: archive.Issued}},
			archive.Named{Final: true, Marks: []archive.Value{{Kind: "desk", Value: "o"}, {Kind: "applicant", Value: "a"}},
				Chains: []archive.Reference{{Ref: archive.Ref{Kind: archive.KindRecord, ID: "r"}, N: 2},
					{Ref: archive.Ref{Kind: archive.KindCertificate, ID: "q"}, N: 1, Released: true}}}},
		"approved request": {archive.KindRequest, []any{archive.Request{ID: "q", Office: "o", Applicant: "a", State: archive.Approved}},
			archive.Named{Final: true, Owed: true, Marks: []archive.Value{{Kind: "desk", Value: "o"}, {Kind: "applicant", Value: "a"}}}},
		"certificate": {archive.KindCertificate, []any{sealed}, archive.Named{
			Final: true, Released: true, Begun: true, Blobs: []archive.Blob{sealed.PDF}, Sequence: "certificate-o-2026", Number: 12,
			Claims: []archive.Value{{Kind: "number", Value: "青民档证〔2026〕000012号"}, {Kind: "pdf", Value: "sum"}},
			Chains: []archive.Reference{{Ref: archive.Ref{Kind: archive.KindRequest, ID: "q"}, N: 1}, {Ref: archive.Ref{Kind: archive.KindRecord, ID: "r"}, N: 2}}}},
		"certificate that was renewed": {archive.KindCertificate, []any{sealed, renewed}, archive.Named{
			Final: true, Released: true, Begun: true, Blobs: []archive.Blob{sealed.PDF, renewed.PDF}, Sequence: "certificate-o-2026", Number: 12,
			Claims: []archive.Value{{Kind: "number", Value: "青民档证〔2026〕000012号"}, {Kind: "pdf", Value: "sum"}, {Kind: "pdf", Value: "sum of renewed"}},
			Chains: []archive.Reference{{Ref: archive.Ref{Kind: "request", ID: "q"}, N: 1}, {Ref: archive.Ref{Kind: "record", ID: "r"}, N: 2}}}},
		"certificate without a PDF": {archive.KindCertificate, []any{failed}, archive.Named{
			Begun: true, Claims: []archive.Value{{Kind: "number", Value: "VOID"}},
			Chains: []archive.Reference{{Ref: archive.Ref{Kind: archive.KindRequest, ID: "q"}, N: 1}, {Ref: archive.Ref{Kind: archive.KindRecord, ID: "r"}, N: 2}}}},
		"account": {archive.KindAccount, []any{archive.Account{User: "u", Token: "t"}},
			archive.Named{Final: true, Claims: []archive.Value{{Kind: "user", Value: "u"}, {Kind: "token", Value: "t"}}}},
		"account of staff": {archive.KindAccount, []any{archive.Account{User: "u", Bound: true, IDNumber: archive.NewIDNumber("", "999999199001010016"), Proposed: archive.Post{Role: archive.RoleAuditor}}},
			archive.Named{Final: true, Marks: []archive.Value{{Kind: "account", Value: "staff"}},
				Claims: []archive.Value{{Kind: "user", Value: "u"}, {Kind: "staff", Value: "resident:999999199001010016"}}}},
		"agency": {archive.KindAccount, []any{archive.Account{User: "u", Bound: true, Role: archive.RoleAgency}},
			archive.Named{Final: true, Marks: []archive.Value{{Kind: "account", Value: "agency"}}, Claims: []archive.Value{{Kind: "user", Value: "u"}}}},
		"office":  {archive.KindOffice, []any{archive.Office{ID: "o"}}, archive.Named{Final: true}},
		"nothing": {archive.KindRecord, nil, archive.Named{}},
	} {
		got, err := archive.Names(test.kind, bodies(t, test.entries...))
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	if _, err := archive.Names("novel", nil); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("an unknown kind: %v", err)
	}
	if _, err := archive.Names(archive.KindRecord, [][]byte{[]byte("no JSON")}); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("a body that is none: %v", err)
	}
}

// TestEveryKindOfMarkAndClaimHasItsChain: what is written is known to who checks it.
func TestEveryKindOfMarkAndClaimHasItsChain(t *testing.T) {
	for _, mark := range []string{archive.MarkPerson, archive.MarkRefKey, archive.MarkDigest, archive.MarkDesk, archive.MarkApplicant, archive.MarkAccount} {
		if archive.MarkedKind(mark) == "" {
			t.Errorf("marks of kind %s lead nowhere", mark)
		}
	}
	for _, claim := range []string{archive.ClaimRefCode, archive.ClaimIdempotency, archive.ClaimNumber, archive.ClaimPDF, archive.ClaimUser, archive.ClaimToken, archive.ClaimStaff, archive.ClaimCase} {
		if kind, _ := archive.ClaimingKind(claim); kind == "" {
			t.Errorf("claims of kind %s are nobody's", claim)
		}
	}
	if kind, _ := archive.ClaimingKind("novel"); kind != "" || archive.MarkedKind("novel") != "" {
		t.Error("unknown kinds are known")
	}
}
