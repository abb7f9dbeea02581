package reader_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/pkcs7"

	"dangan/api/reader"
	"dangan/archive"
)

// signedPDF is a page sealed by 青川市档案馆.
func signedPDF(tb testing.TB) []byte {
	tb.Helper()
	const room, span = 4000, "[0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC]"
	file := pdf("<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[6 0 R]>>>>", pages,
		strings.Replace(page, "/Contents", "/Annots[6 0 R]/Contents", 1), stream("", "BT /F 24 Tf 72 700 Td (sealed) Tj ET"), latin,
		"<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/V 7 0 R/P 3 0 R/Rect[0 0 0 0]/F 132>>",
		"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20260102030405Z)/ByteRange"+span+"/Contents<"+strings.Repeat("0", room)+">>>")
	start := bytes.Index(file, []byte("/Contents<0")) + len("/Contents")
	end := start + room + 2
	file = bytes.Replace(file, []byte(span), fmt.Appendf(nil, "[0 %010d %010d %010d]", start, end, len(file)-end), 1)
	copy(file[start+1:], fmt.Sprintf("%x", seal(tb, append(bytes.Clone(file[:start]), file[end:]...))))
	return file
}

// seal is a detached CMS signature over content.
func seal(tb testing.TB, content []byte) []byte {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	sheet := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "青川市档案馆"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, sheet, sheet, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := pkcs7.NewSignedData()
	if err != nil {
		tb.Fatal(err)
	}
	digest := sha256.Sum256(content)
	if err := signed.AddSigner(cert, key, digest[:], pkcs7.OIDDigestAlgorithmSHA256, pkcs7.SignerInfoConfig{}); err != nil {
		tb.Fatal(err)
	}
	out, err := signed.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestSignaturesAreValidated(t *testing.T) {
	good := signedPDF(t)
	intact := archive.Signature{State: archive.SignatureIntact, Whole: true, Signer: "青川市档案馆", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	with := func(change func(*archive.Signature)) archive.Signature {
		s := intact
		change(&s)
		return s
	}
	replace := func(old, replacement string) []byte {
		return bytes.Replace(good, []byte(old), []byte(replacement), 1)
	}
	r := newReader(t, reader.Config{})
	for name, test := range map[string]struct {
		file []byte
		want archive.Signature
	}{
		"untouched":     {good, intact},
		"changed":       {replace("(sealed)", "(forged)"), with(func(s *archive.Signature) { s.State = archive.SignatureBroken })},
		"added to":      {append(bytes.Clone(good), "\n% more\n"...), with(func(s *archive.Signature) { s.Whole = false })},
		"of other kind": {replace("/ETSI.CAdES.detached", "/adbe.x509.rsa_sha1 "), with(func(s *archive.Signature) { s.State, s.Signer = archive.SignatureUnknown, "" })},
		"of nothing":    {replace("/ByteRange[0 ", "/ByteRange[1 "), with(func(s *archive.Signature) { s.State, s.Whole, s.Signer = archive.SignatureBroken, false, "" })},
		"emptied":       {replace("<30", "<00"), with(func(s *archive.Signature) { s.State, s.Signer = archive.SignatureUnknown, "" })},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, r, test.file)
			if diff := cmp.Diff([]archive.Signature{test.want}, got.Signatures); diff != "" {
				t.Errorf("%v: %s", got.Findings, diff)
			}
		})
	}
}

// FuzzVerify holds that no signature is intact but over the content that it signs,
// and that whatever stands in its place is no more than unknown.
func FuzzVerify(f *testing.F) {
	f.Add(seal(f, []byte("content")), []byte("content"))
	f.Add([]byte("\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02\x00\x00"), []byte("content"))
	f.Fuzz(func(t *testing.T, cms, content []byte) {
		state, _ := reader.Verify(cms, content)
		other, _ := reader.Verify(cms, append(bytes.Clone(content), "."...))
		if state == archive.SignatureIntact && other == archive.SignatureIntact {
			t.Errorf("intact over %q and over more", content)
		}
	})
}
