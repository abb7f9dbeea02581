package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"pgregory.net/rapid"

	"dangan/archive"
)

// FuzzParse: what parse accepts is written again byte for byte.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"format":"dangan/1","nonce":"00","at":"2026-03-01T08:00:00Z"}` + "\nbody"))
	f.Add([]byte(`{"format":"dangan/1","kind":"note","id":"A","n":2,"prev":"00","fence":true,"nonce":"00","at":"2026-03-01T08:00:00.5Z","key":"ring/1"}` + "\n"))
	f.Add([]byte(`{"format":"dangan/1", "nonce":"00"}` + "\n"))
	f.Add([]byte(`{"format":"dangan/1","nonce":"00","at":"2026-03-01T08:00:00Z","carries":[{"id":"1-00","size":3}]}` + "\nbodyabc"))
	f.Add([]byte(`{"format":"dangan/1","nonce":"00","at":"2026-03-01T08:00:00Z","carries":[{"id":"1-00","size":-3}]}` + "\nbody"))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := parse(raw)
		if err != nil {
			if !errors.Is(err, archive.ErrCorrupt) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		line, err := json.Marshal(o.header)
		if err != nil {
			t.Fatal(err)
		}
		if again := slices.Concat(line, []byte("\n"), o.body, o.rest); !bytes.Equal(again, raw) {
			t.Fatalf("%q is written again as %q", raw, again)
		}
		if !bytes.Equal(slices.Concat(o.clear(), o.body, o.rest), raw) {
			t.Fatal("header and body are not the whole")
		}
	})
}

// FuzzAccessID: a key that names an access object is the only key of its id.
func FuzzAccessID(f *testing.F) {
	f.Add("access/7ydzz/7ydzzzzzzzzzzzzzzzzzzzzzzv")
	f.Add("access/7ydzz/7ydzz")
	f.Add("access/zzzzz/zzzzzzzzzzzzzzzzzzzzzzzzzz")
	f.Fuzz(func(t *testing.T, key string) {
		id, err := accessID(key)
		if err != nil {
			return
		}
		if !archive.ValidID(id) {
			t.Fatalf("%q gives id %q", key, id)
		}
		if startOf(id) >= key {
			t.Fatalf("listing from the id of %q would miss it", key)
		}
	})
}

// TestIDSegment: ids and segments are one to one.
func TestIDSegment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(
			rapid.StringMatching(`[0-7][0-9A-HJKMNP-TV-Z]{25}`),
			rapid.StringMatching(`[0-7][0-9a-hjkmnp-tv-z]{25}`),
			rapid.StringMatching(`[a-zA-Z0-9-]{1,66}`),
			rapid.String(),
		).Draw(t, "id")
		segment, err := idSegment(id)
		if err != nil {
			if !errors.Is(err, archive.ErrInvalid) || archive.ValidID(id) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if strings.Trim(segment, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(segment) > 64 || segment == "" {
			t.Fatalf("segment %q", segment)
		}
		if back := idOf(segment); back != id {
			t.Fatalf("segment %q means %q", segment, back)
		}
	})
}

func TestLRU(t *testing.T) {
	c := newLRU[int, string](2)
	want := func(key int, value string, ok bool) {
		t.Helper()
		if v, found := c.get(key); v != value || found != ok {
			t.Errorf("get %d: %q, %v", key, v, found)
		}
	}
	c.put(1, "one")
	c.put(2, "two")
	want(1, "one", true)
	c.put(3, "three") // 2 is the least recently used
	want(2, "", false)
	want(1, "one", true)
	c.put(1, "uno")
	want(1, "uno", true)
	want(3, "three", true)
}

// TestFailure: what the errors of a store mean.
func TestFailure(t *testing.T) {
	answer := func(status int, code string) error { return minio.ErrorResponse{StatusCode: status, Code: code} }
	for name, test := range map[string]struct{ err, want error }{
		"no such key":        {minio.ErrorResponse{StatusCode: 404, Code: minio.NoSuchKey, RequestID: "1"}, archive.ErrNotFound},
		"404 by a proxy":     {answer(404, minio.NoSuchKey), nil},
		"no such bucket":     {answer(404, minio.NoSuchBucket), nil},
		"precondition":       {answer(412, minio.PreconditionFailed), archive.ErrConflict},
		"range":              {answer(416, minio.InvalidRange), archive.ErrCorrupt},
		"access denied":      {answer(403, minio.AccessDenied), nil},
		"internal error":     {answer(500, minio.InternalError), archive.ErrUnavailable},
		"bad gateway":        {answer(502, ""), archive.ErrUnavailable},
		"slow down":          {answer(429, "SlowDown"), archive.ErrUnavailable},
		"connection refused": {&net.OpError{Op: "dial", Err: errors.New("refused")}, archive.ErrUnavailable},
		"cut connection":     {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), archive.ErrUnavailable},
		"deadline":           {context.DeadlineExceeded, archive.ErrUnavailable},
		"cancelled":          {context.Canceled, nil},
		"something else":     {errors.New("odd"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := failure("get", "key", test.err)
			if !errors.Is(err, test.err) {
				t.Errorf("%v hides its cause", err)
			}
			for _, sentinel := range []error{archive.ErrNotFound, archive.ErrConflict, archive.ErrCorrupt, archive.ErrUnavailable} {
				if errors.Is(err, sentinel) != (sentinel == test.want) {
					t.Errorf("is %q: %v, want %v", sentinel, errors.Is(err, sentinel), sentinel == test.want)
				}
			}
		})
	}
	if failure("get", "key", nil) != nil {
		t.Error("no error is an error")
	}
}

// TestTransport: a default transport waits for nothing for ever.
func TestTransport(t *testing.T) {
	transport, ok := newTransport().(*http.Transport)
	if !ok {
		t.Fatal("the default transport is of another type")
	}
	for what, wait := range map[string]time.Duration{
		"handshake": transport.TLSHandshakeTimeout,
		"header":    transport.ResponseHeaderTimeout,
		"idle":      transport.IdleConnTimeout,
	} {
		if wait <= 0 {
			t.Errorf("no bound for %s", what)
		}
	}
}
