package vault

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"dangan/archive"
)

// Ring is the key ring of one bucket. The newest version is written with, all
// are read with.
type Ring struct {
	// Claim hashes unique values. It never changes: a claim must be found under
	// one key for ever.
	Claim    Secret
	Versions []Version // ascending, never empty
}

// Version is one generation of the keys that can be replaced.
type Version struct {
	N       int
	Created time.Time
	Wrap    Secret // seals the data keys of chains
	Seal    Secret // seals objects that belong to no chain
	Mark    Secret // hashes the values of marks
}

// NewRing makes a ring with one version.
func NewRing(rand io.Reader, now time.Time) (Ring, error) {
	claim, err := NewSecret(rand)
	if err != nil {
		return Ring{}, err
	}
	return Ring{Claim: claim}.Grow(rand, now)
}

// Grow returns the ring with one more version.
func (r Ring) Grow(rand io.Reader, now time.Time) (Ring, error) {
	v := Version{N: len(r.Versions) + 1, Created: now.UTC().Truncate(time.Millisecond)}
	for _, secret := range []*Secret{&v.Wrap, &v.Seal, &v.Mark} {
		var err error
		if *secret, err = NewSecret(rand); err != nil {
			return Ring{}, err
		}
	}
	versions := append(r.Versions[:len(r.Versions):len(r.Versions)], v)
	return Ring{Claim: r.Claim, Versions: versions}, nil
}

// Newest is the version to write with.
func (r Ring) Newest() Version { return r.Versions[len(r.Versions)-1] }

// Version is version n, if the ring has it.
func (r Ring) Version(n int) (Version, bool) {
	if n < 1 || n > len(r.Versions) {
		return Version{}, false
	}
	return r.Versions[n-1], true
}

type ringJSON struct {
	Claim    []byte        `json:"claim"`
	Versions []versionJSON `json:"versions"`
}

type versionJSON struct {
	N       int       `json:"version"`
	Created time.Time `json:"created"`
	Wrap    []byte    `json:"wrap"`
	Seal    []byte    `json:"seal"`
	Mark    []byte    `json:"mark"`
}

// Encode writes the ring out, secrets in clear: seal it.
func (r Ring) Encode() ([]byte, error) {
	out := ringJSON{Claim: r.Claim.Bytes()}
	for _, v := range r.Versions {
		out.Versions = append(out.Versions,
			versionJSON{v.N, v.Created, v.Wrap.Bytes(), v.Seal.Bytes(), v.Mark.Bytes()})
	}
	return json.Marshal(out)
}

// DecodeRing reads what Encode wrote. Anything else is archive.ErrCorrupt.
func DecodeRing(data []byte) (Ring, error) {
	var in ringJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return Ring{}, fmt.Errorf("decode key ring: not JSON: %w", archive.ErrCorrupt)
	}
	ring := Ring{}
	if err := take(&ring.Claim, in.Claim); err != nil {
		return Ring{}, err
	}
	for i, v := range in.Versions {
		version := Version{N: v.N, Created: v.Created}
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
