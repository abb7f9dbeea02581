// Package remote lets a process of its own sign, so that a key, or the vendor's library of the device that holds it,
// never is in the address space of whoever wants something signed.
//
// It owns: the protocol over a Unix socket, and both its ends. It must not know: what is signed, or PKCS #11.
//
// A connection carries one question and its answer:
//
//	question = op[1] length[1] digest[length]       op 'K': the public key, no digest; op 'S': a signature of a SHA-256
//	answer   = status[1] length[2] bytes[length]    big endian; the bytes of status 0 are a public key (PKIX, DER) or a
//	                                                signature as crypto.Signer makes it (RSA: PKCS #1 v1.5), those of 1
//	                                                (later perhaps) and 2 (never) a reason
package remote

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// ErrUnavailable is wrapped when nobody answers, or says that it may work later.
var ErrUnavailable = errors.New("the signer is away")

const (
	askKey  = 'K'
	askSign = 'S'

	statusGood  = 0
	statusLater = 1
	statusNever = 2

	maxAnswer = 4 << 10 // an RSA key or value has an eighth of it
)

// Signer asks the process behind a socket. It may be used concurrently.
type Signer struct {
	path    string
	public  crypto.PublicKey
	timeout time.Duration
}

// New makes a signer. public is the key that signatures must be by, ECDSA or RSA; timeout is of one of them.
func New(path string, public crypto.PublicKey, timeout time.Duration) *Signer {
	return &Signer{path: path, public: public, timeout: timeout}
}

// Check asks for the key. It fails with ErrUnavailable when nobody answers, and otherwise when it is another one.
func (s *Signer) Check(ctx context.Context) error {
	der, err := s.ask(ctx, askKey, nil)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return fmt.Errorf("signer: read public key: %w", err)
	}
	if public, ok := s.public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(key) {
		return errors.New("signer: its key is another one")
	}
	return nil
}

// Public is the key that signatures must be by.
func (s *Signer) Public() crypto.PublicKey { return s.public }

// Sign signs with no limit but the timeout.
func (s *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(context.Background(), digest, opts)
}

// For is a signer for one call, which ends with ctx.
func (s *Signer) For(ctx context.Context) crypto.Signer { return bound{s, ctx} }

// bound is a Signer for one call.
type bound struct {
	*Signer
	ctx context.Context
}

// Sign signs before ctx ends.
func (b bound) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return b.sign(b.ctx, digest, opts)
}

// sign believes nobody: a signature that is not by the key is an error, and never in a file.
func (s *Signer) sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 || len(digest) != sha256.Size {
		return nil, errors.New("signer: only SHA-256 digests are signed")
	}
	value, err := s.ask(ctx, askSign, digest)
	if err != nil {
		return nil, err
	}
	good := false
	switch key := s.public.(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(key, digest, value)
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, value) == nil
	}
	if !good {
		return nil, errors.New("signer: what it answers is no signature by the key of the certificate")
	}
	return value, nil
}

// ask makes a connection for each question: there is none that could be broken.
func (s *Signer) ask(ctx context.Context, op byte, digest []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", s.path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // a deadline in the past ends reads
	defer stop()
	if _, err := c.Write(append([]byte{op, byte(len(digest))}, digest...)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	status, payload, err := readAnswer(c)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case status == statusGood:
		return payload, nil
	case status == statusLater:
		return nil, fmt.Errorf("%w: it says: %q", ErrUnavailable, payload)
	}
	return nil, fmt.Errorf("signer refuses: %q", payload)
}

func readAnswer(r io.Reader) (status byte, payload []byte, err error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, fmt.Errorf("read answer: %w", err)
	}
	length := binary.BigEndian.Uint16(head[1:])
	if length > maxAnswer || head[0] > statusNever {
		return 0, nil, errors.New("read answer: it is none")
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, fmt.Errorf("read answer: %w", err)
	}
	return head[0], payload, nil
}
