package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dangan/archive"
)

// Claims make a value unique without a database. The value is in the object key
// as a keyed hash only.
type Claims struct{ b *Bucket }

// claim is the sealed body. An empty owner means released: a claim is never
// deleted, because deleting is not conditional and could take away the claim of
// somebody who came in between.
type claim struct {
	Value string `json:"value"`
	Owner string `json:"owner"`
}

// Claim gives the value to owner and is durable on return. When it is taken, the
// error is archive.ErrExists and holder says by whom; claiming again for the
// same owner succeeds.
func (c *Claims) Claim(ctx context.Context, kind, value, owner string) (holder string, err error) {
	holder, err = c.claim(ctx, kind, claim{value, owner})
	if err != nil {
		return holder, fmt.Errorf("claim %s: %w", kind, err)
	}
	return holder, nil
}

func (c *Claims) claim(ctx context.Context, kind string, want claim) (string, error) {
	if want.Owner == "" {
		return "", fmt.Errorf("nobody claims: %w", archive.ErrInvalid)
	}
	o, err := c.seal(kind, want)
	if err != nil {
		return "", err
	}
	err = c.b.create(ctx, o)
	if !errors.Is(err, archive.ErrExists) {
		return want.Owner, err
	}
	there, held, err := c.read(ctx, kind, want.Value)
	if err != nil {
		return "", err
	}
	if held.Owner == "" {
		err = c.b.replace(ctx, o, there.etag)
		if !errors.Is(err, archive.ErrConflict) {
			return want.Owner, err
		}
		if _, held, err = c.read(ctx, kind, want.Value); err != nil {
			return "", err
		}
	}
	if held.Owner == want.Owner {
		return held.Owner, nil
	}
	return held.Owner, archive.ErrExists
}

// Holder is archive.ErrNotFound for a value nobody holds.
func (c *Claims) Holder(ctx context.Context, kind, value string) (string, error) {
	_, held, err := c.read(ctx, kind, value)
	if err == nil && held.Owner == "" {
		err = archive.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("holder of %s: %w", kind, err)
	}
	return held.Owner, nil
}

// Release gives the value up if owner holds it, and does nothing otherwise.
func (c *Claims) Release(ctx context.Context, kind, value, owner string) error {
	if err := c.release(ctx, kind, claim{value, owner}); err != nil {
		return fmt.Errorf("release %s: %w", kind, err)
	}
	return nil
}

func (c *Claims) release(ctx context.Context, kind string, mine claim) error {
	there, held, err := c.read(ctx, kind, mine.Value)
	if errors.Is(err, archive.ErrNotFound) {
		return nil
	}
	if err != nil || held != mine {
		return err
	}
	o, err := c.seal(kind, claim{Value: mine.Value})
	if err != nil {
		return err
	}
	err = c.b.replace(ctx, o, there.etag)
	if errors.Is(err, archive.ErrConflict) {
		return nil // somebody else has released it for the same owner
	}
	return err
}

func (c *Claims) seal(kind string, body claim) (object, error) {
	key, err := c.key(kind, body.Value)
	if err != nil {
		return object{}, err
	}
	plain, err := json.Marshal(body)
	if err != nil {
		return object{}, fmt.Errorf("encode: %w", err)
	}
	return c.b.sealRing(key, header{}, plain)
}

func (c *Claims) read(ctx context.Context, kind, value string) (object, claim, error) {
	key, err := c.key(kind, value)
	if err != nil {
		return object{}, claim{}, err
	}
	o, plain, err := c.b.fetchRing(ctx, key)
	if err != nil {
		return object{}, claim{}, err
	}
	var body claim
	if err := json.Unmarshal(plain, &body); err != nil || body.Value != value {
		return object{}, claim{}, fmt.Errorf("body is not this claim: %w", archive.ErrCorrupt)
	}
	return o, body, nil
}

func (c *Claims) key(kind, value string) (string, error) {
	kind, err := nameSegment(kind)
	if err != nil {
		return "", err
	}
	hash := c.b.ring().Claim.Hash("claim/"+kind, value)
	return "claim/" + kind + "/" + hash[:2] + "/" + hash, nil
}
