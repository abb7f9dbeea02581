package revocation_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"dangan/api/stamp/revocation"
)

// newAnswered is a chain whose certificate names addresses for lists and for answers.
func newAnswered(t testing.TB, lists, answers []string) ([]*x509.Certificate, crypto.Signer) {
	t.Helper()
	chain, key := newChain(t, lists...)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, CRLDistributionPoints: lists, OCSPServer: answers,
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	return []*x509.Certificate{signed(t, template, chain[1], newKey(t).Public(), key), chain[1]}, key
}

func signed(t testing.TB, template, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answer is what somebody says of a certificate now.
func answer(t testing.TB, r ocsp.Response, issuer, by *x509.Certificate, key crypto.Signer) []byte {
	t.Helper()
	if r.ThisUpdate.IsZero() {
		r.ThisUpdate = time.Now().Add(-time.Minute)
	}
	if r.NextUpdate.IsZero() {
		r.NextUpdate = time.Now().Add(3 * time.Hour)
	}
	r.SerialNumber = big.NewInt(max(2, r.SerialNumber.Int64()))
	der, err := ocsp.CreateResponse(issuer, by, r, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestAnswers: an answer is asked for where there is no list of a bearable size, and counts when the issuer gave it,
// or somebody entitled to.
func TestAnswers(t *testing.T) {
	var short, reply []byte
	asked := 0
	mux := http.NewServeMux()
	mux.HandleFunc("/list", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(short) })
	mux.HandleFunc("/answer", func(w http.ResponseWriter, r *http.Request) {
		asked++
		raw, err := io.ReadAll(r.Body)
		if question, bad := ocsp.ParseRequest(raw); err != nil || bad != nil || question.SerialNumber.Int64() != 2 {
			t.Errorf("asked %x: %v", raw, bad)
		}
		_, _ = w.Write(reply)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	chain, key := newAnswered(t, []string{server.URL + "/list"}, []string{"ldap://example.test", server.URL + "/answer"})
	root := chain[1]
	others, othersKey := newChain(t)
	deputyKey := newKey(t)
	deputy := func(usage ...x509.ExtKeyUsage) *x509.Certificate {
		return signed(t, &x509.Certificate{SerialNumber: big.NewInt(9), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: usage}, root, deputyKey.Public(), key)
	}
	good := ocsp.Response{Status: ocsp.Good, SerialNumber: new(big.Int)}
	entitled, not := deputy(x509.ExtKeyUsageOCSPSigning), deputy(x509.ExtKeyUsageClientAuth)
	with := func(r ocsp.Response, c *x509.Certificate) ocsp.Response { r.Certificate = c; return r }
	for _, tt := range []struct {
		name  string
		reply []byte
		want  error
	}{
		{"good", answer(t, good, root, root, key), nil},
		{"by a deputy", answer(t, with(good, entitled), root, entitled, deputyKey), nil},
		{"by somebody with a certificate", answer(t, with(good, not), root, not, deputyKey), revocation.ErrUnavailable},
		{"by a stranger", answer(t, good, others[1], others[1], othersKey), revocation.ErrUnavailable},
		{"revoked", answer(t, ocsp.Response{Status: ocsp.Revoked, SerialNumber: new(big.Int), RevokedAt: time.Now()}, root, root, key), revocation.ErrRevoked},
		{"not known", answer(t, ocsp.Response{Status: ocsp.Unknown, SerialNumber: new(big.Int)}, root, root, key), revocation.ErrUnavailable},
		{"of another certificate", answer(t, ocsp.Response{Status: ocsp.Good, SerialNumber: big.NewInt(3)}, root, root, key), revocation.ErrUnavailable},
		{"old", answer(t, ocsp.Response{Status: ocsp.Good, SerialNumber: new(big.Int), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: time.Now().Add(-time.Hour)}, root, root, key), revocation.ErrUnavailable},
		{"too long", make([]byte, 17<<10), revocation.ErrUnavailable},
		{"nothing", ocsp.TryLaterErrorResponse, revocation.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &revocation.Finder{HTTP: server.Client(), Now: time.Now}
			short, reply = make([]byte, 257<<10), tt.reply // a list too long to carry along
			proof, err := f.Prove(t.Context(), chain)
			if !errors.Is(err, tt.want) || (len(proof.Answers) == 1) != (tt.want != revocation.ErrUnavailable) || len(proof.Lists) > 0 {
				t.Errorf("%d answers, %v", len(proof.Answers), err)
			}
		})
	}
	asked, reply = 0, answer(t, good, root, root, key)
	f := &revocation.Finder{HTTP: server.Client(), Now: time.Now}
	for range 3 {
		if _, err := f.Prove(t.Context(), chain); err != nil || asked != 1 {
			t.Errorf("asked %d times, %v", asked, err)
		}
	}
	short = list(t, chain, key)
	if proof, err := f.Prove(t.Context(), chain); err != nil || len(proof.Lists) != 1 || asked != 1 {
		t.Errorf("a list that can be had: %d, %v", len(proof.Lists), err)
	}
}

func FuzzParseAnswer(f *testing.F) {
	chain, key := newAnswered(f, nil, nil)
	f.Add(answer(f, ocsp.Response{Status: ocsp.Good, SerialNumber: new(big.Int)}, chain[1], chain[1], key))
	f.Add(ocsp.TryLaterErrorResponse)
	f.Fuzz(func(t *testing.T, der []byte) {
		a, err := revocation.ParseAnswer(der, chain[0], chain[1])
		if err == nil && a.SerialNumber.Cmp(chain[0].SerialNumber) != 0 {
			t.Fatal("an answer about another certificate")
		}
	})
}
