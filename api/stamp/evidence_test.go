package stamp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"dangan/api/stamp/revocation"
	"dangan/api/stamp/timestamp"
)

// revoke publishes a list of an authority.
func (a authority) revoke(t testing.TB, now time.Time, serials ...*big.Int) []byte {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}
	for _, s := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: s, RevocationTime: now.Add(-time.Minute)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.root, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// provenStamper seals B-LT: one authority is behind the seal and its time-stamps, and publishes a list.
type provenStamper struct {
	datedStamper
	authority authority
	published []byte
}

func newProvenStamper(t testing.TB) *provenStamper {
	t.Helper()
	return provenAt(t, func(c *x509.Certificate, url string) { c.CRLDistributionPoints = []string{url} })
}

// newAnsweredStamper is one whose authority publishes no list, and answers questions.
func newAnsweredStamper(t testing.TB) *provenStamper {
	t.Helper()
	return provenAt(t, func(c *x509.Certificate, url string) { c.OCSPServer = []string{url} })
}

func provenAt(t testing.TB, name func(c *x509.Certificate, url string)) *provenStamper {
	t.Helper()
	now := time.Now()
	a := newAuthority(t, now)
	p := &provenStamper{authority: a, published: a.revoke(t, now)}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = w.Write(a.answer(t, now, r.Body))
			return
		}
		_, _ = w.Write(p.published)
	}))
	t.Cleanup(h.Close)
	address := func(c *x509.Certificate) { name(c, h.URL) }
	chain, key := a.seal(t, now, address)
	clock, clockKey := a.seal(t, now, func(c *x509.Certificate) {
		address(c)
		if err := onlyTimeStamping(c); err != nil {
			t.Fatal(err)
		}
	})
	server := &timestamp.Server{Signer: clockKey, Certificate: clock[0], Now: time.Now}
	finder := &revocation.Finder{HTTP: h.Client(), Now: func() time.Time { return now }}
	p.datedStamper = datedBy(t, stamperWith(t, a.root, chain, key, now), a.root, server, finder)
	return p
}

// answer says that whatever is asked about is good.
func (a authority) answer(t testing.TB, now time.Time, question io.Reader) []byte {
	t.Helper()
	raw, err := io.ReadAll(question)
	if err != nil {
		t.Error(err)
	}
	asked, err := ocsp.ParseRequest(raw)
	if err != nil {
		t.Error(err)
		return nil
	}
	der, err := ocsp.CreateResponse(a.root, a.root, ocsp.Response{Status: ocsp.Good, SerialNumber: asked.SerialNumber,
		ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour)}, a.key)
	if err != nil {
		t.Error(err)
	}
	return der
}

