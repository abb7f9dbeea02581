package wire

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

func FuzzPurpose(f *testing.F) {
	for _, s := range []string{"", "audit", `request; case="2026 17"`, "justice; case*=utf-8''%E6%B0%91", "request; case=", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePurpose(s)
		if err != nil {
			if !errors.Is(err, archive.ErrInvalid) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if again, err := ParsePurpose(FormatPurpose(p)); err != nil || again != p {
			t.Errorf("%q is read as %+v, and that as %+v, %v", s, p, again, err)
		}
	})
}

func TestFiles(t *testing.T) {
	body := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\nAAA\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../b.png\"\r\n\r\nBBB\r\n--x--\r\n"
	read := func(body string) (got []string, err error) {
		parts := multipart.NewReader(strings.NewReader(body), "x")
		first, err := parts.NextPart()
		if err != nil {
			return nil, err
		}
		for u, err := range Files(parts, first) {
			if err != nil {
				return got, err
			}
			raw, err := io.ReadAll(u.Body)
			if err != nil {
				return got, err
			}
			got = append(got, u.Name+" "+u.MediaType+" "+string(raw))
		}
		return got, nil
	}
	got, err := read(body)
	if diff := cmp.Diff([]string{"a.pdf application/pdf AAA", "b.png  BBB"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := read(body[:len(body)-11]); !errors.Is(err, ErrMalformed) {
		t.Errorf("a body that breaks off: %v", err)
	}
	if _, err := read(strings.Replace(body, `name="file"; filename="../b.png"`, `name="other"`, 1)); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("another part: %v", err)
	}
	for range Files(multipart.NewReader(strings.NewReader(""), "x"), nil) {
		t.Error("a file out of nothing")
	}
}

// content is bytes as archive.Content; lie is how much longer the stream is
// than it says.
type content struct {
	*bytes.Reader
	lie    string
	closed bool
}

func (c *content) Close() error { c.closed = true; return nil }
func (c *content) Range(offset, length int64) (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(io.NewSectionReader(c.Reader, offset, length), strings.NewReader(c.lie))), nil
}

func TestDeliver(t *testing.T) {
	for _, tt := range []struct {
		lie, kind, want string
		bad             bool
	}{
		{"", "image/png", "image/png", false},
		{"", "text/html", "application/octet-stream", false}, // whatever it says, it is not run
		{"more", "application/pdf", "application/pdf", true},
	} {
		c := &content{Reader: bytes.NewReader([]byte("0123456789")), lie: tt.lie}
		rec := httptest.NewRecorder()
		err := Deliver(rec, httptest.NewRequest("GET", "/", nil), Served{Name: "a\r\nb\".png", MediaType: tt.kind, SHA256: "d"}, c)
		if tt.bad != errors.Is(err, archive.ErrCorrupt) || !c.closed || rec.Header().Get("Content-Type") != tt.want {
			t.Errorf("%+v: %v %v", tt, err, rec.Header())
		}
		if strings.ContainsAny(rec.Header().Get("Content-Disposition"), "\r\n") {
			t.Errorf("%q", rec.Header())
		}
	}
}
