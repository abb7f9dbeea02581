// Package vault seals what dangan puts into a bucket and keeps the key ring.
//
// It owns secrets, the derivation of one key per object, and the form of the
// ring; storage/FORMAT.md section 2 is its specification. It must not know what
// the sealed values mean, nor where or how they are stored: it does no I/O.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"

	"github.com/minio/sio"

	"dangan/archive"
)

// SecretSize is the length of every secret and of the root key, in bytes.
const SecretSize = 32

const nonceSize = 12

// Secret is 32 random bytes from which keys are derived. It does not print.
type Secret struct{ key [SecretSize]byte }

// NewSecret draws a secret from rand.
func NewSecret(rand io.Reader) (Secret, error) {
	var s Secret
	if _, err := io.ReadFull(rand, s.key[:]); err != nil {
		return Secret{}, fmt.Errorf("draw secret: %w", err)
	}
	return s, nil
}

// SecretOf takes 32 bytes as a secret.
func SecretOf(key []byte) (Secret, error) {
	if len(key) != SecretSize {
		return Secret{}, fmt.Errorf("a key has %d bytes, not %d", SecretSize, len(key))
	}
	return Secret{[SecretSize]byte(key)}, nil
}

// Bytes is the secret itself, for sealing it under another one.
func (s Secret) Bytes() []byte { return s.key[:] }

// Format keeps a secret out of everything package fmt prints.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "secret") }

// LogValue keeps a secret out of logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("secret") }

// MarshalJSON refuses: a secret leaves only through Bytes.
func (Secret) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("a secret is not written in clear")
}

// Seal encrypts plain for the object called name. clear travels beside it, and
// neither may be changed or moved to another name.
func (s Secret) Seal(rand io.Reader, name string, clear, plain []byte) ([]byte, error) {
	aead := s.aead(name)
	nonce := make([]byte, nonceSize, nonceSize+len(plain)+aead.Overhead())
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil, fmt.Errorf("draw nonce: %w", err)
	}
	return aead.Seal(nonce, nonce, plain, clear), nil
}

// Open is the inverse of Seal. A body that does not open is archive.ErrCorrupt.
func (s Secret) Open(name string, clear, sealed []byte) ([]byte, error) {
	if len(sealed) < nonceSize {
		return nil, fmt.Errorf("open sealed body: too short: %w", archive.ErrCorrupt)
	}
	plain, err := s.aead(name).Open(nil, sealed[:nonceSize], sealed[nonceSize:], clear)
	if err != nil {
		return nil, fmt.Errorf("open sealed body: %w", archive.ErrCorrupt)
	}
	return plain, nil
}

// Stream is how the bytes of the blob called name are sealed, from package
// number first on (DARE 2.0).
func (s Secret) Stream(name string, first uint32) sio.Config {
	return sio.Config{
		MinVersion:     sio.Version20,
		MaxVersion:     sio.Version20,
		CipherSuites:   []byte{sio.AES_256_GCM},
		Key:            s.derive("dangan/1 seal\x00"+name, SecretSize),
		SequenceNumber: first,
	}
}

// Hash is the keyed hash of a value, in hex. Equal values of different domains
// have unrelated hashes.
func (s Secret) Hash(domain, value string) string {
	h := hmac.New(sha256.New, s.key[:])
	_, _ = io.WriteString(h, domain+"\x00"+value)
	return hex.EncodeToString(h.Sum(nil))
}

// RootID tells root keys apart without telling anything about them.
func (s Secret) RootID() string {
	return hex.EncodeToString(s.derive("dangan/1 root id", 8))
}

func (s Secret) aead(name string) cipher.AEAD {
	block, err := aes.NewCipher(s.derive("dangan/1 seal\x00"+name, SecretSize))
	if err != nil {
		panic(err) // a key of 32 bytes is always right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size GCM wants
	}
	return aead
}

func (s Secret) derive(info string, size int) []byte {
	key, err := hkdf.Key(sha256.New, s.key[:], nil, info, size)
	if err != nil {
		panic(err) // only for sizes above 255 hashes
	}
	return key
}
