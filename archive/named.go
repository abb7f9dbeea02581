package archive

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Value is something that a mark or a claim of one kind stands for.
type Value struct{ Kind, Value string }

// Derivation is something made from a blob: what kind of thing, and of which blob.
type Derivation struct{ Blob, What string }

// Reference is a chain that another one speaks of: it has an entry N, and has been
// Released, where that is said.
type Reference struct {
	Ref
	N        int
	Released bool
}

// Named is what the entries of one chain, once all that follows its newest one has
// been done, say about the rest of the archive. A checker compares it with what is
// there.
type Named struct {
	Blobs   []Blob       // by any entry: each is kept for ever
	Derived []Derivation // made from them
	Marks   []Value      // by which it is found, and no others of these kinds
	Claims  []Value      // that it holds, beside those of idempotency keys
	Chains  []Reference
	// Sequence is that of the office and year which gave out Number; empty for none.
	Sequence string
	Number   int
	// Final is that no entry can follow, or have followed, which names more blobs, but
	// such as are younger than the longest upload: a certificate may be renewed.
	Final    bool
	Released bool // a certificate that was sealed
	// Owed is that there must be a job: of a request that was approved, until its
	// certificate is Begun, and from then on of that, while both say so.
	Owed  bool
	Begun bool
}

// What is derived from a file: what the reader found in it, and, where a machine has
// read its scans, their text. That is not missed when it is not there.
const (
	DerivedReading = "reading"
	DerivedScans   = "ocr"
)

// Names reads the bodies of all entries of a chain, oldest first. Bodies that are
// not of the kind are ErrCorrupt; a kind that there is not is ErrInvalid. No bodies
// name nothing.
func Names(kind Kind, bodies [][]byte) (Named, error) {
	switch kind {
	case KindRecord:
		return naming(bodies, recordNames)
	case KindRequest:
		return naming(bodies, requestNames)
	case KindCertificate:
		return naming(bodies, certificateNames)
	case KindAccount:
		return naming(bodies, accountNames)
	case KindTemplate:
		return naming(bodies, func([]Template) Named { return Named{Final: true} })
	case KindOffice:
		return naming(bodies, func([]Office) Named { return Named{Final: true} })
	}
	return Named{}, fmt.Errorf("kind of chain: %w", ErrInvalid)
}

func naming[T any](bodies [][]byte, names func([]T) Named) (Named, error) {
	if len(bodies) == 0 {
		return Named{}, nil
	}
	entries := make([]T, len(bodies))
	for i, body := range bodies {
		if err := json.Unmarshal(body, &entries[i]); err != nil {
			return Named{}, fmt.Errorf("entry %d: body is not what was expected: %w", i+1, ErrCorrupt)
		}
	}
	return names(entries), nil
}

func recordNames(entries []Record) Named {
	newest := entries[len(entries)-1]
	n := Named{Final: true, Blobs: newest.Blobs()} // files never change
	for _, f := range newest.Files {
		n.Derived = append(n.Derived, Derivation{f.ID, DerivedReading})
		n.Marks = append(n.Marks, Value{MarkDigest, f.SHA256})
	}
	for _, p := range newest.Persons {
		if !p.ID.IsZero() {
			n.Marks = append(n.Marks, Value{MarkPerson, p.ID.Key()})
		}
	}
	for _, r := range entries { // a code stays the record's for ever: it may have been cited
		n.Marks = append(n.Marks, Value{MarkRefKey, r.RefCode.Key()})
		n.Claims = append(n.Claims, Value{ClaimRefCode, r.RefCode.Canonical()})
	}
	if newest.Parent != "" {
		n.Chains = append(n.Chains, Reference{Ref: Ref{KindRecord, newest.Parent}, N: 1})
	}
	return n
}

