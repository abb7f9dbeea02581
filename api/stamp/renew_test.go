package stamp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"dangan/api/stamp/revocation"
	"dangan/api/stamp/timestamp"
)

// ages is a seal and time-stamp authorities that follow each other, under one clock of the test.
type ages struct {
	t     *testing.T
	now   time.Time
	clock *timestamp.Server // the authority of the day
	url   string
	roots *x509.CertPool
	known []*x509.Certificate
	lists map[string]authority // by path
	away  bool                 // no list is to be had
}

func newAges(t *testing.T) *ages {
	w := &ages{t: t, now: time.Now(), roots: x509.NewCertPool(), lists: map[string]authority{}}
	h := httptest.NewServer(w)
	t.Cleanup(h.Close)
	w.url = h.URL
	return w
}

// ServeHTTP is the authority of the day, and publishes the lists of all.
func (w *ages) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	a, ok := w.lists[r.URL.Path]
	switch {
	case !ok:
		w.clock.ServeHTTP(rw, r)
	case w.away:
		http.NotFound(rw, r)
	default:
		_, _ = rw.Write(a.revoke(w.t, w.now))
	}
}

// authority begins now, and is trusted from now on.
func (w *ages) authority() (authority, func(*x509.Certificate)) {
	w.t.Helper()
	a := newAuthority(w.t, w.now)
	path := fmt.Sprintf("/lists/%d", len(w.lists))
	w.lists[path] = a
	w.roots.AddCert(a.root)
	w.known = append(w.known, a.root)
	return a, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{w.url + path} }
}

// newClock replaces the authority of the day.
func (w *ages) newClock() {
	w.t.Helper()
	a, address := w.authority()
	certificates, key := a.seal(w.t, w.now, func(c *x509.Certificate) {
		address(c)
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), w.now.AddDate(5, 0, 0) // the library's tokens also state when they were made
		if err := onlyTimeStamping(c); err != nil {
			w.t.Fatal(err)
		}
	})
	w.clock = &timestamp.Server{Signer: key, Certificate: certificates[0], Now: w.today}
}

func (w *ages) today() time.Time { return w.now }

func (w *ages) renewal() Renewal {
	return Renewal{Known: w.known,
		Dates:  &timestamp.Client{URL: w.url, Roots: w.roots, HTTP: http.DefaultClient, Now: w.today},
		Proves: &revocation.Finder{HTTP: http.DefaultClient, Now: w.today}}
}

// stamper seals B-B, B-T or B-LT.
func (w *ages) stamper(dated, proven bool) testStamper {
	w.t.Helper()
	a, address := w.authority()
	chain, key := a.seal(w.t, w.now, func(c *x509.Certificate) {
		address(c)
		c.NotAfter = w.now.AddDate(5, 0, 0)
	})
	s := stamperWith(w.t, a.root, chain, key, w.now)
	c, r := s.config, w.renewal()
	if dated {
		c.Dates = r.Dates
	}
	if proven {
		c.Proves = r.Proves
	}
	made, err := New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	s.Stamper, s.roots = made, w.roots
	return s
}

// TestRenewedForDecades: whatever it began as, a certificate that is renewed in time is believed when its seal, and all
// authorities but the last, have long expired; and each file that it once was as long as it was.
func TestRenewedForDecades(t *testing.T) {
	for name, how := range map[string]struct{ dated, proven bool }{"B-B": {}, "B-T": {dated: true}, "B-LT": {true, true}} {
		t.Run(name, func(t *testing.T) {
			w := newAges(t)
			w.newClock()
			pdf := issue(t, w.stamper(how.dated, how.proven), marriageSheet())
			sealed := w.now
			for years := range 4 {
				until, err := w.renewal().Until(pdf)
				if err != nil || until.Before(w.now.AddDate(4, 0, 0)) {
					t.Fatalf("until %s, %v", until, err)
				}
				w.now = until.AddDate(0, -6, 0)
				w.newClock()
				old := pdf
				if pdf, err = w.renewal().Renew(t.Context(), old); err != nil {
					t.Fatal(err)
				}
				if !bytes.HasPrefix(pdf, old) {
					t.Fatal("what was there changed")
				}
				w.now = until.AddDate(0, 1, 0)
				if r, err := Verify(old, w.roots, w.now); err != nil || r.Word != Unknown {
					t.Errorf("not renewed: %s: %s, %v", r.Word, r.Why, err)
				}
				r, err := Verify(pdf, w.roots, w.now)
				if err != nil || r.Word != Valid || r.Renewed != years+1 {
					t.Fatalf("renewed %d times: %s: %s, %v", r.Renewed, r.Word, r.Why, err)
				}
				if how.dated && r.Dated.Sub(sealed).Abs() > time.Minute {
					t.Errorf("dated %s", r.Dated)
				}
			}
			run(t, "qpdf", "--check", write(t, "c.pdf", pdf))
		})
	}
}

