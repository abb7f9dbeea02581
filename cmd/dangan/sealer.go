package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"dangan/api/stamp"
	"dangan/api/stamp/remote"
	"dangan/api/stamp/revocation"
	"dangan/api/stamp/timestamp"
	"dangan/archive"
)

// sealer puts certificates into words on a sheet and has them stamped. It makes
// one stamper per office, since each office has a seal of its own.
type sealer struct {
	signer    crypto.Signer
	chain     []*x509.Certificate
	dates     stamp.Timestamper   // nil when no time-stamp authority is configured
	proves    stamp.Prover        // nil when no proof is wanted
	sm2       *stamp.SM2Seal      // nil when nothing is signed with it
	clocks    []*x509.Certificate // issuers of time-stamps, of now and of earlier
	due       atomic.Int64        // certificates that wait for a renewal, as was last seen here
	verifyURL string

	mu       sync.Mutex
	stampers map[string]*stamp.Stamper
}

func newSealer(signer crypto.Signer, chain []*x509.Certificate, publicURL string) *sealer {
	return &sealer{signer: signer, chain: chain, verifyURL: strings.TrimSuffix(publicURL, "/") + "/v", stampers: map[string]*stamp.Stamper{}}
}

// Stamp draws and seals a certificate.
func (s *sealer) Stamp(ctx context.Context, c archive.Certificate) ([]byte, error) {
	stamper, err := s.stamper(c)
	if err != nil {
		return nil, stampError(err)
	}
	pdf, err := stamper.Issue(ctx, s.sheet(c))
	return pdf, stampError(err)
}

// Number reads which certificate a PDF says it is.
func (s *sealer) Number(pdf []byte) (string, error) {
	found, err := stamp.Inspect(pdf)
	switch {
	case errors.Is(err, stamp.ErrNotPDF):
		return "", archive.ErrInvalid
	case err != nil:
		return "", err
	case found.State == stamp.Foreign || found.Number == "":
		return "", archive.ErrNotFound
	}
	return found.Number, nil
}

func (s *sealer) stamper(c archive.Certificate) (*stamp.Stamper, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if made, ok := s.stampers[c.Office]; ok {
		return made, nil
	}
	made, err := stamp.New(stamp.Config{Signer: s.signer, Chain: s.chain, Dates: s.dates, Proves: s.proves, SM2: s.sm2,
		SealName: c.Issuer.ZH, SealPurpose: "档案证明专用章", SealNumber: c.SealNumber})
	if err == nil {
		s.stampers[c.Office] = made
	}
	return made, err
}

// coded gives a failure of the stamper its stable code.
type coded struct {
	error
	code string
}

func (c coded) Code() string  { return c.code }
func (c coded) Unwrap() error { return c.error }

func stampError(err error) error {
	var glyph *stamp.MissingGlyphError
	switch {
	case errors.As(err, &glyph):
		return coded{err, fmt.Sprintf("missing_glyph_U+%04X", glyph.CodePoint)}
	case errors.Is(err, remote.ErrUnavailable):
		return coded{fmt.Errorf("%w: %w", archive.ErrUnavailable, err), "signer_unavailable"}
	case errors.Is(err, timestamp.ErrUnavailable):
		return coded{fmt.Errorf("%w: %w", archive.ErrUnavailable, err), "timestamp_unavailable"}
	case errors.Is(err, stamp.ErrExpired): // until the operator has put in a new one
		return coded{fmt.Errorf("%w: %w", archive.ErrUnavailable, err), "seal_expired"}
	case errors.Is(err, revocation.ErrUnavailable):
		return coded{fmt.Errorf("%w: %w", archive.ErrUnavailable, err), "revocation_unavailable"}
	case errors.Is(err, revocation.ErrRevoked):
		return coded{fmt.Errorf("%w: %w", archive.ErrUnavailable, err), "seal_revoked"}
	case errors.Is(err, stamp.ErrTooLong):
		return coded{err, "too_long"}
	case errors.Is(err, stamp.ErrIncomplete):
		return coded{err, "incomplete"}
	}
	return err
}

// Draw draws a certificate as a draft.
func (s *sealer) Draw(_ context.Context, c archive.Certificate) ([]byte, error) {
	stamper, err := s.stamper(c)
	if err != nil {
		return nil, stampError(err)
	}
	pdf, err := stamper.Draw(asDraft(s.sheet(c), c.Language))
	return pdf, stampError(err)
}

