package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"

	"golang.org/x/crypto/ocsp"
)

// maxAnswer is how many bytes an answer may have: with a chain of RSA certificates it has a quarter of it.
const maxAnswer = 16 << 10

// ParseAnswer reads what was answered about a certificate. It fails unless the issuer signed it, or somebody whom the
// issuer has entitled to (RFC 6960, 4.2.2.2). Whether it is old the caller decides.
func ParseAnswer(der []byte, c, issuer *x509.Certificate) (*ocsp.Response, error) {
	if len(der) > maxAnswer {
		return nil, errors.New("read answer: too long")
	}
	answer, err := ocsp.ParseResponse(der, issuer) // one that speaks of several certificates it refuses
	if err != nil {
		return nil, err
	}
	if answer.SerialNumber.Cmp(c.SerialNumber) != 0 {
		return nil, errors.New("read answer: it speaks of another certificate")
	}
	if by := answer.Certificate; by != nil && !by.Equal(issuer) && !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return nil, errors.New("read answer: by somebody who may not give it")
	}
	return answer, nil
}

// ask asks an address about a certificate.
func (f *Finder) ask(ctx context.Context, address string, c, issuer *x509.Certificate) (*ocsp.Response, error) {
	key := address + " " + c.SerialNumber.Text(16)
	if answer, err := f.readAnswer(f.recent(key), c, issuer); err == nil {
		return answer, nil
	}
	// SHA-1 names the issuer here and proves nothing; many know no other name (RFC 5019, 2.1.1).
	question, err := ocsp.CreateRequest(c, issuer, &ocsp.RequestOptions{Hash: crypto.SHA1})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/ocsp-request")
	raw, err := f.fetch(request, maxAnswer)
	if err != nil {
		return nil, err
	}
	answer, err := f.readAnswer(raw, c, issuer)
	if err == nil {
		f.keep(key, raw)
	}
	return answer, err
}

// readAnswer refuses answers that are not valid now, and those that know nothing.
func (f *Finder) readAnswer(der []byte, c, issuer *x509.Certificate) (*ocsp.Response, error) {
	answer, err := ParseAnswer(der, c, issuer)
	if err != nil {
		return nil, err
	}
	now := f.Now()
	if now.Before(answer.ThisUpdate) || !answer.NextUpdate.IsZero() && now.After(answer.NextUpdate) {
		return nil, errors.New("the answer is not valid now")
	}
	if answer.Status == ocsp.Unknown {
		return nil, errors.New("it does not know the certificate")
	}
	return answer, nil
}
