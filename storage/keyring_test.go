package storage_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"dangan/storage/memstore"
	"dangan/storage/vault"
)

// TestGrownRing: after the ring has got a second version, what the first one
// sealed and marked is found, and new objects use the second.
func TestGrownRing(t *testing.T) {
	w := newWorld(t)
	for _, do := range []step{entry(1), claim(mine), mark, putJob, acquire("me"), record} {
		if err := do(w); err != nil {
			t.Fatal(err)
		}
	}
	old := w.b.Marks().Token("person", "value")
	growRing(t, w.store)
	w = w.replica(t)
	for name, done := range map[string]func(world) (bool, error){
		"head": headIs(1), "claim": heldBy(mine.ID), "mark": marked(true), "job": planned(true), "access": recorded,
	} {
		if ok, err := done(w); !ok || err != nil {
			t.Errorf("%s of the first version: %v, error %v", name, ok, err)
		}
	}
	if w.b.Marks().Token("person", "value") == old {
		t.Error("the token has not changed with the ring")
	}
	for _, do := range []step{entry(2), mark, acquire("me"), release(mine), claim(theirs)} {
		if err := do(w); err != nil {
			t.Error(err)
		}
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

// growRing adds a version to the stored ring, as a rotation will.
func growRing(t *testing.T, store *memstore.Store) {
	t.Helper()
	const key = "system/keyring"
	raw := store.Raw(key)
	clear := raw[:bytes.IndexByte(raw, '\n')+1]
	root := must[vault.Secret](t)(vault.SecretOf(make([]byte, 32)))
	plain := must[[]byte](t)(root.Open(key, clear, raw[len(clear):]))
	ring := must[vault.Ring](t)(vault.DecodeRing(plain))
	grown := must[vault.Ring](t)(ring.Grow(rand.Reader, time.Now()))
	plain = must[[]byte](t)(grown.Encode())
	sealed := must[[]byte](t)(root.Seal(rand.Reader, key, clear, plain))
	store.Tamper(key, append(bytes.Clone(clear), sealed...))
}
