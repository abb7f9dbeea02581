package stamp

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"testing"
	"time"
)

// testStamper is a stamper with the roots that trust it.
type testStamper struct {
	*Stamper
	ca    *x509.Certificate
	roots *x509.CertPool
	now   time.Time
}

func newTestStamper(t testing.TB) testStamper {
	t.Helper()
	now := time.Now()
	ca, chain, key, err := NewDemoAuthority(now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return stamperWith(t, ca, chain, key, now)
}

func stamperWith(t testing.TB, ca *x509.Certificate, chain []*x509.Certificate, key crypto.Signer, now time.Time) testStamper {
	t.Helper()
	s, err := New(Config{
		Signer: key, Chain: chain, Now: func() time.Time { return now },
		SealName: "青川市档案馆", SealPurpose: "档案证明专用章", SealNumber: "1101080012345",
	})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	return testStamper{s, ca, roots, now}
}
