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
)

// Prover finds the revocation lists that prove that no certificate of a chain was revoked. It may be called
// concurrently. The chain goes from a signer to its root; the lists are in DER.
type Prover interface {
	Prove(ctx context.Context, chain []*x509.Certificate) (lists [][]byte, err error)
}

// Evidence is what stands behind the seal, so that it can be checked when nobody answers any more (PAdES B-LT,
// ETSI EN 319 142-1, 5.4.2): a document security store in one incremental update. Nobody seals it. It is
// ours when each of its bytes is as we write it, and each thing in it is signed by an issuer of the seal or
// of its time-stamp.
type Evidence struct {
	Issuers []*x509.Certificate    // of the time-stamp, as far as its token lacks them
	Lists   []*x509.RevocationList // of the issuers of the seal and of the time-stamp
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
		lists, err := s.config.Proves.Prove(ctx, chain)
		if err != nil {
			return e, err
		}
		for _, der := range lists {
			list, err := x509.ParseRevocationList(der)
			if err != nil {
				return e, fmt.Errorf("read revocation list: %w", err)
			}
			if !slices.ContainsFunc(e.Lists, func(l *x509.RevocationList) bool { return bytes.Equal(l.Raw, der) }) {
				e.Lists = append(e.Lists, list)
			}
		}
	}
	return e, nil
}

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

// add appends the evidence to a sealed file. The catalog is the same with one entry more.
func (e Evidence) add(sealed []byte) ([]byte, error) {
	end, err := readEnding(sealed)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(slices.Clip(sealed))
	var offsets []int
	streams := func(list [][]byte) (refs string) {
		for _, der := range list {
			r := ref(end.size + len(offsets))
			refs += r.String() + " "
			offsets = append(offsets, out.Len())
			fmt.Fprintf(out, "%d 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n", int(r), len(der), der)
		}
		return refs
	}
	certs, lists := streams(e.issuers()), streams(e.lists())
	store := ref(end.size + len(offsets))
	offsets = append(offsets, out.Len())
	fmt.Fprintf(out, "%d 0 obj\n<</Type/DSS/Certs[%s]/CRLs[%s]>>\nendobj\n", int(store), certs, lists)
	catalog := out.Len()
	fmt.Fprintf(out, "%s/DSS %s>>\nendobj\n", end.catalog[:len(end.catalog)-2], store)
	xref := out.Len()
	fmt.Fprintf(out, "xref\n%d 1\n%010d 00000 n \n%d %d\n", end.root, catalog, end.size, len(offsets))
	for _, offset := range offsets {
		fmt.Fprintf(out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(out, "trailer\n<</Size %d/Root %s/Info %s/ID%s/Prev %d>>\nstartxref\n%d\n%%%%EOF\n",
		end.size+len(offsets), ref(end.root), ref(end.info), end.id, end.xref, xref)
	return out.Bytes(), nil
}

func (e Evidence) issuers() (list [][]byte) {
	for _, c := range e.Issuers {
		list = append(list, c.Raw)
	}
	return list
}

func (e Evidence) lists() (list [][]byte) {
	for _, l := range e.Lists {
		list = append(list, l.Raw)
	}
	return list
}

// readEvidence reads what stands behind the seal when all of it is evidence of ours, else nothing.
func readEvidence(pdf []byte, id Identity) *Evidence {
	if len(pdf) == id.Covered {
		return nil
	}
	var e Evidence
	for rest := pdf[id.Covered:]; ; {
		head, after, found := bytes.Cut(rest, []byte(">>\nstream\n"))
		_, digits, ok := bytes.Cut(head, []byte(" 0 obj\n<</Length "))
		length, err := strconv.Atoi(string(digits))
		if !found || !ok || err != nil || length < 0 || length > len(after) {
			break // whatever else is there is compared below
		}
		der := after[:length]
		if list, err := x509.ParseRevocationList(der); err == nil {
			e.Lists = append(e.Lists, list)
		} else if issuer, err := x509.ParseCertificate(der); err == nil {
			e.Issuers = append(e.Issuers, issuer)
		} else {
			return nil
		}
		_, rest, _ = bytes.Cut(after[length:], []byte("endobj\n"))
	}
	if again, err := e.add(pdf[:id.Covered]); err != nil || !bytes.Equal(again, pdf) || !e.belongs(id) {
		return nil
	}
	return &e
}

// belongs tells whether the evidence speaks of this seal and nothing else, so that nobody can hide something
// in it.
func (e Evidence) belongs(id Identity) bool {
	authorities := append(slices.Clone(id.Issuers), e.Issuers...)
	if len(e.Issuers) > 0 {
		if id.Dated == nil {
			return false
		}
		if !signedUpwards(append([]*x509.Certificate{id.Dated.Signer}, e.Issuers...)) {
			return false
		}
	}
	for _, l := range e.Lists {
		if !slices.ContainsFunc(authorities, func(c *x509.Certificate) bool { return l.CheckSignatureFrom(c) == nil }) {
			return false
		}
	}
	return len(e.Lists) > 0
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

// revoked tells when a certificate was revoked, as the lists of its issuer say.
func (e *Evidence) revoked(c *x509.Certificate) (time.Time, bool) {
	if e == nil || c == nil {
		return time.Time{}, false
	}
	for _, l := range e.Lists {
		for _, r := range l.RevokedCertificateEntries {
			if bytes.Equal(l.RawIssuer, c.RawIssuer) && r.SerialNumber.Cmp(c.SerialNumber) == 0 {
				return r.RevocationTime, true
			}
		}
	}
	return time.Time{}, false
}
