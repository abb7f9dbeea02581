package stamp

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/ocsp"

	"dangan/api/stamp/revocation"
)

// Prover finds the proof that no certificate of a chain was revoked; the chain goes from a signer to its root. It may
// be called concurrently.
type Prover interface {
	// Prove fails with an error of the caller's when there is no proof, or one that says the contrary; then it may
	// return that proof all the same.
	Prove(ctx context.Context, chain []*x509.Certificate) (revocation.Proof, error)
}

var _ Prover = (*revocation.Finder)(nil)

// Evidence is what stands behind the seal, so that it can be checked when nobody answers any more (PAdES B-LT,
// ETSI EN 319 142-1, 5.4.2): a document security store in an incremental update. Nobody seals it. It is
// ours when each of its bytes is as we write it, and each thing in it is signed by an issuer of the seal or
// of a time-stamp.
type Evidence struct {
	Issuers []*x509.Certificate // of time-stamps
	revocation.Proof
}

// gather asks for all that is needed once.
func (s *Stamper) gather(ctx context.Context, dater []*x509.Certificate) (Evidence, error) {
	var e Evidence
	if len(dater) > 0 {
		if e.Issuers = dater[1:]; !signedUpwards(dater) {
			return e, errors.New("the time-stamp authority's root is not signed by itself")
		}
	}
	for _, chain := range [][]*x509.Certificate{s.chain, dater} {
		proof, err := s.config.Proves.Prove(ctx, chain)
		if err != nil {
			return e, err
		}
		e.join(e.lacks(Evidence{Proof: proof}))
	}
	return e, nil
}

// add appends the evidence to a sealed file.
func (e Evidence) add(sealed []byte) ([]byte, error) {
	t, err := openTrail(sealed)
	if err != nil {
		return nil, err
	}
	if err := t.add(e, nil); err != nil {
		return nil, err
	}
	return t.file(), nil
}

func (e *Evidence) join(more Evidence) {
	e.Issuers = append(e.Issuers, more.Issuers...)
	e.Lists = append(e.Lists, more.Lists...)
	e.Answers = append(e.Answers, more.Answers...)
}

// lacks is what of more is new.
func (e Evidence) lacks(more Evidence) (news Evidence) {
	seen := map[string]bool{}
	isNew := func(raw []byte) bool {
		old := seen[string(raw)]
		seen[string(raw)] = true
		return !old
	}
	for _, list := range e.raw() {
		for _, der := range list {
			isNew(der)
		}
	}
	for _, c := range more.Issuers {
		if isNew(c.Raw) {
			news.Issuers = append(news.Issuers, c)
		}
	}
	for _, l := range more.Lists {
		if isNew(l.Raw) {
			news.Lists = append(news.Lists, l)
		}
	}
	for _, a := range more.Answers {
		if isNew(a.Raw) {
			news.Answers = append(news.Answers, a)
		}
	}
	return news
}

// raw is all of it in the order of the store: certificates, lists, answers.
func (e Evidence) raw() (store [3][][]byte) {
	for _, c := range e.Issuers {
		store[0] = append(store[0], c.Raw)
	}
	for _, l := range e.Lists {
		store[1] = append(store[1], l.Raw)
	}
	for _, a := range e.Answers {
		store[2] = append(store[2], a.Raw)
	}
	return store
}

// belongs tells whether the evidence speaks of what is known and nothing else, so that nobody can hide something in
// it, and adds its certificates to what is known.
func (e Evidence) belongs(known *[]*x509.Certificate) bool {
	for _, issuer := range e.Issuers {
		if !slices.ContainsFunc(*known, func(c *x509.Certificate) bool { return c.CheckSignatureFrom(issuer) == nil }) {
			return false
		}
		*known = append(*known, issuer)
	}
	for _, issuer := range e.Issuers { // or its bytes could be others
		if !slices.ContainsFunc(*known, func(c *x509.Certificate) bool { return issuer.CheckSignatureFrom(c) == nil }) {
			return false
		}
	}
	for _, l := range e.Lists {
		if !slices.ContainsFunc(*known, func(c *x509.Certificate) bool { return l.CheckSignatureFrom(c) == nil }) {
			return false
		}
	}
	for _, a := range e.Answers {
		if !slices.ContainsFunc(*known, func(c *x509.Certificate) bool { return answers(a.Raw, c, *known) != nil }) {
			return false
		}
	}
	return true
}

