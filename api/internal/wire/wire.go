// Package wire holds what the JSON API and the pages do alike on the wire:
// streaming files in and out, and writing a purpose down as one line of text.
//
// It owns the forms, not the meaning: it must not know who may see what, nor
// which room answers.
package wire

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"dangan/archive"
)

// ErrMalformed is input that cannot be read at all, as opposed to input that
// can be read and has problems.
var ErrMalformed = errors.New("malformed input")

// FormatPurpose is the one-line form of a purpose: code; case=number. A case
// number outside ASCII is percent-encoded (RFC 8187).
func FormatPurpose(p archive.Purpose) string {
	if p.Code == "" {
		return ""
	}
	if p.Case == "" {
		return string(p.Code)
	}
	return mime.FormatMediaType(string(p.Code), map[string]string{"case": p.Case})
}

// ParsePurpose reads what FormatPurpose writes; an empty text is no purpose.
func ParsePurpose(s string) (archive.Purpose, error) {
	if s == "" {
		return archive.Purpose{}, nil
	}
	bad := archive.Problems{{Code: "bad_purpose", Field: "Dangan-Purpose"}}
	code, params, err := mime.ParseMediaType(s)
	if err != nil {
		return archive.Purpose{}, bad
	}
	p := archive.Purpose{Code: archive.PurposeCode(code), Case: params["case"]}
	_, hasCase := params["case"]
	if known := len(params) == 0 || len(params) == 1 && hasCase; !known || !p.Valid() {
		return archive.Purpose{}, bad
	}
	return p, nil
}

// A stream may stand still for quiet before it is given up; what follows an
// upload, until its answer, may take patience.
const (
	quiet    = 30 * time.Second
	patience = 5 * time.Minute
)

// Patient reads a request body of any length: as long as bytes keep coming, the
// deadlines of the server are moved on. Afterwards there is none for reading,
// because passing it would look like the client going away.
func Patient(w http.ResponseWriter, body io.Reader) io.Reader {
	return &patient{r: body, clock: clock{control: http.NewResponseController(w)}}
}

type patient struct {
	r io.Reader
	clock
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.moveOn(quiet, patience); err != nil {
		return 0, err
	}
	n, err := p.r.Read(b)
	if err == io.EOF {
		if failed := p.set(0, patience); failed != nil {
			err = failed
		}
	}
	return n, err
}

// clock moves the deadlines of one request.
type clock struct {
	control *http.ResponseController
	moved   time.Time
}

// moveOn allows another while, at most once a second.
func (c *clock) moveOn(read, write time.Duration) error {
	if time.Since(c.moved) < time.Second {
		return nil
	}
	c.moved = time.Now()
	return c.set(read, write)
}

// set puts the deadlines that far from now; 0 is none. A writer that has no
// deadlines, as in tests, needs none moved.
func (c *clock) set(read, write time.Duration) error {
	from := func(d time.Duration) time.Time {
		if d == 0 {
			return time.Time{}
		}
		return time.Now().Add(d)
	}
	for _, err := range []error{c.control.SetReadDeadline(from(read)), c.control.SetWriteDeadline(from(write))} {
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return fmt.Errorf("deadline: %w", err)
		}
	}
	return nil
}

// Drain reads what is left of a refused upload, up to a limit, so that the
// client gets to read the answer; beyond it the connection is closed.
func Drain(body io.Reader) {
	const enough = 64 << 20
	_, _ = io.CopyN(io.Discard, body, enough) // the answer matters, not the rest of the question
}
