package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dangan/archive"
)

// States keep what changes often and has no history, such as who is signed in: one
// small value under each name. The name is in the object key as a keyed hash only.
type States struct{ b *Bucket }

// state is the sealed body.
type state struct {
	Name  string          `json:"state"`
	Value json.RawMessage `json:"value"`
}

const statePrefix = leaseFolder + "state/"

// State is the value of a name, as JSON, and the tag by which it can be replaced; both
// are empty when there is none.
func (s *States) State(ctx context.Context, name string) (value []byte, tag string, err error) {
	there, plain, err := s.b.fetchRing(ctx, s.key(name))
	if errors.Is(err, archive.ErrNotFound) {
		return nil, "", nil
	}
	var body state
	if err == nil && (json.Unmarshal(plain, &body) != nil || body.Name != name) {
		err = fmt.Errorf("body is not this state: %w", archive.ErrCorrupt)
	}
	if err != nil {
		return nil, "", fmt.Errorf("state: %w", err)
	}
	return body.Value, there.etag, nil
}

// SetState replaces the value that was read with tag, or makes the first one, and is
// durable on return. When somebody else was faster, the error is archive.ErrConflict.
func (s *States) SetState(ctx context.Context, name string, value []byte, tag string) error {
	plain, err := json.Marshal(state{name, value})
	if err == nil {
		err = s.b.swap(ctx, s.key(name), plain, tag)
	}
	if err != nil {
		return fmt.Errorf("set state: %w", err)
	}
	return nil
}

func (s *States) key(name string) string {
	hash := s.b.ring().Claim.Hash("state", name)
	return statePrefix + hash[:2] + "/" + hash
}
