package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"dangan/api/stamp"
	"dangan/api/stamp/remote"
	"dangan/api/stamp/revocation"
	"dangan/api/stamp/timestamp"
)

// signerTimeout is how long a signature may take: a person may have to press a button.
const signerTimeout = time.Minute

// openSeal makes the sealer of the settings.
func (s *settings) openSeal(ctx context.Context, log *slog.Logger) (*sealer, error) {
	signer, chain, err := s.openSigner(ctx, log)
	if err != nil {
		return nil, err
	}
	seal := newSealer(signer, chain, s.publicURL)
	if s.sm2Key != "" {
		if seal.sm2, err = loadSM2(s.sm2Cert, s.sm2Key, s.signerPass); err != nil {
			return nil, err
		}
	}
	if s.tsaURL != "" {
		if seal.dates, err = newTimestamps(s.tsaURL, s.tsaCert); err != nil {
			return nil, err
		}
		if seal.clocks, err = readCertificates(s.tsaCert); err != nil {
			return nil, fmt.Errorf("--tsa-cert-file: %w", err)
		}
	}
	if s.sealProof {
		finder := &revocation.Finder{HTTP: &http.Client{Timeout: 15 * time.Second}, Now: time.Now}
		if s.sealCRLs != "" {
			finder.Files = strings.Split(s.sealCRLs, ",")
		}
		seal.proves = finder
	}
	return seal, nil
}

// openSigner opens the key file, or finds out about the process that signs. That one may come later: then certificates
// wait.
func (s *settings) openSigner(ctx context.Context, log *slog.Logger) (crypto.Signer, []*x509.Certificate, error) {
	if s.signerAt == "" {
		return loadSigner(s.signerCert, s.signerKey, s.signerPass)
	}
	chain, err := readCertificates(s.signerCert)
	if err != nil {
		return nil, nil, fmt.Errorf("--signer-cert-file: %w", err)
	}
	signer := remote.New(s.signerAt, chain[0].PublicKey, signerTimeout)
	if err := stamp.CheckSeal(signer, chain); err != nil {
		return nil, nil, err
	}
	if err := signer.Check(ctx); errors.Is(err, remote.ErrUnavailable) {
		log.WarnContext(ctx, "the signer is away, certificates wait for it", "error", err)
	} else if err != nil {
		return nil, nil, fmt.Errorf("--signer-socket: %w", err)
	}
	return signer, chain, nil
}

func newTimestamps(url, certPath string) (*timestamp.Client, error) {
	roots, err := readPool(certPath)
	if err != nil {
		return nil, fmt.Errorf("--tsa-cert-file: %w", err)
	}
	return &timestamp.Client{URL: url, Roots: roots, HTTP: &http.Client{Timeout: 15 * time.Second}, Now: time.Now}, nil
}
