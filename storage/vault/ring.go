package vault

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"dangan/archive"
)

// Ring is the key ring of one bucket. One version is written with, all are read
// with; none is ever taken out.
type Ring struct {
	// Claim hashes unique values, and makes the tokens of the search index. It
	// never changes: both must be found under one key for ever.
	Claim    Secret
	Versions []Version // ascending, never empty
	Escrow   *Escrow   // the last one made, nil without
}

// Version is one generation of the keys that can be replaced.
type Version struct {
	N       int
	Created time.Time
	From    time.Time // it is written with from then on, when every process knows it
	Left    bool      // no mark is under it any more
	Wrap    Secret    // seals the data keys of chains
	Seal    Secret    // seals objects that belong to no chain
	Mark    Secret    // hashes the values of marks
}

// NewRing makes a ring with one version.
func NewRing(rand io.Reader, now time.Time) (Ring, error) {
	claim, err := NewSecret(rand)
	if err != nil {
		return Ring{}, err
	}
	return Ring{Claim: claim}.Grow(rand, now, now)
}

// Grow returns the ring with one more version, to be written with from a time on.
func (r Ring) Grow(rand io.Reader, now, from time.Time) (Ring, error) {
	v := Version{N: len(r.Versions) + 1, Created: stamp(now), From: stamp(from)}
	for _, secret := range []*Secret{&v.Wrap, &v.Seal, &v.Mark} {
		var err error
		if *secret, err = NewSecret(rand); err != nil {
			return Ring{}, err
		}
	}
	r.Versions = append(slices.Clip(r.Versions), v)
	return r, nil
}

// stamp is a time as rings are written with.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Current is the version to write with: the newest whose time has come.
func (r Ring) Current(now time.Time) Version {
	for _, v := range slices.Backward(r.Versions) {
		if !now.Before(v.From) {
			return v
		}
	}
	return r.Versions[0]
}

// Leave returns the ring with all versions before n marked as left.
func (r Ring) Leave(n int) Ring {
	r.Versions = slices.Clone(r.Versions)
	for i := range r.Versions[:n-1] {
		r.Versions[i].Left = true
	}
	return r
}

// Version is version n, if the ring has it.
func (r Ring) Version(n int) (Version, bool) {
	if n < 1 || n > len(r.Versions) {
		return Version{}, false
	}
	return r.Versions[n-1], true
}

// Hash is the keyed hash of a value under version n, in hex.
func (r Ring) Hash(n int, domain, value string) string {
	return r.Rehash(0, n, domain, value)
}

// Rehash makes the hash under version n from that under an older one. Each
// version hashes what the one before it made, so that marks can be moved by
// somebody who does not know what they stand for.
func (r Ring) Rehash(old, n int, domain, hash string) string {
	for _, v := range r.Versions[old:n] {
		hash = v.Mark.Hash(domain, hash)
	}
	return hash
}

type ringJSON struct {
	Claim    []byte        `json:"claim"`
	Versions []versionJSON `json:"versions"`
	Escrow   *Escrow       `json:"escrow,omitempty"`
}

type versionJSON struct {
	N       int       `json:"version"`
	Created time.Time `json:"created"`
	From    time.Time `json:"from"`
	Left    bool      `json:"left,omitempty"`
	Wrap    []byte    `json:"wrap"`
	Seal    []byte    `json:"seal"`
	Mark    []byte    `json:"mark"`
}

// Encode writes the ring out, secrets in clear: seal it.
func (r Ring) Encode() ([]byte, error) {
	out := ringJSON{Claim: r.Claim.Bytes(), Escrow: r.Escrow}
	for _, v := range r.Versions {
		out.Versions = append(out.Versions,
			versionJSON{v.N, v.Created, v.From, v.Left, v.Wrap.Bytes(), v.Seal.Bytes(), v.Mark.Bytes()})
	}
	return json.Marshal(out)
}

// DecodeRing reads what Encode wrote. Anything else is archive.ErrCorrupt.
func DecodeRing(data []byte) (Ring, error) {
	var in ringJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return Ring{}, fmt.Errorf("decode key ring: not JSON: %w", archive.ErrCorrupt)
	}
	ring := Ring{Escrow: in.Escrow}
	if err := take(&ring.Claim, in.Claim); err != nil {
		return Ring{}, err
	}
	for i, v := range in.Versions {
		version := Version{N: v.N, Created: v.Created, From: v.From, Left: v.Left}
		if v.N != i+1 {
			return Ring{}, fmt.Errorf("decode key ring: version %d out of order: %w", v.N, archive.ErrCorrupt)
		}
		for secret, key := range map[*Secret][]byte{&version.Wrap: v.Wrap, &version.Seal: v.Seal, &version.Mark: v.Mark} {
			if err := take(secret, key); err != nil {
				return Ring{}, err
			}
		}
		ring.Versions = append(ring.Versions, version)
	}
	if len(ring.Versions) == 0 {
		return Ring{}, fmt.Errorf("decode key ring: no version: %w", archive.ErrCorrupt)
	}
	return ring, nil
}

func take(secret *Secret, key []byte) error {
	s, err := SecretOf(key)
	if err != nil {
		return fmt.Errorf("decode key ring: %w: %w", err, archive.ErrCorrupt)
	}
	*secret = s
	return nil
}
