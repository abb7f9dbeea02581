package stamp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"time"
)

// NewDemoAuthority makes a root and a seal certificate under it for demonstrations and tests, valid from a
// day before now for ten and five years. The chain is the seal's certificate, then the root. A real office
// gets its certificate from a licensed authority (电子认证服务机构) and never from here.
func NewDemoAuthority(now time.Time, rand io.Reader) (ca *x509.Certificate, chain []*x509.Certificate, signer crypto.Signer, err error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make demo root key: %w", err)
	}
	sealKey, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make demo seal key: %w", err)
	}
	root := demoTemplate("dangan demo root", now, 10)
	root.IsCA, root.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	ca, err = demoCertificate(rand, root, root, rootKey.Public(), rootKey)
	if err != nil {
		return nil, nil, nil, err
	}
	leaf := demoTemplate("dangan demo seal", now, 5)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	seal, err := demoCertificate(rand, leaf, ca, sealKey.Public(), rootKey)
	if err != nil {
		return nil, nil, nil, err
	}
	return ca, []*x509.Certificate{seal, ca}, sealKey, nil
}

func demoTemplate(name string, now time.Time, years int) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name, Organization: []string{"dangan demo"}, Country: []string{"CN"}},
		NotBefore:             now.AddDate(0, 0, -1),
		NotAfter:              now.AddDate(years, 0, 0),
		BasicConstraintsValid: true,
	}
}

func demoCertificate(rand io.Reader, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	serial := make([]byte, 15)
	if _, err := io.ReadFull(rand, serial); err != nil {
		return nil, fmt.Errorf("make demo serial number: %w", err)
	}
	template.SerialNumber = new(big.Int).SetBytes(append([]byte{1}, serial...))
	der, err := x509.CreateCertificate(rand, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("make demo certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}
