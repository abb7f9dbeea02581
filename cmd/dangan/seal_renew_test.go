package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/api/stamp"
	"dangan/api/stamp/revocation"
	"dangan/api/stamp/timestamp"
	"dangan/archive"
	"dangan/internal/testenv"
	"dangan/storage"
)

// authority certifies a seal and time-stamp authorities, which it also is, and says that none was revoked.
type authority struct {
	t     *testing.T
	url   string
	key   *ecdsa.PrivateKey
	root  *x509.Certificate
	clock *timestamp.Server
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newECKey(t)}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(20, 0, 0)}
	a.root = template
	a.root = a.sign(template, a.key)
	h := httptest.NewServer(a)
	t.Cleanup(h.Close)
	a.url = h.URL
	return a
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) sign(template *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// ServeHTTP stamps, and publishes its list.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		a.clock.ServeHTTP(w, r)
		return
	}
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.root, a.key)
	if err != nil {
		a.t.Error(err)
	}
	_, _ = w.Write(der)
}

// certify issues a certificate that ends in days.
func (a *authority) certify(days int, extensions ...pkix.Extension) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key := newECKey(a.t)
	return a.sign(&x509.Certificate{SerialNumber: big.NewInt(int64(days)), Subject: pkix.Name{CommonName: "somebody"}, KeyUsage: x509.KeyUsageDigitalSignature,
		CRLDistributionPoints: []string{a.url}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, days), ExtraExtensions: extensions}, key), key
}

// newClock has time-stamps end in days.
func (a *authority) newClock(days int) {
	a.t.Helper()
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		a.t.Fatal(err)
	}
	c, key := a.certify(days, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage})
	a.clock = &timestamp.Server{Signer: key, Certificate: c, Now: time.Now}
}

// sealer seals B-LT.
func (a *authority) sealer() (*sealer, *x509.CertPool) {
	a.t.Helper()
	c, key := a.certify(1000)
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	s := newSealer(key, []*x509.Certificate{c, a.root}, "http://example.test")
	s.dates = &timestamp.Client{URL: a.url, Roots: roots, HTTP: http.DefaultClient, Now: time.Now}
	s.proves = &revocation.Finder{HTTP: http.DefaultClient, Now: time.Now}
	s.clocks = []*x509.Certificate{a.root}
	return s, roots
}

// TestCertificatesAreRenewed: what is due is renewed once, what was issued stays valid, and the bucket is sound.
func TestCertificatesAreRenewed(t *testing.T) {
	a := newAuthority(t)
	a.newClock(300)
	seal, roots := a.sealer()
	r := newRig(t, newReader(t), seal)
	id := r.reviewed(t)
	if err := r.approve(r.actor("approver"), id); err != nil {
		t.Fatal(err)
	}
	r.settle()
	number := r.numberOf(t, id)
	pdf := func() []byte {
		t.Helper()
		content, err := r.house.certificates.PDF(t.Context(), r.actor("citizen"), number)
		if err != nil {
			t.Fatal(err)
		}
		return readAll(t, content)
	}
	look := func(want renewals) error {
		t.Helper()
		found, err := r.house.renew(t.Context(), time.Now().Add(renewAhead), 0)
		if found != want {
			t.Errorf("%+v, want %+v: %v", found, want, err)
		}
		return err
	}
	issued := pdf()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.house.keepRenewed(ctx) }()
	for seal.due.Load() != 1 { // or the test runs into its time limit
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := look(renewals{Seen: 1, Due: 1}); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("by an authority that ends as soon: %v", err)
	}
	a.newClock(1800)
	for _, want := range []renewals{{1, 1, 1}, {1, 0, 0}} {
		if err := look(want); err != nil {
			t.Error(err)
		}
	}
	renewed := pdf()
	if !bytes.HasPrefix(renewed, issued) || len(renewed) == len(issued) {
		t.Errorf("%d bytes became %d", len(issued), len(renewed))
	}
	for name, pdf := range map[string][]byte{"issued": issued, "renewed": renewed} {
		if v, err := r.house.certificates.VerifyPDF(t.Context(), pdf); err != nil || v.Verdict != archive.Valid || v.Number != number {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	if result, err := stamp.Verify(renewed, roots, time.Now().AddDate(4, 0, 0)); err != nil || result.Word != stamp.Valid {
		t.Errorf("in four years: %s: %s, %v", result.Word, result.Why, err)
	}
	for finding, err := range storage.Check(t.Context(), r.house.bucket, storage.CheckConfig{Age: time.Nanosecond}) {
		t.Errorf("%+v, %v", finding, err)
	}
	r.restart()
	if err := look(renewals{Seen: 1}); err != nil {
		t.Error(err)
	}
}

// TestOneRenewsAtATime: two would write the same certificates twice.
func TestOneRenewsAtATime(t *testing.T) {
	r := newRig(t, newReader(t), newTestSealer(t))
	if _, err := r.house.bucket.Work().Acquire(t.Context(), renewLease, "another", time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := r.house.renew(t.Context(), time.Now(), 0); !errors.Is(err, archive.ErrConflict) {
		t.Error(err)
	}
}

// TestNothingIsRenewed without a time-stamp authority, nor without proof.
func TestNothingIsRenewed(t *testing.T) {
	s := newTestSealer(t)
	s.dates = &timestamp.Client{}
	if renewer(s) != nil || renewer(nil) != nil {
		t.Error("what would it renew with?")
	}
	for _, args := range [][]string{{"seal"}, {"seal", "wax"}, {"seal", "renew"}} {
		var out bytes.Buffer
		if err := run(t.Context(), args, nil, nil, &out, &out); err == nil {
			t.Errorf("%v: accepted", args)
		}
	}
}

// TestSealRenewCommand needs nothing but the bucket and the settings of the seal.
func TestSealRenewCommand(t *testing.T) {
	minio, dir := testenv.MinIO(t), t.TempDir()
	_, stop, err := keepSeal(dir, "http://example.test")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	secret := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	env := []string{"DANGAN_S3_ENDPOINT=http://" + minio.Endpoint, "DANGAN_S3_ACCESS_KEY=" + minio.AccessKey,
		"DANGAN_S3_SECRET_KEY_FILE=" + secret("s3.key", minio.SecretKey), "DANGAN_MEILI_URL=http://127.0.0.1:1",
		"DANGAN_ROOT_KEY_FILE=" + secret("root.key", strings.Repeat("0a", 32)), "DANGAN_PUBLIC_URL=http://127.0.0.1:1",
		"DANGAN_SIGNER_CERT_FILE=" + filepath.Join(dir, "seal.pem"), "DANGAN_SIGNER_KEY_FILE=" + filepath.Join(dir, "seal.key"),
		"DANGAN_TSA_URL=http://127.0.0.1:1", "DANGAN_TSA_CERT_FILE=" + filepath.Join(dir, "tsa.pem")}
	for _, tt := range []struct {
		args []string
		want string
		ok   bool
	}{
		{[]string{"seal", "renew"}, "needs --tsa-url and --seal-proof", false},
		{[]string{"seal", "--seal-proof", "renew"}, "0 certificates, 0 due, 0 renewed", true},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), tt.args, env, nil, &out, &out); (err == nil) != tt.ok || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%v: %v\n%s", tt.args, err, out.String())
		}
	}
}
