package certificates

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"dangan/archive"
)

// word composes what the certificate says. It states the entry of the record
// that was reviewed, whatever has been written since.
func (m *Room) word(ctx context.Context, r archive.Request) (archive.Certificate, error) {
	entries, err := m.c.Records.History(ctx, r.Record)
	if err != nil {
		return archive.Certificate{}, err
	}
	if r.RecordVersion < 1 || r.RecordVersion > len(entries) {
		return archive.Certificate{}, fmt.Errorf("word certificate: no entry %d: %w", r.RecordVersion, archive.ErrCorrupt)
	}
	record := entries[r.RecordVersion-1]
	office, err := m.c.Offices.Head(ctx, r.Office)
	if err != nil {
		return archive.Certificate{}, err
	}
	category, ok := m.c.Schema.Category(record.Value.Category)
	if !ok || len(r.Sources) == 0 && r.Copy == nil {
		return archive.Certificate{}, fmt.Errorf("word certificate: %w", archive.ErrInvalid)
	}
	now := m.c.Now()
	c := archive.Certificate{
		ID: r.ID, Record: r.Record, RecordVersion: record.N, Applicant: r.Applicant,
		Office: r.Office, Issuer: office.Value.Name, SealNumber: office.Value.SealNumber,
		Category: category.Code, Title: category.Wording.Title, Language: r.Language,
		Holder: r.Name, HolderID: r.IDNumber.Masked(), Matter: category.Label, Purpose: r.Purpose,
		State: archive.CertApproved, IssuedAt: now,
	}
	if r.Copy != nil {
		copied(&c, *r.Copy, record.Value)
	} else {
		c.Statements = statements(category, record.Value, r.Sources)
	}
	if m.c.Term > 0 {
		c.ValidUntil = now.Add(m.c.Term)
	}
	return c, nil
}

// statements cites for every sentence the page the reviewer named for it; the
// last page named serves for the rest.
func statements(c archive.Category, r archive.Record, pages []archive.PageRef) []archive.Statement {
	var list []archive.Statement
	for i, text := range c.Sentences(r) {
		page := pages[min(i, len(pages)-1)]
		list = append(list, archive.Statement{Text: text, Source: archive.Citation{
			RefCode: r.RefCode.Original, File: page.File, Page: page.Page, Date: r.Date}})
	}
	return list
}

const codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford: none is read for another

// newCode makes a check code of 60 random bits: XXXX-XXXX-XXXX.
func newCode(random io.Reader) (string, error) {
	raw := make([]byte, 12)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("check code: %w", err)
	}
	for i, b := range raw {
		raw[i] = codeAlphabet[b%32]
	}
	return fmt.Sprintf("%s-%s-%s", raw[:4], raw[4:8], raw[8:]), nil
}

// canonicalCode reads a check code as people type it.
func canonicalCode(s string) string {
	return strings.Map(func(r rune) rune {
		switch r = unicode.ToUpper(narrow(r)); r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		if !strings.ContainsRune(codeAlphabet, r) {
			return -1
		}
		return r
	}, s)
}

func narrow(r rune) rune {
	if 0xFF01 <= r && r <= 0xFF5E {
		return r - 0xFEE0
	}
	return r
}
