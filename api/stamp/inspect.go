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
	"unicode/utf16"

	"github.com/emmansun/gmsm/smx509"

	"dangan/api/stamp/internal/cms"
	"dangan/api/stamp/timestamp"
)

// ErrNotPDF is wrapped when bytes do not begin like a PDF file.
var ErrNotPDF = errors.New("not a PDF file")

// State is what the bytes of a file say about themselves. Only Intact says anything good, and only about
// the bytes: who the signer is to be trusted is another question (Verify).
type State int

// The states of a PDF file.
const (
	// Foreign: nothing in it says that it is one of our certificates.
	Foreign State = iota
	// Intact: it ends exactly where its seal says, or with evidence and time-stamps as we add them, and every byte fits
	// the signature.
	Intact
	// Changed: it calls itself one of ours, or is sealed like one, and bytes under the seal were changed.
	Changed
	// Extended: what the seal covers is untouched, and bytes were added after it.
	Extended
)

// String returns the state in lower case, for logs.
func (s State) String() string {
	return [...]string{"foreign", "intact", "changed", "extended"}[s]
}

// Identity is what Inspect finds.
type Identity struct {
	State  State
	Number string // certificate number; trust it only together with State and Signer
	// Signer is the certificate of the seal when the signature's own value is sound, whatever the file's
	// state; nil otherwise. It is not checked against any root.
	Signer  *x509.Certificate
	Issuers []*x509.Certificate // came along with the signer's, as the signer ordered them
	Dated   *timestamp.Token    // when somebody else saw the seal, sound in itself; nil when it carries no time-stamp
	// SM2 is the chain of a second signature over the same bytes, which is sound in itself, the signer's first; nil
	// without one.
	SM2     []*smx509.Certificate
	Covered int // bytes up to where the seal reaches; 0 when it cannot be found
	// Evidence is what we put behind the seal; nil when there is none, or something else.
	Evidence *Evidence
	Renewed  []*timestamp.Token // time-stamps over all of the file that was before them, oldest first, sound in themselves
	Added    []Revision         // what came after the seal, unless we put it there
	Reason   string             // why the state is not Intact, without any content of the file
}

// Inspect reads any bytes and never panics. It fails only with ErrNotPDF.
//
// It knows one form of file, the one that Issue writes, and compares bytes rather than parsing PDF: there
// is no second reading of the same file that it could miss.
func Inspect(pdf []byte) (Identity, error) {
	number, ours := findNumber(pdf)
	id := Identity{Number: number}
	if !ours && !bytes.Contains(pdf[:min(len(pdf), 1024)], []byte("%PDF-")) {
		return Identity{}, fmt.Errorf("inspect: %w", ErrNotPDF)
	}
	span, err := findSeal(pdf)
	if err != nil {
		id.Reason = err.Error()
		if ours {
			id.State = Changed
		}
		return id, nil
	}
	signature, err := cms.Parse(span.der)
	if err != nil {
		id.Reason = "the seal's signature is damaged"
		if ours {
			id.State = Changed
		}
		return id, nil
	}
	id.Signer, id.Issuers, id.Covered = signature.Chain[0], signature.Chain[1:], span.covered
	if len(signature.Token) > 0 {
		if id.Dated, err = timestamp.Parse(signature.Token, signature.Value); err != nil {
			id.State, id.Reason = Changed, "the seal's time-stamp is damaged"
			return id, nil
		}
	}
	if span.covered > len(pdf) {
		id.State, id.Covered, id.Reason = Changed, 0, "its end is missing"
		return id, nil
	}
	id.judge(pdf, span, signature)
	return id, nil
}

// judge compares what is sealed and what stands behind it.
func (id *Identity) judge(pdf []byte, span sealSpan, signature *cms.Signature) {
	before, behind := pdf[:span.start], pdf[span.end:span.covered]
	h := sha256.New()
	h.Write(before)
	h.Write(behind)
	if t, ours := readTrail(pdf, *id); !ours {
		id.Added = revisions(pdf, span.covered)
	} else if span.covered < len(pdf) {
		id.Evidence, id.Renewed = &t.evidence, t.stamps
	}
	var err error
	fits := [sha256.Size]byte(h.Sum(nil)) == signature.Digest
	if len(signature.SM2) > 0 && fits {
		id.SM2, err = readSM2(signature.SM2, before, behind)
	}
	switch {
	case !fits:
		id.State, id.Reason = Changed, "bytes under the seal were changed"+addedWords(id.Added)
	case err != nil:
		id.State, id.Reason = Changed, "the seal's SM2 signature is damaged"
	case !bytes.Contains(pdf[:span.covered], []byte(markerToken)):
		id.Number, id.Reason = "", "sealed, but not as a certificate"
	case len(id.Added) > 0:
		id.State, id.Reason = Extended, "what was sealed is unchanged"+addedWords(id.Added)
	default:
		id.State = Intact
	}
}

