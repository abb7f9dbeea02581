// Package cms makes and checks the one kind of CMS SignedData that a PAdES B-B or B-T seal needs: detached,
// one signer, SHA-256, ECDSA or RSA (PKCS #1 v1.5), with the signed attributes contentType, messageDigest,
// signingCertificateV2 and perhaps a signature of another kind (SignSM2), and nothing else, and with a time-stamp token
// over the signature value or none.
//
// It owns: the DER of RFC 5652 (CMS), RFC 5035 (signingCertificateV2) and RFC 3161, appendix A
// (timeStampToken), as profiled by ETSI EN 319 142-1 for PAdES: no signing-time, no other unsigned attributes; and that
// of GB/T 35275-2017 for SM2.
// It must not know: PDF, which roots are trusted, what time it is, or what is in a token.
package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
)

// ErrMalformed is wrapped when bytes are not a signature of the kind this package makes.
var ErrMalformed = errors.New("not a seal signature of the known kind")

// ErrBroken is wrapped when the signature is well formed and its value does not fit its certificate.
var ErrBroken = errors.New("signature value does not match")

func oidData() asn1.ObjectIdentifier        { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }
func oidSignedData() asn1.ObjectIdentifier  { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} }
func oidContentType() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3} }
func oidMessageDigest() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
}
func oidSigningCertificateV2() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
}
func oidTimeStampToken() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
}
func oidSHA256() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
}
func oidECDSAWithSHA256() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
}
func oidRSAWithSHA256() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
}

type contentInfo struct {
	ContentType asn1.ObjectIdentifier
	Content     signedData `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version          int
	DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
	EncapContentInfo struct{ ContentType asn1.ObjectIdentifier }
	Certificates     asn1.RawValue `asn1:"optional,tag:0"`
	SignerInfos      []signerInfo  `asn1:"set"`
}

type signerInfo struct {
	Version            int
	SID                issuerAndSerial
	DigestAlgorithm    pkix.AlgorithmIdentifier
	SignedAttributes   asn1.RawValue `asn1:"optional,tag:0"`
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          []byte
	UnsignedAttributes asn1.RawValue `asn1:"optional,tag:1"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

// signingCertificateV2 leaves the hash algorithm out because SHA-256 is the default (RFC 5035, section 4).
type signingCertificateV2 struct{ Certs []essCertID }

type essCertID struct{ CertHash []byte }

// Timestamp returns a time-stamp token in DER for the digest of a signature value.
type Timestamp func(digest [sha256.Size]byte) ([]byte, error)

// Content is what is signed.
type Content struct {
	Digest [sha256.Size]byte
	// SM2 is a signature of the same content by SignSM2, in DER, which is signed too; nil for none.
	SM2 []byte
}

// Sign signs content. chain[0] is the signer's own certificate; all of chain is
// included. The result is DER. Without a Timestamp it is not dated; when one fails, so does Sign.
func Sign(rand io.Reader, signer crypto.Signer, chain []*x509.Certificate, content Content, date Timestamp) ([]byte, error) {
	algorithm, err := signatureAlgorithm(signer.Public())
	if err != nil {
		return nil, err
	}
	attributes, err := signedAttributes(chain, content)
	if err != nil {
		return nil, fmt.Errorf("encode signed attributes: %w", err)
	}
	toSign := sha256.Sum256(attributes)
	value, err := signer.Sign(rand, toSign[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	var token []byte
	if date != nil {
		if token, err = date(sha256.Sum256(value)); err != nil {
			return nil, fmt.Errorf("date: %w", err)
		}
	}
	return encode(chain, attributes, algorithm, value, token)
}

// encode leaves the unsigned attributes out when there is no token.
func encode(chain []*x509.Certificate, attributes []byte, algorithm pkix.AlgorithmIdentifier, value, token []byte) ([]byte, error) {
	var unsigned asn1.RawValue
	if len(token) > 0 {
		der, err := asn1.MarshalWithParams([]attribute{{oidTimeStampToken(), []asn1.RawValue{{FullBytes: token}}}}, "set")
		if err != nil {
			return nil, err
		}
		unsigned.FullBytes = retag(der, 0xA1)
	}
	sha := pkix.AlgorithmIdentifier{Algorithm: oidSHA256()}
	info := contentInfo{ContentType: oidSignedData(), Content: signedData{
		Version:          1,
		DigestAlgorithms: []pkix.AlgorithmIdentifier{sha},
		Certificates:     asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: setOf(chain)},
		SignerInfos: []signerInfo{{
			Version:            1,
			SID:                issuerAndSerial{asn1.RawValue{FullBytes: chain[0].RawIssuer}, chain[0].SerialNumber},
			DigestAlgorithm:    sha,
			SignedAttributes:   asn1.RawValue{FullBytes: retag(attributes, 0xA0)},
			SignatureAlgorithm: algorithm,
			Signature:          value,
			UnsignedAttributes: unsigned,
		}},
	}}
	info.Content.EncapContentInfo.ContentType = oidData()
	return asn1.Marshal(info)
}

func signatureAlgorithm(public crypto.PublicKey) (pkix.AlgorithmIdentifier, error) {
	switch public.(type) {
	case *ecdsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256()}, nil
	case *rsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidRSAWithSHA256(), Parameters: asn1.NullRawValue}, nil
	}
	return pkix.AlgorithmIdentifier{}, fmt.Errorf("key type %T cannot seal: want ECDSA or RSA", public)
}

// signedAttributes returns the DER of the SET that is signed (RFC 5652, section 5.4). It names every
// certificate of the chain, so that none of them can be exchanged without breaking the signature.
func signedAttributes(chain []*x509.Certificate, content Content) ([]byte, error) {
	var named signingCertificateV2
	for _, c := range chain {
		hash := sha256.Sum256(c.Raw)
		named.Certs = append(named.Certs, essCertID{hash[:]})
	}
	values := []value{{oidContentType(), oidData()}, {oidMessageDigest(), content.Digest[:]}, {oidSigningCertificateV2(), named}}
	if len(content.SM2) > 0 {
		values = append(values, value{oidSM2SignedData(), asn1.RawValue{FullBytes: content.SM2}})
	}
	return encodeAttributes(values)
}

// value is an attribute that has one.
type value struct {
	oid   asn1.ObjectIdentifier
	value any
}

func encodeAttributes(values []value) ([]byte, error) {
	var attributes []attribute
	for _, v := range values {
		der, err := asn1.Marshal(v.value)
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, attribute{v.oid, []asn1.RawValue{{FullBytes: der}}})
	}
	return asn1.MarshalWithParams(attributes, "set")
}

// setOf concatenates the certificates in the order that DER wants in a SET OF.
func setOf(chain []*x509.Certificate) []byte {
	sorted := slices.Clone(chain)
	slices.SortFunc(sorted, func(a, b *x509.Certificate) int { return bytes.Compare(a.Raw, b.Raw) })
	var der []byte
	for _, c := range sorted {
		der = append(der, c.Raw...)
	}
	return der
}

func retag(der []byte, tag byte) []byte {
	out := slices.Clone(der)
	out[0] = tag
	return out
}
