package certificates

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"dangan/archive"
)

// Renewer makes sealed PDFs checkable for longer. It may be called concurrently.
type Renewer interface {
	// Until is how long a sealed PDF can be checked as it is.
	Until(pdf []byte) (time.Time, error)
	// Renew returns the PDF with more behind it. An error that is archive.ErrUnavailable may pass; others need a person.
	Renew(ctx context.Context, pdf []byte) ([]byte, error)
}

// maxRenewed is how long a PDF may be that is renewed, in bytes: it is held in memory twice.
const maxRenewed = 256 << 20

// worthwhile is what a renewal must gain: until the authority has a certificate that lasts longer, it waits.
const worthwhile = 30 * 24 * time.Hour

// Renew renews a certificate that could not be checked after the given time, and reports whether that was so. One that
// counts no more is left alone. The PDF gets longer, the one before stays, and both are genuine. When that fails the
// certificate stays as it is, and is due.
func (m *Room) Renew(ctx context.Context, id string, after time.Time) (due bool, err error) {
	v, err := m.c.Certificates.Head(ctx, id)
	if err != nil {
		return false, fmt.Errorf("renew: %w", err)
	}
	if v.Value.State != archive.CertSealed || v.Value.Checkable.After(after) {
		return false, nil
	}
	pdf, err := m.read(ctx, v.Value)
	if err != nil {
		return true, fmt.Errorf("renew: %w", err)
	}
	until, err := m.c.Renewer.Until(pdf)
	if err != nil {
		return true, fmt.Errorf("renew: %w", err)
	}
	if due = !until.After(after); due {
		if v, until, err = m.prolong(ctx, v, pdf, until.Add(worthwhile)); err != nil {
			return true, fmt.Errorf("renew: %w", err)
		}
	}
	v.Value.Checkable = until // so that nobody has to read the PDF for it again
	if _, err := m.append(ctx, v); err != nil {
		return due, fmt.Errorf("renew: %w", err)
	}
	return due, nil
}

// prolong stores and claims the renewed PDF, if it can be checked for at least so long.
func (m *Room) prolong(ctx context.Context, v archive.Version[archive.Certificate], pdf []byte, atLeast time.Time) (archive.Version[archive.Certificate], time.Time, error) {
	renewed, err := m.c.Renewer.Renew(ctx, pdf)
	if err != nil {
		return v, time.Time{}, err
	}
	until, err := m.c.Renewer.Until(renewed)
	if err != nil {
		return v, time.Time{}, err
	}
	if until.Before(atLeast) {
		return v, time.Time{}, fmt.Errorf("the time-stamp's certificate ends on %s, too soon: %w", until.UTC().Format(time.DateOnly), archive.ErrUnavailable)
	}
	blob, err := m.c.Blobs.PutBlob(ctx, v.Value.Ref(), bytes.NewReader(renewed), archive.Carry{Entry: v.N + 1, Room: archive.CarryRoom})
	if err != nil {
		return v, time.Time{}, err
	}
	if _, err := m.c.Numbers.Claim(ctx, archive.ClaimPDF, blob.SHA256, v.Value.ID); err != nil {
		return v, time.Time{}, err
	}
	v.Value.Earlier, v.Value.PDF = v.Value.Blobs(), blob
	return v, until, nil
}

// read reads the sealed PDF.
func (m *Room) read(ctx context.Context, c archive.Certificate) ([]byte, error) {
	if c.PDF.Size > maxRenewed {
		return nil, fmt.Errorf("a PDF of %d bytes: %w", c.PDF.Size, archive.ErrInvalid)
	}
	content, err := m.c.Blobs.OpenBlob(ctx, c.Ref(), c.PDF)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	r, err := content.Range(0, content.Size())
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
