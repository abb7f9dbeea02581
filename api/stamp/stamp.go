// Package stamp makes certificates as PDF files and checks such files.
//
// It owns: the page (layout, fonts with a true text layer, marks, QR code, the vector seal), the PDF bytes,
// the PAdES seal (B-B to B-LTA) over a crypto.Signer, and the reading back of both.
// It must not know: records, requests, storage, HTTP, or why a certificate is issued; all words come in a
// Sheet.
//
// Sources: ISO 32000-1 (PDF 1.7), ETSI EN 319 142-1 (PAdES), GB/T 15834-2011 (punctuation).
package stamp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"dangan/api/stamp/timestamp"
)

// Config is what a Stamper needs.
type Config struct {
	// Signer holds the seal's private key: ECDSA or RSA, in memory or in a device. It may be called
	// concurrently. Nil makes a Stamper that can only draw.
	Signer crypto.Signer
	// Dates makes the seals B-T: each carries a time-stamp, or is not made. Nil makes them B-B.
	Dates Timestamper
	// Proves makes the seals B-LT: each is followed by its Evidence, or not made. Nil leaves it out.
	Proves Prover
	// Chain is the seal's certificate first, then its issuers; all of it goes into every PDF.
	Chain []*x509.Certificate
	// SM2 adds a signature with Chinese algorithms to each seal. Nil leaves it out.
	SM2 *SM2Seal

	SealName    string // along the arc: the office (青川市档案馆)
	SealPurpose string // the line under the star, e.g. 档案证明专用章
	SealNumber  string // along the lower edge

	Now  func() time.Time // nil means time.Now
	Rand io.Reader        // nil means crypto/rand
}

// RemoteSigner is a Signer that is reached over a network and must not be waited for longer than whoever asked
// wants to wait. It says that it cannot be reached just now with an error of the caller's, which Issue wraps.
type RemoteSigner interface {
	crypto.Signer
	// For returns a signer for one call, which ends with ctx.
	For(ctx context.Context) crypto.Signer
}

// Timestamper returns an RFC 3161 token, in DER and of at most timestamp.MaxToken bytes, for a digest. It may
// be called concurrently.
type Timestamper interface {
	// Stamp also returns the authority's chain up to its root.
	Stamp(ctx context.Context, digest [sha256.Size]byte) (token []byte, chain []*x509.Certificate, err error)
}

var _ Timestamper = (*timestamp.Client)(nil)

// Stamper makes certificates. It is safe for concurrent use.
type Stamper struct {
	signer  crypto.Signer
	chain   []*x509.Certificate
	config  Config
	regular *face
	bold    *face
	zip     *sync.Pool
	seal    []byte // the seal's picture, compressed
	profile []byte // of the colours, compressed
}

// New parses the fonts and draws the seal once. It fails when the key and the chain cannot seal (CheckSeal), or when the fonts cannot draw the seal's text (MissingGlyphError).
func New(c Config) (*Stamper, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Signer != nil {
		if err := CheckSeal(c.Signer, c.Chain); err != nil {
			return nil, err
		}
	}
	if c.SM2 != nil {
		if err := c.SM2.Check(); err != nil {
			return nil, err
		}
	}
	s := &Stamper{signer: c.Signer, chain: c.Chain, config: c, zip: newZipPool()}
	var err error
	if s.regular, err = newFace(regularTTF, "NotoSerifSC-Regular", false); err != nil {
		return nil, err
	}
	if s.bold, err = newFace(boldTTF, "NotoSerifSC-Bold", true); err != nil {
		return nil, err
	}
	mark, err := sealMark(s.bold, c.SealName, c.SealPurpose, c.SealNumber)
	if err != nil {
		return nil, fmt.Errorf("draw seal: %w", err)
	}
	s.seal, s.profile = deflate(s.zip, mark), deflate(s.zip, srgbProfile())
	return s, nil
}

// Draw makes the certificate without a seal: a draft to look at. Inspect reports it as Foreign.
func (s *Stamper) Draw(sheet Sheet) ([]byte, error) {
	if err := sheet.check(); err != nil {
		return nil, err
	}
	d := newDocument(s.zip)
	press := newPress(d, sheet, s.regular, s.bold)
	tree, err := press.run(nil)
	if err != nil {
		return nil, fmt.Errorf("draw certificate: %w", err)
	}
	now := s.config.Now()
	return d.finish(s.catalog(d, press, tree, now, ""), info(d, sheet, now)), nil
}

