package storagetest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/storage"
)

// testFirstStart: replicas that start at once share one key ring, and another
// root key opens nothing.
func testFirstStart(t *testing.T, objects storage.Objects) {
	const replicas = 6
	tokens, buckets := make([]string, replicas), make([]*storage.Bucket, replicas)
	for _, err := range race(replicas, func(i int) error {
		b, err := storage.New(t.Context(), objects, storage.Config{RootKey: rootKey()})
		if err == nil {
			buckets[i], tokens[i] = b, b.Marks().Token("person", "x")
		}
		return err
	}) {
		must(t, err)
	}
	for _, token := range tokens {
		if token != tokens[0] {
			t.Fatalf("replicas that started at once have tokens %v", tokens)
		}
	}
	id := newID()
	must(t, notes(buckets[0]).Append(t.Context(), id, 1, note{"shared"}))
	if _, err := notes(buckets[1]).Head(t.Context(), id); err != nil {
		t.Errorf("one replica does not read what another wrote: %v", err)
	}
	for what, key := range map[string][]byte{
		"another root key": bytes.Repeat([]byte{8}, 32),
		"a short root key": rootKey()[:31],
		"no root key":      nil,
	} {
		_, err := storage.New(t.Context(), objects, storage.Config{RootKey: key})
		if err == nil || (len(key) == 32) != errors.Is(err, storage.ErrRootKey) {
			t.Errorf("open with %s: %v", what, err)
		}
	}
	if left := Keys(t, objects, "system/probe"); len(left) != 0 {
		t.Errorf("probing left %v", left)
	}
}

// testKeysLost: missing keys are damage and are never made anew.
func testKeysLost(t *testing.T, objects storage.Objects) {
	ctx, b, id := t.Context(), bucket(t, objects), newID()
	must(t, notes(b).Append(ctx, id, 1, note{"x"}))
	key := "key/" + path(id)
	dataKey := Raw(t, objects, key)
	other := newID()
	must(t, notes(b).Append(ctx, other, 1, note{"y"}))

	tamper(t, objects, key, nil)
	chain := notes(bucket(t, objects))
	_, err := chain.Head(ctx, id)
	wantError(t, "head without a data key", err, archive.ErrCorrupt)
	wantError(t, "append without a data key", chain.Append(ctx, id, 2, note{"z"}), archive.ErrCorrupt)
	tamper(t, objects, key, Raw(t, objects, "key/"+path(other)))
	_, err = notes(bucket(t, objects)).Head(ctx, id)
	wantError(t, "head with the data key of another chain", err, archive.ErrCorrupt)
	tamper(t, objects, key, dataKey)

	for _, key := range []string{"system/keyring", "system/format"} {
		object := Raw(t, objects, key)
		tamper(t, objects, key, nil)
		_, err := storage.New(ctx, objects, storage.Config{RootKey: rootKey()})
		wantError(t, "open without "+key, err, archive.ErrCorrupt)
		tamper(t, objects, key, flip(object, len(object)-4))
		_, err = storage.New(ctx, objects, storage.Config{RootKey: rootKey()})
		wantError(t, "open with a damaged "+key, err, archive.ErrCorrupt)
		tamper(t, objects, key, object)
	}
	if _, err := notes(bucket(t, objects)).Head(ctx, id); err != nil {
		t.Errorf("after repair: %v", err)
	}
}

// testSecrecy plants words through every way in and looks for them in the store.
func testSecrecy(t *testing.T, objects storage.Objects) {
	ctx, b := t.Context(), bucket(t, objects)
	owner := noteRef(newID())
	var canaries []string
	canary := func(s string) string {
		canaries = append(canaries, s)
		return s
	}
	must(t, notes(b).Append(ctx, owner.ID, 1, note{canary("欧阳若兰的结婚登记")}))
	blob, err := b.Blobs().PutBlob(ctx, owner, strings.NewReader(canary("canary bytes of a file")), archive.Carry{})
	must(t, err)
	must(t, b.Blobs().PutDerived(ctx, owner, blob.ID, "text", []byte(canary("canary text of a page"))))
	_, err = b.Claims().Claim(ctx, archive.ClaimRefCode, canary("Q001-WS-2003-D30-CANARY"), owner.ID)
	must(t, err)
	must(t, b.Claims().Release(ctx, archive.ClaimRefCode, "Q001-WS-2003-D30-CANARY", owner.ID))
	must(t, b.Marks().Mark(ctx, archive.MarkPerson, canary("999999199001010016"), owner.ID))
	must(t, b.Work().PutJob(ctx, archive.Job{
		Kind: "record", Ref: owner, Nonce: newID(),
		Claims: []archive.ClaimHeld{{Kind: archive.ClaimUser, Value: canary("canary-user")}},
	}))
	_, err = b.Work().Acquire(ctx, "sweep", canary("canary-host"), time.Minute)
	must(t, err)
	_, err = b.Numbers().Next(ctx, canary("canary-sequence"))
	must(t, err)
	access := entry(newID())
	access.Purpose.Case = canary("canary-case")
	must(t, b.Access().Record(ctx, access))
	Grep(t, objects, canaries...)
	Grep(t, objects, blob.SHA256, string(rootKey()))
}
