// Package certificates makes certificates from approved requests, and answers
// anybody who asks whether one is genuine.
//
// It owns the states of a certificate, its number, its check code and its words.
// It must not know how a page is drawn or sealed (it asks a Stamper), nor who
// sits at the desk: an approved request is all it starts from.
package certificates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"dangan/archive"
)

// Config is what the room works with.
type Config struct {
	Certificates Certificates
	Requests     Requests
	Records      Records
	Offices      Offices
	Numbers      Numbers
	Blobs        Blobs
	Stamper      Stamper
	Copier       Copier
	Renewer      Renewer // nil when certificates are not renewed
	Files        Files
	Outbox       Outbox
	Door         Door
	Templates    Templates
	Opener       Opener
	Defaults     []archive.Template // built in
	Schema       archive.Schema
	Now          func() time.Time
	Rand         io.Reader     // of check codes
	Grace        time.Duration // how long an approval may take from plan to commit
	Term         time.Duration // how long a certificate is valid; 0 for ever
	Log          *slog.Logger
}

// Room issues and verifies. Its methods may be called concurrently.
type Room struct{ c Config }

// New opens the room.
func New(c Config) *Room { return &Room{c: c} }

// Seal handles a job: it takes the certificate of an approved request as far as
// it will go. Whatever is repeated, a request has one certificate with one
// number and one PDF: each state is an entry written create-only.
func (m *Room) Seal(ctx context.Context, job archive.Job) error {
	request, err := m.c.Requests.Head(ctx, job.Ref.ID)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	switch request.Value.State {
	case archive.Approved:
	case archive.Reviewed, archive.ReviewedNone: // planned, and not yet approved
		if m.c.Now().Sub(job.At) < m.c.Grace {
			return archive.ErrEarly
		}
		return nil
	default:
		return nil
	}
	cert, err := m.certificate(ctx, request.Value)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if !cert.Value.Released() {
		if cert, err = m.seal(ctx, cert); err != nil {
			return fmt.Errorf("seal: %w", err)
		}
	}
	if !cert.Value.Released() {
		return nil // failed for a reason that a person must see to; the state shows it
	}
	return m.close(ctx, request, cert.Value)
}

// certificate returns the certificate of a request, making its first entry when
// there is none.
func (m *Room) certificate(ctx context.Context, r archive.Request) (archive.Version[archive.Certificate], error) {
	v, err := m.c.Certificates.Head(ctx, r.ID)
	if err == nil && v.Value.Sheet == nil && v.Value.Copy == nil && !v.Value.Released() {
		return v, m.reword(ctx, r, &v.Value)
	}
	if !errors.Is(err, archive.ErrNotFound) {
		return v, err
	}
	c, err := m.word(ctx, r, m.c.Now())
	if err != nil {
		return v, err
	}
	if c.Number, err = m.number(ctx, c); err != nil {
		return v, err
	}
	if c.Code, err = newCode(m.c.Rand); err != nil {
		return v, err
	}
	err = m.c.Certificates.Append(ctx, c.ID, 1, c)
	if err != nil && !errors.Is(err, archive.ErrConflict) {
		return v, err
	}
	// After a conflict another replica's entry stands; our number stays void.
	return m.c.Certificates.Head(ctx, r.ID)
}

// reword gives a certificate that was begun before there were templates its words.
func (m *Room) reword(ctx context.Context, r archive.Request, c *archive.Certificate) error {
	worded, err := m.word(ctx, r, c.IssuedAt)
	c.Template, c.Title, c.Sheet, c.Statements = worded.Template, worded.Title, worded.Sheet, worded.Statements
	return err
}

// number takes the next number of the office and year and claims it for the
// certificate, so that a number which never comes to be used is on record.
func (m *Room) number(ctx context.Context, c archive.Certificate) (string, error) {
	office, err := m.c.Offices.Head(ctx, c.Office)
	if err != nil {
		return "", err
	}
	n, err := m.c.Numbers.Next(ctx, archive.CertificateSequence(c.Office, c.IssuedAt))
	if err != nil {
		return "", err
	}
	number := fmt.Sprintf("%s〔%d〕%06d号", office.Value.Short, archive.DateOf(c.IssuedAt).Year, n)
	_, err = m.c.Numbers.Claim(ctx, archive.ClaimNumber, archive.CanonicalNumber(number), c.ID)
	return number, err
}

// Failures of sealing that the stamper gives no code for.
const (
	failedAway    = "signer_unavailable"
	failedEmpty   = "nothing_to_certify"
	failedLost    = "original_unavailable"
	failedUnknown = "seal_error"
)

