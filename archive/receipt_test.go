package archive_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

func receiptKey(t *testing.T, b byte) *archive.ReceiptKey {
	t.Helper()
	k, err := archive.NewReceiptKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestReceipt: a receipt opens with the key that signed it, and when any of its
// characters is another one it does not.
func TestReceipt(t *testing.T) {
	key, other := receiptKey(t, 1), receiptKey(t, 2)
	want := archive.Receipt{ID: "01", Agency: "a", At: 1795500000, Kind: archive.RecordExists, Question: "q", Answer: "a", Purpose: archive.ForJustice, Case: "（2026）1号"}
	jws, err := key.Sign(want)
	if err != nil {
		t.Fatal(err)
	}
	keys := []archive.JWK{other.Public(), key.Public()}
	got, err := archive.OpenReceipt(jws, keys)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := archive.OpenReceipt(jws, keys[:1]); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("opened with another key: %v", err)
	}
	for i := range jws {
		changed := []byte(jws)
		changed[i] ^= 1
		if _, err := archive.OpenReceipt(string(changed), keys); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("opened with character %d changed: %v", i, err)
		}
	}
	for _, bad := range []string{"", "..", jws + ".", jws[:len(jws)/2]} {
		if _, err := archive.OpenReceipt(bad, keys); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%q opened: %v", bad, err)
		}
	}
	if _, err := archive.NewReceiptKey(nil); !errors.Is(err, archive.ErrInvalid) {
		t.Error(err)
	}
}

// TestReceiptKeyName is the example of RFC 8037, appendix A.3.
func TestReceiptKeyName(t *testing.T) {
	seed := []byte{0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
		0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60}
	k, err := archive.NewReceiptKey(seed)
	if err != nil || k.Public().X != "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" || k.Public().ID != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("%+v %v", k.Public(), err)
	}
}

// TestDigestOfCanonicalForm: however it is written down. The digest is that of
// `{"a":[1,"<\\u2028>` + U+2028 + `"],"b":"张"}`.
func TestDigestOfCanonicalForm(t *testing.T) {
	first, err := archive.Digest([]byte(`{"b":"张","a":[1,"<\\u2028>\u2028"]}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "ff85232744aa27007eee45d0783b4c4938f824cceec8653b8108b52cc2bc52e1"
	second, err := archive.Digest([]byte("\n{ \"a\" : [1, \"\\u003c\\\\u2028>\u2028\"], \"b\": \"\\u5f20\" }\n"))
	if first != want || second != want || err != nil {
		t.Errorf("%s, %s, %v", first, second, err)
	}
	if _, err := archive.Digest([]byte(`{`)); !errors.Is(err, archive.ErrInvalid) {
		t.Error(err)
	}
}
