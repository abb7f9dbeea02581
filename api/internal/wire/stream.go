package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Stream sends what write makes, as a file to look at whose length nobody knows
// before. An error before the first byte leaves the answer to the caller; one
// after it breaks the connection off, so that half a file never looks complete.
func Stream(w http.ResponseWriter, s Served, write func(io.Writer) error) error {
	s.Inline = true
	out := &outlet{w: w, served: s, clock: clock{control: http.NewResponseController(w)}}
	if err := out.set(0, 0); err != nil { // the first byte may take its time; write ends with the request
		return err
	}
	err := write(out)
	if err == nil || !out.begun {
		return err
	}
	return errors.Join(err, breakOff(w))
}

// breakOff closes the connection under what wraps it, which may not let go of one
// that has been written to.
func breakOff(w http.ResponseWriter) error {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = outer.Unwrap()
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return fmt.Errorf("break off: %w", err)
	}
	return conn.Close()
}

// outlet sets the headers with the first byte, and moves the deadline on.
type outlet struct {
	clock
	w      http.ResponseWriter
	served Served
	begun  bool
}

func (o *outlet) Write(p []byte) (int, error) {
	if !o.begun {
		o.begun = true
		o.served.head(o.w.Header())
	}
	if err := o.moveOn(0, 2*quiet); err != nil {
		return 0, err
	}
	return o.w.Write(p)
}
