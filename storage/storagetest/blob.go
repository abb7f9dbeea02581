package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"dangan/archive"
	"dangan/storage"
)

const packageSize = 64 << 10 // bytes of plaintext in a sealed package

func testBlob(t *testing.T, objects storage.Objects) {
	counted := &counting{Objects: objects}
	b := bucket(t, counted)
	owner := noteRef(newID())
	for _, size := range []int{0, 1, packageSize - 1, packageSize, packageSize + 1, 5<<20 + 17} {
		data := randomBytes(size)
		blob, err := b.Blobs().PutBlob(t.Context(), owner, bytes.NewReader(data), archive.Carry{})
		must(t, err)
		sum := sha256.Sum256(data)
		if blob.Size != int64(size) || blob.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%d bytes are described as %+v", size, blob)
		}
		content, err := bucket(t, counted).Blobs().OpenBlob(t.Context(), owner, blob)
		must(t, err)
		before := counted.gets.Load()
		if got, err := readRange(content, 0, blob.Size); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes read back as %d others, error %v", size, len(got), err)
		}
		if gets := counted.gets.Load() - before; gets > 1 {
			t.Errorf("streaming %d bytes took %d requests", size, gets)
		}
		checkRanges(t, content, data)
		must(t, content.Close())
	}
	testBlobSource(t, counted, b)
}

// checkRanges compares Range and ReadAt with the plaintext anywhere.
func checkRanges(t *testing.T, content archive.Content, data []byte) {
	size := len(data)
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.IntRange(0, size).Draw(t, "offset")
		length := rapid.IntRange(0, min(size-offset, 3*packageSize)).Draw(t, "length")
		want := data[offset : offset+length]
		if got, err := readRange(content, int64(offset), int64(length)); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("Range(%d, %d): %d bytes, error %v", offset, length, len(got), err)
		}
		p := make([]byte, length)
		if n, err := content.ReadAt(p, int64(offset)); err != nil || n != length || !bytes.Equal(p, want) {
			t.Fatalf("ReadAt(%d bytes, %d): %d bytes, error %v", length, offset, n, err)
		}
	})
	p := make([]byte, 10)
	n, err := content.ReadAt(p, int64(size)-min(int64(size), 3))
	if n != min(size, 3) || err != io.EOF {
		t.Errorf("ReadAt over the end: %d bytes, error %v", n, err)
	}
	for _, r := range [][2]int64{{-1, 1}, {0, -1}, {0, int64(size) + 1}, {int64(size) + 1, 0}} {
		_, err := content.Range(r[0], r[1])
		wantError(t, fmt.Sprintf("Range(%d, %d) of %d bytes", r[0], r[1], size), err, archive.ErrInvalid)
	}
}

