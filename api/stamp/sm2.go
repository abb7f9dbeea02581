package stamp

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"

	"dangan/api/stamp/internal/cms"
)

// SM2Seal signs with SM2 and SM3 what the seal covers, for readers who must not rely on other algorithms (GB/T 32918,
// GB/T 32905). The signature is one of GB/T 35275-2017, in a signed attribute of the seal: it can be neither taken away
// nor added later, and whoever does not know it passes over it (docs/decisions/0012).
type SM2Seal struct {
	// Signer signs a hash of 32 bytes as it is; it may be a RemoteSigner. It may be called concurrently.
	Signer crypto.Signer
	Chain  []*smx509.Certificate // the signer's first, then its issuers
}

// Check tells whether key and chain can seal, as CheckSeal does.
func (s *SM2Seal) Check() error {
	if len(s.Chain) == 0 {
		return errors.New("SM2: the certificate chain is empty")
	}
	public, ok := s.Signer.Public().(*ecdsa.PublicKey)
	if !ok || !public.Equal(s.Chain[0].PublicKey) {
		return errors.New("SM2: the key does not belong to the first certificate of the chain")
	}
	if s.Chain[0].KeyUsage&(smx509.KeyUsageDigitalSignature|smx509.KeyUsageContentCommitment) == 0 {
		return errors.New("SM2: the certificate is not for signatures (key usage digitalSignature or nonRepudiation)")
	}
	for i, c := range s.Chain[1:] {
		if err := s.Chain[i].CheckSignatureFrom(c); err != nil {
			return fmt.Errorf("SM2: certificate %d of the chain is not signed by the next one: %w", i+1, err)
		}
	}
	return nil
}

// Expires is Expires for its chain.
func (s *SM2Seal) Expires(at time.Time) (time.Time, error) {
	var terms []*x509.Certificate
	for _, c := range s.Chain {
		terms = append(terms, &x509.Certificate{NotBefore: c.NotBefore, NotAfter: c.NotAfter})
	}
	end, err := Expires(terms, at)
	if err != nil {
		err = fmt.Errorf("SM2: %w", err)
	}
	return end, err
}

// room is how many bytes the signature takes at most.
func (s *SM2Seal) room() int {
	room := 512
	for _, c := range s.Chain {
		room += len(c.Raw)
	}
	return room + len(s.Chain[0].RawIssuer)
}

// digests hashes the content for both signatures at once.
type digests struct {
	hash.Hash
	sm3 hash.Hash
}

func (d digests) Write(p []byte) (int, error) {
	_, _ = d.sm3.Write(p) // a hash does not fail
	return d.Hash.Write(p)
}

// newHash is what must see the content that is to be sealed.
func (s *Stamper) newHash() hash.Hash {
	if s.config.SM2 == nil {
		return sha256.New()
	}
	return digests{sha256.New(), sm3.New()}
}

// content is what the seal signs, when h has seen all of it.
func (s *Stamper) content(ctx context.Context, h hash.Hash) (c cms.Content, err error) {
	c.Digest = [sha256.Size]byte(h.Sum(nil))
	if s.config.SM2 == nil {
		return c, nil
	}
	both, ok := h.(digests)
	if !ok {
		return c, errors.New("the content was not hashed for SM2")
	}
	if _, err := s.config.SM2.Expires(s.config.Now()); err != nil {
		return c, err
	}
	c.SM2, err = cms.SignSM2(s.config.Rand, forCall(ctx, s.config.SM2.Signer), s.config.SM2.Chain, [sm3.Size]byte(both.sm3.Sum(nil)))
	return c, err
}

// forCall is a signer that does not outlast ctx.
func forCall(ctx context.Context, signer crypto.Signer) crypto.Signer {
	if remote, ok := signer.(RemoteSigner); ok {
		return remote.For(ctx)
	}
	return signer
}

// readSM2 checks a second signature over the same content.
func readSM2(der []byte, content ...[]byte) ([]*smx509.Certificate, error) {
	signature, err := cms.ParseSM2(der)
	if err != nil {
		return nil, err
	}
	h := sm3.New()
	for _, part := range content {
		_, _ = h.Write(part) // a hash does not fail
	}
	if [sm3.Size]byte(h.Sum(nil)) != signature.Digest {
		return nil, errors.New("it is of something else")
	}
	return signature.Chain, nil
}

// TrustSM2 tells whether the roots vouch for the SM2 signature of a file that was verified, as of the time that its
// certificates were checked. It fails when there is none, and when the file is not Valid.
func (r Result) TrustSM2(roots *smx509.CertPool) error {
	if len(r.SM2) == 0 || r.Word != Valid || roots == nil { // nil would mean the system's roots
		return errors.New("nobody vouches for it")
	}
	between := smx509.NewCertPool()
	for _, c := range r.SM2[1:] {
		between.AddCert(c)
	}
	_, err := r.SM2[0].Verify(smx509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: r.at,
		KeyUsages: []smx509.ExtKeyUsage{smx509.ExtKeyUsageAny}})
	return err
}
