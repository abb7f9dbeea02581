package stamp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"dangan/api/stamp/internal/cms"
	"dangan/api/stamp/timestamp"
)

// The tokens that a sealed file is found by. They are written exactly so, once.
const (
	byteRangeToken = "/ByteRange ["
	contentsToken  = "/Contents <"
	markerName     = "/DanganCertificate"
	markerToken    = markerName + "<</V 1/Number "
)

// byteRangeWidth is the room for the three numbers of the byte range: files below 10 GB.
const byteRangeWidth = 36

// sealing is the seal of one document on its way: signature dictionary, field, picture.
type sealing struct {
	doc       *document
	picture   []byte
	name      string
	purpose   string
	now       time.Time
	room      int // bytes reserved for the signature
	signature ref
	field     ref
	byteRange int // offset of the numbers, after "["
	contents  int // offset of "<"
}

func (s *Stamper) newSealing(d *document, now time.Time) *sealing {
	room := 1024 // attributes, algorithm names and an RSA-4096 value with space to spare
	for _, c := range s.chain {
		room += len(c.Raw)
	}
	if s.config.Dates != nil {
		room += timestamp.MaxToken
	}
	if s.config.SM2 != nil {
		room += s.config.SM2.room()
	}
	return &sealing{doc: d, picture: s.seal, name: s.config.SealName, purpose: s.config.SealPurpose, now: now,
		room: room + len(s.chain[0].RawIssuer), signature: d.reserve(), field: d.reserve()}
}

// place puts the seal on the page as the visible widget of the signature, so that a click on the seal
// opens the signature panel. It is multiplied onto the page: name and date show through.
func (l *sealing) place(page *canvasPage) {
	d := l.doc
	form := d.reserve()
	d.putPacked(form, fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 %g %g]/Resources<</ExtGState<</G<</BM/Multiply/CA 0.88/ca 0.88>>>>>>",
		sealBox, sealBox), l.picture)
	x, y := sealX-sealBox/2, pageHeight-sealY-sealBox/2
	// F 132: print, and keep it where it is (ISO 32000-1, 12.5.3).
	words := l.name + " " + l.purpose
	parent := page.structure.annotate(words, page.page, l.field)
	d.put(l.field, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/TU %s/F 132/StructParent %d/P %s/Rect[%.2f %.2f %.2f %.2f]/V %s/AP<</N %s>>>>",
		textString(words), parent, page.page, x, y, x+sealBox, y+sealBox, l.signature, form))
	page.annotations = l.field.String()
	l.writeSignature()
}

// writeSignature writes the dictionary with room for what is known only when the file is complete. DocMDP
// with P 1 says that no change at all is allowed.
func (l *sealing) writeSignature() {
	d := l.doc
	d.begin(l.signature)
	fmt.Fprintf(&d.buf, "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/Name %s/Reason %s/M %s"+
		"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]\n",
		textString(l.name), textString(l.purpose), pdfDate(l.now))
	d.buf.WriteString(byteRangeToken)
	l.byteRange = d.at()
	d.buf.Write(bytes.Repeat([]byte(" "), byteRangeWidth))
	d.buf.WriteString("]\n")
	d.buf.WriteString(contentsToken)
	l.contents = d.at() - 1
	d.buf.Write(bytes.Repeat([]byte("0"), 2*l.room))
	d.buf.WriteString(">>>\nendobj\n")
}

// entries are the catalog's: the form, what the seal forbids, the ETSI extension that makes the sub-filter
// legal in PDF 1.7 (ISO 32000-1, 7.12), and our number.
func (l *sealing) entries(number string) string {
	return fmt.Sprintf("/AcroForm<</Fields[%s]/SigFlags 3>>/Perms<</DocMDP %s>>/Extensions<</ESIC<</BaseVersion/1.7/ExtensionLevel 2>>>>\n%s%s>>",
		l.field, l.signature, markerToken, textString(number))
}

// sign fills in the byte range and the signature over everything but itself. It returns the chain of who
// dated it, if anybody did.
func (s *Stamper) sign(ctx context.Context, pdf []byte, l *sealing) (dater []*x509.Certificate, err error) {
	return s.signTail(ctx, s.newHash(), 0, pdf, l)
}

// signTail is sign for a file of which only the tail is here: before is how many bytes come first, and h, of
// newHash, has seen them.
func (s *Stamper) signTail(ctx context.Context, h hash.Hash, before int, tail []byte, l *sealing) (dater []*x509.Certificate, err error) {
	start := l.contents - before
	end := start + 2*l.room + 2
	numbers := fmt.Sprintf("0 %d %d %d", l.contents, before+end, len(tail)-end)
	if len(numbers) > byteRangeWidth {
		return nil, errors.New("the file is too large")
	}
	copy(tail[l.byteRange-before:], numbers)
	h.Write(tail[:start])
	h.Write(tail[end:])
	content, err := s.content(ctx, h)
	if err != nil {
		return nil, err
	}
	var date cms.Timestamp
	if s.config.Dates != nil {
		date = func(digest [sha256.Size]byte) (token []byte, err error) {
			token, dater, err = s.config.Dates.Stamp(ctx, digest)
			return token, err
		}
	}
	der, err := cms.Sign(s.config.Rand, forCall(ctx, s.signer), s.chain, content, date)
	if err != nil {
		return nil, err
	}
	if len(der) > l.room {
		return nil, fmt.Errorf("the signature needs %d bytes and has room for %d", len(der), l.room)
	}
	hex.Encode(tail[start+1:], der)
	return dater, nil
}
