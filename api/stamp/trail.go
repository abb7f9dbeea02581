package stamp

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/ocsp"

	"dangan/api/stamp/timestamp"
)

// maxRenewals is how many updates may stand behind a seal: at one in four years, for a century.
const maxRenewals = 25

// maxProof is how many things one update may hold: two chains with a proof for each certificate have a tenth of it.
const maxProof = 64

const (
	docTimestamp = "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161\n"
	endOfUpdate  = "\n%%EOF\n"
)

// trail is a sealed file with the updates that we put behind it, each evidence, and a time-stamp over the whole file
// up to there; only the first may lack the time-stamp (docs/decisions/0010).
type trail struct {
	sealed   []byte // up to where the seal reaches
	tail     []byte // the updates
	end      ending // of what is sealed
	size     int    // objects of the file
	xref     int    // of the newest update
	store    [3]string
	fields   string // of the time-stamps
	evidence Evidence
	stamps   []*timestamp.Token // oldest first
}

// openTrail begins behind a sealed file.
func openTrail(sealed []byte) (*trail, error) {
	end, err := readEnding(sealed)
	if err != nil {
		return nil, err
	}
	return &trail{sealed: sealed, end: end, size: end.size, xref: end.xref}, nil
}

// file is all of it.
func (t *trail) file() []byte { return append(t.sealed[:len(t.sealed):len(t.sealed)], t.tail...) }

// increment is an incremental update on its way.
type increment struct {
	bytes.Buffer
	from    int   // where it begins in the file
	first   int   // number of its first object
	offsets []int // of its objects
}

func (u *increment) begin() ref {
	u.offsets = append(u.offsets, u.from+u.Len())
	r := ref(u.first + len(u.offsets) - 1)
	fmt.Fprintf(u, "%d 0 obj\n", int(r))
	return r
}

// streams returns references to them, each with a blank behind it.
func (u *increment) streams(list [][]byte) (refs string) {
	for _, der := range list {
		refs += u.begin().String() + " "
		fmt.Fprintf(u, "<</Length %d>>\nstream\n%s\nendstream\nendobj\n", len(der), der)
	}
	return refs
}

// add writes an update. date, unless it is nil, returns the time-stamp token for a digest of the whole file without
// the place of the token.
func (t *trail) add(e Evidence, date func(digest [sha256.Size]byte) ([]byte, error)) error {
	u := &increment{from: len(t.sealed) + len(t.tail), first: t.size}
	for i, list := range e.raw() {
		t.store[i] += u.streams(list)
	}
	store := u.begin()
	fmt.Fprintf(u, "<</Type/DSS/Certs[%s]/CRLs[%s]", t.store[0], t.store[1])
	if t.store[2] != "" {
		fmt.Fprintf(u, "/OCSPs[%s]", t.store[2])
	}
	u.WriteString(">>\nendobj\n")
	gap := 0
	if date != nil {
		gap = t.reserve(u)
	}
	t.finish(u, store)
	if date != nil {
		if err := t.stamp(u.Bytes(), u.from, gap, date); err != nil {
			return err
		}
	}
	t.tail = append(t.tail, u.Bytes()...)
	t.evidence.join(e)
	return nil
}

// reserve writes the field of a time-stamp and its dictionary, and returns where in the update its byte range goes.
// The field is its own widget, of no size and on no page: there is nothing to see, and no page changes.
func (t *trail) reserve(u *increment) int {
	signature := u.begin()
	u.WriteString(docTimestamp + byteRangeToken)
	gap := u.Len()
	fmt.Fprintf(u, "%*s]\n%s%s>>>\nendobj\n", byteRangeWidth, "", contentsToken, strings.Repeat("0", 2*timestamp.MaxToken))
	field := u.begin()
	fmt.Fprintf(u, "<</Type/Annot/Subtype/Widget/F 132/Rect[0 0 0 0]/FT/Sig/T(Time%d)/V %s>>\nendobj\n", len(t.stamps)+1, signature)
	t.fields += " " + field.String()
	return gap
}

