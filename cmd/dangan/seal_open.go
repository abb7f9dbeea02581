package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"dangan/api/stamp/revocation"
	"dangan/api/stamp/timestamp"
)

// openSeal makes the sealer of the settings.
func (s *settings) openSeal() (*sealer, error) {
	signer, chain, err := loadSigner(s.signerCert, s.signerKey, s.signerPass)
	if err != nil {
		return nil, err
	}
	seal := newSealer(signer, chain, s.publicURL)
	if s.tsaURL != "" {
		if seal.dates, err = newTimestamps(s.tsaURL, s.tsaCert); err != nil {
			return nil, err
		}
	}
	if s.sealProof {
		lists := &revocation.Finder{HTTP: &http.Client{Timeout: 15 * time.Second}, Now: time.Now}
		if s.sealCRLs != "" {
			lists.Files = strings.Split(s.sealCRLs, ",")
		}
		seal.proves = lists
	}
	return seal, nil
}

func newTimestamps(url, certPath string) (*timestamp.Client, error) {
	roots, err := readPool(certPath)
	if err != nil {
		return nil, fmt.Errorf("--tsa-cert-file: %w", err)
	}
	return &timestamp.Client{URL: url, Roots: roots, HTTP: &http.Client{Timeout: 15 * time.Second}, Now: time.Now}, nil
}
