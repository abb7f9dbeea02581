package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/storage"
	"dangan/storage/memstore"
)

// TestGrownRing: after the ring has got a second version, what the first one
// sealed and marked is found, also by a process that had started before, and new
// objects use the second.
func TestGrownRing(t *testing.T) {
	w := newWorld(t)
	for _, do := range []step{entry(1), claim(mine), mark, putJob, acquire("me"), record} {
		if err := do(w); err != nil {
			t.Fatal(err)
		}
	}
	old, token := w, w.b.Marks().Token("person", "value")
	rotate(t, w)
	w = w.replica(t)
	for name, done := range map[string]func(world) (bool, error){
		"head": headIs(1), "claim": heldBy(mine.ID), "mark": marked(true), "job": planned(true), "access": recorded,
	} {
		if ok, err := done(w); !ok || err != nil {
			t.Errorf("%s of the first version: %v, error %v", name, ok, err)
		}
	}
	if w.b.Marks().Token("person", "value") != token {
		t.Error("the token has changed with the ring: the index would have to be filled again")
	}
	for _, do := range []step{entry(2), mark, acquire("me"), release(mine), claim(theirs)} {
		if err := do(w); err != nil {
			t.Error(err)
		}
	}
	if ok, err := heldBy(theirs.ID)(old); !ok || err != nil {
		t.Errorf("a process that had started before does not read the second version: %v, %v", ok, err)
	}
	if ids, err := w.b.Marks().Marked(w.ctx, "person", "value"); err != nil || len(ids) != 1 {
		t.Errorf("marked under both versions: %v, error %v", ids, err)
	}
	if err := unmark(w); err != nil {
		t.Error(err)
	}
	if ok, err := marked(false)(w); !ok || err != nil {
		t.Errorf("unmarked under both versions: %v, error %v", ok, err)
	}
	if err := chain(w).Append(w.ctx, theirs.ID, 1, note{}); err != nil {
		t.Error(err)
	}
	for key, want := range map[string]string{
		"key/" + path("01J00000000000000000000001"): `"key":"ring/1"`,
		"key/" + path("01J00000000000000000000002"): `"key":"ring/2"`,
		"lease/sweep": `"key":"ring/2"`,
	} {
		if !bytes.Contains(w.store.Raw(key), []byte(want)) {
			t.Errorf("%s is not sealed by %s", key, want)
		}
	}
	if v, err := chain(w.replica(t)).Head(w.ctx, mine.ID); err != nil || v.N != 2 {
		t.Errorf("head %d, error %v", v.N, err)
	}
}

// hasty is w for a process that thinks everybody reads the ring all the time, so
// that it need not wait for them.
func (w world) hasty(t *testing.T) world {
	t.Helper()
	b, err := storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32), RingAge: 1})
	if err != nil {
		t.Fatal(err)
	}
	return world{w.ctx, b, w.store}
}

// rotate adds a version that is written with at once.
func rotate(t *testing.T, w world) {
	t.Helper()
	if _, err := w.hasty(t).b.Keys().Rotate(w.ctx); err != nil {
		t.Fatal(err)
	}
}

// TestRotationIsAnnounced follows a rotation by the clock: when the new version is
// written with, when it may be moved to, and that a process which has not read
// the ring for long reads it before it looks anything up.
func TestRotationIsAnnounced(t *testing.T) {
	w := world{ctx: t.Context(), store: memstore.New(t)}
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	replica := func() *storage.Bucket {
		b, err := storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	here, there := replica(), replica()
	folder := func(n int) int {
		return len(keysUnder(w.store.Keys(), fmt.Sprintf("mark/person/%d/", n)))
	}
	put := func(b *storage.Bucket, value string) {
		t.Helper()
		if err := b.Marks().Mark(w.ctx, "person", value, mine.ID); err != nil {
			t.Fatal(err)
		}
	}
	put(here, "first")
	added, err := here.Keys().Rotate(w.ctx)
	if err != nil || added.N != 2 || !added.From.Equal(now.Add(2*time.Minute)) {
		t.Fatalf("version %d from %s, error %v", added.N, added.From, err)
	}
	if _, err := there.Keys().Rotate(w.ctx); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("rotated again before the first was written with: %v", err)
	}
	now = added.From.Add(-1)
	put(here, "announced")
	put(there, "announced there")
	if folder(1) != 3 || folder(2) != 0 {
		t.Errorf("written before its time: %d and %d marks", folder(1), folder(2))
	}
	now = added.From
	put(here, "second")
	if folder(2) != 1 {
		t.Errorf("%d marks under version 2 from its time on", folder(2))
	}
	if ids, err := there.Marks().Marked(w.ctx, "person", "second"); len(ids) != 1 || err != nil {
		t.Errorf("a process that had not read the ring finds %v, error %v", ids, err)
	}
	if _, err := here.Keys().Rewrite(w.ctx, "me", 0); !errors.Is(err, archive.ErrEarly) || here.Keys().Due() {
		t.Errorf("moved while others may write with the old version: %v", err)
	}
	now = added.From.Add(time.Minute)
	if !here.Keys().Due() {
		t.Error("moving is not due")
	}
	moved, err := here.Keys().Rewrite(w.ctx, "me", 0)
	if want := (storage.Moved{Marks: 3}); err != nil || moved != want || folder(1) != 0 || folder(2) != 4 || here.Keys().Due() {
		t.Errorf("moved %+v, error %v; %d and %d marks", moved, err, folder(1), folder(2))
	}
}

// TestSlow: a mark whose write began before the ring grew, and ended when the old
// version had been left, is found; and a look-up that began before the ring grew
// finds what was moved meanwhile.
func TestSlow(t *testing.T) {
	for slow, before := range map[string][]step{memstore.Put: {entry(1)}, memstore.List: {entry(1), mark}} {
		w := newWorld(t).hasty(t)
		for _, do := range before {
			if err := do(w); err != nil {
				t.Fatal(err)
			}
		}
		once := false
		w.store.SetFault(func(op, key string) (bool, error) {
			if op == slow && strings.HasPrefix(key, "mark/") && !once {
				once = true
				rotate(t, w)
				mover := w.hasty(t)
				time.Sleep(time.Millisecond)
				if _, err := mover.b.Keys().Rewrite(w.ctx, "me", 0); err != nil {
					t.Error(err)
				}
			}
			return true, nil
		})
		if slow == memstore.Put {
			if err := mark(w); err != nil {
				t.Error(err)
			}
			w = w.replica(t)
		}
		if ok, err := marked(true)(w); !ok || err != nil || !once {
			t.Errorf("slow %s: found %v, error %v", slow, ok, err)
		}
	}
}

// TestRingGoesBack: who knows a newer ring refuses an older one that is put back.
func TestRingGoesBack(t *testing.T) {
	w := newWorld(t)
	old := w.store.Raw("system/keyring")
	rotate(t, w)
	w = w.hasty(t)
	w.store.Tamper("system/keyring", old)
	if err := mark(w); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("mark with an older ring: %v", err)
	}
}

// TestWatch: what another process adds is known here within RingAge, and another
// root key ends it.
func TestWatch(t *testing.T) {
	w := newWorld(t)
	b, err := storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32), RingAge: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.Keys().Watch(ctx) }()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("watching ended with %v", err)
	}
	go func() { ended <- b.Keys().Watch(w.ctx) }()
	if err := w.hasty(t).b.Keys().Reroot(w.ctx, bytes.Repeat([]byte{1}, 32)); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, storage.ErrRootKey) {
		t.Errorf("under another root key, watching ended with %v", err)
	}
}
