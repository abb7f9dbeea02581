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
	Signer *x509.Certificate
	Others []*x509.Certificate // the other certificates that came along, in no order
	Digest [sha256.Size]byte   // of the content that was signed
}

// Parse reads what Sign made and checks it: one signer, the three signed attributes, the certificate that
// they name, and the signature value. It fails with ErrMalformed or ErrBroken. Bytes that Sign would have
// encoded otherwise are malformed.
func Parse(der []byte) (*Signature, error) {
	var info contentInfo
	rest, err := asn1.Unmarshal(der, &info)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if again, err := asn1.Marshal(info); err != nil || len(rest) != 0 || !bytes.Equal(again, der) {
		return nil, fmt.Errorf("%w: not in DER", ErrMalformed)
	}
	data := info.Content
	if !info.ContentType.Equal(oidSignedData()) || !data.EncapContentInfo.ContentType.Equal(oidData()) || len(data.SignerInfos) != 1 {
		return nil, fmt.Errorf("%w: not detached data with one signer", ErrMalformed)
	}
	signer := data.SignerInfos[0]
	s, err := findSigner(data.Certificates.Bytes, signer.SID)
	if err != nil {
		return nil, err
	}
	if err := s.readAttributes(signer.SignedAttributes.FullBytes); err != nil {
		return nil, err
	}
	algorithm := x509.UnknownSignatureAlgorithm
	switch used := signer.SignatureAlgorithm.Algorithm; {
	case !signer.DigestAlgorithm.Algorithm.Equal(oidSHA256()):
	case used.Equal(oidECDSAWithSHA256()):
		algorithm = x509.ECDSAWithSHA256
	case used.Equal(oidRSAWithSHA256()):
		algorithm = x509.SHA256WithRSA
	}
	if err := s.Signer.CheckSignature(algorithm, retag(signer.SignedAttributes.FullBytes, 0x31), signer.Signature); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return s, nil
}

func findSigner(certificates []byte, sid issuerAndSerial) (*Signature, error) {
	all, err := x509.ParseCertificates(certificates)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	s := &Signature{}
	for _, c := range all {
		if s.Signer == nil && c.SerialNumber.Cmp(sid.Serial) == 0 && bytes.Equal(c.RawIssuer, sid.Issuer.FullBytes) {
			s.Signer = c
			continue
		}
		s.Others = append(s.Others, c)
	}
	if s.Signer == nil {
		return nil, fmt.Errorf("%w: the signer's certificate is missing", ErrMalformed)
	}
	return s, nil
}

// readAttributes takes the digest and insists that the attributes name this very certificate: else one
// could be swapped for another of the same key.
func (s *Signature) readAttributes(der []byte) error {
	if len(der) == 0 {
		return fmt.Errorf("%w: no signed attributes", ErrMalformed)
	}
	var attributes []attribute
	if rest, err := asn1.UnmarshalWithParams(retag(der, 0x31), &attributes, "set"); err != nil || len(rest) != 0 || len(attributes) != 3 {
		return fmt.Errorf("%w: unexpected signed attributes", ErrMalformed)
	}
	var digest []byte
	for _, a := range attributes {
		if a.Type.Equal(oidMessageDigest()) && len(a.Values) == 1 {
			if _, err := asn1.Unmarshal(a.Values[0].FullBytes, &digest); err != nil {
				return fmt.Errorf("%w: message digest: %w", ErrMalformed, err)
			}
		}
	}
	if len(digest) != sha256.Size {
		return fmt.Errorf("%w: no SHA-256 message digest", ErrMalformed)
	}
	s.Digest = [sha256.Size]byte(digest)
	expected, err := signedAttributes(s.Signer, s.Digest)
	if err != nil {
		return fmt.Errorf("encode signed attributes: %w", err)
	}
	if !bytes.Equal(expected, retag(der, 0x31)) {
		return fmt.Errorf("%w: the signed attributes do not name the signer's certificate", ErrMalformed)
	}
	return nil
}
