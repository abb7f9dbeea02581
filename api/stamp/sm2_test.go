package stamp

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"dangan/api/stamp/internal/cms"
)

// newSM2Seal is a root of SM2, and a certificate under it.
func newSM2Seal(t testing.TB, now time.Time) (*SM2Seal, *smx509.CertPool) {
	t.Helper()
	keys := [2]*sm2.PrivateKey{}
	for i := range keys {
		var err error
		if keys[i], err = sm2.GenerateKey(rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	root := &smx509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SM2 root"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: smx509.KeyUsageCertSign, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0)}
	leaf := &smx509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "SM2 seal"}, BasicConstraintsValid: true,
		KeyUsage: smx509.KeyUsageDigitalSignature, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0)}
	make := func(template, parent *smx509.Certificate, public crypto.PublicKey) *smx509.Certificate {
		der, err := smx509.CreateCertificate(rand.Reader, template, parent, public, keys[1])
		if err != nil {
			t.Fatal(err)
		}
		c, err := smx509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ca := make(root, root, keys[1].Public())
	roots := smx509.NewCertPool()
	roots.AddCert(ca)
	return &SM2Seal{Signer: keys[0], Chain: []*smx509.Certificate{make(leaf, ca, keys[0].Public()), ca}}, roots
}

// withSM2 is a stamper that signs with SM2 too.
func withSM2(t testing.TB, s testStamper) (testStamper, *smx509.CertPool) {
	t.Helper()
	c := s.config
	seal, roots := newSM2Seal(t, s.now)
	c.SM2 = seal
	made, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Stamper = made
	return s, roots
}

// TestSM2: all who know nothing of it accept the seal as before; openssl accepts the signature in it.
func TestSM2(t *testing.T) {
	s, roots := withSM2(t, newDatedStamper(t, newTestStamper(t)).testStamper)
	pdf := issue(t, s, marriageSheet())
	r, err := Verify(pdf, s.roots, s.now)
	if err != nil || r.Word != Valid || len(r.SM2) != 2 {
		t.Fatalf("%s: %s, %v", r.Word, r.Why, err)
	}
	if err := r.TrustSM2(roots); err != nil {
		t.Error(err)
	}
	_, others := newSM2Seal(t, s.now)
	for name, pool := range map[string]*smx509.CertPool{"others": others, "nobody": nil} {
		if r.TrustSM2(pool) == nil {
			t.Errorf("%s vouch for it", name)
		}
	}
	file := write(t, "certificate.pdf", pdf)
	run(t, "qpdf", "--check", file)
	checkPDFSig(t, s, file)
	checkOpenSSL(t, s, pdf)
	signature := signatureOf(t, pdf)
	checkSM2(t, signature.SM2, pdf)
	if other := verdict(t, s, issue(t, newTestStamper(t), marriageSheet())); len(other.SM2) > 0 || other.TrustSM2(roots) == nil {
		t.Error("an SM2 signature where there is none")
	}
}

// checkSM2 asks openssl for the digest of the content, and about the raw signature over it.
func checkSM2(t *testing.T, der, pdf []byte) {
	t.Helper()
	parsed, err := cms.ParseSM2(der)
	if err != nil {
		t.Fatal(err)
	}
	span, err := findSeal(pdf)
	if err != nil {
		t.Fatal(err)
	}
	content := append(bytes.Clone(pdf[:span.start]), pdf[span.end:]...)
	if out := run(t, "openssl", "dgst", "-sm3", "-r", write(t, "content", content)); !strings.HasPrefix(out, hex.EncodeToString(parsed.Digest[:])) {
		t.Errorf("openssl has the digest %s", out)
	}
	attributes, value := rawSM2(t, der)
	certificate := write(t, "c.der", parsed.Chain[0].Raw)
	key := write(t, "key.pem", []byte(run(t, "openssl", "x509", "-inform", "DER", "-in", certificate, "-noout", "-pubkey")))
	out := run(t, "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-digest", "sm3",
		"-in", write(t, "attributes", attributes), "-sigfile", write(t, "value", value), "-pkeyopt", "distid:1234567812345678")
	if !strings.Contains(out, "Signature Verified Successfully") {
		t.Errorf("openssl: %s", out)
	}
}

// rawSM2 takes the signed attributes and the value out of a SignedData, without our parser.
func rawSM2(t *testing.T, der []byte) (attributes, value []byte) {
	t.Helper()
	open := func(raw []byte) (list []asn1.RawValue) {
		for rest := raw; len(rest) > 0; {
			var v asn1.RawValue
			var err error
			if rest, err = asn1.Unmarshal(rest, &v); err != nil {
				t.Fatal(err)
			}
			list = append(list, v)
		}
		return list
	}
	signed := open(open(open(open(der)[0].Bytes)[1].Bytes)[0].Bytes) // SignedData
	info := open(open(signed[len(signed)-1].Bytes)[0].Bytes)         // SignerInfo
	attributes = bytes.Clone(info[3].FullBytes)
	attributes[0] = 0x31 // RFC 5652, 5.4, as in GB/T 35275
	return attributes, info[5].Bytes
}

// TestSM2CannotBeExchanged: the seal covers it.
func TestSM2CannotBeExchanged(t *testing.T) {
	s, _ := withSM2(t, newTestStamper(t))
	pdf := issue(t, s, marriageSheet())
	der := []byte(hex.EncodeToString(signatureOf(t, pdf).SM2))
	at := bytes.Index(pdf, der)
	for i := 0; i < len(der); i += 9 {
		pdf[at+i] ^= 1
		if r := verdict(t, s, pdf); r.Word != Tampered {
			t.Errorf("byte %d: %s", i, r.Word)
		}
		pdf[at+i] ^= 1
	}
	seal, _ := newSM2Seal(t, s.now)
	wrong, err := cms.SignSM2(rand.Reader, seal.Signer, seal.Chain, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readSM2(wrong, pdf); err == nil {
		t.Error("a signature of something else")
	}
}

// TestSM2Seal: what cannot seal is refused at once, and what has ended later.
func TestSM2Seal(t *testing.T) {
	now := time.Now()
	s, other := newTestStamper(t), newTestStamper(t)
	good, _ := newSM2Seal(t, now)
	strange, _ := newSM2Seal(t, now)
	for name, seal := range map[string]*SM2Seal{
		"no chain":      {Signer: good.Signer},
		"another key":   {Signer: strange.Signer, Chain: good.Chain},
		"another chain": {Signer: good.Signer, Chain: []*smx509.Certificate{good.Chain[0], strange.Chain[1]}},
		"another kind":  {Signer: other.signer, Chain: good.Chain},
		"the root":      {Signer: good.Signer, Chain: good.Chain[1:]},
	} {
		c := s.config
		c.SM2 = seal
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	c := s.config
	c.SM2, c.Now = good, func() time.Time { return now.AddDate(5, 0, -1) }
	late, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	late.config.SM2.Chain[0].NotAfter = now
	if _, err := late.Issue(t.Context(), marriageSheet()); !errors.Is(err, ErrExpired) {
		t.Errorf("with an old certificate: %v", err)
	}
}
