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
func (m *Marks) Mark(ctx context.Context, kind, value, id string) error {
	key, err := m.key(m.b.ring().Newest(), kind, value, id)
	if err == nil {
		err = m.b.objects.Put(ctx, key, nil)
	}
	if err != nil {
		return fmt.Errorf("mark %s: %w", kind, err)
	}
	return nil
}

// Unmark is the inverse of Mark and may be repeated.
func (m *Marks) Unmark(ctx context.Context, kind, value, id string) error {
	for _, version := range m.b.ring().Versions {
		key, err := m.key(version, kind, value, id)
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
	var ids []string
	for _, version := range m.b.ring().Versions {
		prefix, err := m.prefix(version, kind, value)
		if err != nil {
			return nil, fmt.Errorf("marked %s: %w", kind, err)
		}
		for o, err := range m.b.objects.List(ctx, prefix, "") {
			if err != nil {
				return nil, fmt.Errorf("marked %s: %w", kind, err)
			}
			ids = append(ids, idOf(lastSegment(o.Key)))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// Token is the keyed hash of a value, as the index holds it: 64 hex digits.
func (m *Marks) Token(kind, value string) string {
	return markHash(m.b.ring().Newest(), kind, value)
}

func markHash(version vault.Version, kind, value string) string {
	return version.Mark.Hash("mark/"+kind, value)
}

func (m *Marks) prefix(version vault.Version, kind, value string) (string, error) {
	kind, err := nameSegment(kind)
	if err != nil {
		return "", err
	}
	if value == "" {
		return "", fmt.Errorf("no value: %w", archive.ErrInvalid)
	}
	hash := markHash(version, kind, value)
	return fmt.Sprintf("mark/%s/%d/%s/%s/", kind, version.N, hash[:2], hash), nil
}

func (m *Marks) key(version vault.Version, kind, value, id string) (string, error) {
	prefix, err := m.prefix(version, kind, value)
	if err != nil {
		return "", err
	}
	segment, err := idSegment(id)
	if err != nil {
		return "", err
	}
	return prefix + segment, nil
}
