package remote

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// serve answers at a path until stop is called, which returns what Serve did.
func serve(t *testing.T, path string, signer crypto.Signer) (stop func() error) {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, signer, slog.New(slog.DiscardHandler)) }()
	return func() error { cancel(); return <-done }
}

// TestSign: both kinds of keys, from the socket, which nobody else may open, and again after the other side was away.
func TestSign(t *testing.T) {
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("content"))
	for name, key := range map[string]crypto.Signer{"ECDSA": newKey(t), "RSA": rs} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "socket")
			s := New(path, key.Public(), time.Minute)
			for range 2 {
				if _, err := s.For(t.Context()).Sign(nil, digest[:], crypto.SHA256); !errors.Is(err, ErrUnavailable) {
					t.Errorf("with nobody there: %v", err)
				}
				stop := serve(t, path, key)
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("the socket is %v, %v", info.Mode(), err)
				}
				if _, err := Listen(path); err == nil {
					t.Error("two listen at one place")
				}
				if err := s.Check(t.Context()); err != nil {
					t.Error(err)
				}
				for _, signer := range []crypto.Signer{s, s.For(t.Context())} { // both check what they get
					if _, err := signer.Sign(nil, digest[:], crypto.SHA256); err != nil {
						t.Error(err)
					}
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestLeftSocket: what a process that was killed left is no obstacle; a file is.
func TestLeftSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil {
		t.Error("a file was replaced")
	}
}

// TestSignerOfSomethingElse: neither a wrong key nor a wrong answer gets through, and neither is worth waiting for.
func TestSignerOfSomethingElse(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "socket"), newKey(t)
	s := New(path, newKey(t).Public(), time.Minute)
	stop := serve(t, path, key)
	digest := sha256.Sum256(nil)
	if err := s.Check(t.Context()); err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("another key: %v", err)
	}
	if _, err := s.Sign(nil, digest[:], crypto.SHA256); err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("another signature: %v", err)
	}
	if _, err := s.Sign(nil, digest[:20], crypto.SHA1); err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("another digest: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// brokenSigner is a device that has gone.
type brokenSigner struct{ *ecdsa.PrivateKey }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no token")
}

// TestDeviceGone: who asks is told to wait, and the process ends.
func TestDeviceGone(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "socket"), newKey(t)
	stop := serve(t, path, brokenSigner{key})
	digest := sha256.Sum256(nil)
	if _, err := New(path, key.Public(), time.Minute).Sign(nil, digest[:], crypto.SHA256); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	if err := stop(); err == nil {
		t.Error("it goes on")
	}
}

// TestSilence: who says nothing is waited for no longer than whoever asked wants to.
func TestSilence(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "socket"), newKey(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	digest := sha256.Sum256(nil)
	if _, err := New(path, key.Public(), time.Hour).For(ctx).Sign(nil, digest[:], crypto.SHA256); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add([]byte{askKey, 0})
	f.Add(append([]byte{askSign, 32}, make([]byte, 32)...))
	f.Add([]byte{askSign, 255, 1})
	key := newKey(f)
	f.Fuzz(func(t *testing.T, question []byte) {
		var out bytes.Buffer
		_ = answer(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(question), &out}, key)
		if status, payload, err := readAnswer(&out); err != nil || out.Len() > 0 || status != statusGood && len(payload) > 100 {
			t.Fatalf("status %d, %d bytes, %v", status, len(payload), err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte{statusGood, 0, 1, 7})
	f.Add([]byte{statusNever, 255, 255})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, payload, err := readAnswer(bytes.NewReader(raw)); err == nil && len(payload) > len(raw)-3 {
			t.Fatal("more than there was")
		}
	})
}
