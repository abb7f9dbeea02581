package remote

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"
)

// patience is how long a question may take to come in. An answer fits into the socket.
const patience = 5 * time.Second

// Listen makes the socket, which only the user of this process can reach. One that a dead process left is replaced;
// one that somebody answers at is an error.
func Listen(path string) (net.Listener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("listen: somebody answers at %s", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
	}
	before := syscall.Umask(0o177)
	l, err := net.Listen("unix", path)
	syscall.Umask(before)
	return l, err
}

// Serve answers with a key until ctx ends, or until the signer fails, which is then the error: whoever runs the
// process starts it again, and the device is opened anew. Questions are answered one after the other.
func Serve(ctx context.Context, l net.Listener, signer crypto.Signer, log *slog.Logger) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve signer: %w", err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience)) // it is a socket: it has deadlines
		err = answer(c, signer)
		_ = c.Close()
		var broken *brokenError
		switch {
		case errors.As(err, &broken):
			return err
		case err != nil:
			log.WarnContext(ctx, "question not answered", "error", err)
		}
	}
}

// brokenError is a failure of the signer, not of who asks.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "the signer failed: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// answer reads a question and answers it.
func answer(c io.ReadWriter, signer crypto.Signer) error {
	op, digest, err := readQuestion(c)
	if err != nil {
		return errors.Join(err, write(c, statusNever, []byte(err.Error())))
	}
	if op == askKey {
		der, err := x509.MarshalPKIXPublicKey(signer.Public())
		if err != nil {
			return &brokenError{err}
		}
		return write(c, statusGood, der)
	}
	value, err := signer.Sign(rand.Reader, digest, crypto.SHA256)
	if err != nil {
		return errors.Join(&brokenError{err}, write(c, statusLater, []byte("the device failed")))
	}
	return write(c, statusGood, value)
}

func readQuestion(r io.Reader) (op byte, digest []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, fmt.Errorf("read question: %w", err)
	}
	if op := head[0]; !(op == askKey && head[1] == 0 || op == askSign && head[1] == sha256.Size) {
		return 0, nil, errors.New("read question: it is none")
	}
	digest = make([]byte, head[1])
	if _, err := io.ReadFull(r, digest); err != nil {
		return 0, nil, fmt.Errorf("read question: %w", err)
	}
	return head[0], digest, nil
}

func write(w io.Writer, status byte, payload []byte) error {
	if len(payload) > maxAnswer {
		return fmt.Errorf("an answer of %d bytes", len(payload))
	}
	_, err := w.Write(append(binary.BigEndian.AppendUint16([]byte{status}, uint16(len(payload))), payload...))
	return err
}