// Issue makes the certificate and seals it: every byte but those of the Evidence is covered by one signature. Two
// calls with the same sheet give different bytes. It fails with ErrExpired, MissingGlyphError, ErrTooLong,
// ErrIncomplete, or what Signer, Dates and Proves say; keeping a certificate from being issued twice is the
// caller's task.
func (s *Stamper) Issue(ctx context.Context, sheet Sheet) ([]byte, error) {
	if s.signer == nil {
		return nil, errors.New("issue certificate: no signer configured")
	}
	if err := sheet.check(); err != nil {
		return nil, err
	}
	d, now := newDocument(s.zip), s.config.Now()
	if _, err := Expires(s.chain, now); err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	seal := s.newSealing(d, now)
	press := newPress(d, sheet, s.regular, s.bold)
	tree, err := press.run(seal.place)
	if err != nil {
		return nil, fmt.Errorf("draw certificate: %w", err)
	}
	root := s.catalog(d, press, tree, now, seal.entries(sheet.Number))
	pdf := d.finish(root, info(d, sheet, now))
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	dater, err := s.sign(ctx, pdf, seal)
	if err != nil {
		return nil, fmt.Errorf("seal certificate: %w", err)
	}
	if s.config.Proves == nil {
		return pdf, nil
	}
	evidence, err := s.gather(ctx, dater)
	if err != nil {
		return nil, fmt.Errorf("prove seal: %w", err)
	}
	return evidence.add(pdf)
}

// catalog makes the file a PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1): it names itself so, embeds the
// colours it means, and tells in which order it is read.
func (s *Stamper) catalog(d *document, p *press, tree ref, now time.Time, entries string) ref {
	r := d.reserve()
	metadata, profile := d.reserve(), d.reserve()
	d.putPacked(profile, "/N 3", s.profile)
	packet := xmp(p.sheet, now, p.claim)
	d.begin(metadata) // not compressed: tools that only look for the packet must find it
	fmt.Fprintf(&d.buf, "<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%s\nendstream\nendobj\n", len(packet), packet)
	intent := fmt.Sprintf("<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(%s)/Info(%s)/DestOutputProfile %s>>", srgbName, srgbName, profile)
	d.put(r, fmt.Sprintf("<</Type/Catalog/Pages %s/Lang(%s)/ViewerPreferences<</DisplayDocTitle true>>/MarkInfo<</Marked %t>>/StructTreeRoot %s/OutputIntents[%s]/Metadata %s%s>>",
		tree, p.sheet.Language, p.claim.tagged, p.structure.write(d), intent, metadata, entries))
	return r
}

const producer = "dangan"

// info carries the title, the number and the office, and never a person.
func info(d *document, sheet Sheet, now time.Time) ref {
	return d.add(fmt.Sprintf("<</Title %s/Subject %s/Author %s/Producer(%s)/CreationDate %s>>",
		textString(sheet.Title), textString(sheet.Number), textString(sheet.Issuer), producer, pdfDate(now)))
}

// xmp writes every character outside ASCII letters and digits as a character reference, for the reason
// that textString has.
func xmp(sheet Sheet, now time.Time, c claim) string {
	escape := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, "&#x%X;", r)
		}
		return b.String()
	}
	return fmt.Sprintf(`<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
%s<dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:description>
<xmp:CreateDate>%s</xmp:CreateDate><pdf:Producer>%s</pdf:Producer>
</rdf:Description>%s</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`, c.properties, escape(sheet.Title), escape(sheet.Issuer), escape(sheet.Number), now.Format("2006-01-02T15:04:05-07:00"), producer, c.schema)
}

// claim is what a file says of itself.
type claim struct {
	properties string // of its metadata
	schema     string // describes those that PDF/A does not know
	tagged     bool   // all that is to be read is in the structure
}

// certificateClaim is PDF/A-2a and PDF/UA-1.
func certificateClaim() claim {
	return claim{"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance><pdfuaid:part>1</pdfuaid:part>\n", uaSchema, true}
}

// uaSchema describes the one property above that PDF/A does not know by itself (ISO 19005-2, 6.6.2.3).
const uaSchema = `
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI><pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category><pdfaProperty:description>part of ISO 14289</pdfaProperty:description></rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>`
