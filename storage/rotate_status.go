package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"dangan/archive"
	"dangan/storage/vault"
)

// KeyStatus is what can be told about a key ring.
type KeyStatus struct {
	Root     string // id of the root key
	Versions []VersionStatus
	Escrow   *vault.Escrow // nil when none was made
	Damaged  int           // objects whose header tells no version
}

// VersionStatus counts what is under one version of the ring.
type VersionStatus struct {
	vault.Version
	DataKeys, Marks int
	// Sealed are claims, jobs, leases, sequences and access entries. Tombstones are
	// not counted.
	Sealed int
}

// sealedPrefixes is where objects that the ring has sealed are, tombstones aside.
func sealedPrefixes() []string { return []string{"key/", "claim/", "lease/", "work/", "access/"} }

// Status reads the header of everything that the ring has sealed.
func (k *Keys) Status(ctx context.Context) (KeyStatus, error) {
	s, err := k.status(ctx)
	if err != nil {
		return s, fmt.Errorf("status of keys: %w", err)
	}
	return s, nil
}

func (k *Keys) status(ctx context.Context) (KeyStatus, error) {
	if err := k.b.rereadRing(ctx, anew); err != nil {
		return KeyStatus{}, err
	}
	ring := k.b.ring()
	s := KeyStatus{Root: k.b.keyring.root.RootID(), Escrow: ring.Escrow}
	for _, v := range ring.Versions {
		s.Versions = append(s.Versions, VersionStatus{Version: v})
	}
	var mu sync.Mutex
	for _, prefix := range sealedPrefixes() {
		err := k.b.each(ctx, prefix, func(ctx context.Context, key string) error {
			n, err := k.sealedBy(ctx, key)
			if errors.Is(err, archive.ErrNotFound) {
				return nil // removed meanwhile
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, archive.ErrCorrupt), err == nil && (n < 1 || n > len(s.Versions)):
				s.Damaged++
				return nil
			case err != nil:
			case prefix == "key/":
				s.Versions[n-1].DataKeys++
			default:
				s.Versions[n-1].Sealed++
			}
			return err
		})
		if err != nil {
			return s, err
		}
	}
	for o, err := range k.b.objects.List(ctx, "mark/", "") {
		if err != nil {
			return s, err
		}
		if _, n, _, _, ok := parseMarkKey(o.Key); ok && n <= len(s.Versions) {
			s.Versions[n-1].Marks++
		} else {
			s.Damaged++
		}
	}
	return s, nil
}

// sealedBy is the version of the ring that the header of an object names.
func (k *Keys) sealedBy(ctx context.Context, key string) (int, error) {
	const enough = 1 << 10
	raw, _, err := k.b.piece(ctx, key, 0, enough)
	if err != nil {
		return 0, err
	}
	h, _, err := parseHeader(raw)
	n, _ := h.ringNumber()
	return n, err
}
