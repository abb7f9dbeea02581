package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/youmark/pkcs8"

	"dangan/api/stamp"
)

// loadSigner reads the seal's certificate chain and its private key, and checks that they can seal. An
// encrypted key needs the file of its passphrase.
func loadSigner(certPath, keyPath, passphrasePath string) (crypto.Signer, []*x509.Certificate, error) {
	chain, err := readCertificates(certPath)
	if err != nil {
		return nil, nil, fmt.Errorf("--signer-cert-file: %w", err)
	}
	raw, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, nil, fmt.Errorf("--signer-key-file: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, nil, fmt.Errorf("--signer-key-file: %s holds no PEM block", keyPath)
	}
	key, err := openKey(block, keyPath, passphrasePath)
	if err != nil {
		return nil, nil, fmt.Errorf("--signer-key-file: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("--signer-key-file: %s cannot sign", keyPath)
	}
	return signer, chain, stamp.CheckSeal(signer, chain)
}

// openKey leaves out what a library says of a key or a passphrase.
func openKey(block *pem.Block, path, passphrasePath string) (any, error) {
	if block.Type != "ENCRYPTED PRIVATE KEY" {
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s is not a PKCS #8 key", path)
		}
		return key, nil
	}
	if passphrasePath == "" {
		return nil, fmt.Errorf("%s is encrypted: --signer-passphrase-file is required", path)
	}
	passphrase, err := readSecret("signer-passphrase-file", passphrasePath)
	if err != nil {
		return nil, err
	}
	key, err := pkcs8.ParsePKCS8PrivateKey(block.Bytes, []byte(passphrase))
	if err != nil {
		return nil, fmt.Errorf("%s does not open with the passphrase", path)
	}
	return key, nil
}

func readCertificates(path string) ([]*x509.Certificate, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return chain, nil
}

// readPool reads whom to trust.
func readPool(path string) (*x509.CertPool, error) {
	certificates, err := readCertificates(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool, nil
}
