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

// quiet is how long a stream may stand still before it is given up.
const quiet = 30 * time.Second

// Patient reads a request body of any length: as long as bytes keep coming, the
// deadlines of the server are moved on.
func Patient(w http.ResponseWriter, body io.Reader) io.Reader {
	return &patient{r: body, control: http.NewResponseController(w)}
}

type patient struct {
	r       io.Reader
	control *http.ResponseController
	moved   time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	if err := moveOn(p.control, &p.moved); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}

// moveOn allows another while, at most once a second. A writer that has no
// deadlines, as in tests, needs none moved.
func moveOn(control *http.ResponseController, moved *time.Time) error {
	now := time.Now()
	if now.Sub(*moved) < time.Second {
		return nil
	}
	*moved = now
	err := errors.Join(control.SetReadDeadline(now.Add(quiet)), control.SetWriteDeadline(now.Add(2*quiet)))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("deadline: %w", err)
	}
	return nil
}

// Drain reads what is left of a refused upload, up to a limit, so that the
// client gets to read the answer; beyond it the connection is closed.
func Drain(body io.Reader) {
	const enough = 64 << 20
	_, _ = io.CopyN(io.Discard, body, enough) // the answer matters, not the rest of the question
}
