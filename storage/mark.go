package storage

import (
	"context"
	"fmt"
	"slices"

	"dangan/archive"
	"dangan/storage/vault"
)

// Marks are exact look-ups from a value to ids, without the search engine. The
// value is in the object key as a keyed hash only.
type Marks struct{ b *Bucket }

// Mark makes Marked(kind, value) find id; it is durable on return and may be repeated.
//
// A write that took long may have come to a version of the ring that is being
// left: then it is written again.
func (m *Marks) Mark(ctx context.Context, kind, value, id string) error {
	for written := 0; ; {
		ring, err := m.b.freshRing(ctx)
		if err != nil {
			return fmt.Errorf("mark %s: %w", kind, err)
		}
		current := ring.Current(m.b.now()).N
		if current == written {
			return nil
		}
		key, err := m.key(ring, current, kind, value, id)
		if err == nil {
			err = m.b.objects.Put(ctx, key, nil)
		}
		if err != nil {
			return fmt.Errorf("mark %s: %w", kind, err)
		}
		written = current
	}
}

// Unmark is the inverse of Mark and may be repeated. A mark that a rotation is
// moving at this moment may stay, so that who finds something by a mark checks it.
func (m *Marks) Unmark(ctx context.Context, kind, value, id string) error {
	ring, err := m.b.freshRing(ctx)
	if err != nil {
		return fmt.Errorf("unmark %s: %w", kind, err)
	}
	for _, version := range ring.Versions {
		if version.Left {
			continue
		}
		key, err := m.key(ring, version.N, kind, value, id)
		if err == nil {
			err = m.b.objects.Delete(ctx, key)
		}
		if err != nil {
			return fmt.Errorf("unmark %s: %w", kind, err)
		}
	}
	return nil
}

// Marked lists the ids a value is marked with, ascending, each once.
func (m *Marks) Marked(ctx context.Context, kind, value string) ([]string, error) {
	for {
		ring, err := m.b.freshRing(ctx)
		var ids []string
		if err == nil {
			ids, err = m.marked(ctx, ring, kind, value)
		}
		var after *vault.Ring
		if err == nil {
			after, err = m.b.freshRing(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("marked %s: %w", kind, err)
		}
		if len(after.Versions) == len(ring.Versions) {
			return ids, nil
		}
	}
}

// marked lists the oldest version first: a mark that is being moved is written
// under the new one before it is taken from the old one, and is seen.
func (m *Marks) marked(ctx context.Context, ring *vault.Ring, kind, value string) ([]string, error) {
	var ids []string
	for _, version := range ring.Versions {
		if version.Left {
			continue
		}
		prefix, err := m.prefix(ring, version.N, kind, value)
		if err != nil {
			return nil, err
		}
		for o, err := range m.b.objects.List(ctx, prefix, "") {
			if err != nil {
				return nil, err
			}
			ids = append(ids, idOf(lastSegment(o.Key)))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// Token is the keyed hash of a value, as the index holds it: 64 hex digits. It is
// the same for ever, so that a rotation leaves the index as it is.
func (m *Marks) Token(kind, value string) string {
	return m.b.ring().Claim.Hash("token/"+kind, value)
}

func (m *Marks) prefix(ring *vault.Ring, n int, kind, value string) (string, error) {
	kind, err := nameSegment(kind)
	if err != nil {
		return "", err
	}
	if value == "" {
		return "", fmt.Errorf("no value: %w", archive.ErrInvalid)
	}
	return markFolder(kind, n, ring.Hash(n, markDomain(kind), value)), nil
}

func markDomain(kind string) string { return "mark/" + kind }

func markFolder(kind string, n int, hash string) string {
	return fmt.Sprintf("mark/%s/%d/%s/%s/", kind, n, hash[:2], hash)
}

func (m *Marks) key(ring *vault.Ring, n int, kind, value, id string) (string, error) {
	prefix, err := m.prefix(ring, n, kind, value)
	if err != nil {
		return "", err
	}
	segment, err := idSegment(id)
	if err != nil {
		return "", err
	}
	return prefix + segment, nil
}
