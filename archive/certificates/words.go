package certificates

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"dangan/archive"
)

// word composes what the certificate says. It states the entry of the record
// that was reviewed, whatever has been written since, in the words of the template
// that counts now.
func (m *Room) word(ctx context.Context, r archive.Request, issued time.Time) (archive.Certificate, error) {
	said, version, err := m.matter(ctx, r, issued)
	if err != nil {
		return archive.Certificate{}, err
	}
	c := archive.Certificate{
		ID: r.ID, Record: r.Record, RecordVersion: version, Applicant: r.Applicant,
		Office: r.Office, Issuer: said.Office.Name, SealNumber: said.Office.SealNumber,
		Category: said.Category.Code, Language: r.Language,
		Holder: r.Name, HolderID: r.IDNumber.Masked(), Matter: said.Category.Label, Purpose: r.Purpose,
		State: archive.CertApproved, IssuedAt: said.Issued, ValidUntil: said.Until,
	}
	if r.Copy != nil {
		copied(&c, *r.Copy, said)
		return c, nil
	}
	t, err := m.template(ctx, archive.TemplateKey(said.Occasion, said.Category.Code), r.Office)
	if err != nil {
		return archive.Certificate{}, err
	}
	sheet, statements := t.Value.Word(said, r.Language)
	c.Template, c.Title = archive.TemplatePin{ID: t.Value.Ref().ID, Version: t.N}, t.Value.Titled(said)
	c.Sheet, c.Statements = &sheet, statements
	return c, nil
}

// matter collects what the certificate of a request may speak of, and the number
// of the record's entry that it does.
func (m *Room) matter(ctx context.Context, r archive.Request, issued time.Time) (archive.Case, int, error) {
	c := archive.Case{Occasion: r.Occasion(), Request: r, Issued: issued}
	office, err := m.c.Offices.Head(ctx, r.Office)
	if err != nil {
		return c, 0, err
	}
	c.Office = office.Value
	category, version := r.Wanted.Category, 0
	if r.Record != "" {
		entries, err := m.c.Records.History(ctx, r.Record)
		if err != nil {
			return c, 0, err
		}
		if r.RecordVersion < 1 || r.RecordVersion > len(entries) {
			return c, 0, fmt.Errorf("word certificate: no entry %d: %w", r.RecordVersion, archive.ErrCorrupt)
		}
		record := entries[r.RecordVersion-1]
		c.Record, category, version = record.Value, record.Value.Category, record.N
	}
	known := false
	if c.Category, known = m.c.Schema.Category(category); !known || r.Record != "" && len(r.Sources) == 0 && r.Copy == nil {
		return c, 0, fmt.Errorf("word certificate: %w", archive.ErrInvalid)
	}
	// What was read or sought on a day stays so; what a record states may change.
	if m.c.Term > 0 && c.Occasion != archive.OfNotFound && c.Occasion != archive.OfReading {
		c.Until = c.Issued.Add(m.c.Term)
	}
	return c, version, nil
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