// TestRenewedIsReadByOthers: poppler checks the time-stamp over the file, and the digest of the seal.
func TestRenewedIsReadByOthers(t *testing.T) {
	s := newProvenStamper(t)
	pdf := renewed(t, s, issue(t, s.testStamper, marriageSheet()))
	file := write(t, "c.pdf", pdf)
	run(t, "qpdf", "--check", file)
	checkOpenSSL(t, s.testStamper, pdf)
	out := run(t, "pdfsig", "-nocert", file) // knows the form of a time-stamp over a file, and does not check it
	for _, want := range []string{"Signature is Valid.", "Signature Field Name: Time1", "Total document signed"} {
		if strings.Count(out, want) != 1 {
			t.Errorf("pdfsig does not say once %q: %s", want, out)
		}
	}
	checkTime(t, s.authority.root, s.server.Certificate, pdf)
	if out := run(t, "mutool", "show", file, "trailer/Root/AcroForm/Fields/2/V/Type"); !strings.Contains(out, "DocTimeStamp") {
		t.Errorf("mutool: %s", out)
	}
}

// checkTime takes the time-stamp out with nothing but its byte range, and has openssl check it.
func checkTime(t *testing.T, root, clock *x509.Certificate, pdf []byte) {
	t.Helper()
	var first, start, end, tail int
	_, after, _ := strings.Cut(string(pdf), docTimestamp+byteRangeToken)
	if _, err := fmt.Sscanf(after, "%d %d %d %d", &first, &start, &end, &tail); err != nil || end+tail != len(pdf) {
		t.Fatalf("%d bytes of %d, %v", end+tail, len(pdf), err)
	}
	token, ok := decodeValue(pdf[start+1 : end-1])
	if !ok {
		t.Fatal("no token")
	}
	out := run(t, "openssl", "ts", "-verify", "-token_in", "-in", write(t, "token", token), "-data", write(t, "data", slices.Concat(pdf[:start], pdf[end:])),
		"-CAfile", write(t, "root.pem", certificatePEM(root)), "-untrusted", write(t, "tsa.pem", certificatePEM(clock)))
	if !strings.Contains(out, "Verification: OK") {
		t.Errorf("openssl ts: %s", out)
	}
}

// renewed is a certificate with one renewal more, by those who have sealed it.
func renewed(t *testing.T, s *provenStamper, pdf []byte) []byte {
	t.Helper()
	pdf, err := Renewal{Dates: s.config.Dates, Proves: s.config.Proves}.Renew(t.Context(), pdf)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// TestRenewalsHideNothing: every byte of a renewal counts, and nothing else may stand behind it.
func TestRenewalsHideNothing(t *testing.T) {
	s := newProvenStamper(t)
	pdf := renewed(t, s, issue(t, s.testStamper, marriageSheet()))
	id, err := Inspect(pdf)
	if err != nil || id.State != Intact || len(id.Renewed) != 1 {
		t.Fatalf("%+v, %v", id, err)
	}
	trail, _ := readTrail(pdf, id)
	issued, err := Inspect(issue(t, s.testStamper, marriageSheet()))
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string][]byte{
		"a byte behind":    append(bytes.Clone(pdf), '\n'),
		"cut off":          pdf[:len(pdf)-1],
		"twice":            append(bytes.Clone(pdf), trail.tail...),
		"an update behind": update(t, pdf, `doc.getTrailer().get('Info').put('Title', 'other');`),
		"evidence undated": evidenceBehind(t, trail, *issued.Evidence),
		"another's time":   bytes.Replace(pdf, []byte("/T(Time1)"), []byte("/T(Time2)"), 1),
		"a field to see":   bytes.Replace(pdf, []byte("/Rect[0 0 0 0]/FT"), []byte("/Rect[0 0 9 9]/FT"), 1),
	} {
		t.Run(name, func(t *testing.T) {
			if r := verdict(t, s.testStamper, changed); r.Word != Tampered || len(r.Added) == 0 {
				t.Errorf("%s: %s", r.Word, r.Why)
			}
		})
	}
	passed := 0
	for i := id.Covered; i < len(pdf); i += 7 {
		if pdf[i] == '0' && pdf[i-1] == '0' && i%53 != 0 { // padding
			continue
		}
		pdf[i] ^= 1
		if _, ours := readTrail(pdf, id); ours {
			passed++
		}
		pdf[i] ^= 1
	}
	if passed > 12 { // names of algorithms around what an authority signed, as in TestForgedTime, of which every seventh
		t.Errorf("%d bytes may be changed", passed)
	}
}

func evidenceBehind(t *testing.T, tr *trail, e Evidence) []byte {
	t.Helper()
	if err := tr.add(e, nil); err != nil {
		t.Fatal(err)
	}
	return tr.file()
}

