// Package revocation finds out which certificates were revoked: from lists (CRLs, RFC 5280), and where there are none
// of a bearable size, from answers to questions about one certificate (OCSP, RFC 6960).
//
// It owns: where lists and answers come from, which of them are worth anything, and keeping them for a while. It must
// not know: PDF, or what the certificates are for.
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
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"
)

// ErrUnavailable is wrapped when nobody says anything of a certificate now. Later somebody may.
var ErrUnavailable = errors.New("no revocation list or answer to be had")

// ErrRevoked is wrapped when a list names a certificate, or an answer does not call it good.
var ErrRevoked = errors.New("the certificate was revoked")

// maxList is how many bytes a list may have: it goes into every file that is sealed.
const maxList = 256 << 10

// Proof is what the issuers of a chain say of it.
type Proof struct {
	Lists   []*x509.RevocationList
	Answers []*ocsp.Response
}

// Finder finds lists in files and, for certificates that no file speaks of, lists and answers at the addresses that
// stand in the certificates. It may be called concurrently.
type Finder struct {
	Files []string         // lists, PEM or DER, read anew each time, so that they can be replaced
	HTTP  *http.Client     // has a timeout; nil asks nobody
	Now   func() time.Time // what is not valid now is refused

	mu   sync.Mutex
	kept map[string]kept // by address, and for answers the certificate
}

// kept is a list or an answer, and when it came.
type kept struct {
	raw []byte
	at  time.Time
}

// Prove returns what there is for all of a chain but its root. It fails with ErrUnavailable when something is
// missing, or with ErrRevoked, and then with the proof of that.
func (f *Finder) Prove(ctx context.Context, chain []*x509.Certificate) (Proof, error) {
	var proof Proof
	var revoked error
	for i, c := range chain {
		if c.CheckSignatureFrom(c) == nil {
			break // the root
		}
		if i+1 == len(chain) {
			return Proof{}, fmt.Errorf("certificate %d of the chain has no issuer in it: %w", i+1, ErrUnavailable)
		}
		list, answer, err := f.find(ctx, c, chain[i+1])
		if err != nil {
			return Proof{}, fmt.Errorf("certificate %d of the chain: %w: %w", i+1, ErrUnavailable, err)
		}
		bad := false
		if list != nil {
			proof.Lists = append(proof.Lists, list)
			bad = slices.ContainsFunc(list.RevokedCertificateEntries, func(r x509.RevocationListEntry) bool { return r.SerialNumber.Cmp(c.SerialNumber) == 0 })
		} else {
			proof.Answers = append(proof.Answers, answer)
			bad = answer.Status != ocsp.Good
		}
		if bad && revoked == nil {
			revoked = fmt.Errorf("certificate %d of the chain: %w", i+1, ErrRevoked)
		}
	}
	return proof, revoked
}

// find prefers lists: one serves all certificates of an hour.
func (f *Finder) find(ctx context.Context, c, issuer *x509.Certificate) (*x509.RevocationList, *ocsp.Response, error) {
	why := errors.New("no list speaks of it, and it names no address")
	for _, path := range f.Files {
		raw, err := os.ReadFile(path)
		if err == nil {
			var list *x509.RevocationList
			if list, err = f.readList(raw, issuer); err == nil {
				return list, nil, nil
			}
		}
		why = fmt.Errorf("%s: %w", path, err)
	}
	for _, address := range reachable(f.HTTP, c.CRLDistributionPoints) {
		list, err := f.fetchList(ctx, address, issuer)
		if err == nil {
			return list, nil, nil
		}
		why = fmt.Errorf("%s: %w", address, err)
	}
	for _, address := range reachable(f.HTTP, c.OCSPServer) {
		answer, err := f.ask(ctx, address, c, issuer)
		if err == nil {
			return nil, answer, nil
		}
		why = fmt.Errorf("%s: %w", address, err)
	}
	return nil, nil, why
}

func reachable(client *http.Client, addresses []string) (list []string) {
	for _, a := range addresses {
		if client != nil && (strings.HasPrefix(a, "http://") || strings.HasPrefix(a, "https://")) {
			list = append(list, a)
		}
	}
	return list
}

// recent is what came from an address less than an hour ago: who answers may publish before it must.
func (f *Finder) recent(key string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.kept[key]; f.Now().Sub(k.at) < time.Hour {
		return k.raw
	}
	return nil
}

func (f *Finder) keep(key string, raw []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept == nil {
		f.kept = map[string]kept{}
	}
	f.kept[key] = kept{raw, f.Now()}
}

func (f *Finder) fetchList(ctx context.Context, address string, issuer *x509.Certificate) (*x509.RevocationList, error) {
	if list, err := f.readList(f.recent(address), issuer); err == nil {
		return list, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	raw, err := f.fetch(request, maxList)
	if err != nil {
		return nil, err
	}
	list, err := f.readList(raw, issuer)
	if err == nil {
		f.keep(address, raw)
	}
	return list, err
}

// fetch refuses what is longer than limit.
func (f *Finder) fetch(request *http.Request, limit int64) ([]byte, error) {
	response, err := f.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers with status %d", response.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("it answers with more than %d bytes", limit)
	}
	return raw, err
}

func (f *Finder) readList(raw []byte, issuer *x509.Certificate) (*x509.RevocationList, error) {
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
	return list, f.check(list, issuer)
}

// check refuses lists by others, and lists that are not valid now.
func (f *Finder) check(list *x509.RevocationList, issuer *x509.Certificate) error {
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	if now := f.Now(); now.Before(list.ThisUpdate) || now.After(list.NextUpdate) {
		return errors.New("the list is not valid now")
	}
	return nil
}
