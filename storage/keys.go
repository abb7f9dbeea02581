package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
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

// refPath is "<kind>/<ab>/<id>" as it stands in the object keys of all that
// belongs to a chain.
func refPath(ref archive.Ref) (string, error) {
	kind, err := nameSegment(string(ref.Kind))
	if err != nil {
		return "", err
	}
	id, err := idSegment(ref.ID)
	if err != nil {
		return "", err
	}
	return kind + "/" + shardOf(id) + "/" + id, nil
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

// parseEntryKey is the inverse of entryKey.
func parseEntryKey(key string) (archive.Ref, int, error) {
	bad := fmt.Errorf("%s is no entry: %w", key, archive.ErrCorrupt)
	part := strings.Split(key, "/")
	if len(part) != 5 {
		return archive.Ref{}, 0, bad
	}
	ref := archive.Ref{Kind: archive.Kind(part[1]), ID: idOf(part[3])}
	n, err := strconv.Atoi(part[4])
	if err != nil {
		return ref, 0, bad
	}
	if again, err := entryKey(ref, n); err != nil || again != key {
		return ref, 0, bad
	}
	return ref, n, nil
}

// shardOf spreads ids over 256 folders: a store on a file system walks a folder
// anew for every thousand keys it lists.
func shardOf(segment string) string {
	sum := sha256.Sum256([]byte(segment))
	return hex.EncodeToString(sum[:1])
}

func blobKey(owner archive.Ref, id string) (string, error) {
	path, err := refPath(owner)
	if err != nil {
		return "", err
	}
	if _, _, err := parseBlobID(id); err != nil {
		return "", err
	}
	return "blob/" + path + "/" + id, nil
}

// parseBlobID splits the id of a blob: 32 hex digits for one that is an object,
// and before them "n-" for one that entry n carries.
func parseBlobID(id string) (entry int, name string, err error) {
	name = id
	if number, rest, ok := strings.Cut(id, "-"); ok {
		entry, err = strconv.Atoi(number)
		name = rest
		if err != nil || entry < 1 || strconv.Itoa(entry) != number {
			name = ""
		}
	}
	if !isHex(name, 32) {
		return 0, "", fmt.Errorf("this is no id of a blob: %w", archive.ErrInvalid)
	}
	return entry, name, nil
}

func derivedKey(owner archive.Ref, blob, kind string) (string, error) {
	if _, err := blobKey(owner, blob); err != nil {
		return "", err
	}
	kind, err := nameSegment(kind)
	if err != nil {
		return "", err
	}
	path, err := refPath(owner)
	return "derived/" + path + "/" + blob + "." + kind + "-v1", err
}

// isHex reports whether s is size lower-case hex digits.
func isHex(s string, size int) bool {
	return len(s) == size && strings.Trim(s, "0123456789abcdef") == ""
}

// lastSegment is what follows the last slash.
func lastSegment(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }
