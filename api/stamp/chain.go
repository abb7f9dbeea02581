package stamp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// ErrExpired is wrapped when a certificate of the seal's chain is not valid now: not yet, or no longer.
var ErrExpired = errors.New("the seal's certificate is not valid now")

// CheckSeal tells whether a key and a chain can seal, at any time: the key is of a usable kind and belongs to
// the first certificate, which may be used for signatures, and each certificate is signed by the next. The
// root may be left out; then whoever verifies must have it.
func CheckSeal(signer crypto.Signer, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("seal: the certificate chain is empty")
	}
	var same bool
	switch key := signer.Public().(type) {
	case *ecdsa.PublicKey:
		same = key.Equal(chain[0].PublicKey)
	case *rsa.PublicKey:
		same = key.Equal(chain[0].PublicKey)
	default:
		return fmt.Errorf("seal: key type %T cannot seal: want ECDSA or RSA", key)
	}
	if !same {
		return errors.New("seal: the key does not belong to the first certificate of the chain")
	}
	if chain[0].KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return errors.New("seal: the certificate is not for signatures (key usage digitalSignature or nonRepudiation)")
	}
	for i, c := range chain[1:] {
		if err := chain[i].CheckSignatureFrom(c); err != nil {
			return fmt.Errorf("seal: certificate %d of the chain is not signed by the next one: %w", i+1, err)
		}
	}
	return nil
}

// Expires is when the first certificate of a chain ends. It fails with ErrExpired when one of them is not valid
// at the given time, and tells the end all the same.
func Expires(chain []*x509.Certificate, at time.Time) (end time.Time, err error) {
	for i, c := range chain {
		if i == 0 || c.NotAfter.Before(end) {
			end = c.NotAfter
		}
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			err = fmt.Errorf("certificate %d of the chain is valid from %s to %s: %w", i+1,
				c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly), ErrExpired)
		}
	}
	return end, err
}