// finish writes the catalog, which is that of the sealed file with what came to it, and the cross-references.
func (t *trail) finish(u *increment, store ref) {
	catalog := u.from + u.Len()
	form, rest, _ := bytes.Cut(t.end.catalog[:len(t.end.catalog)-2], []byte("]/SigFlags"))
	u.Write(form)
	if rest != nil {
		fmt.Fprintf(u, "%s]/SigFlags%s", t.fields, rest)
	}
	fmt.Fprintf(u, "/DSS %s>>\nendobj\n", store)
	xref := u.from + u.Len()
	fmt.Fprintf(u, "xref\n%d 1\n%010d 00000 n \n%d %d\n", t.end.root, catalog, u.first, len(u.offsets))
	for _, offset := range u.offsets {
		fmt.Fprintf(u, "%010d 00000 n \n", offset)
	}
	t.size += len(u.offsets)
	fmt.Fprintf(u, "trailer\n<</Size %d/Root %s/Info %s/ID%s/Prev %d>>\nstartxref\n%d%s",
		t.size, ref(t.end.root), ref(t.end.info), t.end.id, t.xref, xref, endOfUpdate)
	t.xref = xref
}

// stamp fills in the byte range and the token.
func (t *trail) stamp(update []byte, from, gap int, date func([sha256.Size]byte) ([]byte, error)) error {
	start := gap + byteRangeWidth + len("]\n"+contentsToken) - 1
	end := start + 2*timestamp.MaxToken + 2
	copy(update[gap:], fmt.Sprintf("0 %d %d %d", from+start, from+end, len(update)-end))
	h := sha256.New()
	for _, part := range [][]byte{t.sealed, t.tail, update[:start], update[end:]} {
		h.Write(part)
	}
	digest := [sha256.Size]byte(h.Sum(nil))
	der, err := date(digest)
	if err != nil {
		return err
	}
	token, err := timestamp.Parse(der, digest)
	if err != nil {
		return err
	}
	hex.Encode(update[start+1:], der)
	t.stamps = append(t.stamps, token)
	return nil
}

// readTrail reads what stands behind the seal when all of it is ours, else nothing.
func readTrail(pdf []byte, id Identity) (*trail, bool) {
	t, err := openTrail(pdf[:id.Covered:id.Covered])
	if err != nil {
		return nil, len(pdf) == id.Covered
	}
	known := id.certificates()
	for n := 0; id.Covered+len(t.tail) < len(pdf); n++ {
		here := len(t.tail)
		rest := pdf[id.Covered+here:]
		e, token, err := readUpdate(rest)
		if err != nil || n == maxRenewals || n > 0 && token == nil || !e.belongs(&known) {
			return nil, false
		}
		var date func([sha256.Size]byte) ([]byte, error)
		if token != nil {
			date = func([sha256.Size]byte) ([]byte, error) { return token, nil }
		}
		if err := t.add(e, date); err != nil || !bytes.HasPrefix(rest, t.tail[here:]) || len(t.evidence.Lists)+len(t.evidence.Answers) == 0 {
			return nil, false
		}
		if token != nil {
			known = append(known, t.stamps[len(t.stamps)-1].Signer)
		}
	}
	return t, true
}

// readUpdate finds the evidence in an update, and the token of its time-stamp. What else is there the caller
// compares.
func readUpdate(rest []byte) (e Evidence, token []byte, err error) {
	for range maxProof {
		head, after, found := bytes.Cut(rest, []byte(">>\nstream\n"))
		number, digits, _ := bytes.Cut(head, []byte(" 0 obj\n<</Length "))
		length, err := strconv.Atoi(string(digits))
		if _, bad := strconv.Atoi(string(number)); !found || bad != nil || err != nil || length < 0 || length > len(after) {
			break // what follows the streams
		}
		if err := e.read(after[:length]); err != nil {
			return e, nil, err
		}
		_, rest, _ = bytes.Cut(after[length:], []byte("endobj\n"))
	}
	rest, _, _ = bytes.Cut(rest, []byte(endOfUpdate))
	if _, digits, found := bytes.Cut(rest, []byte(contentsToken)); found {
		digits, _, _ = bytes.Cut(digits, []byte(">"))
		if token, found = decodeValue(digits); !found {
			return e, nil, errors.New("the time-stamp cannot be read")
		}
	}
	return e, token, nil
}

// read takes what a stream holds.
func (e *Evidence) read(der []byte) error {
	if list, err := x509.ParseRevocationList(der); err == nil {
		e.Lists = append(e.Lists, list)
		return nil
	}
	if c, err := x509.ParseCertificate(der); err == nil {
		e.Issuers = append(e.Issuers, c)
		return nil
	}
	answer, err := ocsp.ParseResponse(der, nil)
	if err != nil {
		return errors.New("neither a certificate nor a proof")
	}
	e.Answers = append(e.Answers, answer)
	return nil
}
