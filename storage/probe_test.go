package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"dangan/archive"
	"dangan/storage"
	"dangan/storage/memstore"
)

// broken is a store that breaks one promise.
type broken struct {
	*memstore.Store
	promise string
}

func (b broken) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	err := b.Store.PutIfAbsent(ctx, key, data)
	if b.promise == "create-only" && errors.Is(err, archive.ErrExists) {
		return nil
	}
	return err
}

func (b broken) PutIfMatch(ctx context.Context, key, etag string, data []byte) error {
	err := b.Store.PutIfMatch(ctx, key, etag, data)
	if b.promise == "compare-and-swap" && errors.Is(err, archive.ErrConflict) {
		return nil
	}
	return err
}

func (b broken) Get(ctx context.Context, key string, offset, length int64) (storage.Object, error) {
	o, err := b.Store.Get(ctx, key, offset, length)
	if b.promise == "bytes 1 to 3" && length >= 0 && err == nil {
		return b.Store.Get(ctx, key, 0, -1) // range ignored
	}
	return o, err
}

func (b broken) Delete(ctx context.Context, key string) error {
	if b.promise == "deleted" {
		return nil
	}
	return b.Store.Delete(ctx, key)
}

// TestBrokenPromises: a store that breaks one is refused by its name, before
// anything is written that matters.
func TestBrokenPromises(t *testing.T) {
	for _, promise := range []string{"create-only", "compare-and-swap", "bytes 1 to 3", "deleted"} {
		store := memstore.New(t)
		_, err := storage.New(t.Context(), broken{store, promise}, storage.Config{RootKey: make([]byte, 32)})
		if !errors.Is(err, storage.ErrPromise) || !strings.Contains(err.Error(), promise) {
			t.Errorf("%s: %v", promise, err)
		}
		for _, key := range store.Keys() {
			if !strings.HasPrefix(key, "system/probe-") {
				t.Errorf("%s: wrote %s", promise, key)
			}
		}
	}
}

// s3Stub answers as an S3 server would, as far as Dial looks.
type s3Stub struct {
	checksum int    // status for a body that does not fit its checksum
	readBack string // what an upload in parts reads back as
}

func (s s3Stub) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusOK, ""
	query := r.URL.Query()
	switch {
	case r.Body != nil && r.Method == http.MethodPut && query.Get("uploadId") == "":
		status = s.checksum
		body = "<Error><Code>BadDigest</Code></Error>"
	case query.Has("uploads"):
		body = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
	case r.Method == http.MethodPost:
		body = `<CompleteMultipartUploadResult><Bucket>archive</Bucket><ETag>"1"</ETag></CompleteMultipartUploadResult>`
	case r.Method == http.MethodGet:
		body = s.readBack
	case r.Method == http.MethodDelete:
		status = http.StatusNoContent
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	h := http.Header{}
	h.Set("Etag", `"1"`)
	h.Set("Last-Modified", "Sun, 01 Mar 2026 08:00:00 GMT")
	h.Set("Content-Length", fmt.Sprint(len(body)))
	return &http.Response{
		StatusCode: status, Header: h, Request: r, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader([]byte(body))),
	}, nil
}

// TestWirePromises: what can only be seen on the wire is tried out too.
func TestWirePromises(t *testing.T) {
	for name, test := range map[string]struct {
		stub s3Stub
		want string
	}{
		"kept":               {s3Stub{400, "body"}, ""},
		"checksum ignored":   {s3Stub{200, "body"}, "checksum"},
		"parts mixed up":     {s3Stub{400, "ydob"}, "in parts"},
		"parts disappearing": {s3Stub{400, ""}, "in parts"},
	} {
		_, err := storage.Dial(t.Context(), storage.Config{
			Endpoint: "store.example", Bucket: "archive", AccessKey: "a", SecretKey: "b", Transport: test.stub,
		})
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, storage.ErrPromise) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
