package stamp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"dangan/api/stamp/revocation"
	"dangan/api/stamp/timestamp"
)

// ErrNotIntact is wrapped when a file is not an intact certificate of ours: nobody prolongs anything else.
var ErrNotIntact = errors.New("not an intact certificate")

// Renewal makes certificates believable for longer than their newest time-stamp: it adds the evidence that can still be
// had, and a time-stamp over all of it (PAdES B-LTA, ETSI EN 319 142-1, 5.4.3).
type Renewal struct {
	Dates  Timestamper
	Proves Prover
	// Known are issuers of time-stamps that the files may lack.
	Known []*x509.Certificate
}

// Until is when an intact certificate of ours can no longer be checked: the first end of a certificate behind its newest
// time-stamp, or, without one, behind its seal.
func (r Renewal) Until(pdf []byte) (time.Time, error) {
	id, err := intact(pdf)
	if err != nil {
		return time.Time{}, err
	}
	end, _ := Expires(r.newest(id), time.Time{}) // of no interest: that it has not begun then
	return end, nil
}

// Renew returns the certificate with an update more. What the newest time-stamp, and before the first renewal the seal,
// rests on is proven anew; when nobody says anything of it any more, what is in the file must do. It fails with
// ErrNotIntact, or with what Dates and Proves say.
func (r Renewal) Renew(ctx context.Context, pdf []byte) ([]byte, error) {
	id, err := intact(pdf)
	if err != nil {
		return nil, fmt.Errorf("renew: %w", err)
	}
	t, ours := readTrail(pdf, id)
	if !ours || t == nil || len(t.stamps) == maxRenewals {
		return nil, fmt.Errorf("renew: %w: it cannot be added to", ErrNotIntact)
	}
	news, err := r.gather(ctx, id, t.evidence)
	if err != nil {
		return nil, fmt.Errorf("renew: %w", err)
	}
	err = t.add(news, func(digest [sha256.Size]byte) (token []byte, err error) {
		token, _, err = r.Dates.Stamp(ctx, digest)
		return token, err
	})
	if err != nil {
		return nil, fmt.Errorf("renew: %w", err)
	}
	renewed := t.file()
	if again, err := intact(renewed); err != nil || len(again.Renewed) != len(id.Renewed)+1 {
		return nil, fmt.Errorf("renew: %w: what was added does not read back", ErrNotIntact)
	}
	return renewed, nil
}

// gather is what the file lacks.
func (r Renewal) gather(ctx context.Context, id Identity, has Evidence) (Evidence, error) {
	newest := r.newest(id)
	has.Issuers = slices.Concat(has.Issuers, id.Issuers)
	news := has.lacks(Evidence{Issuers: newest[1:]})
	chains := [][]*x509.Certificate{newest}
	if len(id.Renewed) == 0 && id.Dated != nil {
		chains = append(chains, r.sealed(id))
	}
	for _, chain := range chains {
		proof, err := r.Proves.Prove(ctx, chain)
		switch {
		case err == nil, errors.Is(err, revocation.ErrRevoked): // since: the time-stamp tells what that means
		case errors.Is(err, revocation.ErrUnavailable) && has.proves(chain):
			continue
		default:
			return news, err
		}
		more := has.lacks(Evidence{Proof: proof})
		news.join(news.lacks(more))
	}
	return news, nil
}

// intact is Inspect for what may be renewed.
func intact(pdf []byte) (Identity, error) {
	id, err := Inspect(pdf)
	if err == nil && (id.State != Intact || id.Number == "") {
		err = fmt.Errorf("%w: %s", ErrNotIntact, id.Reason)
	}
	return id, err
}

// newest is the chain that decides how long the file can be checked.
func (r Renewal) newest(id Identity) []*x509.Certificate {
	token := id.Dated
	if len(id.Renewed) > 0 {
		token = id.Renewed[len(id.Renewed)-1]
	}
	if token == nil {
		return r.sealed(id)
	}
	return r.chain(token.Signer, id, token)
}

func (r Renewal) sealed(id Identity) []*x509.Certificate { return r.chain(id.Signer, id, nil) }

// chain goes up from a certificate as far as its issuers are at hand.
func (r Renewal) chain(c *x509.Certificate, id Identity, token *timestamp.Token) []*x509.Certificate {
	at := slices.Concat(id.Issuers, r.Known)
	if id.Evidence != nil {
		at = append(at, id.Evidence.Issuers...)
	}
	if token != nil {
		at = append(at, token.Others...)
	}
	chain := []*x509.Certificate{c}
	for c.CheckSignatureFrom(c) != nil {
		i := slices.IndexFunc(at, func(issuer *x509.Certificate) bool {
			return bytes.Equal(issuer.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(issuer) == nil
		})
		if i < 0 || len(chain) > len(at) {
			break
		}
		c = at[i]
		chain = append(chain, c)
	}
	return chain
}
