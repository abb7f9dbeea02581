package reader

import (
	"bytes"
	"cmp"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"dangan/archive"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/pkcs7"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// maxSignatures is how many are checked: each means to read the whole file.
const maxSignatures = 20

// signatures checks those of a PDF, in the order of their objects. The error is
// that of the source.
func (j job) signatures(table *model.XRefTable) ([]archive.Signature, error) {
	var found []archive.Signature
	for _, number := range slices.Sorted(maps.Keys(table.Table)) {
		entry := table.Table[number]
		if entry == nil || entry.Free {
			continue
		}
		dict, ok := entry.Object.(types.Dict)
		if _, covers := dict["ByteRange"]; !ok || !covers || dict["Contents"] == nil {
			continue
		}
		s, err := j.signature(table, dict)
		if err != nil {
			return nil, err
		}
		if found = append(found, s); len(found) == maxSignatures {
			break
		}
	}
	return found, nil
}

// signature checks one: ISO 32000-1, 12.8.1.
func (j job) signature(table *model.XRefTable, dict types.Dict) (archive.Signature, error) {
	s := archive.Signature{State: archive.SignatureBroken, At: dateOf(table, dict["M"])}
	before, after, ok := j.covered(table, dict["ByteRange"])
	if !ok {
		return s, nil
	}
	s.Whole = after.offset+after.length == j.src.size
	gap, err := j.src.piece(before.length, after.offset-before.length)
	if err != nil {
		return s, err
	}
	// What is left out must be the signature itself, and nothing else.
	gap, opened := bytes.CutPrefix(gap, []byte("<"))
	gap, closed := bytes.CutSuffix(gap, []byte(">"))
	cms := make([]byte, hex.DecodedLen(len(gap)))
	if _, err := hex.Decode(cms, gap); err != nil || !opened || !closed {
		return s, nil
	}
	s.State = archive.SignatureUnknown
	if kind := name(dict, "SubFilter"); kind != "adbe.pkcs7.detached" && kind != "ETSI.CAdES.detached" {
		return s, nil
	}
	content := make([]byte, 0, before.length+after.length)
	for _, span := range []span{before, after} {
		piece, err := j.src.piece(span.offset, span.length)
		if err != nil {
			return s, err
		}
		content = append(content, piece...)
	}
	s.State, s.Signer = verify(cms, content)
	return s, nil
}

type span struct{ offset, length int64 }

// covered are the two parts of the file around a signature, the first of which
// begins with the file.
func (j job) covered(table *model.XRefTable, object types.Object) (before, after span, ok bool) {
	array, err := table.DereferenceArray(object)
	if err != nil || len(array) != 4 {
		return before, after, false
	}
	var n [4]int64
	for i, element := range array {
		number, err := table.DereferenceInteger(element)
		if err != nil || number == nil {
			return before, after, false
		}
		n[i] = int64(*number)
	}
	before, after = span{n[0], n[1]}, span{n[2], n[3]}
	ok = n[0] == 0 && n[1] > 0 && n[2] > n[1] && n[3] >= 0 && n[2] <= j.src.size && n[3] <= j.src.size-n[2]
	return before, after, ok
}

// verify checks a detached CMS signature, and names its signer.
func verify(cms, content []byte) (archive.SignatureState, string) {
	// The room for a signature is larger than the signature.
	var only asn1.RawValue
	if _, err := asn1.Unmarshal(cms, &only); err != nil {
		return archive.SignatureUnknown, ""
	}
	p, err := pkcs7.Parse(only.FullBytes)
	if err != nil || len(p.Signers) != 1 {
		return archive.SignatureUnknown, ""
	}
	cert, err := pkcs7.GetCertFromCertsByIssuerAndSerial(p.Certificates, p.Signers[0].IssuerAndSerialNumber)
	if err != nil || cert == nil {
		return archive.SignatureUnknown, ""
	}
	signer := cmp.Or(cert.Subject.CommonName, strings.Join(cert.Subject.Organization, ", "))
	err = pkcs7.CheckSignature(cert, p.Signers[0], content)
	var mismatch *pkcs7.MessageDigestMismatchError
	switch {
	case err == nil:
		return archive.SignatureIntact, signer
	case errors.As(err, &mismatch), errors.Is(err, pkcs7.ErrSignatureMismatch):
		return archive.SignatureBroken, signer
	}
	return archive.SignatureUnknown, signer
}

func dateOf(table *model.XRefTable, object types.Object) time.Time {
	text, err := table.DereferenceText(object)
	if err != nil {
		return time.Time{}
	}
	at, _ := types.DateTime(text, true)
	return at.UTC()
}