// TestRenewalByStrangers: a time-stamp that nobody vouches for prolongs nothing, and does no harm.
func TestRenewalByStrangers(t *testing.T) {
	s := newProvenStamper(t)
	pdf := issue(t, s.testStamper, marriageSheet())
	stranger := newDatedStamper(t, newTestStamper(t))
	pdf, err := Renewal{Dates: stranger.config.Dates, Proves: s.config.Proves}.Renew(t.Context(), pdf)
	if err != nil {
		t.Fatal(err)
	}
	if r := verdict(t, s.testStamper, pdf); r.Word != Valid || r.Renewed != 0 || !strings.Contains(r.Why, "nobody vouches") {
		t.Errorf("%s: %s", r.Word, r.Why)
	}
	if r, err := Verify(pdf, s.roots, s.now.AddDate(6, 0, 0)); err != nil || r.Word != Unknown {
		t.Errorf("later: %s: %s, %v", r.Word, r.Why, err)
	}
}

// TestRenewalOfAForgedPast: a key that is known to be lost vouches for nothing, whatever time it states.
func TestRenewalOfAForgedPast(t *testing.T) {
	s := newProvenStamper(t)
	s.published = s.authority.revoke(t, s.now)
	pdf := issue(t, s.testStamper, marriageSheet())
	s.published = s.authority.revoke(t, s.now, s.server.Certificate.SerialNumber)
	fresh := &revocation.Finder{HTTP: http.DefaultClient, Now: func() time.Time { return s.now }}
	other := newDatedStamper(t, newTestStamper(t))
	pdf, err := Renewal{Dates: other.config.Dates, Proves: fresh}.Renew(t.Context(), pdf)
	if err != nil {
		t.Fatal(err)
	}
	s.roots.AddCert(other.timeCA)
	if r := verdict(t, s.testStamper, pdf); r.Word != Valid || !strings.Contains(r.Why, "by a trusted office by") {
		t.Errorf("now, it is the new time-stamp that counts: %s: %s", r.Word, r.Why)
	}
}

// TestRenewalWaits: when nothing is known of a chain, or nobody dates, there is no renewal; what the file proves
// itself need not be proven anew.
func TestRenewalWaits(t *testing.T) {
	w := newAges(t)
	w.newClock()
	bare := issue(t, w.stamper(true, false), marriageSheet())
	proven := issue(t, w.stamper(true, true), marriageSheet())
	w.away = true
	if _, err := w.renewal().Renew(t.Context(), bare); !errors.Is(err, revocation.ErrUnavailable) {
		t.Errorf("without lists: %v", err)
	}
	if pdf, err := w.renewal().Renew(t.Context(), proven); err != nil || len(pdf) <= len(proven) {
		t.Errorf("with the old lists: %v", err)
	}
	r := w.renewal()
	r.Dates = &timestamp.Client{URL: w.url + "/lists/0", Roots: w.roots, HTTP: http.DefaultClient, Now: w.today}
	if _, err := r.Renew(t.Context(), proven); !errors.Is(err, timestamp.ErrUnavailable) {
		t.Errorf("without a clock: %v", err)
	}
	for name, pdf := range map[string][]byte{"changed": append(bytes.Clone(proven), ' '), "a draft": []byte("%PDF-1.7\n%%EOF\n")} {
		if _, err := w.renewal().Renew(t.Context(), pdf); !errors.Is(err, ErrNotIntact) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRenewalsEnd: there is a last one.
func TestRenewalsEnd(t *testing.T) {
	s := newProvenStamper(t)
	pdf := issue(t, s.testStamper, marriageSheet())
	id, err := Inspect(pdf)
	if err != nil {
		t.Fatal(err)
	}
	trail, _ := readTrail(pdf, id)
	for range maxRenewals {
		err := trail.add(Evidence{}, func(digest [sha256.Size]byte) ([]byte, error) {
			token, _, err := s.config.Dates.Stamp(context.Background(), digest)
			return token, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if r := verdict(t, s.testStamper, trail.file()); r.Word != Tampered {
		t.Errorf("one more: %s: %s", r.Word, r.Why)
	}
}

func FuzzTrail(f *testing.F) {
	s := newProvenStamper(f)
	pdf := issue(f, s.testStamper, marriageSheet())
	id, err := Inspect(pdf)
	if err != nil {
		f.Fatal(err)
	}
	sealed := pdf[:id.Covered]
	more, err := Renewal{Dates: s.config.Dates, Proves: s.config.Proves}.Renew(f.Context(), pdf)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pdf[id.Covered:])
	f.Add(more[id.Covered:])
	f.Add(more[len(pdf):])
	f.Fuzz(func(t *testing.T, tail []byte) {
		t1, ours := readTrail(slices.Concat(sealed, tail), id)
		if ours && (t1 == nil || !bytes.Equal(t1.tail, tail)) {
			t.Fatal("read as something else")
		}
	})
}
