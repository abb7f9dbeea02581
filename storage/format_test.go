package storage_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

// The reader below is written from FORMAT.md with the standard library alone. It
// shares no code with the writer: when the two disagree, the format has changed.

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func gcm(t *testing.T, secret []byte, objectKey string) cipher.AEAD {
	key := must[[]byte](t)(hkdf.Key(sha256.New, secret, nil, "dangan/1 seal\x00"+objectKey, 32))
	return must[cipher.AEAD](t)(cipher.NewGCM(must[cipher.Block](t)(aes.NewCipher(key))))
}

// unseal opens an object of section 2.
func unseal(t *testing.T, w world, secret []byte, objectKey string) (header map[string]any, plain []byte) {
	t.Helper()
	raw := w.store.Raw(objectKey)
	end := bytes.IndexByte(raw, '\n') + 1
	if err := json.Unmarshal(raw[:end], &header); err != nil {
		t.Fatalf("header of %s: %v", objectKey, err)
	}
	if header["format"] != "dangan/1" || len(header["nonce"].(string)) != 32 {
		t.Errorf("header of %s: %v", objectKey, header)
	}
	if secret == nil {
		return header, raw[end:]
	}
	nonce, sealed := raw[end:end+12], raw[end+12:]
	return header, must[[]byte](t)(gcm(t, secret, objectKey).Open(nil, nonce, sealed, raw[:end]))
}

// path is where the objects of a note are: section 1.
func path(id string) string {
	segment := strings.ToLower(id)
	return fmt.Sprintf("note/%02x/%s", sha256.Sum256([]byte(segment))[0], segment)
}

func mac(key []byte, domain, value string) string {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s\x00%s", domain, value)
	return hex.EncodeToString(h.Sum(nil))
}

type ring struct {
	Claim    []byte
	Versions []struct {
		Version          int
		Created          time.Time
		Wrap, Seal, Mark []byte
	}
}

func TestFormat(t *testing.T) {
	w := newWorld(t)
	for _, do := range []step{entry(1), entry(2), claim(mine), mark, putJob, record, acquire("me"), derive} {
		if err := do(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := chain(w).Fence(w.ctx, theirs.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.b.Numbers().Next(w.ctx, "2026"); err != nil {
		t.Fatal(err)
	}
	file := bytes.Repeat([]byte("0123456789"), 20_000) // four packages
	blob := must[archive.Blob](t)(w.b.Blobs().PutBlob(w.ctx, mine, bytes.NewReader(file), archive.Carry{}))

	root := make([]byte, 32)
	unseal(t, w, nil, "system/format")
	header, plain := unseal(t, w, root, "system/keyring")
	rootID := must[[]byte](t)(hkdf.Key(sha256.New, root, nil, "dangan/1 root id", 8))
	if want := "root/" + hex.EncodeToString(rootID); header["key"] != want {
		t.Errorf("key ring is sealed by %v, want %s", header["key"], want)
	}
	var r ring
	if err := json.Unmarshal(plain, &r); err != nil || len(r.Versions) != 1 || r.Versions[0].Version != 1 {
		t.Fatalf("key ring %+v, error %v", r, err)
	}
	v, id := r.Versions[0], strings.ToLower(mine.ID)
	header, dataKey := unseal(t, w, v.Wrap, "key/"+path(mine.ID))
	if header["key"] != "ring/1" || header["id"] != mine.ID || len(dataKey) != 32 {
		t.Errorf("data key of %d bytes with header %v", len(dataKey), header)
	}
	checkChain(t, w, dataKey, v.Seal)

	hash := mac(r.Claim, "claim/refcode", "value")
	marked := mac(v.Mark, "mark/person", "value")
	for objectKey, want := range map[string]string{
		"claim/refcode/" + hash[:2] + "/" + hash:             fmt.Sprintf(`{"value":"value","owner":%q}`, mine.ID),
		"lease/sequence-" + mac(r.Claim, "sequence", "2026"): `{"sequence":"2026","last":1}`,
		"work/note/" + id + "-" + strings.ToLower(job.Nonce): `{"job":` + string(must[[]byte](t)(json.Marshal(job))) + "}\n",
		"access/7ydzz/7ydzzzzzzzzzzzzzzzzzzzzzzv":            string(must[[]byte](t)(json.Marshal(access))) + "\n",
	} {
		if _, plain := unseal(t, w, v.Seal, objectKey); string(plain) != want {
			t.Errorf("%s holds %s, want %s", objectKey, plain, want)
		}
	}
	unseal(t, w, v.Seal, "lease/sweep")
	if w.b.Marks().Token("person", "value") != mac(r.Claim, "token/person", "value") {
		t.Error("the token is not the one of section 2.4")
	}
	if raw := w.store.Raw("mark/person/1/" + marked[:2] + "/" + marked + "/" + id); raw == nil || len(raw) != 0 {
		t.Errorf("mark holds %q", raw)
	}
	if _, plain := unseal(t, w, dataKey, "derived/"+path(mine.ID)+"/"+blobID+".text-v1"); string(plain) != "text" {
		t.Errorf("derived text is %q", plain)
	}
	if got := openBlob(t, w, dataKey, "blob/"+path(mine.ID)+"/"+blob.ID); !bytes.Equal(got, file) {
		t.Errorf("%d bytes of %d in the blob", len(got), len(file))
	}
}

// checkChain reads both entries, their link, and the tombstone of another chain.
func checkChain(t *testing.T, w world, dataKey, seal []byte) {
	folder := "chain/" + path(mine.ID) + "/"
	first, plain := unseal(t, w, dataKey, folder+"00000001")
	if first["n"] != 1.0 || first["prev"] != nil || first["key"] != "chain/1" || string(plain) != `{"Text":"entry 1"}` {
		t.Errorf("entry 1 is %v: %s", first, plain)
	}
	sum := sha256.Sum256(w.store.Raw(folder + "00000001"))
	second, plain := unseal(t, w, dataKey, folder+"00000002")
	if second["n"] != 2.0 || second["prev"] != hex.EncodeToString(sum[:]) || string(plain) != `{"Text":"entry 2"}` {
		t.Errorf("entry 2 is %v: %s", second, plain)
	}
	tomb, plain := unseal(t, w, seal, "chain/"+path(theirs.ID)+"/00000001")
	if tomb["fence"] != true || tomb["key"] != "ring/1" || string(plain) != "{}" {
		t.Errorf("tombstone is %v: %s", tomb, plain)
	}
}

// openBlob reads DARE 2.0 as section 4 has it.
func openBlob(t *testing.T, w world, dataKey []byte, objectKey string) []byte {
	raw, aead := w.store.Raw(objectKey), gcm(t, dataKey, objectKey)
	var plain []byte
	for i := uint32(0); len(raw) > 0; i++ {
		header := raw[:16]
		size := int(binary.LittleEndian.Uint16(header[2:4])) + 1
		last := len(raw) == 16+size+16
		if header[0] != 0x20 || header[1] != 0 || (header[4]&0x80 != 0) != last {
			t.Fatalf("header of package %d is %x", i, header)
		}
		nonce := bytes.Clone(header[4:16])
		binary.LittleEndian.PutUint32(nonce[8:], binary.LittleEndian.Uint32(nonce[8:])^i)
		piece := must[[]byte](t)(aead.Open(nil, nonce, raw[16:16+size+16], header[:4]))
		plain, raw = append(plain, piece...), raw[16+size+16:]
	}
	return plain
}
