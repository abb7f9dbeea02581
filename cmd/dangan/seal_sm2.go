package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/emmansun/gmsm/pkcs8"
	"github.com/emmansun/gmsm/smx509"

	"dangan/api/stamp"
)

// loadSM2 reads certificate chain and private key of the SM2 signature, and checks that they can seal.
func loadSM2(certPath, keyPath, passphrasePath string) (*stamp.SM2Seal, error) {
	chain, err := readSM2Certificates(certPath)
	if err != nil {
		return nil, fmt.Errorf("--sm2-cert-file: %w", err)
	}
	raw, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, fmt.Errorf("--sm2-key-file: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("--sm2-key-file: %s holds no PEM block", keyPath)
	}
	var passphrase [][]byte
	if block.Type == "ENCRYPTED PRIVATE KEY" {
		secret, err := readSecret("signer-passphrase-file", passphrasePath)
		if err != nil {
			return nil, err
		}
		passphrase = [][]byte{[]byte(secret)}
	}
	key, err := pkcs8.ParsePKCS8PrivateKeySM2(block.Bytes, passphrase...)
	if err != nil { // which says nothing of the key
		return nil, fmt.Errorf("--sm2-key-file: %s is not a PKCS #8 key for SM2, or does not open with the passphrase", keyPath)
	}
	seal := &stamp.SM2Seal{Signer: key, Chain: chain}
	return seal, seal.Check()
}

// readTrust reads whom to trust: for seals and time-stamps, and for signatures with SM2.
func readTrust(path string) (*x509.CertPool, *smx509.CertPool, error) {
	certificates, err := readSM2Certificates(path)
	if err != nil {
		return nil, nil, err
	}
	pool, forSM2 := x509.NewCertPool(), smx509.NewCertPool()
	for _, c := range certificates {
		forSM2.AddCert(c)
		if usual, err := x509.ParseCertificate(c.Raw); err == nil {
			pool.AddCert(usual)
		}
	}
	return pool, forSM2, nil
}

// readSM2Certificates reads certificates with keys for SM2, or of another kind.
func readSM2Certificates(path string) ([]*smx509.Certificate, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var chain []*smx509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		c, err := smx509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return chain, nil
}
