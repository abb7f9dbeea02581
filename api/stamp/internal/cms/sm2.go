package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"
)

func oidSM2Data() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 1}
}
func oidSM2SignedData() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 2}
}
func oidSM3() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 401} }
func oidSM2() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301, 1} }

// SM2Signature is a signature by SignSM2 whose value has been checked against its own certificate.
type SM2Signature struct {
	Chain  []*smx509.Certificate // the signer's first, then the others as they came along
	Digest [sm3.Size]byte        // of the content, by SM3
}

// SignSM2 signs the SM3 digest of the content with SM2, as a detached SignedData of GB/T 35275-2017 with the signed
// attributes contentType and messageDigest. The signer gets SM3(ZA ‖ attributes) and no options. chain[0] is the
// signer's own certificate; all of chain is included. The result is DER.
func SignSM2(rand io.Reader, signer crypto.Signer, chain []*smx509.Certificate, digest [sm3.Size]byte) ([]byte, error) {
	attributes, err := encodeAttributes([]value{{oidContentType(), oidSM2Data()}, {oidMessageDigest(), digest[:]}})
	if err != nil {
		return nil, fmt.Errorf("encode signed attributes: %w", err)
	}
	toSign, err := hashSM2(chain[0], attributes)
	if err != nil {
		return nil, err
	}
	signature, err := signer.Sign(rand, toSign, nil)
	if err != nil {
		return nil, fmt.Errorf("sign with SM2: %w", err)
	}
	var certificates []byte
	for _, c := range chain {
		certificates = append(certificates, c.Raw...)
	}
	info := contentInfo{ContentType: oidSM2SignedData(), Content: signedData{
		Version:          1,
		DigestAlgorithms: []pkix.AlgorithmIdentifier{{Algorithm: oidSM3()}},
		Certificates:     asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: certificates},
		SignerInfos: []signerInfo{{
			Version:            1,
			SID:                issuerAndSerial{asn1.RawValue{FullBytes: chain[0].RawIssuer}, chain[0].SerialNumber},
			DigestAlgorithm:    pkix.AlgorithmIdentifier{Algorithm: oidSM3()},
			SignedAttributes:   asn1.RawValue{FullBytes: retag(attributes, 0xA0)},
			SignatureAlgorithm: pkix.AlgorithmIdentifier{Algorithm: oidSM2()},
			Signature:          signature,
		}},
	}}
	info.Content.EncapContentInfo.ContentType = oidSM2Data()
	return asn1.Marshal(info)
}

// hashSM2 is what is signed of a message (GB/T 32918.2, with the signer's default distinguishing identifier).
func hashSM2(c *smx509.Certificate, message []byte) ([]byte, error) {
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != sm2.P256() {
		return nil, fmt.Errorf("%w: no SM2 key", ErrMalformed)
	}
	hash, err := sm2.CalculateSM2Hash(public, message, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return hash, nil
}

// ParseSM2 reads what SignSM2 made, and checks the signature value. It fails with ErrMalformed or ErrBroken.
func ParseSM2(der []byte) (*SM2Signature, error) {
	var info contentInfo
	rest, err := asn1.Unmarshal(der, &info)
	if err != nil || len(rest) > 0 || !info.ContentType.Equal(oidSM2SignedData()) || len(info.Content.SignerInfos) != 1 {
		return nil, fmt.Errorf("%w: no SM2 signature by one signer", ErrMalformed)
	}
	s, signer := &SM2Signature{}, info.Content.SignerInfos[0]
	if s.Chain, err = smx509.ParseCertificates(info.Content.Certificates.Bytes); err != nil || len(s.Chain) == 0 {
		return nil, fmt.Errorf("%w: no certificates of an SM2 signature", ErrMalformed)
	}
	if !bytes.Equal(s.Chain[0].RawIssuer, signer.SID.Issuer.FullBytes) || s.Chain[0].SerialNumber.Cmp(signer.SID.Serial) != 0 {
		return nil, fmt.Errorf("%w: the signer's certificate is not the first", ErrMalformed)
	}
	var attributes []attribute
	signed := append([]byte{0x31}, signer.SignedAttributes.FullBytes[min(1, len(signer.SignedAttributes.FullBytes)):]...)
	if rest, err := asn1.UnmarshalWithParams(signed, &attributes, "set"); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%w: unreadable signed attributes", ErrMalformed)
	}
	for _, a := range attributes {
		var digest []byte
		if !a.Type.Equal(oidMessageDigest()) || len(a.Values) != 1 {
			continue
		}
		if _, err := asn1.Unmarshal(a.Values[0].FullBytes, &digest); err == nil && len(digest) == sm3.Size {
			s.Digest = [sm3.Size]byte(digest)
		}
	}
	hash, err := hashSM2(s.Chain[0], signed)
	if err != nil {
		return nil, err
	}
	if s.Digest == [sm3.Size]byte{} || !sm2.VerifyASN1(s.Chain[0].PublicKey.(*ecdsa.PublicKey), hash, signer.Signature) {
		return nil, fmt.Errorf("%w: of SM2", ErrBroken)
	}
	return s, nil
}
