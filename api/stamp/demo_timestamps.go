package stamp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"time"

	"dangan/api/stamp/timestamp"
)

// NewDemoTimestamps makes a root and a time-stamp authority under it for demonstrations and tests, valid like
// those of NewDemoAuthority. What it says is worth as much as this machine's clock.
func NewDemoTimestamps(now time.Time, rand io.Reader) (ca *x509.Certificate, server *timestamp.Server, err error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, nil, fmt.Errorf("make demo root key: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, nil, fmt.Errorf("make demo time-stamp key: %w", err)
	}
	root := demoTemplate("dangan demo time root", now, 10)
	root.IsCA, root.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	if ca, err = demoCertificate(rand, root, root, rootKey.Public(), rootKey); err != nil {
		return nil, nil, err
	}
	leaf := demoTemplate("dangan demo time", now, 5)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	if err := onlyTimeStamping(leaf); err != nil {
		return nil, nil, err
	}
	certificate, err := demoCertificate(rand, leaf, ca, key.Public(), rootKey)
	if err != nil {
		return nil, nil, err
	}
	return ca, &timestamp.Server{Signer: key, Certificate: certificate, Now: time.Now}, nil
}

// onlyTimeStamping is for crypto/x509, which writes extended key usages as not critical; RFC 3161, 2.3 wants
// this one critical.
func onlyTimeStamping(template *x509.Certificate) error {
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return fmt.Errorf("make demo certificate: %w", err)
	}
	template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}
	return nil
}