// asDraft takes from a sheet what an issued one is known by.
func asDraft(sheet stamp.Sheet, language string) stamp.Sheet {
	number := archive.Label{ZH: "（草稿，无编号）", EN: "(draft, no number)"}.In(language)
	sheet.Number, sheet.Footer, sheet.QRText, sheet.CheckCode, sheet.VerifyURL = number, "", "", "", ""
	sheet.Draft = archive.Label{ZH: "草稿 不作凭证", EN: "DRAFT, NOT VALID"}.In(language)
	return sheet
}

// sheet puts a number and a code on what the certificate says.
func (s *sealer) sheet(c archive.Certificate) stamp.Sheet {
	if c.Sheet == nil {
		c.Sheet = frame(c)
	}
	said := c.Sheet
	sheet := stamp.Sheet{
		Language: said.Language, Labels: stamp.Chinese(), Issuer: said.Issuer, Title: said.Title, Number: c.Number,
		SignedBy: said.Issuer, Date: said.Date, PurposeMark: said.Mark, Notes: said.Notes, Footer: c.Number,
		QRText: s.verifyURL + "#number=" + url.QueryEscape(c.Number) + "&code=" + c.Code, CheckCode: c.Code, VerifyURL: s.verifyURL,
	}
	switch said.Language {
	case "en":
		sheet.Labels = stamp.English()
	case archive.Bilingual:
		sheet.Language, sheet.Labels = "zh-CN", stamp.Bilingual()
		sheet.Also = stamp.Translation{Language: "en", Body: paragraphs(said.Also)}
		sheet.SignedBy, sheet.Date = c.Issuer.ZH, archive.DateOf(c.IssuedAt).Chinese()
	}
	for _, row := range said.Rows {
		sheet.Rows = append(sheet.Rows, cells(row))
	}
	for _, cell := range said.After {
		sheet.After = append(sheet.After, cells([]archive.Cell{cell}))
	}
	sheet.Body = paragraphs(said.Body)
	return sheet
}

func paragraphs(body []archive.Passage) []stamp.Paragraph {
	list := make([]stamp.Paragraph, len(body))
	for i, passage := range body {
		for _, s := range passage {
			list[i] = append(list[i], stamp.Sentence{Text: s.Text, Source: s.Source})
		}
	}
	return list
}

func cells(row []archive.Cell) stamp.Row {
	var fields stamp.Row
	for _, cell := range row {
		fields = append(fields, stamp.Field{Label: cell.Label, Value: cell.Value})
	}
	return fields
}

// frame is what stands around the statements of a certificate that no template
// words: the cover of a copy.
func frame(c archive.Certificate) *archive.Sheet {
	say := func(zh, en string) string { return archive.Label{ZH: zh, EN: en}.In(c.Language) }
	day := archive.DateOf(c.IssuedAt)
	said := archive.Sheet{
		Language: say("zh-CN", "en"), Issuer: c.Issuer.In(c.Language), Title: c.Title.In(c.Language),
		Rows: [][]archive.Cell{
			{{Label: say("申请人", "Applicant"), Value: c.Holder}, {Label: say("身份证号", "ID number"), Value: c.HolderID}},
			{{Label: say("查询事项", "Matter"), Value: c.Matter.In(c.Language)}, {Label: say("利用目的", "Purpose"), Value: c.Purpose}},
		},
		Mark: say("仅供"+c.Purpose+"使用", "Only for: "+c.Purpose), Date: say(day.Chinese(), day.ISO()),
	}
	for i, st := range c.Statements {
		if i == 0 {
			said.Rows = append(said.Rows, []archive.Cell{{Label: say("档案出处", "Record"), Value: st.Source.RefCode}})
		}
		said.Body = append(said.Body, archive.Passage{{Text: st.Text, Source: citation(st.Source, say)}})
	}
	return &said
}

func citation(c archive.Citation, say func(zh, en string) string) string {
	return c.RefCode + say(fmt.Sprintf("，文件%d第%d页，%s", c.File, c.Page, c.Date.Chinese()),
		fmt.Sprintf(", file %d page %d, %s", c.File, c.Page, c.Date.ISO()))
}
