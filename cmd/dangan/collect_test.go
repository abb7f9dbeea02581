package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/storage"
)

// TestCollect: what an upload left is removed by whoever has the lease, and by
// nobody else.
func TestCollect(t *testing.T) {
	e := &embeddedHouse{}
	defer e.close()
	b, _, err := e.openBucket(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	h := &house{parts: parts{bucket: b, log: slog.New(slog.NewTextHandler(&log, nil)), replica: "here"}}
	ref := archive.Ref{Kind: archive.KindOffice, ID: h.testOffice(t)}
	blob, err := b.Blobs().PutBlob(t.Context(), ref, strings.NewReader("garbage"), archive.Carry{})
	if err != nil {
		t.Fatal(err)
	}
	kept := func() bool {
		content, err := b.Blobs().OpenBlob(t.Context(), ref, blob)
		if err != nil {
			t.Fatal(err)
		}
		_, err = content.ReadAt(make([]byte, 1), 0)
		if err != nil && !errors.Is(err, archive.ErrCorrupt) {
			t.Fatal(err)
		}
		return err == nil
	}
	old := storage.CollectConfig{Age: time.Nanosecond}
	held, err := b.Work().Acquire(t.Context(), "collect", "there", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.collect(t.Context(), old); err != nil || !kept() {
		t.Errorf("while another replica collects: kept %v, error %v", kept(), err)
	}
	if err := b.Work().Release(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	if err := h.collect(t.Context(), storage.CollectConfig{}); err != nil || !kept() {
		t.Errorf("what is young: kept %v, error %v", kept(), err)
	}
	if err := h.collect(t.Context(), old); err != nil || kept() || !strings.Contains(log.String(), "blobs=1 bytes=39") {
		t.Errorf("what is old: kept %v, error %v, log %s", kept(), err, &log)
	}
}

// testOffice makes an office and returns its id.
func (h *house) testOffice(t *testing.T) string {
	t.Helper()
	id := newIDs()()
	if err := storage.NewChain[archive.Office](h.bucket, archive.KindOffice).Append(t.Context(), id, 1, archive.Office{ID: id}); err != nil {
		t.Fatal(err)
	}
	return id
}
