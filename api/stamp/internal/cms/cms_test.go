package cms_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"dangan/api/stamp/internal/cms"
)

func certificate(t testing.TB, name string, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keys(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"ECDSA": ec, "RSA": rs}
}

func TestParseReturnsWhatWasSigned(t *testing.T) {
	for name, key := range keys(t) {
		t.Run(name, func(t *testing.T) {
			chain := []*x509.Certificate{certificate(t, "seal", key), certificate(t, "issuer", key), certificate(t, "root", key)}
			digest := sha256.Sum256([]byte("content"))
			der, err := cms.Sign(rand.Reader, key, chain, cms.Content{Digest: digest}, nil)
			if err != nil {
				t.Fatal(err)
			}
			s, err := cms.Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if s.Digest != digest || len(s.Chain) != 3 {
				t.Fatalf("digest %x, %d certificates", s.Digest, len(s.Chain))
			}
			for i := range chain {
				if !s.Chain[i].Equal(chain[i]) {
					t.Errorf("certificate %d is %v", i, s.Chain[i].Subject)
				}
			}
		})
	}
}

// TestEveryByteCounts changes each byte in turn, the certificates that nobody signed included.
func TestEveryByteCounts(t *testing.T) {
	key := keys(t)["ECDSA"]
	chain := []*x509.Certificate{certificate(t, "seal", key), certificate(t, "root", key)}
	der, err := cms.Sign(rand.Reader, key, chain, cms.Content{Digest: sha256.Sum256([]byte("content"))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range der {
		der[i] ^= 1
		if _, err := cms.Parse(der); err == nil {
			t.Errorf("a change of byte %d of %d went unnoticed", i, len(der))
		}
		der[i] ^= 1
	}
	if _, err := cms.Parse(append(der, 0)); !errors.Is(err, cms.ErrMalformed) {
		t.Errorf("a byte more: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	key := keys(f)["ECDSA"]
	der, err := cms.Sign(rand.Reader, key, []*x509.Certificate{certificate(f, "seal", key)}, cms.Content{Digest: sha256.Sum256([]byte("content"))}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := cms.Parse(der)
		if (err == nil) != (s != nil) {
			t.Fatalf("signature %v with error %v", s, err)
		}
		if err != nil && !errors.Is(err, cms.ErrMalformed) && !errors.Is(err, cms.ErrBroken) {
			t.Fatalf("an error of no kind: %v", err)
		}
	})
}

func FuzzParseSM2(f *testing.F) {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	template := &smx509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	raw, err := smx509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	c, err := smx509.ParseCertificate(raw)
	if err != nil {
		f.Fatal(err)
	}
	digest := [32]byte{1}
	der, err := cms.SignSM2(rand.Reader, key, []*smx509.Certificate{c}, digest)
	if err != nil {
		f.Fatal(err)
	}
	if s, err := cms.ParseSM2(der); err != nil || s.Digest != digest || !s.Chain[0].Equal(c) {
		f.Fatal(s, err)
	}
	f.Add(der)
	f.Add(der[:len(der)/2])
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := cms.ParseSM2(der)
		if (err == nil) != (s != nil) {
			t.Fatalf("signature %v with error %v", s, err)
		}
		if err != nil && !errors.Is(err, cms.ErrMalformed) && !errors.Is(err, cms.ErrBroken) {
			t.Fatalf("an error of no kind: %v", err)
		}
	})
}