// waits tells whether a failure passes without a change to the certificate.
func waits(code string) bool {
	return slices.Contains([]string{failedAway, failedLost, "timestamp_unavailable", "revocation_unavailable", "seal_expired", "seal_revoked"}, code)
}

// seal draws, seals and stores the PDF. The returned entry says how it went: a
// failure that a retry cannot mend is a state, and no error. While the signer or
// the time-stamp authority stays away, further attempts write nothing.
func (m *Room) seal(ctx context.Context, v archive.Version[archive.Certificate]) (archive.Version[archive.Certificate], error) {
	away := v.Value.State == archive.CertSealFailed && waits(v.Value.Failure)
	v.Value.Attempts++
	if !away {
		var err error
		v.Value.State, v.Value.Failure = archive.CertSealing, ""
		if v, err = m.append(ctx, v); err != nil {
			return v, err
		}
	}
	if len(v.Value.Statements) == 0 { // the record was described anew after its review
		return m.fail(ctx, v, failedEmpty, nil)
	}
	blob, err := m.store(ctx, v.Value, archive.Carry{Entry: v.N + 1, Room: archive.CarryRoom})
	waiting := away && failure(err) == v.Value.Failure && errors.Is(err, archive.ErrUnavailable)
	if errors.As(err, new(undrawn)) && ctx.Err() == nil && !waiting {
		return m.fail(ctx, v, failure(err), err)
	}
	if err != nil {
		return v, err
	}
	if _, err := m.c.Numbers.Claim(ctx, archive.ClaimPDF, blob.SHA256, v.Value.ID); err != nil {
		return v, err
	}
	v.Value.State, v.Value.Failure, v.Value.PDF = archive.CertSealed, "", blob
	return m.append(ctx, v)
}

// store has the PDF drawn and sealed, and keeps it. When that fails before there
// is anything to keep, the error is undrawn.
func (m *Room) store(ctx context.Context, c archive.Certificate, carry archive.Carry) (archive.Blob, error) {
	if c.Copy != nil {
		return m.storeCopy(ctx, c, carry)
	}
	pdf, err := m.c.Stamper.Stamp(ctx, c)
	if err != nil {
		return archive.Blob{}, undrawn{err}
	}
	return m.c.Blobs.PutBlob(ctx, c.Ref(), bytes.NewReader(pdf), carry)
}

// failure is the stable code of what the stamper says.
func failure(err error) string {
	var coded interface{ Code() string }
	switch {
	case errors.As(err, &coded):
		return coded.Code()
	case errors.Is(err, archive.ErrUnavailable):
		return failedAway
	}
	return failedUnknown
}

// fail notes why sealing did not work. A cause that may pass by itself is
// returned, so that the queue tries again. The text of a cause is not logged: it
// may quote the page.
func (m *Room) fail(ctx context.Context, v archive.Version[archive.Certificate], code string, cause error) (archive.Version[archive.Certificate], error) {
	v.Value.State, v.Value.Failure = archive.CertSealFailed, code
	m.c.Log.ErrorContext(ctx, "sealing failed", "certificate", v.Value.ID, "attempt", v.Value.Attempts, "code", code)
	v, err := m.append(ctx, v)
	if err == nil && errors.Is(cause, archive.ErrUnavailable) {
		err = cause
	}
	return v, err
}

func (m *Room) append(ctx context.Context, v archive.Version[archive.Certificate]) (archive.Version[archive.Certificate], error) {
	if err := m.c.Certificates.Append(ctx, v.Value.ID, v.N+1, v.Value); err != nil {
		return v, err
	}
	return archive.Version[archive.Certificate]{N: v.N + 1, At: m.c.Now(), Value: v.Value}, nil
}

// close writes the certificate's number into its request.
func (m *Room) close(ctx context.Context, r archive.Version[archive.Request], c archive.Certificate) error {
	r.Value.State, r.Value.Certificate = archive.Issued, c.Number
	if r.Value.Record == "" { // what was certified is that there is none
		r.Value.State = archive.NotFound
	}
	r.Value.Events = append(r.Value.Events[:len(r.Value.Events):len(r.Value.Events)],
		archive.Event{At: m.c.Now(), Actor: string(archive.RoleSystem), Step: archive.StepIssue, State: r.Value.State})
	if err := m.c.Requests.Append(ctx, r.Value.ID, r.N+1, r.Value); err != nil {
		return fmt.Errorf("close request: %w", err)
	}
	return nil
}
