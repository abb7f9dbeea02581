// Package timestamp asks an authority when a signature existed, and reads what such authorities answer
// (RFC 3161).
//
// It owns: the protocol over HTTP, the token, and the question whether a token is sound. It must not know:
// PDF, CMS signatures of ours, or where a token is kept.
package timestamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	_ "crypto/sha512" // authorities choose
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// ErrUnavailable is wrapped when no token could be had that is worth anything. Later one may.
var ErrUnavailable = errors.New("no time-stamp to be had")

// MaxToken is how many bytes a token may have: with a chain of three RSA certificates it has half of it.
const MaxToken = 10 << 10

// Token is what an authority said, its signature checked against the certificate that it came with.
type Token struct {
	Time   time.Time
	Signer *x509.Certificate
	Others []*x509.Certificate // came along
}

// Parse reads a token in DER that speaks of a SHA-256 digest. It fails for one that is not sound by itself.
func Parse(der []byte, digest [sha256.Size]byte) (*Token, error) {
	if len(der) > MaxToken || !isDER(der) {
		return nil, errors.New("read time-stamp: too long, or not in DER")
	}
	signed, err := pkcs7.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("read time-stamp: %w", err)
	}
	signer := signed.GetOnlySigner()
	if signer == nil {
		return nil, errors.New("read time-stamp: it does not carry the one certificate it is signed by")
	}
	var content asn1.ObjectIdentifier
	if err := signed.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &content); err != nil || !content.Equal(oidTSTInfo()) {
		return nil, errors.New("read time-stamp: what was signed is no time-stamp")
	}
	if err := named(signed, signer); err != nil {
		return nil, err
	}
	stamp, err := timestamp.Parse(der) // checks the signature, since there is a certificate
	if err != nil {
		return nil, fmt.Errorf("read time-stamp: %w", err)
	}
	if stamp.HashAlgorithm != crypto.SHA256 || !bytes.Equal(stamp.HashedMessage, digest[:]) {
		return nil, errors.New("read time-stamp: it speaks of something else")
	}
	t := &Token{Time: stamp.Time, Signer: signer}
	for _, c := range stamp.Certificates {
		if !c.Equal(signer) {
			t.Others = append(t.Others, c)
		}
	}
	return t, nil
}

// isDER walks through everything: package pkcs7 also reads BER, in which one token has many forms.
func isDER(der []byte) bool {
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil || v.IsCompound && !isDER(v.Bytes) {
			return false
		}
		der = rest
	}
	return true
}

// named checks that the token means the certificate it came with (RFC 5816): without it somebody could put
// another one for the same key in its place.
func named(signed *pkcs7.PKCS7, signer *x509.Certificate) error {
	var v2 struct {
		Certs []struct {
			Algorithm pkix.AlgorithmIdentifier `asn1:"optional"`
			Hash      []byte
			Issuer    asn1.RawValue `asn1:"optional"`
		}
	}
	err := signed.UnmarshalSignedAttribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}, &v2)
	if err != nil || len(v2.Certs) == 0 {
		return errors.New("read time-stamp: it does not name its certificate (ESSCertIDv2)")
	}
	hash := crypto.SHA256
	switch oid := v2.Certs[0].Algorithm.Algorithm; {
	case oid.Equal(pkcs7.OIDDigestAlgorithmSHA384):
		hash = crypto.SHA384
	case oid.Equal(pkcs7.OIDDigestAlgorithmSHA512):
		hash = crypto.SHA512
	}
	h := hash.New()
	h.Write(signer.Raw)
	if !bytes.Equal(h.Sum(nil), v2.Certs[0].Hash) {
		return errors.New("read time-stamp: it names another certificate")
	}
	return nil
}

func oidTSTInfo() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
}

// Chain is how the roots vouch for the authority as of the given time, its own certificate first.
func (t *Token) Chain(roots *x509.CertPool, at time.Time) ([]*x509.Certificate, error) {
	between := x509.NewCertPool()
	for _, c := range t.Others {
		between.AddCert(c)
	}
	chains, err := t.Signer.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	if err != nil {
		return nil, err
	}
	return chains[0], nil
}

// Client asks one authority. It may be called concurrently.
type Client struct {
	URL   string
	Roots *x509.CertPool   // vouch for the authority; tokens by others are refused
	HTTP  *http.Client     // has a timeout
	Now   func() time.Time // of the check of the authority's certificate
}

// Stamp returns a token for a digest, in DER, and how the roots vouch for it. It fails with ErrUnavailable.
func (c *Client) Stamp(ctx context.Context, digest [sha256.Size]byte) (token []byte, chain []*x509.Certificate, err error) {
	token, err = c.ask(ctx, digest)
	if err == nil {
		chain, err = c.check(token, digest)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return token, chain, nil
}

func (c *Client) ask(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, err
	}
	asked := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest[:], Nonce: nonce, Certificates: true}
	body, err := asked.Marshal()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/timestamp-query")
	response, err := c.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the authority answers with status %d", response.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, 2*MaxToken))
	if err != nil {
		return nil, err
	}
	if !isDER(raw) {
		return nil, errors.New("the authority does not answer in DER")
	}
	answer, err := timestamp.ParseResponse(raw)
	if err != nil {
		return nil, err
	}
	if answer.Nonce == nil || answer.Nonce.Cmp(nonce) != 0 {
		return nil, errors.New("the authority answers another question")
	}
	return answer.RawToken, nil
}

// check refuses what nobody could rely on later.
func (c *Client) check(der []byte, digest [sha256.Size]byte) ([]*x509.Certificate, error) {
	token, err := Parse(der, digest)
	if err != nil {
		return nil, err
	}
	return token.Chain(c.Roots, c.Now())
}