func requestNames(entries []Request) Named {
	newest := entries[len(entries)-1]
	n := Named{Final: true, Owed: newest.State == Approved, Marks: []Value{{MarkDesk, newest.Office}, {MarkApplicant, newest.Applicant}}}
	if newest.Record != "" {
		n.Chains = append(n.Chains, Reference{Ref: Ref{KindRecord, newest.Record}, N: newest.RecordVersion})
	}
	if newest.State == Issued || newest.Certificate != "" { // that nothing was found is certified too
		n.Chains = append(n.Chains, Reference{Ref: Ref{KindCertificate, newest.ID}, N: 1, Released: true})
	}
	return n
}

func certificateNames(entries []Certificate) Named {
	newest := entries[len(entries)-1]
	n := Named{
		Blobs: newest.Blobs(), Final: newest.Released(), Released: newest.Released(),
		Begun: true, Owed: newest.State == CertApproved || newest.State == CertSealing,
		Claims: []Value{{ClaimNumber, CanonicalNumber(newest.Number)}},
		Chains: []Reference{{Ref: Ref{KindRequest, newest.ID}, N: 1}},
	}
	if newest.Record != "" {
		n.Chains = append(n.Chains, Reference{Ref: Ref{KindRecord, newest.Record}, N: newest.RecordVersion})
	}
	if newest.Template.Version > 0 {
		n.Chains = append(n.Chains, Reference{Ref: Ref{KindTemplate, newest.Template.ID}, N: newest.Template.Version})
	}
	for _, pdf := range newest.Blobs() {
		n.Claims = append(n.Claims, Value{ClaimPDF, pdf.SHA256})
	}
	if _, digits, ok := strings.Cut(newest.Number, "〕"); ok {
		if number, err := strconv.Atoi(strings.TrimSuffix(digits, "号")); err == nil {
			n.Sequence, n.Number = CertificateSequence(newest.Office, newest.IssuedAt), number
		}
	}
	return n
}

func accountNames(entries []Account) Named {
	newest := entries[len(entries)-1]
	n := Named{Final: true, Claims: []Value{{ClaimUser, newest.User}}}
	if newest.Token != "" {
		n.Claims = append(n.Claims, Value{ClaimToken, newest.Token})
	}
	if newest.Bound {
		list := newest.List()
		n.Marks = []Value{{MarkAccount, list}}
		if list == ListStaff {
			n.Claims = append(n.Claims, Value{ClaimStaff, newest.IDNumber.Key()})
		}
	}
	return n
}

// MarkedKind is the kind of chain that a kind of marks leads to; empty when there
// is no such kind of marks.
func MarkedKind(mark string) Kind {
	switch mark {
	case MarkPerson, MarkRefKey, MarkDigest:
		return KindRecord
	case MarkDesk, MarkApplicant:
		return KindRequest
	case MarkAccount:
		return KindAccount
	}
	return ""
}

// ClaimingKind is the kind of chain that may hold a kind of claim; empty when there
// is no such kind. named is whether a holder must be there and name the value. The
// key of a request that may be repeated is not in what it made, and a number or PDF
// of a certificate whose sealing was begun again stays claimed, void (作废).
func ClaimingKind(claim string) (kind Kind, named bool) {
	switch claim {
	case ClaimRefCode:
		return KindRecord, true
	case ClaimUser, ClaimToken, ClaimStaff:
		return KindAccount, true
	case ClaimNumber, ClaimPDF:
		return KindCertificate, false
	case ClaimIdempotency:
		return KindRecord, false
	case ClaimCase:
		return KindAccount, false
	}
	return "", false
}

// CertificateSequence is the sequence of the numbers that an office gives its
// certificates in a year.
func CertificateSequence(office string, issued time.Time) string {
	return fmt.Sprintf("certificate-%s-%d", office, DateOf(issued).Year)
}

// CanonicalNumber reads a certificate number with any of the brackets people type
// for 〔〕, with or without blanks.
func CanonicalNumber(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("([【﹝", r):
			return '〔'
		case strings.ContainsRune(")]】﹞", r):
			return '〕'
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, plain(s))
}
