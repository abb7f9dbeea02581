package stamp

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Word is the answer to the question whether a certificate is genuine.
type Word string

// The words that a file alone can earn. Whether a certificate was revoked or superseded stands in the
// ledger of its issuer, not in the file.
const (
	Valid    Word = "VALID"    // ours, sealed by somebody the roots vouch for, and untouched
	Tampered Word = "TAMPERED" // ours once, or said to be, and changed since
	Unknown  Word = "UNKNOWN"  // nothing we could vouch for
)

// Result is the answer of Verify.
type Result struct {
	Word   Word
	Why    string // one plain sentence in English
	Number string // certificate number, for VALID and TAMPERED when it can be read
	Signer *x509.Certificate
	Dated  time.Time  // of a time-stamp that the roots vouch for; zero without one
	Added  []Revision // what came after the seal
}

// Verify checks a file offline: the bytes against the seal, and the seal's certificate against the roots, as of
// the time-stamp when the roots vouch for that now, else as of the given time. Without roots nothing is
// trusted. It fails with ErrNotPDF only.
func Verify(pdf []byte, roots *x509.CertPool, at time.Time) (Result, error) {
	id, err := Inspect(pdf)
	if err != nil {
		return Result{}, err
	}
	result := Result{Word: Tampered, Why: id.Reason, Number: id.Number, Signer: id.Signer, Added: id.Added}
	dated := ""
	if id.Dated != nil && roots != nil {
		if _, err := id.Dated.Chain(roots, at); err == nil {
			at, result.Dated = id.Dated.Time, id.Dated.Time
			dated = fmt.Sprintf(" on %s, as its time-stamp says,", at.UTC().Format(time.RFC3339))
		} else {
			dated = " (nobody vouches for its time-stamp)"
		}
	}
	trust := trusted(id, roots, at)
	when, revoked := id.Evidence.revoked(id.Signer)
	switch {
	case id.State == Foreign:
		result.Word, result.Number = Unknown, ""
	case id.Signer != nil && trust != nil:
		result.Word, result.Number, result.Why = Unknown, "", fmt.Sprintf("the seal is not by a trusted office: %v", trust)
	case id.State == Intact && revoked && !when.After(at):
		result.Word, result.Number, result.Why = Unknown, "", fmt.Sprintf("the seal's certificate was revoked on %s", when.UTC().Format(time.RFC3339))
	case id.State == Intact:
		result.Word, result.Why = Valid, fmt.Sprintf("sealed by a trusted office%s and unchanged since", dated)
	}
	return result, nil
}

func trusted(id Identity, roots *x509.CertPool, at time.Time) error {
	if id.Signer == nil || roots == nil { // nil would mean the system's roots to crypto/x509
		return errors.New("nobody vouches for it")
	}
	between := x509.NewCertPool()
	for _, c := range id.Issuers {
		between.AddCert(c)
	}
	_, err := id.Signer.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}
