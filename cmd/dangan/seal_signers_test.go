package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/api/stamp"
	"dangan/api/stamp/remote"
	"dangan/archive"
	"dangan/internal/testenv"
)

// TestRemoteSigner: a certificate waits while the process that signs is away, whenever that happens, and is sealed when
// it is back; one with another key is refused at the start.
func TestRemoteSigner(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := keepSeal(dir, "http://example.test"); err != nil {
		t.Fatal(err)
	}
	key, _, err := loadSigner(filepath.Join(dir, "seal.pem"), filepath.Join(dir, "seal.key"), "")
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	s := settings{signerCert: filepath.Join(dir, "seal.pem"), signerAt: filepath.Join(dir, "socket"), publicURL: "http://example.test"}
	seal, err := s.openSeal(t.Context(), slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil || !strings.Contains(logged.String(), "the signer is away") {
		t.Fatalf("%v, %s", err, logged.String())
	}
	for range 2 {
		var coded interface{ Code() string }
		if _, err := seal.Stamp(t.Context(), aCertificate()); !errors.Is(err, archive.ErrUnavailable) || !errors.As(err, &coded) || coded.Code() != "signer_unavailable" {
			t.Errorf("while it is away: %v", err)
		}
		l, err := remote.Listen(s.signerAt)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- remote.Serve(ctx, l, key, slog.New(slog.DiscardHandler)) }()
		if _, err := seal.Stamp(t.Context(), aCertificate()); err != nil {
			t.Error(err)
		}
		other := settings{signerCert: filepath.Join(dir, "tsa.pem"), signerAt: s.signerAt}
		if _, err := other.openSeal(t.Context(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "--signer-socket") {
			t.Errorf("with the certificate of another key: %v", err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestCertificateWaitsForItsSigner, visibly, and is issued when it is back.
func TestCertificateWaitsForItsSigner(t *testing.T) {
	dir := t.TempDir()
	kept, stop, err := keepSeal(dir, "http://example.test")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	socket := filepath.Join(dir, "socket")
	r := newRig(t, newReader(t), newSealer(remote.New(socket, kept.chain[0].PublicKey, time.Minute), kept.chain, "http://example.test"))
	id := r.reviewed(t)
	if err := r.approve(r.actor("approver"), id); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.drain(); !errors.Is(err, archive.ErrUnavailable) {
			t.Errorf("with nobody to sign: %v", err)
		}
	}
	waiting, err := r.house.certificates.Certificate(t.Context(), r.actor("approver"), id)
	if err != nil || waiting.Value.State != archive.CertSealFailed || waiting.Value.Failure != "signer_unavailable" {
		t.Errorf("%s %s, %v", waiting.Value.State, waiting.Value.Failure, err)
	}
	l, err := remote.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	ctx, end := context.WithCancel(t.Context())
	go func() { done <- remote.Serve(ctx, l, kept.signer, slog.New(slog.DiscardHandler)) }()
	r.settle()
	r.checkIssued(t, id)
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestSM2: keys and certificates that openssl makes sign in each seal, and verify says so.
func TestSM2(t *testing.T) {
	dir := t.TempDir()
	seal, stop, err := keepSeal(dir, "http://example.test")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	at := func(name string) string { return filepath.Join(dir, name) }
	openssl := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(testenv.Path(t, "openssl"), args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if err := os.WriteFile(at("pass"), []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	openssl("ecparam", "-genkey", "-name", "SM2", "-noout", "-out", at("sm2.ec"))
	openssl("pkcs8", "-topk8", "-nocrypt", "-in", at("sm2.ec"), "-out", at("sm2.key"))
	openssl("pkcs8", "-topk8", "-in", at("sm2.ec"), "-out", at("sm2.locked"), "-passout", "file:"+at("pass"))
	openssl("req", "-x509", "-new", "-sm3", "-key", at("sm2.key"), "-subj", "/CN=SM2 seal", "-days", "30", "-addext", "keyUsage=digitalSignature,keyCertSign",
		"-sigopt", "distid:1234567812345678", "-out", at("sm2.pem"))
	for _, key := range []string{"sm2.key", "sm2.locked"} {
		if seal.sm2, err = loadSM2(at("sm2.pem"), at(key), at("pass")); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	for want, key := range map[string]string{"not a PKCS #8": "seal.key", "no PEM block": "pass", "no such file": "none"} {
		if _, err := loadSM2(at("sm2.pem"), at(key), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", key, err)
		}
	}
	pdf, err := seal.Stamp(t.Context(), aCertificate())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("c.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, name := range []string{"trust.pem", "sm2.pem"} {
		raw, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	if err := os.WriteFile(at("all.pem"), all, 0o600); err != nil {
		t.Fatal(err)
	}
	for trust, want := range map[string]string{"all.pem": `by "SM2 seal", is sound and by a trusted office`, "trust.pem": "nobody vouches for it", "sm2.pem": string(stamp.Unknown)} {
		var out bytes.Buffer
		err := run(t.Context(), []string{"verify", at("c.pdf"), "--trust", at(trust)}, nil, nil, &out, &out)
		if (err == nil) != (trust != "sm2.pem") || !strings.Contains(out.String(), want) || strings.Contains(out.String(), string(stamp.Valid)) != (err == nil) {
			t.Errorf("with %s: %v\n%s", trust, err, out.String())
		}
	}
}
