package storage

import (
	"fmt"
	"regexp"
	"strings"

	"dangan/archive"
)

// Object keys, FORMAT.md section 1. Nothing that is data may get into one.

const (
	keyFormat  = "system/format"
	keyKeyring = "system/keyring"
)

// Patterns of the two kinds of segment.
var (
	plainID   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
)

// idSegment writes an id into an object key.
func idSegment(id string) (string, error) {
	if archive.ValidID(id) {
		return strings.ToLower(id), nil
	}
	if !plainID.MatchString(id) || archive.ValidID(strings.ToUpper(id)) {
		return "", fmt.Errorf("an id cannot be written into an object key: %w", archive.ErrInvalid)
	}
	return id, nil
}

// idOf is the inverse of idSegment.
func idOf(segment string) string {
	if id := strings.ToUpper(segment); archive.ValidID(id) {
		return id
	}
	return segment
}

func nameSegment(name string) (string, error) {
	if !plainName.MatchString(name) {
		return "", fmt.Errorf("a name cannot be written into an object key: %w", archive.ErrInvalid)
	}
	return name, nil
}

// refPath is "<kind>/<id>" as it stands in object keys.
func refPath(ref archive.Ref) (string, error) {
	kind, err := nameSegment(string(ref.Kind))
	if err != nil {
		return "", err
	}
	id, err := idSegment(ref.ID)
	if err != nil {
		return "", err
	}
	return kind + "/" + id, nil
}

func entryKey(ref archive.Ref, n int) (string, error) {
	path, err := refPath(ref)
	if err != nil {
		return "", err
	}
	if n < 1 || n > 99_999_999 {
		return "", fmt.Errorf("entry number %d: %w", n, archive.ErrInvalid)
	}
	return fmt.Sprintf("chain/%s/%08d", path, n), nil
}

func blobKey(id string) (string, error) {
	if !isHex(id, 32) {
		return "", fmt.Errorf("a blob id is 32 hex digits: %w", archive.ErrInvalid)
	}
	return "blob/" + id[:2] + "/" + id, nil
}

// isHex reports whether s is size lower-case hex digits.
func isHex(s string, size int) bool {
	return len(s) == size && strings.Trim(s, "0123456789abcdef") == ""
}

// lastSegment is what follows the last slash.
func lastSegment(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }
