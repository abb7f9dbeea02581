package certificates

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"

	"dangan/archive"
)

// Verify answers anybody who has the number and the check code. A wrong code
// and an unknown number answer alike.
func (m *Room) Verify(ctx context.Context, number, code string) (archive.Verification, error) {
	v, err := m.find(ctx, number)
	if errors.Is(err, archive.ErrNotFound) {
		return m.unknown(""), nil
	}
	if err != nil {
		return archive.Verification{}, err
	}
	given, right := canonicalCode(code), canonicalCode(v.Value.Code)
	if subtle.ConstantTimeCompare([]byte(given), []byte(right)) == 0 {
		return m.unknown(""), nil
	}
	return m.answer(v.Value), nil
}

// VerifyPDF answers anybody who has the document. A document that names one of
// our certificates and is not the one we sealed, renewed or not, has been tampered
// with; nothing but the number is said of it.
func (m *Room) VerifyPDF(ctx context.Context, pdf []byte) (archive.Verification, error) {
	sum := sha256.Sum256(pdf)
	digest := hex.EncodeToString(sum[:])
	id, err := m.c.Numbers.Holder(ctx, archive.ClaimPDF, digest)
	if err == nil {
		v, err := m.c.Certificates.Head(ctx, id)
		if err == nil && v.Value.Genuine(digest) {
			return m.answer(v.Value), nil
		}
		if err != nil && !errors.Is(err, archive.ErrNotFound) {
			return archive.Verification{}, fmt.Errorf("verify: %w", err)
		}
	} else if !errors.Is(err, archive.ErrNotFound) {
		return archive.Verification{}, fmt.Errorf("verify: %w", err)
	}
	return m.stranger(ctx, pdf)
}

// stranger judges a PDF that we did not release as it is.
func (m *Room) stranger(ctx context.Context, pdf []byte) (archive.Verification, error) {
	number, err := m.c.Stamper.Number(pdf)
	switch {
	case errors.Is(err, archive.ErrInvalid):
		return m.unknown("not_pdf"), nil
	case errors.Is(err, archive.ErrNotFound):
		return m.unknown("not_ours"), nil
	case err != nil:
		return archive.Verification{}, fmt.Errorf("verify: %w", err)
	}
	v, err := m.find(ctx, number)
	if errors.Is(err, archive.ErrNotFound) || err == nil && !v.Value.Released() {
		return m.unknown("not_ours"), nil
	}
	if err != nil {
		return archive.Verification{}, err
	}
	return archive.Verification{Verdict: archive.Tampered, AsOf: m.c.Now(), Number: v.Value.Number, Reason: "changed_after_sealing"}, nil
}

func (m *Room) unknown(reason string) archive.Verification {
	return archive.Verification{Verdict: archive.Unknown, AsOf: m.c.Now(), Reason: reason}
}

// answer says what the public may know of a certificate.
func (m *Room) answer(c archive.Certificate) archive.Verification {
	now := m.c.Now()
	a := archive.Verification{
		AsOf: now, Number: c.Number, Issuer: c.Issuer, Title: c.Title, IssuedAt: c.IssuedAt,
		Holder: archive.MaskName(c.Holder), Purpose: c.Purpose, SHA256: c.PDF.SHA256,
	}
	if c.Copy != nil {
		a.Pages = len(c.Copy.Pages)
	}
	switch c.State {
	case archive.CertSealed:
		a.Verdict, a.Expired = archive.Valid, !c.ValidUntil.IsZero() && now.After(c.ValidUntil)
	case archive.CertRevoked:
		a.Verdict, a.Reason = archive.Revoked, c.Reason
	case archive.CertSuperseded:
		a.Verdict, a.Successor = archive.Superseded, c.Successor
	default: // not released: to the public there is no such certificate yet
		return m.unknown("")
	}
	return a
}
