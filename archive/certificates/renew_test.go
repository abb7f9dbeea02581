package certificates_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"dangan/archive"
)

const year = 366 * 24 * time.Hour

// Until reads the last line of a renewal; what was never renewed lasts for half a year.
func (w *world) Until(pdf []byte) (time.Time, error) {
	lines := bytes.Split(bytes.TrimSpace(pdf), []byte("\n"))
	if stated, found := bytes.CutPrefix(lines[len(lines)-1], []byte("until ")); found {
		return time.Parse(time.RFC3339, string(stated))
	}
	return time.Date(2027, 5, 24, 0, 0, 0, 0, time.UTC), nil
}

func (w *world) Renew(_ context.Context, pdf []byte) ([]byte, error) {
	if w.renew != nil {
		return nil, w.renew
	}
	return fmt.Appendf(bytes.Clone(pdf), "until %s\n", w.now.Add(w.lasts).Format(time.RFC3339)), nil
}

// TestRenew: a certificate is renewed once, when it is due; all that it ever was is genuine, and the newest is given out.
func TestRenew(t *testing.T) {
	w := newWorld(t)
	w.lasts = 5 * year
	room := w.room()
	c := w.sealed(room, nil)
	first := w.pdf(c)
	renew := func(after time.Time, want bool) {
		t.Helper()
		if due, err := room.Renew(t.Context(), c.ID, after); err != nil || due != want {
			t.Errorf("due %t, want %t: %v", due, want, err)
		}
	}
	renew(w.now.Add(time.Hour), false)
	if n := len(w.certs[c.ID]); w.head(c.ID).Checkable.IsZero() {
		t.Errorf("what was found was not written down in %d entries", n)
	}
	entries := len(w.certs[c.ID])
	renew(w.now.Add(time.Hour), false)
	if len(w.certs[c.ID]) != entries {
		t.Error("it was written down twice")
	}
	renew(w.now.Add(year), true)
	renew(w.now.Add(year), false)
	w.now = w.now.Add(4 * year)
	renew(w.now.Add(year), true)
	now := w.head(c.ID)
	if len(now.Earlier) != 2 || now.Earlier[0] != c.PDF || now.State != archive.CertSealed {
		t.Fatalf("%d earlier, %s", len(now.Earlier), now.State)
	}
	for i, pdf := range [][]byte{first, w.blobs[now.Earlier[1].ID], w.pdf(now)} {
		if v, err := room.VerifyPDF(t.Context(), pdf); err != nil || v.Verdict != archive.Valid || v.SHA256 != now.PDF.SHA256 {
			t.Errorf("PDF %d: %+v, %v", i, v, err)
		}
	}
	content, err := room.PDF(t.Context(), wife, c.Number)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(io.NewSectionReader(content, 0, content.Size())); err != nil || !bytes.Equal(got, w.pdf(now)) {
		t.Errorf("%d bytes are given out, %v", len(got), err)
	}
	if err := room.Revoke(t.Context(), approver, c.Number, "误发"); err != nil {
		t.Fatal(err)
	}
	if v, err := room.VerifyPDF(t.Context(), first); err != nil || v.Verdict != archive.Revoked {
		t.Errorf("revoked: %+v, %v", v, err)
	}
	renew(w.now.Add(10*year), false)
}

// TestRenewalFails: nothing is written, the certificate stays due and genuine, and a later attempt succeeds.
func TestRenewalFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		renew error
		lasts time.Duration
		fault string
	}{
		{"the authority is away", archive.ErrUnavailable, 5 * year, ""},
		{"not intact", errors.New("changed"), 5 * year, ""},
		{"the authority's certificate ends soon", nil, 190 * 24 * time.Hour, ""},
		{"the store fails at the PDF", nil, 5 * year, "blob"},
		{"the store fails at the claim", nil, 5 * year, "claim pdf"},
		{"the store fails at the entry", nil, 5 * year, "certificate sealed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			room := w.room()
			c := w.sealed(room, nil)
			w.renew, w.lasts = tt.renew, tt.lasts
			w.fault = func(op string) (bool, error) {
				if op == tt.fault {
					return false, archive.ErrUnavailable
				}
				return true, nil
			}
			if due, err := room.Renew(t.Context(), c.ID, w.now.Add(year)); !due || err == nil {
				t.Errorf("due %t, %v", due, err)
			}
			if v, err := room.VerifyPDF(t.Context(), w.pdf(c)); err != nil || v.Verdict != archive.Valid || w.head(c.ID).PDF != c.PDF {
				t.Errorf("%+v, %v", v, err)
			}
			w.renew, w.lasts, w.fault = nil, 5*year, nil
			if due, err := room.Renew(t.Context(), c.ID, w.now.Add(year)); !due || err != nil || len(w.head(c.ID).Earlier) != 1 {
				t.Errorf("later: due %t, %v", due, err)
			}
		})
	}
}
