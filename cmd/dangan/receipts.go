package main

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"dangan/archive"
	"dangan/storage"
)

// receiptKey is the key that answers to agencies are signed with. It follows from the
// secret of the ring that never changes, so every replica has it, a restored bucket has
// it again, and there is nothing more to keep.
func receiptKey(b *storage.Bucket) (*archive.ReceiptKey, error) {
	secret := b.Marks().Token("receipt", "1")
	seed, err := hkdf.Key(sha256.New, []byte(secret), nil, "dangan receipt key v1", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("receipt key: %w", err)
	}
	return archive.NewReceiptKey(seed)
}
