package stamp

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"dangan/api/stamp/timestamp"
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
	// Dated is when the seal was there, as a time-stamp says that the roots vouch for; zero without one.
	Dated time.Time
	// SM2 is the chain of a second signature over the same bytes, sound in itself; nil without one. See TrustSM2.
	SM2     []*smx509.Certificate
	Renewed int        // later time-stamps that the roots vouch for
	Added   []Revision // what came after the seal
	at      time.Time  // as of when certificates were checked
}

// Verify checks a file offline: the bytes against the seal, and the seal's certificate against the roots, as of
// the time that its time-stamps prove, else as of the given time. The newest time-stamp counts when the roots vouch for
// its authority as of the given time, and each older one when they do as of the next newer one. Without roots nothing
// is trusted. It fails with ErrNotPDF only.
func Verify(pdf []byte, roots *x509.CertPool, at time.Time) (Result, error) {
	id, err := Inspect(pdf)
	if err != nil {
		return Result{}, err
	}
	result := Result{Word: Tampered, Why: id.Reason, Number: id.Number, Signer: id.Signer, SM2: id.SM2, Added: id.Added}
	dated := ""
	if roots != nil {
		dated = result.date(id, roots, &at)
	}
	result.at = at
	trust := trusted(id, roots, at)
	when, revoked := id.Evidence.revoked(id.Signer, id.Issuers)
	switch {
	case id.State == Foreign:
		result.Word, result.Number = Unknown, ""
	case id.Signer != nil && trust != nil:
		result.Word, result.Number, result.Why = Unknown, "", fmt.Sprintf("the seal is not by a trusted office: %v", trust)
	case id.State == Intact && revoked && !when.at.After(at):
		result.Word, result.Number, result.Why = Unknown, "", fmt.Sprintf("the seal's certificate was revoked on %s", when.at.UTC().Format(time.RFC3339))
	case id.State == Intact:
		result.Word, result.Why = Valid, fmt.Sprintf("sealed by a trusted office%s and unchanged since", dated)
	}
	return result, nil
}

// date goes back in time from one time-stamp to the next older one, and says so.
func (r *Result) date(id Identity, roots *x509.CertPool, at *time.Time) string {
	var refused, renewed string
	for i := len(id.Renewed) - 1; i >= 0; i-- {
		if token := id.Renewed[i]; id.vouched(token, roots, *at) {
			*at = token.Time
			renewed = fmt.Sprintf(" by %s, as a later time-stamp says,", at.UTC().Format(time.RFC3339))
			r.Renewed++
			r.Dated = *at
		} else {
			refused = " (nobody vouches for one of its time-stamps)"
		}
	}
	switch {
	case id.Dated == nil:
	case id.vouched(id.Dated, roots, *at):
		*at, r.Dated = id.Dated.Time, id.Dated.Time
		renewed = fmt.Sprintf(" on %s, as its time-stamp says,", at.UTC().Format(time.RFC3339))
		if r.Renewed > 0 {
			renewed += fmt.Sprintf(" which was renewed %d times,", r.Renewed)
		}
	case refused == "":
		refused = " (nobody vouches for its time-stamp)"
	}
	return renewed + refused
}

// vouched tells whether a time-stamp is to be believed as of the given time.
func (id Identity) vouched(token *timestamp.Token, roots *x509.CertPool, at time.Time) bool {
	if _, err := token.Chain(roots, at); err != nil {
		return false
	}
	r, revoked := id.Evidence.revoked(token.Signer, nil)
	return !revoked || r.gentle && r.at.After(token.Time)
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
