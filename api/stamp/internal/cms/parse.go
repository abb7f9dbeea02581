package cms

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
)

// Signature is a signature whose value has been checked against its own certificate. Whether the
// certificate is to be trusted is the caller's question.
type Signature struct {
	Chain []*x509.Certificate // the signer's first, then the others that the signer named
	Content
	// Token dates the signature: a time-stamp token, unchecked; empty when there is none.
	Token []byte
	Value [sha256.Size]byte // digest of the signature value, which the token must speak of
}

// Parse reads what Sign made and checks it: the signature value, and that every byte is the one that Sign
// would have written for this chain, digest, value and token. It fails with ErrMalformed or ErrBroken.
func Parse(der []byte) (*Signature, error) {
	var info contentInfo
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(info.Content.SignerInfos) != 1 {
		return nil, fmt.Errorf("%w: not one signer", ErrMalformed)
	}
	signer := info.Content.SignerInfos[0]
	s := &Signature{}
	if err := s.readAttributes(signer.SignedAttributes.FullBytes, info.Content.Certificates.Bytes); err != nil {
		return nil, err
	}
	algorithm, err := signatureAlgorithm(s.Chain[0].PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	attributes, err := signedAttributes(s.Chain, s.Content)
	if err != nil {
		return nil, fmt.Errorf("encode signed attributes: %w", err)
	}
	if s.Token, err = readToken(signer.UnsignedAttributes.FullBytes); err != nil {
		return nil, err
	}
	s.Value = sha256.Sum256(signer.Signature)
	if again, err := encode(s.Chain, attributes, algorithm, signer.Signature, s.Token); err != nil || !bytes.Equal(again, der) {
		return nil, fmt.Errorf("%w: not as Sign encodes it", ErrMalformed)
	}
	check := x509.ECDSAWithSHA256
	if algorithm.Algorithm.Equal(oidRSAWithSHA256()) {
		check = x509.SHA256WithRSA
	}
	if err := s.Chain[0].CheckSignature(check, attributes, signer.Signature); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return s, nil
}

// readToken takes the token from the unsigned attributes, when there are any.
func readToken(der []byte) ([]byte, error) {
	if len(der) == 0 {
		return nil, nil
	}
	var unsigned []attribute
	_, err := asn1.UnmarshalWithParams(retag(der, 0x31), &unsigned, "set")
	if err != nil || len(unsigned) != 1 || len(unsigned[0].Values) != 1 {
		return nil, fmt.Errorf("%w: unreadable unsigned attributes", ErrMalformed)
	}
	return unsigned[0].Values[0].FullBytes, nil
}

// readAttributes takes the content and the chain from the signed attributes.
func (s *Signature) readAttributes(der, certificates []byte) error {
	if len(der) == 0 {
		return fmt.Errorf("%w: no signed attributes", ErrMalformed)
	}
	var attributes []attribute
	if rest, err := asn1.UnmarshalWithParams(retag(der, 0x31), &attributes, "set"); err != nil || len(rest) != 0 {
		return fmt.Errorf("%w: unreadable signed attributes", ErrMalformed)
	}
	var digest []byte
	var named signingCertificateV2
	var nested asn1.RawValue
	for _, a := range attributes {
		var value any
		switch {
		case a.Type.Equal(oidMessageDigest()):
			value = &digest
		case a.Type.Equal(oidSigningCertificateV2()):
			value = &named
		case a.Type.Equal(oidSM2SignedData()):
			value = &nested
		default:
			continue
		}
		if len(a.Values) != 1 {
			return fmt.Errorf("%w: a signed attribute has several values", ErrMalformed)
		}
		if _, err := asn1.Unmarshal(a.Values[0].FullBytes, value); err != nil {
			return fmt.Errorf("%w: signed attribute: %w", ErrMalformed, err)
		}
	}
	if len(digest) != sha256.Size {
		return fmt.Errorf("%w: no SHA-256 message digest", ErrMalformed)
	}
	s.Content = Content{[sha256.Size]byte(digest), nested.FullBytes}
	return s.findChain(named, certificates)
}

// findChain orders the certificates as the signer named them; there may be no others.
func (s *Signature) findChain(named signingCertificateV2, certificates []byte) error {
	all, err := x509.ParseCertificates(certificates)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(all) == 0 || len(all) != len(named.Certs) {
		return fmt.Errorf("%w: certificates other than the named ones", ErrMalformed)
	}
	byHash := map[[sha256.Size]byte]*x509.Certificate{}
	for _, c := range all {
		byHash[sha256.Sum256(c.Raw)] = c
	}
	for _, id := range named.Certs {
		if len(id.CertHash) != sha256.Size || byHash[[sha256.Size]byte(id.CertHash)] == nil {
			return fmt.Errorf("%w: a named certificate is missing", ErrMalformed)
		}
		s.Chain = append(s.Chain, byHash[[sha256.Size]byte(id.CertHash)])
	}
	return nil
}
