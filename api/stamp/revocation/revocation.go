// Package revocation finds the lists that say which certificates were revoked (RFC 5280, CRLs).
//
// It owns: where lists come from, which of them are worth anything, and keeping them for a while. It must not
// know: PDF, or what the certificates are for.
package revocation

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// ErrUnavailable is wrapped when there is no list for a certificate now. Later there may be.
var ErrUnavailable = errors.New("no revocation list to be had")

// ErrRevoked is wrapped when a list names a certificate.
var ErrRevoked = errors.New("the certificate was revoked")

// maxList is how many bytes a list may have: it goes into every file that is sealed.
const maxList = 256 << 10

// Lists finds lists in files and, for certificates that no file speaks of, at the addresses that stand in the
// certificates. It may be called concurrently.
type Lists struct {
	Files []string         // PEM or DER, read anew each time, so that they can be replaced
	HTTP  *http.Client     // has a timeout; nil asks nobody
	Now   func() time.Time // lists that are not valid now are refused

	mu   sync.Mutex
	kept map[string]fetched // by address
}

// fetched is a list and when it came.
type fetched struct {
	list *x509.RevocationList
	at   time.Time
}

// Prove returns the lists for all of a chain but its root, in DER. It fails with ErrUnavailable when one is
// missing, or with ErrRevoked.
func (l *Lists) Prove(ctx context.Context, chain []*x509.Certificate) ([][]byte, error) {
	var found [][]byte
	for i, c := range chain {
		if c.CheckSignatureFrom(c) == nil {
			break // the root
		}
		if i+1 == len(chain) {
			return nil, fmt.Errorf("certificate %d of the chain has no issuer in it: %w", i+1, ErrUnavailable)
		}
		list, err := l.find(ctx, c, chain[i+1])
		if err != nil {
			return nil, fmt.Errorf("certificate %d of the chain: %w", i+1, err)
		}
		for _, r := range list.RevokedCertificateEntries {
			if r.SerialNumber.Cmp(c.SerialNumber) == 0 {
				return nil, fmt.Errorf("certificate %d of the chain: %w", i+1, ErrRevoked)
			}
		}
		found = append(found, list.Raw)
	}
	return found, nil
}

func (l *Lists) find(ctx context.Context, c, issuer *x509.Certificate) (*x509.RevocationList, error) {
	why := errors.New("no list speaks of it, and it names no address")
	for _, path := range l.Files {
		raw, err := os.ReadFile(path)
		if err == nil {
			var list *x509.RevocationList
			if list, err = l.read(raw, issuer); err == nil {
				return list, nil
			}
		}
		why = fmt.Errorf("%s: %w", path, err)
	}
	for _, address := range c.CRLDistributionPoints {
		if l.HTTP == nil || !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			continue
		}
		list, err := l.fetch(ctx, address, issuer)
		if err == nil {
			return list, nil
		}
		why = err
	}
	return nil, fmt.Errorf("%w: %w", ErrUnavailable, why)
}

// fetch keeps what it found for an hour at most: an authority may publish before it must.
func (l *Lists) fetch(ctx context.Context, address string, issuer *x509.Certificate) (*x509.RevocationList, error) {
	l.mu.Lock()
	kept := l.kept[address]
	l.mu.Unlock()
	if kept.list != nil && l.Now().Sub(kept.at) < time.Hour && l.check(kept.list, issuer) == nil {
		return kept.list, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := l.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers with status %d", address, response.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxList+1))
	if err != nil {
		return nil, err
	}
	list, err := l.read(raw, issuer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = map[string]fetched{}
	}
	l.kept[address] = fetched{list, l.Now()}
	return list, nil
}

func (l *Lists) read(raw []byte, issuer *x509.Certificate) (*x509.RevocationList, error) {
	if len(raw) > maxList {
		return nil, fmt.Errorf("a list of more than %d bytes", maxList)
	}
	if block, _ := pem.Decode(raw); block != nil {
		raw = block.Bytes
	}
	list, err := x509.ParseRevocationList(raw)
	if err != nil {
		return nil, err
	}
	return list, l.check(list, issuer)
}

// check refuses lists by others, and lists that are not valid now.
func (l *Lists) check(list *x509.RevocationList, issuer *x509.Certificate) error {
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	if now := l.Now(); now.Before(list.ThisUpdate) || now.After(list.NextUpdate) {
		return errors.New("the list is not valid now")
	}
	return nil
}
