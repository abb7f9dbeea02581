package storage_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"dangan/archive"
	"dangan/storage"
	"dangan/storage/memstore"
)

// future rewrites the header of a stored object as a later format might have it.
func future(t *testing.T, store *memstore.Store, key string) {
	t.Helper()
	raw := bytes.Replace(store.Raw(key), []byte(`"format":"dangan/1"`), []byte(`"format":"dangan/2","nonce":{"new":"shape"},"more":[1]`), 1)
	if bytes.Equal(raw, store.Raw(key)) {
		t.Fatalf("%s says no format", key)
	}
	store.Tamper(key, raw)
}

func namesBoth(err error) bool {
	return errors.Is(err, archive.ErrCorrupt) && strings.Contains(err.Error(), "dangan/2") && strings.Contains(err.Error(), "dangan/1")
}

// TestFutureBucket: a bucket that says it is of another format is refused by
// name, and not a byte is written to it, not even to try the store out.
func TestFutureBucket(t *testing.T) {
	w := newWorld(t)
	if err := entry(1)(w); err != nil {
		t.Fatal(err)
	}
	future(t, w.store, "system/format")
	w.store.SetFault(func(op, key string) (bool, error) {
		if op != memstore.Get && op != memstore.List {
			t.Errorf("%s %s", op, key)
		}
		return true, nil
	})
	if _, err := storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32)}); !namesBoth(err) {
		t.Errorf("opened with %v", err)
	}
}

// TestFutureObject: a single object of another format is refused where it is
// met, named, and the rest goes on.
func TestFutureObject(t *testing.T) {
	w := newWorld(t)
	for _, do := range []step{entry(1), entry(2), claim(mine)} {
		if err := do(w); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range w.store.Keys() {
		if strings.HasPrefix(key, "claim/") || strings.HasSuffix(key, "/00000002") {
			future(t, w.store, key)
		}
	}
	w = w.replica(t)
	if _, err := chain(w).Head(w.ctx, mine.ID); !namesBoth(err) {
		t.Errorf("head: %v", err)
	}
	if _, err := w.b.Claims().Holder(w.ctx, "refcode", "value"); !namesBoth(err) {
		t.Errorf("claim: %v", err)
	}
	if err := chain(w).Append(w.ctx, theirs.ID, 1, note{}); err != nil {
		t.Errorf("another chain: %v", err)
	}
	future(t, w.store, "system/keyring")
	if _, err := storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32)}); !namesBoth(err) {
		t.Errorf("opened with a key ring of the future: %v", err)
	}
}

// TestNoFormat: what is no format of dangan is damage, and not repeated.
func TestNoFormat(t *testing.T) {
	for _, name := range []string{"", "dangan/", "dangan/01", "dangan/2 ", "dangan/-1", "dangan/99999", "somebody"} {
		w := newWorld(t)
		raw := bytes.Replace(w.store.Raw("system/format"), []byte("dangan/1"), []byte(name), 1)
		w.store.Tamper("system/format", raw)
		_, err := storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32)})
		if !errors.Is(err, archive.ErrCorrupt) || name != "" && strings.Contains(strings.ReplaceAll(err.Error(), "dangan/1", ""), name) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
