package vault_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"dangan/archive"
	"dangan/storage/vault"
)

func secret(t *testing.T, b byte) vault.Secret {
	t.Helper()
	s, err := vault.SecretOf(bytes.Repeat([]byte{b}, vault.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSeal: a body opens under its own secret, name and clear part, and nothing
// of it may be changed.
func TestSeal(t *testing.T) {
	mine, theirs := secret(t, 1), secret(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		clear := rapid.SliceOf(rapid.Byte()).Draw(t, "clear")
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := mine.Seal(rand.Reader, name, clear, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := mine.Open(name, clear, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened as %x, error %v", got, err)
		}
		refuse := func(what string, s vault.Secret, name string, clear, sealed []byte) {
			if _, err := s.Open(name, clear, sealed); !errors.Is(err, archive.ErrCorrupt) {
				t.Fatalf("opens with %s: %v", what, err)
			}
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		flipped := bytes.Clone(sealed)
		flipped[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		refuse("a flipped bit", mine, name, clear, flipped)
		refuse("a part", mine, name, clear, sealed[:at])
		refuse("another name", mine, name+"x", clear, sealed)
		refuse("another clear part", mine, name, append(bytes.Clone(clear), 'x'), sealed)
		refuse("another secret", theirs, name, clear, sealed)
	})
}

// TestHash pins the hashes: changing them loses every claim and mark.
func TestHash(t *testing.T) {
	s := secret(t, 1)
	const want = "8e4424309cfbde7c0d25be713ed5f2cbbae0d011b4a5e61e3280476482476b62"
	if got := s.Hash("claim/refcode", "value"); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	for what, other := range map[string]string{
		"value":  s.Hash("claim/refcode", "valuf"),
		"domain": s.Hash("claim/refcodf", "value"),
		"split":  s.Hash("claim/refcod", "evalue"),
		"secret": secret(t, 2).Hash("claim/refcode", "value"),
	} {
		if other == want {
			t.Errorf("another %s has the same hash", what)
		}
	}
}

// TestSecretDoesNotPrint: not by any verb, not in logs, not as JSON.
func TestSecretDoesNotPrint(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	s, err := vault.SecretOf(key)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	holder := struct{ S vault.Secret }{s}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&out, verb+verb+verb, s, &s, holder)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "holder", holder)
	if _, err := json.Marshal(holder); err == nil {
		t.Error("a secret was written as JSON")
	}
	for _, form := range []string{string(key), fmt.Sprintf("%x", key[:4]), "48 49 50", "0x30"} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q was printed in %s", form, out.String())
		}
	}
}

func TestSecretOf(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33, 64} {
		if _, err := vault.SecretOf(make([]byte, size)); err == nil {
			t.Errorf("%d bytes are taken for a secret", size)
		}
	}
	if _, err := vault.NewSecret(strings.NewReader("short")); err == nil {
		t.Error("a secret was drawn from too little")
	}
}

// TestRing: a ring reads back, and growing keeps what there was.
func TestRing(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	first, err := vault.NewRing(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	second, err := first.Grow(rand.Reader, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if first.Newest().N != 1 || second.Newest().N != 2 || second.Claim != first.Claim || second.Versions[0] != first.Versions[0] {
		t.Error("growing changed what there was")
	}
	for n, want := range map[int]bool{-1: false, 0: false, 1: true, 2: true, 3: false} {
		if v, ok := second.Version(n); ok != want || (ok && v.N != n) {
			t.Errorf("version %d: %d, %v", n, v.N, ok)
		}
	}
	data, err := second.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := vault.DecodeRing(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, back, cmpopts.EquateComparable(vault.Secret{})); diff != "" {
		t.Error(diff)
	}
}

// FuzzDecodeRing: a ring that is accepted is written and read again as the same.
func FuzzDecodeRing(f *testing.F) {
	ring, err := vault.NewRing(rand.Reader, time.Unix(0, 0))
	if err != nil {
		f.Fatal(err)
	}
	data, err := ring.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"claim":"","versions":[]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ring, err := vault.DecodeRing(data)
		if err != nil {
			if !errors.Is(err, archive.ErrCorrupt) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		again, err := ring.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := vault.DecodeRing(again)
		if err != nil || back.Newest() != ring.Newest() || back.Claim != ring.Claim {
			t.Fatalf("written again as another ring, error %v", err)
		}
	})
}