func readRange(content archive.Content, offset, length int64) ([]byte, error) {
	r, err := content.Range(offset, length)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// testBlobSource: a source that fails leaves no blob, whatever error it gives.
// io.ErrUnexpectedEOF is what a cut upload gives, and libraries like to take it
// for an end.
func testBlobSource(t *testing.T, objects storage.Objects, b *storage.Bucket) {
	owner := noteRef(newID())
	before := Keys(t, objects, "blob/")
	for _, failure := range []error{io.ErrUnexpectedEOF, errors.New("gone"), context.Canceled} {
		for _, size := range []int{0, 1, packageSize, 5 << 20} {
			source := io.MultiReader(bytes.NewReader(randomBytes(size)), failing{failure})
			_, err := b.Blobs().PutBlob(t.Context(), owner, source, archive.Carry{})
			wantError(t, fmt.Sprintf("source that fails after %d bytes", size), err, failure)
		}
	}
	if after := Keys(t, objects, "blob/"); !slices.Equal(before, after) {
		t.Errorf("failed sources left %d blobs", len(after)-len(before))
	}
}

func testBlobDamage(t *testing.T, objects storage.Objects) {
	ctx, b := t.Context(), bucket(t, objects)
	owner, stranger := noteRef(newID()), noteRef(newID())
	data := randomBytes(3*packageSize + 100)
	put := func(owner archive.Ref, data []byte) archive.Blob {
		blob, err := b.Blobs().PutBlob(ctx, owner, bytes.NewReader(data), archive.Carry{})
		must(t, err)
		return blob
	}
	blob, twin, theirs := put(owner, data), put(owner, data), put(stranger, data)
	key := keyOf(t, objects, blob)
	good := Raw(t, objects, key)
	const sealed = packageSize + 32
	swapped := slices.Concat(good[sealed:2*sealed], good[:sealed], good[2*sealed:])

	for what, bad := range map[string][]byte{
		"a flipped bit":                    flip(good, 1000),
		"a flipped bit in the last byte":   flip(good, len(good)-1),
		"a flipped bit in a header":        flip(good, 2*sealed+5),
		"one byte less":                    good[:len(good)-1],
		"one package less":                 good[:3*sealed],
		"one byte more":                    append(slices.Clone(good), 0),
		"packages in another order":        swapped,
		"nothing":                          {},
		"the same data from another blob":  Raw(t, objects, keyOf(t, objects, twin)),
		"the same data from another chain": Raw(t, objects, keyOf(t, objects, theirs)),
	} {
		tamper(t, objects, key, bad)
		content, err := b.Blobs().OpenBlob(ctx, owner, blob)
		must(t, err)
		_, err = readRange(content, 0, blob.Size)
		wantError(t, "stream: "+what, err, archive.ErrCorrupt)
		_, err = io.ReadAll(io.NewSectionReader(content, 0, blob.Size))
		wantError(t, "read at: "+what, err, archive.ErrCorrupt)
	}
	tamper(t, objects, key, nil)
	content, err := b.Blobs().OpenBlob(ctx, owner, blob)
	must(t, err)
	_, err = content.Range(0, blob.Size)
	wantError(t, "a blob that is gone", err, archive.ErrCorrupt)
	tamper(t, objects, key, good)

	for what, named := range map[string]archive.Blob{
		"another SHA-256": {ID: blob.ID, Size: blob.Size, SHA256: strings.Repeat("ab", 32)},
		"a smaller size":  {ID: blob.ID, Size: blob.Size - packageSize, SHA256: blob.SHA256},
	} {
		content, err := b.Blobs().OpenBlob(ctx, owner, named)
		must(t, err)
		_, err = readRange(content, 0, named.Size)
		wantError(t, what, err, archive.ErrCorrupt)
	}
	content, err = b.Blobs().OpenBlob(ctx, stranger, blob)
	must(t, err)
	_, err = readRange(content, 0, blob.Size)
	wantError(t, "a blob opened for another chain", err, archive.ErrCorrupt)
	_, err = b.Blobs().OpenBlob(ctx, owner, archive.Blob{ID: "../../etc", SHA256: blob.SHA256})
	wantError(t, "a blob id that is none", err, archive.ErrInvalid)
}

// scan is a value that names blobs.
type scan struct{ Files []archive.Blob }

func (s scan) Blobs() []archive.Blob { return s.Files }

// testCarried: short files travel in the entry that names them.
func testCarried(t *testing.T, objects storage.Objects) {
	ctx, b, owner := t.Context(), bucket(t, objects), noteRef(newID())
	chain := storage.NewChain[scan](b, owner.Kind)
	files := [][]byte{randomBytes(3), {}, randomBytes(200_000), randomBytes(packageSize)}
	var value scan
	for i, data := range files {
		blob, err := b.Blobs().PutBlob(ctx, owner, bytes.NewReader(data), archive.Carry{Entry: 1, Room: int64(len(data) + i)})
		must(t, err)
		value.Files = append(value.Files, blob)
	}
	wantError(t, "another entry than was meant", chain.Append(ctx, owner.ID, 2, value), archive.ErrInvalid)
	must(t, chain.Append(ctx, owner.ID, 1, value))
	if got := Keys(t, objects, "blob/"); len(got) != 0 {
		t.Errorf("carried, and objects all the same: %v", got)
	}
	long, err := b.Blobs().PutBlob(ctx, owner, bytes.NewReader(files[2]), archive.Carry{Entry: 2, Room: 199_999})
	must(t, err)
	if got := Keys(t, objects, "blob/"); len(got) != 1 {
		t.Errorf("more than there is room for, and %d objects", len(got))
	}
	fresh := bucket(t, objects)
	v, err := storage.NewChain[scan](fresh, owner.Kind).Head(ctx, owner.ID)
	must(t, err)
	v.Value.Files = append(v.Value.Files, long)
	must(t, storage.NewChain[scan](fresh, owner.Kind).Append(ctx, owner.ID, 2, v.Value)) // follows what entry 1 is without them
	if history, err := storage.NewChain[scan](bucket(t, objects), owner.Kind).History(ctx, owner.ID); err != nil || len(history) != 2 {
		t.Errorf("%d entries, error %v", len(history), err)
	}
	for i, data := range append(files, files[2]) {
		content, err := fresh.Blobs().OpenBlob(ctx, owner, v.Value.Files[i])
		must(t, err)
		checkRanges(t, content, data)
		if got, err := readRange(content, 0, int64(len(data))); err != nil || !bytes.Equal(got, data) {
			t.Errorf("file %d: %d bytes of %d, error %v", i, len(got), len(data), err)
		}
	}
	key := Keys(t, objects, "chain/"+path(owner.ID)+"/")[0]
	raw := Raw(t, objects, key)
	tamper(t, objects, key, flip(raw, len(raw)-packageSize-50_000))
	content, err := fresh.Blobs().OpenBlob(ctx, owner, v.Value.Files[2])
	must(t, err)
	_, err = readRange(content, 0, content.Size())
	wantError(t, "a flipped bit in what is carried", err, archive.ErrCorrupt)
	tamper(t, objects, key, raw[:len(raw)-1])
	_, err = storage.NewChain[scan](fresh, owner.Kind).History(ctx, owner.ID)
	wantError(t, "an entry cut short", err, archive.ErrCorrupt)
}

func keyOf(t *testing.T, objects storage.Objects, b archive.Blob) string {
	t.Helper()
	for _, key := range Keys(t, objects, "blob/") {
		if strings.HasSuffix(key, b.ID) {
			return key
		}
	}
	t.Fatalf("no object for blob %s", b.ID)
	return ""
}

func testDerived(t *testing.T, objects storage.Objects) {
	ctx, b, owner := t.Context(), bucket(t, objects), noteRef(newID())
	blob, err := b.Blobs().PutBlob(ctx, owner, strings.NewReader("source"), archive.Carry{})
	must(t, err)
	_, err = b.Blobs().Derived(ctx, owner, blob.ID, "text")
	wantError(t, "what was not made yet", err, archive.ErrNotFound)
	for _, data := range [][]byte{[]byte("made"), {}, randomBytes(1 << 20)} {
		must(t, b.Blobs().PutDerived(ctx, owner, blob.ID, "text", data))
		got, err := bucket(t, objects).Blobs().Derived(ctx, owner, blob.ID, "text")
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d derived bytes read back as %d others, error %v", len(data), len(got), err)
		}
	}
	_, err = b.Blobs().Derived(ctx, owner, blob.ID, "pages")
	wantError(t, "another kind", err, archive.ErrNotFound)
	key := Keys(t, objects, "derived/")[0]
	tamper(t, objects, key, flip(Raw(t, objects, key), 300))
	_, err = b.Blobs().Derived(ctx, owner, blob.ID, "text")
	wantError(t, "a flipped bit", err, archive.ErrCorrupt)
}

// counting counts the reads of a store.
type counting struct {
	storage.Objects
	gets atomic.Int64
}

func (c *counting) Get(ctx context.Context, key string, offset, length int64) (storage.Object, error) {
	c.gets.Add(1)
	return c.Objects.Get(ctx, key, offset, length)
}