// certificates is whom evidence may speak of.
func (id Identity) certificates() []*x509.Certificate {
	list := append([]*x509.Certificate{id.Signer}, id.Issuers...)
	if id.Dated != nil {
		list = append(list, id.Dated.Signer)
	}
	return list
}

// addedWords tells what came after the seal.
func addedWords(list []Revision) string {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintf(&b, "; %s", r)
	}
	return b.String()
}

// findNumber looks for the entry that Issue writes into the catalog, as it is written or as another program
// would write it.
func findNumber(pdf []byte) (number string, found bool) {
	_, rest, found := bytes.Cut(pdf, []byte(markerToken))
	if !found {
		if _, rest, found = bytes.Cut(pdf, []byte(markerName)); !found {
			return "", false
		}
		_, rest, _ = bytes.Cut(rest[:min(len(rest), 4096)], []byte("/Number"))
		rest = bytes.ToUpper(bytes.TrimLeft(rest, " \r\n"))
	}
	digits, ok := bytes.CutPrefix(rest[:min(len(rest), 4096)], []byte("<FEFF"))
	digits, _, closed := bytes.Cut(digits, []byte(">"))
	raw := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(raw, digits); err != nil || !ok || !closed || len(raw)%2 != 0 {
		return "", true
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	return string(utf16.Decode(units)), true
}

// sealSpan is where the signature value stands and how far the seal reaches.
type sealSpan struct {
	start, end int // of "<...>"
	covered    int
	der        []byte
}

// findSeal reads the first signature of the file, which may say that it covers more than there is. The gap
// that the byte range leaves must hold the signature in lower-case hexadecimal, then zeros, and nothing
// else: it is the one place that the digest does not cover.
func findSeal(pdf []byte) (sealSpan, error) {
	at := bytes.Index(pdf, []byte(byteRangeToken))
	if at < 0 {
		return sealSpan{}, errors.New("it carries no seal of ours")
	}
	from := at + len(byteRangeToken)
	after := from + byteRangeWidth + len("]\n"+contentsToken)
	if after > len(pdf) || string(pdf[from+byteRangeWidth:after]) != "]\n"+contentsToken {
		return sealSpan{}, errors.New("its seal is not written as we write it: another program wrote the file anew, or made it up")
	}
	numbers := string(pdf[from : from+byteRangeWidth])
	start := after - 1
	closing := bytes.IndexByte(pdf[start:], '>')
	if closing < 0 {
		return sealSpan{}, errors.New("its seal is cut off")
	}
	end := start + closing + 1
	tail, err := strconv.Atoi(lastField(numbers))
	if err != nil || tail < 0 || tail > 1<<40 || strings.TrimRight(numbers, " ") != fmt.Sprintf("0 %d %d %d", start, end, tail) {
		return sealSpan{}, errors.New("its seal does not cover the file")
	}
	der, ok := decodeValue(pdf[start+1 : end-1])
	if !ok {
		return sealSpan{}, errors.New("its seal's signature is damaged")
	}
	return sealSpan{start: start, end: end, covered: end + tail, der: der}, nil
}

func lastField(numbers string) string {
	fields := strings.Fields(numbers)
	if len(fields) == 0 {
		return ""
	}
	return fields[len(fields)-1]
}

// decodeValue returns the DER without the zeros behind it.
func decodeValue(digits []byte) ([]byte, bool) {
	raw := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(raw, digits); err != nil || len(digits)%2 != 0 || !bytes.Equal(digits, bytes.ToLower(digits)) {
		return nil, false
	}
	length, ok := derLength(raw)
	if !ok || len(bytes.TrimRight(raw[length:], "\x00")) != 0 {
		return nil, false
	}
	return raw[:length], true
}

// derLength is the length of the sequence that raw begins with.
func derLength(raw []byte) (int, bool) {
	if len(raw) < 4 || raw[0] != 0x30 || raw[1] != 0x82 {
		return 0, false // what we make is always longer than 255 bytes and shorter than 64 KB
	}
	length := 4 + int(raw[2])<<8 + int(raw[3])
	return length, length <= len(raw)
}
