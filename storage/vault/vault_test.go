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

	"filippo.io/age"
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
	second, err := first.Grow(rand.Reader, now.Add(time.Hour), now.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Versions) != 1 || len(second.Versions) != 2 || second.Claim != first.Claim || second.Versions[0] != first.Versions[0] {
		t.Error("growing changed what there was")
	}
	for from, want := range map[time.Duration]int{-time.Hour: 1, 0: 1, 2*time.Hour - 1: 1, 2 * time.Hour: 2} {
		if got := second.Current(now.Add(from)).N; got != want {
			t.Errorf("%s after the first was made, version %d is written with, want %d", from, got, want)
		}
	}
	if left := second.Leave(2); !left.Versions[0].Left || left.Versions[1].Left || second.Versions[0].Left {
		t.Error("leaving version 1 marks other than it")
	}
	if second.Rehash(1, 2, "mark/x", first.Hash(1, "mark/x", "value")) != second.Hash(2, "mark/x", "value") {
		t.Error("a hash that was moved is not that of the value")
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

// TestEscrow: the identity opens what was sealed to its recipient, and no error
// quotes it.
func TestEscrow(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	ring, err := vault.NewRing(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	var identities []string
	var recipients []string
	for range 2 {
		x, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		identities, recipients = append(identities, "# a comment\n"+x.String()+"\n"), append(recipients, x.Recipient().String())
	}
	sealed, noted, err := ring.SealTo(recipients[0], now)
	if err != nil {
		t.Fatal(err)
	}
	want := &vault.Escrow{Version: 1, At: now, To: recipients[0]}
	if diff := cmp.Diff(want, noted.Escrow); diff != "" || ring.Escrow != nil {
		t.Error(diff)
	}
	back, err := vault.OpenEscrow(sealed, identities[0])
	if diff := cmp.Diff(noted, back, cmpopts.EquateComparable(vault.Secret{})); err != nil || diff != "" {
		t.Errorf("opened with error %v\n%s", err, diff)
	}
	damaged := bytes.Replace(sealed, []byte("\n"), []byte("\nA"), 2)
	for what, open := range map[string]func() (vault.Ring, error){
		"another identity": func() (vault.Ring, error) { return vault.OpenEscrow(sealed, identities[1]) },
		"no identity":      func() (vault.Ring, error) { return vault.OpenEscrow(sealed, "AGE-SECRET-KEY-1CANARY") },
		"damage":           func() (vault.Ring, error) { return vault.OpenEscrow(damaged, identities[0]) },
		"no escrow":        func() (vault.Ring, error) { return vault.OpenEscrow(nil, identities[0]) },
		"no recipient":     func() (vault.Ring, error) { _, r, err := ring.SealTo("age1nobody", now); return r, err },
	} {
		if _, err := open(); err == nil || strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), identities[0][12:40]) {
			t.Errorf("with %s: %v", what, err)
		}
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
		if diff := cmp.Diff(ring, back, cmpopts.EquateComparable(vault.Secret{})); err != nil || diff != "" {
			t.Fatalf("written again as another ring, error %v\n%s", err, diff)
		}
	})
}
