package storagetest

import (
	"bytes"
	"testing"
	"time"

	"filippo.io/age"

	"dangan/archive"
	"dangan/storage"
	"dangan/storage/vault"
)

// atOnce is for a process that need not wait until others know a new version.
func atOnce(c *storage.Config) { c.RingAge = 1 }

// later is for a process to which the version that was just added is an old one.
func later(c *storage.Config) { c.Now = func() time.Time { return time.Now().Add(time.Hour) } }

// testKeys takes a bucket through the life of its keys: rotated by several at
// once, moved to the new version, put under another root key, and recovered.
func testKeys(t *testing.T, objects storage.Objects) {
	ctx, id, other := t.Context(), newID(), newID()
	b := bucket(t, objects, atOnce)
	must(t, notes(b).Append(ctx, id, 1, note{"first"}))
	for _, id := range []string{id, other, "office-1"} {
		must(t, b.Marks().Mark(ctx, archive.MarkPerson, "x", id))
	}
	must(t, b.Marks().Mark(ctx, archive.MarkRefKey, "x", id))
	before := bucket(t, objects) // one that has started before
	patient := []*storage.Bucket{bucket(t, objects), bucket(t, objects), bucket(t, objects), bucket(t, objects)}
	wantOneWinner(t, race(len(patient), func(i int) error {
		_, err := patient[i].Keys().Rotate(ctx)
		return err
	}), archive.ErrConflict)
	wantError(t, "rotate again at once", func() error { _, err := before.Keys().Rotate(ctx); return err }(), archive.ErrConflict)

	late := bucket(t, objects, atOnce, later)
	must(t, notes(late).Append(ctx, other, 1, note{"second"}))
	moved, err := late.Keys().Rewrite(ctx, "me", 1000)
	if want := (storage.Moved{Keys: 1, Marks: 4}); err != nil || moved != want {
		t.Errorf("moved %+v, want %+v, error %v", moved, want, err)
	}
	whole := func(what string, b *storage.Bucket) {
		t.Helper()
		for id, want := range map[string]string{id: "first", other: "second"} {
			if v, err := notes(b).Head(ctx, id); err != nil || v.Value.Text != want {
				t.Errorf("%s: %+v, error %v", what, v, err)
			}
		}
		if ids, err := b.Marks().Marked(ctx, archive.MarkPerson, "x"); err != nil || len(ids) != 3 {
			t.Errorf("%s: marked %v, error %v", what, ids, err)
		}
	}
	whole("after moving", bucket(t, objects))
	must(t, func() error { _, err := notes(before).Head(ctx, other); return err }())
	if left := Keys(t, objects, "mark/person/1/"); len(left) != 0 {
		t.Errorf("left under version 1: %v", left)
	}
	testLostRoot(t, objects, whole)
}

// testLostRoot puts the ring under another root key, and then, with an escrow,
// under a third that has never opened it.
func testLostRoot(t *testing.T, objects storage.Objects, whole func(string, *storage.Bucket)) {
	ctx := t.Context()
	second := storage.Config{RootKey: bytes.Repeat([]byte{8}, 32)}
	third := storage.Config{RootKey: bytes.Repeat([]byte{9}, 32)}
	open := func(cfg storage.Config) *storage.Bucket {
		t.Helper()
		b, err := storage.New(ctx, objects, cfg)
		must(t, err)
		return b
	}
	must(t, bucket(t, objects).Keys().Reroot(ctx, second.RootKey))
	_, err := storage.New(ctx, objects, storage.Config{RootKey: rootKey()})
	wantError(t, "open with the old root key", err, storage.ErrRootKey)
	whole("under another root key", open(second))

	who, err := age.GenerateX25519Identity()
	must(t, err)
	var sealed []byte
	must(t, open(second).Keys().Escrow(ctx, who.Recipient().String(), func(s []byte) error {
		sealed = s
		return nil
	}))
	ring, err := vault.OpenEscrow(sealed, who.String())
	must(t, err)
	if _, err := storage.Recover(ctx, objects, ring, third); err != nil {
		t.Fatal(err)
	}
	whole("recovered", open(third))
	status, err := open(third).Keys().Status(ctx)
	must(t, err)
	if len(status.Versions) != 2 || status.Versions[0].DataKeys+status.Versions[0].Marks != 0 || status.Versions[1].DataKeys != 2 ||
		status.Versions[1].Marks != 4 || status.Escrow == nil || status.Escrow.Version != 2 || status.Damaged != 0 {
		t.Errorf("status %+v", status)
	}
}
