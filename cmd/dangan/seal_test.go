package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/api/stamp"
	"dangan/api/stamp/revocation"
	"dangan/archive"
	"dangan/internal/testenv"
)

// TestEncryptedKeys opens keys that openssl has encrypted in its various ways.
func TestEncryptedKeys(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := keepSeal(dir, "http://example.test"); err != nil {
		t.Fatal(err)
	}
	cert, plain := filepath.Join(dir, "seal.pem"), filepath.Join(dir, "seal.key")
	right, wrong := filepath.Join(dir, "right"), filepath.Join(dir, "wrong")
	for path, word := range map[string]string{right: "correct horse\n", wrong: "battery staple\n"} {
		if err := os.WriteFile(path, []byte(word), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, how := range map[string][]string{
		"PBKDF2": {"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-iter", "10000"},
		"scrypt": {"-scrypt"},
	} {
		t.Run(name, func(t *testing.T) {
			key := filepath.Join(dir, name+".key")
			args := append([]string{"pkcs8", "-topk8", "-in", plain, "-out", key, "-passout", "file:" + right}, how...)
			if out, err := exec.Command(testenv.Path(t, "openssl"), args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if _, _, err := loadSigner(cert, key, right); err != nil {
				t.Error(err)
			}
			for pass, want := range map[string]string{wrong: "does not open", "": "--signer-passphrase-file is required"} {
				_, _, err := loadSigner(cert, key, pass)
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "battery") {
					t.Errorf("passphrase %q: %v", pass, err)
				}
			}
			if _, _, err := loadSigner(filepath.Join(dir, "tsa.pem"), key, right); err == nil {
				t.Error("a key of another certificate was accepted")
			}
		})
	}
}

func TestSealIsWatched(t *testing.T) {
	s := newTestSealer(t)
	end := s.chain[0].NotAfter
	for _, tt := range []struct {
		name string
		now  time.Time
		want string
	}{
		{"long before", end.AddDate(0, 0, -61), ""},
		{"before", end.AddDate(0, 0, -59), `"level":"WARN","msg":"the seal's certificate expires soon"`},
		{"after", end.AddDate(0, 0, 1), `"level":"ERROR","msg":"nothing can be sealed"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var logged bytes.Buffer
			s.look(t.Context(), slog.New(slog.NewJSONHandler(&logged, nil)), tt.now)
			if !strings.Contains(logged.String(), tt.want) || tt.want == "" && logged.Len() > 0 {
				t.Error(logged.String())
			}
		})
	}
	m := newMetrics()
	m.seal(s)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "dangan_seal_certificate_expires_seconds" {
			if got, want := f.GetMetric()[0].GetGauge().GetValue(), time.Until(end).Seconds(); got < want-60 || got > want+60 {
				t.Errorf("%g seconds, want %g", got, want)
			}
			return
		}
	}
	t.Error("no metric")
}

// TestSealWaits: what passes by itself is an outage with a code of its own.
func TestSealWaits(t *testing.T) {
	authority := httptest.NewServer(http.NotFoundHandler())
	defer authority.Close()
	dir := t.TempDir()
	timed, stop, err := keepSeal(dir, "http://example.test")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	_, chain, signer, err := stamp.NewDemoAuthority(time.Now().AddDate(-6, 0, 0), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	unproven := newTestSealer(t)
	unproven.proves = &revocation.Finder{Now: time.Now} // and its certificate names no address
	for code, s := range map[string]*sealer{
		"timestamp_unavailable": timed, "revocation_unavailable": unproven,
		"seal_expired": newSealer(signer, chain, "http://example.test"),
	} {
		var coded interface{ Code() string }
		pdf, err := s.Stamp(t.Context(), aCertificate())
		if len(pdf) > 0 || !errors.Is(err, archive.ErrUnavailable) || !errors.As(err, &coded) || coded.Code() != code {
			t.Errorf("%s: %d bytes, %v", code, len(pdf), err)
		}
	}
}

// TestDemonstrationIsDated: time-stamps come with the demonstration, and go on with its folder.
func TestDemonstrationIsDated(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		s, stop, err := keepSeal(dir, "http://example.test")
		if err != nil {
			t.Fatal(err)
		}
		pdf, err := s.Stamp(context.Background(), aCertificate())
		stop()
		if err != nil {
			t.Fatal(err)
		}
		roots, err := readPool(filepath.Join(dir, "trust.pem"))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := stamp.Verify(pdf, roots, time.Now()); err != nil || r.Word != stamp.Valid || r.Dated.IsZero() {
			t.Errorf("%s: %s, %v", r.Word, r.Why, err)
		}
	}
	trust, err := os.ReadFile(filepath.Join(dir, "trust.pem"))
	if err != nil || bytes.Count(trust, []byte("BEGIN CERTIFICATE")) != 2 {
		t.Errorf("%s, %v", trust, err)
	}
}

func aCertificate() archive.Certificate {
	return archive.Certificate{
		ID: "c", Office: "qc", Number: "青档证〔2026〕000001号", Code: "AAAA-BBBB-CCCC", Language: "zh",
		Issuer: archive.Label{ZH: "青川市档案馆"}, Title: archive.Label{ZH: "婚姻登记档案证明"}, Matter: archive.Label{ZH: "婚姻登记"},
		Holder: "张三", HolderID: "999999********0016", Purpose: "办理房产", IssuedAt: time.Now(), SealNumber: "1",
		Statements: []archive.Statement{{Text: "二人于2010年5月20日登记。", Source: archive.Citation{RefCode: "J1", File: 1, Page: 1}}},
	}
}