// TestAnswered: where there are no lists, what an authority answers is in the file, and counts like one.
func TestAnswered(t *testing.T) {
	s := newAnsweredStamper(t)
	pdf := renewed(t, s, issue(t, s.testStamper, marriageSheet()))
	id, err := Inspect(pdf)
	if err != nil || id.State != Intact || len(id.Evidence.Lists) != 0 || len(id.Evidence.Answers) != 2 || len(id.Renewed) != 1 {
		t.Fatalf("%+v, %v", id, err)
	}
	if r := verdict(t, s.testStamper, pdf); r.Word != Valid {
		t.Errorf("%s: %s", r.Word, r.Why)
	}
	file := write(t, "certificate.pdf", pdf)
	run(t, "qpdf", "--check", file)
	if out := run(t, "mutool", "show", file, "trailer/Root/DSS"); !strings.Contains(out, "/OCSPs") {
		t.Errorf("mutool: %s", out)
	}
	foreign, err := ocsp.ParseResponse(newAuthority(t, s.now).answer(t, s.now, bytes.NewReader(question(t, s.chain))), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := ocsp.Response{Status: ocsp.Revoked, SerialNumber: s.chain[0].SerialNumber, RevokedAt: s.now.Add(-time.Hour), ThisUpdate: s.now}
	der, err := ocsp.CreateResponse(s.authority.root, s.authority.root, r, s.authority.key)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := ocsp.ParseResponse(der, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		answer *ocsp.Response
		word   Word
	}{"another's": {foreign, Tampered}, "revoked": {bad, Unknown}} {
		e := Evidence{Issuers: id.Evidence.Issuers, Proof: revocation.Proof{Answers: []*ocsp.Response{tt.answer}}}
		changed, err := e.add(pdf[:id.Covered])
		if err != nil {
			t.Fatal(err)
		}
		if r := verdict(t, s.testStamper, changed); r.Word != tt.word {
			t.Errorf("%s: %s: %s", name, r.Word, r.Why)
		}
	}
}

func question(t *testing.T, chain []*x509.Certificate) []byte {
	t.Helper()
	raw, err := ocsp.CreateRequest(chain[0], chain[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func lists(l ...*x509.RevocationList) revocation.Proof { return revocation.Proof{Lists: l} }

// TestProven: the evidence is in the file, the seal is untouched by it, and programs of others agree.
func TestProven(t *testing.T) {
	s := newProvenStamper(t)
	pdf := issue(t, s.testStamper, marriageSheet())
	id, err := Inspect(pdf)
	if err != nil || id.State != Intact || id.Evidence == nil || len(id.Evidence.Lists) != 1 || len(id.Evidence.Issuers) != 1 || id.Covered >= len(pdf) {
		t.Fatalf("%+v, %v", id, err)
	}
	if r := verdict(t, s.testStamper, pdf); r.Word != Valid || len(r.Added) > 0 {
		t.Errorf("%s: %s", r.Word, r.Why)
	}
	file := write(t, "certificate.pdf", pdf)
	run(t, "qpdf", "--check", file)
	checkOpenSSL(t, s.testStamper, pdf)
	if out := run(t, "pdfsig", "-nocert", file); !strings.Contains(out, "Signature is Valid.") {
		t.Errorf("pdfsig: %s", out)
	}
	if out := run(t, "mutool", "show", file, "trailer/Root/DSS"); !strings.Contains(out, "/CRLs") || !strings.Contains(out, "/Certs") {
		t.Errorf("mutool: %s", out)
	}
	if r := verdict(t, s.testStamper, pdf[:id.Covered]); r.Word != Valid {
		t.Errorf("without the evidence: %s: %s", r.Word, r.Why)
	}
}

// TestEvidenceHidesNothing: what is not evidence of this seal, in the form that it has, is an addition.
func TestEvidenceHidesNothing(t *testing.T) {
	s, other := newProvenStamper(t), newProvenStamper(t)
	pdf := issue(t, s.testStamper, marriageSheet())
	id, err := Inspect(pdf)
	if err != nil {
		t.Fatal(err)
	}
	sealed := pdf[:id.Covered]
	add := func(e Evidence) []byte {
		added, err := e.add(sealed)
		if err != nil {
			t.Fatal(err)
		}
		return added
	}
	foreign, err := x509.ParseRevocationList(other.published)
	if err != nil {
		t.Fatal(err)
	}
	otherIssuer := append(slices.Clone(id.Evidence.Issuers), other.authority.root)
	for name, changed := range map[string][]byte{
		"a list of somebody else":    add(Evidence{Issuers: id.Evidence.Issuers, Proof: lists(foreign)}),
		"a certificate of no use":    add(Evidence{Issuers: otherIssuer, Proof: id.Evidence.Proof}),
		"no list":                    add(Evidence{Issuers: id.Evidence.Issuers}),
		"a byte behind":              append(bytes.Clone(pdf), '\n'),
		"twice":                      append(bytes.Clone(pdf), pdf[id.Covered:]...),
		"cut off":                    pdf[:len(pdf)-1],
		"an entry more":              bytes.Replace(pdf, []byte("/Type/DSS"), []byte("/Type/DSS/X 1"), 1),
		"another catalog":            slices.Concat(sealed, bytes.Replace(pdf[id.Covered:], []byte("/Lang"), []byte("/Lung"), 1)),
		"an update behind":           update(t, pdf, `doc.getTrailer().get('Info').put('Title', 'other');`),
		"evidence of another's seal": slices.Concat(sealed, issue(t, other.testStamper, marriageSheet())[id.Covered:]),
	} {
		t.Run(name, func(t *testing.T) {
			if r := verdict(t, s.testStamper, changed); r.Word != Tampered || len(r.Added) == 0 {
				t.Errorf("%s: %s", r.Word, r.Why)
			}
		})
	}
	for i := id.Covered; i < len(pdf); i += 3 {
		pdf[i] ^= 1
		if _, ours := readTrail(pdf, id); ours {
			t.Errorf("byte %d of the evidence may be changed", i-id.Covered)
		}
		pdf[i] ^= 1
	}
}

// TestNothingIssuedWithoutProof: a list that is missing, old or somebody else's, or names the seal, stops it.
func TestNothingIssuedWithoutProof(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name string
		list func(*provenStamper) []byte
		want error
	}{
		{"not a list", func(*provenStamper) []byte { return []byte("hello") }, revocation.ErrUnavailable},
		{"too long", func(*provenStamper) []byte { return make([]byte, 1<<20) }, revocation.ErrUnavailable},
		{"old", func(p *provenStamper) []byte { return p.authority.revoke(t, now.AddDate(0, 0, -1)) }, revocation.ErrUnavailable},
		{"another's", func(*provenStamper) []byte { return newAuthority(t, now).revoke(t, now) }, revocation.ErrUnavailable},
		{"the seal's", func(p *provenStamper) []byte { return p.authority.revoke(t, now, p.chain[0].SerialNumber) }, revocation.ErrRevoked},
		{"the clock's", func(p *provenStamper) []byte { return p.authority.revoke(t, now, p.server.Certificate.SerialNumber) }, revocation.ErrRevoked},
		{"somebody's", func(p *provenStamper) []byte { return p.authority.revoke(t, now, big.NewInt(7)) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newProvenStamper(t)
			s.published = tt.list(s)
			if pdf, err := s.Issue(context.Background(), marriageSheet()); !errors.Is(err, tt.want) || (pdf == nil) != (tt.want != nil) {
				t.Errorf("%d bytes, %v", len(pdf), err)
			}
		})
	}
}

// TestRevokedBeforeSealing: a list that comes with the file is believed.
func TestRevokedBeforeSealing(t *testing.T) {
	s := newProvenStamper(t)
	pdf := issue(t, s.testStamper, marriageSheet())
	id, err := Inspect(pdf)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(s.authority.revoke(t, s.now, s.chain[0].SerialNumber))
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := Evidence{Issuers: id.Evidence.Issuers, Proof: lists(list)}.add(pdf[:id.Covered])
	if err != nil {
		t.Fatal(err)
	}
	if r := verdict(t, s.testStamper, revoked); r.Word != Unknown || !strings.Contains(r.Why, "revoked") {
		t.Errorf("%s: %s", r.Word, r.Why)
	}
}
