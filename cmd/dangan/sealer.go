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

	"dangan/api/stamp"
	"dangan/api/stamp/revocation"
	"dangan/api/stamp/timestamp"
	"dangan/archive"
)

// sealer puts certificates into words on a sheet and has them stamped. It makes
// one stamper per office, since each office has a seal of its own.
type sealer struct {
	signer    crypto.Signer
	chain     []*x509.Certificate
	dates     stamp.Timestamper // nil when no time-stamp authority is configured
	proves    stamp.Prover      // nil when no proof is wanted
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
	made, err := stamp.New(stamp.Config{Signer: s.signer, Chain: s.chain, Dates: s.dates, Proves: s.proves,
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

// sheet words the page around the statements, in the language asked for. What
// the record says stays in the language of the archives.
func (s *sealer) sheet(c archive.Certificate) stamp.Sheet {
	english := strings.HasPrefix(c.Language, "en")
	say := func(zh, en string) string { return archive.Label{ZH: zh, EN: en}.In(c.Language) }
	labels, date := stamp.Chinese(), archive.DateOf(c.IssuedAt).Chinese()
	if english {
		labels, date = stamp.English(), archive.DateOf(c.IssuedAt).ISO()
	}
	sheet := stamp.Sheet{
		Language: say("zh-CN", "en"), Issuer: c.Issuer.In(c.Language), Title: c.Title.In(c.Language), Number: c.Number,
		Rows: []stamp.Row{
			{{Label: say("申请人", "Applicant"), Value: c.Holder}, {Label: say("身份证号", "ID number"), Value: c.HolderID}},
			{{Label: say("查询事项", "Matter"), Value: c.Matter.In(c.Language)}, {Label: say("利用目的", "Purpose"), Value: c.Purpose}},
		},
		SignedBy: c.Issuer.In(c.Language), Date: date,
		PurposeMark: say("仅供"+c.Purpose+"使用", "Only for: "+c.Purpose),
		QRText:      s.verifyURL + "#number=" + url.QueryEscape(c.Number) + "&code=" + c.Code,
		CheckCode:   c.Code, VerifyURL: s.verifyURL,
		Notes:  []string{say("本证明由电子签章系统签发，涂改无效。", "Issued under an electronic seal; void if altered.")},
		Footer: c.Number, Labels: labels,
	}
	if len(c.Statements) > 0 {
		sheet.Rows = append(sheet.Rows, stamp.Row{{Label: say("档案出处", "Record"), Value: c.Statements[0].Source.RefCode}})
	}
	sheet.Body = []stamp.Paragraph{{{Text: say("经查阅馆藏档案，现将有关记载摘录如下：", "The records held here state:")}}}
	var said stamp.Paragraph
	for _, st := range c.Statements {
		said = append(said, stamp.Sentence{Text: st.Text, Source: citation(st.Source, say)})
	}
	sheet.Body = append(sheet.Body, said,
		stamp.Paragraph{{Text: say("上述内容与馆藏档案记载一致，特此证明。", "The above agrees with the records held.")}})
	if !c.ValidUntil.IsZero() {
		until := archive.DateOf(c.ValidUntil)
		sheet.After = []stamp.Row{{{Label: say("有效期限", "Valid until"), Value: say("至"+until.Chinese()+"止", until.ISO())}}}
	}
	return sheet
}

func citation(c archive.Citation, say func(zh, en string) string) string {
	return c.RefCode + say(fmt.Sprintf("，文件%d第%d页，%s", c.File, c.Page, c.Date.Chinese()),
		fmt.Sprintf(", file %d page %d, %s", c.File, c.Page, c.Date.ISO()))
}
