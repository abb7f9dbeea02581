package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dangan/archive"
	"dangan/internal/testenv"
	"dangan/storage"
)

// lossy delivers requests and loses the answer of every write the first time it
// is sent, as a connection that breaks does.
type lossy struct {
	on   atomic.Bool
	lost atomic.Int64
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !l.on.Load() || r.Method != http.MethodPut || res.StatusCode != http.StatusOK {
		return res, err
	}
	_ = res.Body.Close()
	l.lost.Add(1)
	return nil, io.ErrUnexpectedEOF
}

// TestLostAnswers: minio-go repeats a write whose answer was lost, and the store
// refuses it because of the first one. Everything succeeds all the same.
func TestLostAnswers(t *testing.T) {
	transport := &lossy{}
	cfg := startMinIO(t).cfg
	cfg.Bucket, cfg.RootKey, cfg.Transport = "lossy", make([]byte, 32), transport
	b, err := storage.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := world{ctx: t.Context(), b: b}
	transport.on.Store(true)
	for n := 1; n <= 3; n++ {
		if err := entry(n)(w); err != nil {
			t.Error(err)
		}
		if got, err := b.Numbers().Next(w.ctx, "2026"); err != nil || got != n {
			t.Errorf("number %d, want %d, error %v", got, n, err)
		}
	}
	for _, do := range []step{claim(mine), release(mine), claim(theirs), acquire("me"), acquire("me"), record} {
		if err := do(w); err != nil {
			t.Error(err)
		}
	}
	if v, err := chain(w).Head(w.ctx, mine.ID); err != nil || v.N != 3 {
		t.Errorf("head %d, error %v", v.N, err)
	}
	if transport.lost.Load() < 12 {
		t.Errorf("only %d answers were lost", transport.lost.Load())
	}
}

// TestStoreDown: while the store is down or hangs, everything says so and nothing
// is called missing; when it is back, all is there.
func TestStoreDown(t *testing.T) {
	s := testenv.MinIO(t)
	b, err := storage.Open(t.Context(), storage.Config{
		Endpoint: s.Endpoint, AccessKey: s.AccessKey, SecretKey: s.SecretKey, Bucket: "down", RootKey: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := world{ctx: t.Context(), b: b}
	blob, err := b.Blobs().PutBlob(w.ctx, mine, strings.NewReader("bytes"), archive.Carry{})
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []step{entry(1), claim(mine), mark, putJob} {
		if err := do(w); err != nil {
			t.Fatal(err)
		}
	}
	steps := map[string]step{
		"append": entry(2), "claim": claim(theirs), "mark": mark, "put a job": putJob, "acquire": acquire("me"),
		"head":   func(w world) error { _, err := chain(w).Head(w.ctx, mine.ID); return err },
		"holder": func(w world) error { _, err := w.b.Claims().Holder(w.ctx, "refcode", "value"); return err },
		"marked": func(w world) error { _, err := w.b.Marks().Marked(w.ctx, "person", "value"); return err },
		"jobs":   func(w world) error { _, err := planned(true)(w); return err },
		"put blob": func(w world) error {
			_, err := w.b.Blobs().PutBlob(w.ctx, mine, bytes.NewReader(make([]byte, 5<<20)), archive.Carry{})
			return err
		},
		"read blob": func(w world) error {
			content, err := w.b.Blobs().OpenBlob(w.ctx, mine, blob)
			if err != nil {
				return err
			}
			_, err = content.Range(0, blob.Size)
			return err
		},
	}
	check := func(state string, limit time.Duration) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		var wg sync.WaitGroup
		defer wg.Wait()
		for name, do := range steps {
			wg.Go(func() {
				err := do(world{ctx: ctx, b: b})
				if !errors.Is(err, archive.ErrUnavailable) || errors.Is(err, archive.ErrNotFound) || errors.Is(err, archive.ErrCorrupt) {
					t.Errorf("%s: %s: %v", state, name, err)
				}
			})
		}
	}
	s.Kill()
	check("killed", time.Minute)
	s.Start()
	s.Pause()
	check("paused", 300*time.Millisecond)
	s.Resume()
	for name, done := range map[string]func(world) (bool, error){
		"claim": heldBy(mine.ID), "mark": marked(true), "job": planned(true),
	} {
		if ok, err := done(w); !ok || err != nil {
			t.Errorf("afterwards: %s: %v, error %v", name, ok, err)
		}
	}
	if history, err := chain(w).History(w.ctx, mine.ID); err != nil {
		t.Errorf("afterwards: %d entries, error %v", len(history), err)
	}
}

// TestStrayKeys: what a killed store leaves of a replacement is not an object.
func TestStrayKeys(t *testing.T) {
	objects := startMinIO(t).dial(t)
	for _, key := range []string{"work/note/.a.sgwtmp.1", "work/note/a", "work/.note.sgwtmp.2/b"} {
		if err := objects.Put(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	for o, err := range objects.List(t.Context(), "work/", "") {
		if err != nil || o.Key != "work/note/a" {
			t.Errorf("listed %q, error %v", o.Key, err)
		}
	}
}

// TestErrorsKeepQuiet: no error of storage repeats what was asked for.
func TestErrorsKeepQuiet(t *testing.T) {
	w := newWorld(t)
	const canary = "999999199001010016"
	w.store.SetFault(func(_, key string) (bool, error) { return false, fmt.Errorf("no answer for %s", key) })
	_, claimed := w.b.Claims().Claim(w.ctx, "refcode", canary, mine.ID)
	_, held := w.b.Claims().Holder(w.ctx, "refcode", canary)
	_, found := w.b.Marks().Marked(w.ctx, "person", canary)
	_, next := w.b.Numbers().Next(w.ctx, canary)
	for _, err := range []error{
		claimed, held, found, next,
		w.b.Marks().Mark(w.ctx, "person", canary, mine.ID),
		w.b.Marks().Mark(w.ctx, "person", "x", canary+"张"),
		chain(w).Append(w.ctx, mine.ID, 1, note{canary}),
	} {
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("error %v", err)
		}
	}
}
