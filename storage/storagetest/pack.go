package storagetest

import (
	"bytes"
	"testing"

	"dangan/archive"
	"dangan/storage"
)

func testPacks(t *testing.T, objects storage.Objects) {
	ctx, packs := t.Context(), bucket(t, objects).Packs()
	_, err := packs.Get(ctx, "7f")
	wantError(t, "a pack nobody wrote", err, archive.ErrNotFound)
	must(t, packs.Delete(ctx, "7f"))
	for _, data := range [][]byte{randomBytes(100), {}, []byte("金丝雀 canary"), randomBytes(3 << 20)} {
		must(t, packs.Put(ctx, "7f", data))
		got, err := bucket(t, objects).Packs().Get(ctx, "7f")
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back as %d, %v", len(data), len(got), err)
		}
		Grep(t, objects, "金丝雀", "canary")
	}
	must(t, packs.Put(ctx, "80", []byte("another")))
	keys := Keys(t, objects, "derived/documents/")
	tamper(t, objects, keys[0], Raw(t, objects, keys[1]))
	_, err = packs.Get(ctx, "7f")
	wantError(t, "a pack moved to another name", err, archive.ErrNotFound)
	must(t, packs.Delete(ctx, "80"))
	_, err = packs.Get(ctx, "80")
	wantError(t, "a pack that was deleted", err, archive.ErrNotFound)
	wantError(t, "a name that is none", packs.Put(ctx, "../x", nil), archive.ErrInvalid)
	wantError(t, "a pack that is too large", packs.Put(ctx, "7f", make([]byte, storage.MaxPack+1)), archive.ErrInvalid)
}
