package stamp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dangan/api/stamp/internal/cms"
	"dangan/api/stamp/timestamp"
)

// datedStamper seals B-T under an authority that the test can stop.
type datedStamper struct {
	testStamper
	timeCA *x509.Certificate
	server *timestamp.Server
	http   *httptest.Server
}

func newDatedStamper(t testing.TB, base testStamper) datedStamper {
	t.Helper()
	ca, server, err := NewDemoTimestamps(base.now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return datedBy(t, base, ca, server, nil)
}

func datedBy(t testing.TB, base testStamper, ca *x509.Certificate, server *timestamp.Server, proves Prover) datedStamper {
	t.Helper()
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	trust := x509.NewCertPool()
	trust.AddCert(ca)
	c := base.config
	c.Dates = &timestamp.Client{URL: h.URL, Roots: trust, HTTP: &http.Client{Timeout: 5 * time.Second}, Now: time.Now}
	c.Proves = proves
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	base.Stamper = s
	base.roots = base.roots.Clone()
	base.roots.AddCert(ca)
	return datedStamper{base, ca, server, h}
}

// signatureOf is the signature of a certificate.
func signatureOf(t *testing.T, pdf []byte) *cms.Signature {
	t.Helper()
	span, err := findSeal(pdf)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := cms.Parse(span.der)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// TestDated: programs of others accept the seal and the time-stamp.
func TestDated(t *testing.T) {
	for key, base := range map[string]testStamper{"ECDSA": newTestStamper(t), "RSA": newRSAStamper(t)} {
		t.Run(key, func(t *testing.T) {
			s := newDatedStamper(t, base)
			pdf := issue(t, s.testStamper, marriageSheet())
			if r := verdict(t, s.testStamper, pdf); r.Word != Valid || r.Dated.IsZero() {
				t.Fatalf("%s: %s", r.Word, r.Why)
			}
			file := write(t, "certificate.pdf", pdf)
			run(t, "qpdf", "--check", file)
			checkPDFSig(t, s.testStamper, file)
			checkOpenSSL(t, s.testStamper, pdf)
			signature := signatureOf(t, pdf)
			out := run(t, "openssl", "ts", "-verify", "-token_in", "-in", write(t, "token", signature.Token),
				"-digest", hex.EncodeToString(signature.Value[:]),
				"-CAfile", write(t, "root.pem", certificatePEM(s.timeCA)), "-untrusted", write(t, "tsa.pem", certificatePEM(s.server.Certificate)))
			if !strings.Contains(out, "Verification: OK") {
				t.Errorf("openssl ts: %s", out)
			}
		})
	}
}

// TestDatedOutlivesTheCertificate: a seal that somebody saw while its certificate was valid stays valid.
func TestDatedOutlivesTheCertificate(t *testing.T) {
	base := newTestStamper(t)
	s := newDatedStamper(t, base)
	pdf := issue(t, s.testStamper, marriageSheet())
	for _, tt := range []struct {
		name  string
		roots *x509.CertPool
		after time.Duration
		word  Word
		why   string
	}{
		{"now", s.roots, 0, Valid, "as its time-stamp says"},
		{"nobody vouches for the time", base.roots, 0, Valid, "nobody vouches for its time-stamp"},
		{"the authority has expired", s.roots, 6 * 366 * 24 * time.Hour, Unknown, "not by a trusted office"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Verify(pdf, tt.roots, s.now.Add(tt.after))
			if err != nil || r.Word != tt.word || !strings.Contains(r.Why, tt.why) {
				t.Errorf("%s: %s, %v", r.Word, r.Why, err)
			}
		})
	}
	s.server.Now = func() time.Time { return s.now.AddDate(-1, 0, 0) }
	if r := verdict(t, s.testStamper, issue(t, s.testStamper, marriageSheet())); r.Word != Unknown {
		t.Errorf("sealed before there was a certificate: %s: %s", r.Word, r.Why)
	}
}

// TestNothingIssuedWithoutTime: when the authority is away or answers badly, there is no certificate.
func TestNothingIssuedWithoutTime(t *testing.T) {
	s := newDatedStamper(t, newTestStamper(t))
	other := newDatedStamper(t, newTestStamper(t))
	good := s.server
	for name, handler := range map[string]http.Handler{
		"an error":          http.NotFoundHandler(),
		"not an answer":     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }),
		"another authority": other.server,
		"a key of another":  &timestamp.Server{Signer: other.server.Signer, Certificate: good.Certificate, Now: time.Now},
		"an old answer":     replay(good),
	} {
		t.Run(name, func(t *testing.T) {
			s.http.Config.Handler = handler
			if pdf, err := s.Issue(context.Background(), marriageSheet()); !errors.Is(err, timestamp.ErrUnavailable) || pdf != nil {
				t.Errorf("%d bytes, %v", len(pdf), err)
			}
		})
	}
	s.http.Config.Handler = good
	issue(t, s.testStamper, marriageSheet())
	s.http.Close()
	if _, err := s.Issue(context.Background(), marriageSheet()); !errors.Is(err, timestamp.ErrUnavailable) {
		t.Errorf("with nobody there: %v", err)
	}
}

// replay answers everything as it answered something else.
func replay(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		nonce := bytes.Index(raw, []byte{2, 8}) + 2 // an INTEGER of 8 bytes
		raw[nonce+7] ^= 1
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(raw)))
	})
}

// TestForgedTime: a time-stamp that was changed does not pass. The names of algorithms and versions around what
// an authority signed may read differently (docs/decisions/0010): then it says the same all the same.
func TestForgedTime(t *testing.T) {
	s := newDatedStamper(t, newTestStamper(t))
	pdf := issue(t, s.testStamper, marriageSheet())
	want, token := verdict(t, s.testStamper, pdf), signatureOf(t, pdf).Token
	at, passed := bytes.Index(pdf, []byte(hex.EncodeToString(token))), 0
	for i := range token {
		changed := bytes.Clone(token)
		changed[i] ^= 1
		hex.Encode(pdf[at:], changed)
		if r := verdict(t, s.testStamper, pdf); r.Word == Valid {
			passed++
			if !r.Dated.Equal(want.Dated) {
				t.Errorf("byte %d of %d of the token: %s, and it was %s", i, len(token), r.Dated, want.Dated)
			}
		}
	}
	if passed > 40 {
		t.Errorf("%d of %d bytes may be changed", passed, len(token))
	}
	if _, err := timestamp.Parse(token, sha256.Sum256(nil)); err == nil {
		t.Error("a token of something else was accepted")
	}
}
