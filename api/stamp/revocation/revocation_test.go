package revocation_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dangan/api/stamp/revocation"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newChain is a certificate that names the address, and its root with the root's key.
func newChain(t testing.TB, address ...string) ([]*x509.Certificate, crypto.Signer) {
	t.Helper()
	rootKey, leafKey := newKey(t), newKey(t)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, CRLDistributionPoints: address,
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	var chain []*x509.Certificate
	for _, c := range []struct {
		template *x509.Certificate
		key      *ecdsa.PrivateKey
	}{{leaf, leafKey}, {root, rootKey}} {
		der, err := x509.CreateCertificate(rand.Reader, c.template, root, &c.key.PublicKey, rootKey)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, made)
	}
	return chain, rootKey
}

func list(t *testing.T, chain []*x509.Certificate, key crypto.Signer, revoked ...int64) []byte {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(3 * time.Hour)}
	for _, serial := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, chain[1], key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestFiles: a file may be PEM or DER, is read anew each time, and one of somebody else does no harm.
func TestFiles(t *testing.T) {
	chain, key := newChain(t)
	others, othersKey := newChain(t)
	path, other := filepath.Join(t.TempDir(), "list"), filepath.Join(t.TempDir(), "other")
	l := &revocation.Finder{Files: []string{other, path}, Now: time.Now}
	put := func(path string, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(other, list(t, others, othersKey, 2))
	good := list(t, chain, key, 7)
	for _, tt := range []struct {
		name string
		raw  []byte
		want error
	}{
		{"DER", good, nil},
		{"PEM", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: good}), nil},
		{"revoked", list(t, chain, key, 7, 2), revocation.ErrRevoked},
		{"garbage", []byte("hello"), revocation.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			put(path, tt.raw)
			if proof, err := l.Prove(t.Context(), chain); !errors.Is(err, tt.want) || (len(proof.Lists) == 0) != (tt.want == revocation.ErrUnavailable) {
				t.Errorf("%d lists, %v", len(proof.Lists), err)
			}
		})
	}
	if _, err := l.Prove(t.Context(), chain[:1]); !errors.Is(err, revocation.ErrUnavailable) {
		t.Errorf("without the root: %v", err)
	}
	if proof, err := l.Prove(t.Context(), chain[1:]); err != nil || len(proof.Lists) > 0 {
		t.Errorf("of a root: %d lists, %v", len(proof.Lists), err)
	}
}

// TestKeptForAnHour: the address is asked once an hour, and what was kept outlasts an outage no longer than that.
func TestKeptForAnHour(t *testing.T) {
	var answer []byte
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	chain, key := newChain(t, "ldap://example.test/list", server.URL)
	answer = list(t, chain, key)
	now := time.Now()
	l := &revocation.Finder{HTTP: server.Client(), Now: func() time.Time { return now }}
	for range 3 {
		if _, err := l.Prove(t.Context(), chain); err != nil {
			t.Fatal(err)
		}
	}
	answer, now = []byte("out of order"), now.Add(time.Hour+time.Second)
	if _, err := l.Prove(t.Context(), chain); !errors.Is(err, revocation.ErrUnavailable) || asked != 2 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}
