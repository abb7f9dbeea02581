package api

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dangan/api/internal/wire"
	"dangan/archive"
)

// etag is the entry number as an entity tag.
func etag(n int) string { return `"` + strconv.Itoa(n) + `"` }

// ifMatch reads the entry number a writer has seen: an entity tag or the bare
// number.
func ifMatch(header string) (int, error) {
	if header == "" {
		return 0, errNoIfMatch
	}
	text := header
	if inner, ok := strings.CutPrefix(header, `"`); ok {
		text = strings.TrimSuffix(inner, `"`)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || header != etag(n) && header != strconv.Itoa(n) {
		return 0, fmt.Errorf("If-Match: %w: %w", wire.ErrMalformed, archive.Problems{{Code: "bad_value", Field: "If-Match"}})
	}
	return n, nil
}

// outdated is a conflict where the client said what it had seen.
func outdated(err error) error {
	if errors.Is(err, archive.ErrConflict) {
		return fmt.Errorf("%w: %w", errPrecondition, err)
	}
	return err
}

// hidden makes "you may not see it" look like "there is none".
func hidden(err error) error {
	if errors.Is(err, archive.ErrForbidden) {
		return fmt.Errorf("hidden: %w", archive.ErrNotFound)
	}
	return err
}

// validID refuses what cannot be an id before it becomes part of a key.
func validID(id string) error {
	if !archive.ValidID(id) {
		return archive.ErrNotFound
	}
	return nil
}

// idempotencyKey is 1 to 200 visible ASCII characters, or none at all.
func idempotencyKey(header string) (string, error) {
	for _, b := range []byte(header) {
		if b <= ' ' || b > '~' {
			return "", archive.Problems{{Code: "bad_value", Field: "Idempotency-Key"}}
		}
	}
	if len(header) > 200 {
		return "", archive.Problems{{Code: "too_long", Field: "Idempotency-Key"}}
	}
	return header, nil
}

// pageToken is how far a list has been read, in a form that tells clients
// nothing to build on.
func pageToken(offset int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("o" + strconv.Itoa(offset)))
}

// parsePageToken reads what pageToken writes; an empty token is the beginning.
func parsePageToken(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	text, ok := strings.CutPrefix(string(raw), "o")
	n, errNumber := strconv.Atoi(text)
	if err != nil || !ok || errNumber != nil || n < 1 || pageToken(n) != token {
		return 0, archive.Problems{{Code: "bad_value", Field: "page"}}
	}
	return n, nil
}
