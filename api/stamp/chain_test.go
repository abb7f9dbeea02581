package stamp

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"testing"
	"time"
)

// authority is a root that tests issue certificates under.
type authority struct {
	root *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t testing.TB, now time.Time) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := demoTemplate("test root", now, 10)
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	root, err := demoCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return authority{root, key}
}

// seal issues a certificate for a new key, as change wants it.
func (a authority) seal(t testing.TB, now time.Time, change func(*x509.Certificate)) ([]*x509.Certificate, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := demoTemplate("test certificate", now, 1)
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	change(template)
	c, err := demoCertificate(rand.Reader, template, a.root, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return []*x509.Certificate{c, a.root}, key
}

func TestCheckSeal(t *testing.T) {
	now := time.Now()
	a, other := newAuthority(t, now), newAuthority(t, now)
	usage := func(u x509.KeyUsage) func(*x509.Certificate) { return func(c *x509.Certificate) { c.KeyUsage = u } }
	for _, tt := range []struct {
		name   string
		change func(*x509.Certificate)
		issuer *x509.Certificate
		ok     bool
	}{
		{"digitalSignature", usage(x509.KeyUsageDigitalSignature), a.root, true},
		{"nonRepudiation", usage(x509.KeyUsageContentCommitment), a.root, true},
		{"keyEncipherment", usage(x509.KeyUsageKeyEncipherment), a.root, false},
		{"no usage", usage(0), a.root, false},
		{"another's root", usage(x509.KeyUsageDigitalSignature), other.root, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chain, key := a.seal(t, now, tt.change)
			chain[1] = tt.issuer
			if err := CheckSeal(key, chain); (err == nil) != tt.ok {
				t.Error(err)
			}
			if err := CheckSeal(key, chain[:1]); (err == nil) != (tt.ok || tt.issuer != a.root) {
				t.Errorf("without the root: %v", err)
			}
		})
	}
}

// TestNothingIssuedOutsideValidity: not a day too early, not a day too late.
func TestNothingIssuedOutsideValidity(t *testing.T) {
	now := time.Now()
	a := newAuthority(t, now)
	chain, key := a.seal(t, now, func(*x509.Certificate) {})
	for days, ok := range map[int]bool{-2: false, 0: true, 300: true, 367: false} {
		s := stamperWith(t, a.root, chain, key, now.AddDate(0, 0, days))
		if _, err := s.Issue(context.Background(), marriageSheet()); errors.Is(err, ErrExpired) == ok || (err == nil) != ok {
			t.Errorf("after %d days: %v", days, err)
		}
		if end, _ := Expires(chain, now.AddDate(0, 0, days)); !end.Equal(chain[0].NotAfter) {
			t.Errorf("expires %s", end)
		}
	}
}

// remoteSigner is away when its caller has gone.
type remoteSigner struct{ crypto.Signer }

type oneCall struct {
	crypto.Signer
	ctx context.Context
}

func (r remoteSigner) For(ctx context.Context) crypto.Signer { return oneCall{r.Signer, ctx} }

func (o oneCall) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := o.ctx.Err(); err != nil || o.ctx.Value(askedKey{}) == nil {
		return nil, errors.New("nobody asks")
	}
	return o.Signer.Sign(random, digest, opts)
}

type askedKey struct{}

// TestRemoteSigner is asked with the context of the call.
func TestRemoteSigner(t *testing.T) {
	now := time.Now()
	a := newAuthority(t, now)
	chain, key := a.seal(t, now, func(*x509.Certificate) {})
	s := stamperWith(t, a.root, chain, remoteSigner{key}, now)
	if _, err := s.Issue(context.Background(), marriageSheet()); err == nil {
		t.Error("signed for nobody")
	}
	pdf, err := s.Issue(context.WithValue(context.Background(), askedKey{}, true), marriageSheet())
	if err != nil {
		t.Fatal(err)
	}
	if r := verdict(t, s, pdf); r.Word != Valid {
		t.Errorf("%s: %s", r.Word, r.Why)
	}
}
