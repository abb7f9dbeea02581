package certificates

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dangan/archive"
)

// find reads a certificate by its number, or by its id while the office does not
// know the number yet. A number that was taken and never used is
// archive.ErrNotFound like one that nobody took.
func (m *Room) find(ctx context.Context, number string) (archive.Version[archive.Certificate], error) {
	var none archive.Version[archive.Certificate]
	if archive.ValidID(number) {
		v, err := m.c.Certificates.Head(ctx, number)
		if err != nil {
			return none, fmt.Errorf("certificate: %w", err)
		}
		return v, nil
	}
	id, err := m.c.Numbers.Holder(ctx, archive.ClaimNumber, archive.CanonicalNumber(number))
	if err != nil {
		return none, fmt.Errorf("certificate: %w", err)
	}
	v, err := m.c.Certificates.Head(ctx, id)
	if err != nil {
		return none, fmt.Errorf("certificate: %w", err)
	}
	if archive.CanonicalNumber(v.Value.Number) != archive.CanonicalNumber(number) {
		return none, fmt.Errorf("certificate: void number: %w", archive.ErrNotFound)
	}
	return v, nil
}

// pass finds a certificate and asks policy; who may not read it learns nothing.
func (m *Room) pass(ctx context.Context, actor archive.Actor, act archive.Action, number string) (archive.Version[archive.Certificate], error) {
	var none archive.Version[archive.Certificate]
	v, err := m.find(ctx, number)
	if err != nil {
		return none, err
	}
	asked := archive.Disclosure{Actor: actor, Action: archive.ActCertificate, Target: v.Value.Target(),
		Purpose: archive.Purpose{Code: archive.ForRequest, Case: v.Value.ID}}
	_, err = m.c.Door.Pass(ctx, asked)
	if errors.Is(err, archive.ErrForbidden) {
		return none, fmt.Errorf("certificate: %w", archive.ErrNotFound)
	}
	if err == nil && act != archive.ActCertificate {
		asked.Action = act
		_, err = m.c.Door.Pass(ctx, asked)
	}
	if err != nil {
		return none, err
	}
	return v, nil
}

// Certificate shows a certificate to its applicant or to staff of its office.
func (m *Room) Certificate(ctx context.Context, actor archive.Actor, number string) (archive.Version[archive.Certificate], error) {
	return m.pass(ctx, actor, archive.ActCertificate, number)
}

// PDF is the sealed document. It is archive.ErrState while there is none.
func (m *Room) PDF(ctx context.Context, actor archive.Actor, number string) (archive.Content, error) {
	v, err := m.pass(ctx, actor, archive.ActCertificate, number)
	if err != nil {
		return nil, err
	}
	if !v.Value.Released() {
		return nil, fmt.Errorf("certificate is %s: %w", v.Value.State, archive.ErrState)
	}
	return m.c.Blobs.OpenBlob(ctx, v.Value.Ref(), v.Value.PDF)
}

// Revoke ends a certificate; it stays on record and verifies as REVOKED.
func (m *Room) Revoke(ctx context.Context, actor archive.Actor, number, reason string) error {
	return m.end(ctx, actor, number, reason, func(c *archive.Certificate) error {
		c.State = archive.CertRevoked
		return nil
	})
}

// Supersede ends a certificate in favour of another sealed one of the same
// applicant.
func (m *Room) Supersede(ctx context.Context, actor archive.Actor, number, successor, reason string) error {
	return m.end(ctx, actor, number, reason, func(c *archive.Certificate) error {
		next, err := m.find(ctx, successor)
		if err != nil && !errors.Is(err, archive.ErrNotFound) {
			return err
		}
		n := next.Value
		if err != nil || n.State != archive.CertSealed || n.Applicant != c.Applicant || n.Office != c.Office || n.ID == c.ID {
			return archive.Problems{{Code: "bad_successor", Field: "successor"}}
		}
		c.State, c.Successor = archive.CertSuperseded, n.Number
		return nil
	})
}

func (m *Room) end(ctx context.Context, actor archive.Actor, number, reason string, change func(*archive.Certificate) error) error {
	v, err := m.pass(ctx, actor, archive.ActRevoke, number)
	if err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return archive.Problems{{Code: "required", Field: "reason"}}
	}
	if v.Value.State != archive.CertSealed {
		return fmt.Errorf("certificate is %s: %w", v.Value.State, archive.ErrState)
	}
	if err := change(&v.Value); err != nil {
		return err
	}
	v.Value.Reason, v.Value.ChangedBy, v.Value.ChangedAt = reason, actor.ID, m.c.Now()
	_, err = m.append(ctx, v)
	return err
}

// Reseal tries again to seal a certificate that is not sealed yet, whether its
// sealing failed or got stuck, or to close the request of one that is: after a
// backup was restored, the job that would do so may be gone.
func (m *Room) Reseal(ctx context.Context, actor archive.Actor, number string) error {
	v, err := m.pass(ctx, actor, archive.ActReseal, number)
	if err != nil {
		return err
	}
	request, err := m.c.Requests.Head(ctx, v.Value.ID)
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	if v.Value.Released() && request.Value.State != archive.Approved {
		return fmt.Errorf("certificate is %s: %w", v.Value.State, archive.ErrState)
	}
	job, err := m.c.Outbox.Plan(ctx, archive.Job{Kind: archive.JobCertificate, Ref: archive.Ref{Kind: archive.KindRequest, ID: v.Value.ID}})
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	m.c.Outbox.Start(job)
	return nil
}
