package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"dangan/archive"
	"dangan/storage"
	"dangan/storage/memstore"
	"dangan/storage/vault"
)

func keysUnder(keys []string, prefix string) []string {
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) })
}

// oldWorld is a bucket with something of everything under version 1, and a ring
// with version 2.
func oldWorld(t *testing.T) world {
	t.Helper()
	w := newWorld(t)
	for _, do := range []step{entry(1), claim(mine), mark, putJob, acquire("them"), record} {
		if err := do(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := chain(w).Append(w.ctx, theirs.ID, 1, note{"theirs"}); err != nil {
		t.Fatal(err)
	}
	if err := w.b.Marks().Mark(w.ctx, "refkey", "value", theirs.ID); err != nil {
		t.Fatal(err)
	}
	rotate(t, w)
	return w
}

// whole checks that a process which has just started finds everything of oldWorld.
func whole(t *testing.T, w world) {
	t.Helper()
	for name, done := range map[string]func(world) (bool, error){
		"head": headIs(1), "claim": heldBy(mine.ID), "mark": marked(true), "job": planned(true), "access": recorded,
	} {
		if ok, err := done(w); !ok || err != nil {
			t.Errorf("%s: %v, error %v", name, ok, err)
		}
	}
	if ids, err := w.b.Marks().Marked(w.ctx, "refkey", "value"); err != nil || !slices.Equal(ids, []string{theirs.ID}) {
		t.Errorf("marked %v, error %v", ids, err)
	}
	if v, err := chain(w).Head(w.ctx, theirs.ID); err != nil || v.Value.Text != "theirs" {
		t.Errorf("head %+v, error %v", v, err)
	}
}

// counts is what is under each version: data keys, marks, and other objects.
func counts(t *testing.T, w world) [][3]int {
	t.Helper()
	s, err := w.b.Keys().Status(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var list [][3]int
	for _, v := range s.Versions {
		list = append(list, [3]int{v.DataKeys, v.Marks, v.Sealed})
	}
	return list
}

// TestRewriteAfterFault fails every single request of a rewriting, as a kill does:
// whatever was done, everything is found, and the next rewriting finishes.
func TestRewriteAfterFault(t *testing.T) {
	for _, apply := range []bool{false, true} {
		for nth := 1; ; nth++ {
			w := oldWorld(t)
			if diff := cmp.Diff([][3]int{{2, 2, 4}, {0, 0, 0}}, counts(t, w)); diff != "" {
				t.Fatal(diff)
			}
			hasty := w.hasty(t)
			requests := failFrom(w.store, nth, apply)
			_, err := hasty.b.Keys().Rewrite(w.ctx, "me", 0)
			w.store.SetFault(nil)
			whole(t, w.replica(t))
			if requests() < nth {
				if err != nil {
					t.Errorf("without a fault: %v", err)
				}
				break
			}
			hasty = w.hasty(t)
			if _, err := hasty.b.Keys().Rewrite(w.ctx, "me", 0); err != nil {
				t.Errorf("request %d lost, applied %v: then %v", nth, apply, err)
			}
			whole(t, w.replica(t))
			if left := counts(t, w.replica(t)); left[0][0] != 0 || left[0][1] != 0 || left[1][0] != 2 || left[1][1] != 2 || hasty.b.Keys().Due() {
				t.Errorf("request %d lost, applied %v: then %v are under versions 1 and 2", nth, apply, left)
			}
		}
	}
}

// failFrom lets all requests from the nth on fail, with the effect of the nth when
// apply is set, and counts them.
func failFrom(store *memstore.Store, nth int, apply bool) (requests func() int) {
	var mu sync.Mutex
	seen := 0
	store.SetFault(func(string, string) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if seen++; seen < nth {
			return true, nil
		}
		return apply && seen == nth, fmt.Errorf("lost: %w", archive.ErrUnavailable)
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

// TestRingAfterFault fails every request of every change of the ring: afterwards
// the bucket opens, with the old or the new root key, and everything is there.
func TestRingAfterFault(t *testing.T) {
	newRoot := bytes.Repeat([]byte{1}, 32)
	_, recipient := identity(t)
	for name, change := range map[string]func(*storage.Keys, context.Context) error{
		"rotate": func(k *storage.Keys, ctx context.Context) error { _, err := k.Rotate(ctx); return err },
		"reroot": func(k *storage.Keys, ctx context.Context) error { return k.Reroot(ctx, newRoot) },
		"escrow": func(k *storage.Keys, ctx context.Context) error {
			return k.Escrow(ctx, recipient, func([]byte) error { return nil })
		},
	} {
		for _, apply := range []bool{false, true} {
			for nth := 1; ; nth++ {
				w := oldWorld(t)
				keys := w.hasty(t).b.Keys()
				requests := failFrom(w.store, nth, apply)
				err := change(keys, w.ctx)
				w.store.SetFault(nil)
				if (err == nil) != (requests() < nth) {
					t.Errorf("%s, request %d of %d lost: error %v", name, nth, requests(), err)
				}
				b, err := storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32)})
				if errors.Is(err, storage.ErrRootKey) && name == "reroot" {
					b, err = storage.New(w.ctx, w.store, storage.Config{RootKey: newRoot})
				}
				if err != nil {
					t.Fatalf("%s, request %d lost: then %v", name, nth, err)
				}
				whole(t, world{w.ctx, b, w.store})
				if requests() < nth {
					break
				}
			}
		}
	}
}

// TestDamagedKeyIsLeft: a data key that does not open stays as it is, and keeps no
// other from being moved.
func TestDamagedKeyIsLeft(t *testing.T) {
	w := oldWorld(t)
	key := "key/" + path(mine.ID)
	raw := w.store.Raw(key)
	raw[len(raw)-1] ^= 1
	w.store.Tamper(key, raw)
	moved, err := w.hasty(t).b.Keys().Rewrite(w.ctx, "me", 0)
	if want := (storage.Moved{Keys: 1, Marks: 2, Damaged: 1}); moved != want || err != nil {
		t.Errorf("moved %+v, error %v", moved, err)
	}
	if !bytes.Equal(w.store.Raw(key), raw) {
		t.Error("a damaged key was changed")
	}
}

func identity(t *testing.T) (secret, recipient string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.String(), id.Recipient().String()
}

// escrowed is the ring of w as it comes out of an escrow.
func escrowed(t *testing.T, w world) vault.Ring {
	t.Helper()
	secret, recipient := identity(t)
	var sealed []byte
	err := w.hasty(t).b.Keys().Escrow(w.ctx, recipient, func(s []byte) error {
		sealed = s
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return must[vault.Ring](t)(vault.OpenEscrow(sealed, secret))
}

// TestRecover: the escrowed ring opens the bucket under a new root key, and one that
// does not open all of it changes nothing.
func TestRecover(t *testing.T) {
	newRoot := storage.Config{RootKey: bytes.Repeat([]byte{1}, 32)}
	w, other := newWorld(t), oldWorld(t)
	for _, do := range []step{entry(1), claim(mine), mark, putJob, acquire("them"), record} {
		if err := do(w); err != nil {
			t.Fatal(err)
		}
	}
	foreign, early := escrowed(t, other), escrowed(t, w)
	rotate(t, w)
	if err := chain(w.replica(t)).Append(w.ctx, theirs.ID, 1, note{"theirs"}); err != nil {
		t.Fatal(err)
	}
	if err := w.b.Marks().Mark(w.ctx, "refkey", "value", theirs.ID); err != nil {
		t.Fatal(err)
	}
	ring := escrowed(t, w)
	if s := must[storage.KeyStatus](t)(w.replica(t).b.Keys().Status(w.ctx)); s.Escrow == nil || s.Escrow.Version != 2 {
		t.Errorf("the ring remembers the escrow %+v", s.Escrow)
	}

	lost := w.store.Raw("system/keyring")
	refuse := func(what string, ring vault.Ring, cfg storage.Config, want error) {
		t.Helper()
		if _, err := storage.Recover(w.ctx, w.store, ring, cfg); !errors.Is(err, want) {
			t.Errorf("recover %s: error %v, want %v", what, err, want)
		}
		if !bytes.Equal(w.store.Raw("system/keyring"), lost) {
			t.Fatalf("recover %s: changed the ring", what)
		}
	}
	refuse("with the ring of another bucket", foreign, newRoot, archive.ErrCorrupt)
	refuse("with an older ring", early, newRoot, archive.ErrCorrupt)
	refuse("what is not lost", ring, storage.Config{RootKey: make([]byte, 32)}, archive.ErrExists)
	for what, damage := range map[string][]byte{"another root key": lost, "damage": []byte("damage"), "loss": nil} {
		w.store.Tamper("system/keyring", damage)
		if opened, err := storage.Recover(w.ctx, w.store, ring, newRoot); err != nil || opened < 6 {
			t.Fatalf("recover from %s: opened %d, error %v", what, opened, err)
		}
		whole(t, world{w.ctx, must[*storage.Bucket](t)(storage.New(w.ctx, w.store, newRoot)), w.store})
	}
	if _, err := storage.Recover(w.ctx, memstore.New(t), ring, newRoot); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("recover nothing: %v", err)
	}
}

// TestRotateWhileServing: two processes write and look up what either has written
// while a third rotates and a fourth moves. Nothing fails and nothing is missed.
func TestRotateWhileServing(t *testing.T) {
	const age, rotations = 250 * time.Millisecond, 3
	w := newWorld(t)
	replica := func() *storage.Bucket {
		return must[*storage.Bucket](t)(storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32), RingAge: age}))
	}
	ctx, stop := context.WithCancel(w.ctx)
	group, ctx := errgroup.WithContext(ctx)
	serving := []*storage.Bucket{replica(), replica()}
	for i, b := range serving {
		group.Go(func() error { return b.Keys().Watch(ctx) })
		group.Go(func() error { return serveNotes(ctx, i, b, serving[1-i]) })
	}
	mover := replica()
	group.Go(func() error {
		for ctx.Err() == nil {
			if !mover.Keys().Due() {
				time.Sleep(age / 10)
			} else if _, err := mover.Keys().Rewrite(ctx, "mover", 0); err != nil && ctx.Err() == nil && !errors.Is(err, archive.ErrConflict) {
				return err // and not that the ring was rotated again at the same moment
			}
		}
		return nil
	})
	group.Go(func() error { return mover.Keys().Watch(ctx) })
	group.Go(func() error {
		defer stop()
		operator := replica()
		for range rotations {
			added, err := operator.Keys().Rotate(ctx)
			if err != nil {
				return err
			}
			marks := func(n int) int { return len(keysUnder(w.store.Keys(), fmt.Sprintf("mark/person/%d/", n))) }
			for marks(added.N) == 0 || marks(added.N-1) > 0 {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(age / 10):
				}
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if left := counts(t, w.replica(t)); len(left) != rotations+1 || left[rotations][1] < 10 {
		t.Errorf("under the versions are %v", left)
	}
}

// serveNotes writes notes here, each marked with a value of its own, and looks each
// up here and there.
func serveNotes(ctx context.Context, i int, here, there *storage.Bucket) error {
	chain := storage.NewChain[note](here, "note")
	for n := 0; ctx.Err() == nil; n++ {
		id, value := fmt.Sprintf("note-%d-%d", i, n), fmt.Sprint("value ", i, n)
		err := chain.Append(ctx, id, 1, note{value})
		if err == nil {
			err = here.Marks().Mark(ctx, "person", value, id)
		}
		for _, b := range []*storage.Bucket{there, here} {
			for _, value := range []string{value, fmt.Sprint("value ", i, n/2)} {
				if err == nil {
					err = lookUp(ctx, b, value)
				}
			}
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func lookUp(ctx context.Context, b *storage.Bucket, value string) error {
	ids, err := b.Marks().Marked(ctx, "person", value)
	if err != nil {
		return err
	}
	for _, id := range ids {
		v, err := storage.NewChain[note](b, "note").Head(ctx, id)
		if err != nil || v.Value.Text == value {
			return err
		}
	}
	return fmt.Errorf("%s is not found: %d marks", value, len(ids))
}