// answers is what an answer says of a certificate, or nothing.
func answers(raw []byte, c *x509.Certificate, issuers []*x509.Certificate) *ocsp.Response {
	for _, issuer := range issuers {
		if c.CheckSignatureFrom(issuer) != nil {
			continue
		}
		if a, err := revocation.ParseAnswer(raw, c, issuer); err == nil {
			return a
		}
	}
	return nil
}

// signedUpwards tells whether each certificate is signed by the next, and the last by itself.
func signedUpwards(chain []*x509.Certificate) bool {
	for i, c := range chain {
		if c.CheckSignatureFrom(chain[min(i+1, len(chain)-1)]) != nil {
			return false
		}
	}
	return true
}

// proves tells whether it speaks of every certificate of a chain but the root.
func (e Evidence) proves(chain []*x509.Certificate) bool {
	for i, c := range chain {
		if c.CheckSignatureFrom(c) == nil {
			return true
		}
		issuers := chain[min(i+1, len(chain)-1):]
		if !slices.ContainsFunc(e.Lists, func(l *x509.RevocationList) bool { return l.CheckSignatureFrom(issuers[0]) == nil }) &&
			!slices.ContainsFunc(e.Answers, func(a *ocsp.Response) bool { return answers(a.Raw, c, issuers) != nil }) {
			return false
		}
	}
	return false
}

// revocationOf is what is known of a certificate that was revoked.
type revocationOf struct {
	at     time.Time
	gentle bool // its key is not suspected
}

// revoked tells when and how a certificate was revoked, as those say who issued it.
func (e *Evidence) revoked(c *x509.Certificate, issuers []*x509.Certificate) (r revocationOf, revoked bool) {
	if e == nil || c == nil {
		return r, false
	}
	for _, l := range e.Lists {
		for _, entry := range l.RevokedCertificateEntries {
			if bytes.Equal(l.RawIssuer, c.RawIssuer) && entry.SerialNumber.Cmp(c.SerialNumber) == 0 {
				return revocationOf{entry.RevocationTime, gentle(entry.ReasonCode)}, true
			}
		}
	}
	for _, raw := range e.Answers {
		if a := answers(raw.Raw, c, slices.Concat(e.Issuers, issuers)); a != nil && a.Status == ocsp.Revoked {
			return revocationOf{a.RevokedAt, gentle(a.RevocationReason)}, true
		}
	}
	return r, false
}

// gentle tells whether what a certificate vouched for before counts still (RFC 3161, 4.1): affiliation changed,
// superseded, out of operation. No reason is none.
func gentle(reason int) bool { return 3 <= reason && reason <= 5 }

// ending is what the last lines of a sealed file say.
type ending struct {
	size, root, info, xref int
	id                     string
	catalog                []byte
}

// readEnding knows one form, the one that document.finish writes.
func readEnding(pdf []byte) (e ending, err error) {
	bad := errors.New("the file does not end as ours do")
	at := bytes.LastIndex(pdf, []byte("trailer\n"))
	if at < 0 {
		return e, bad
	}
	var first, second string
	_, err = fmt.Sscanf(string(pdf[at:]), "trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%32s><%32s>]>>\nstartxref\n%d\n",
		&e.size, &e.root, &e.info, &first, &second, &e.xref)
	e.id = fmt.Sprintf("[<%s><%s>]", first, second)
	entry := e.xref + len(fmt.Sprintf("xref\n0 %d\n", e.size)) + 20*e.root
	if err != nil || e.xref < 0 || e.root < 0 || e.size > len(pdf) || entry < 0 || entry+10 > len(pdf) {
		return e, bad
	}
	from, err := strconv.Atoi(string(pdf[entry : entry+10]))
	if err != nil || from < 0 || from > len(pdf) {
		return e, bad
	}
	e.catalog, _, _ = bytes.Cut(pdf[from:], []byte("\nendobj\n"))
	if !bytes.HasSuffix(e.catalog, []byte(">>")) {
		return e, bad
	}
	return e, nil
}
