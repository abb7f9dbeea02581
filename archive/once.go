package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// OnceOwner is what an idempotency claim holds: the id that the request is to
// make, and a hash of the request, so that a key cannot be used for another one.
func OnceOwner(id string, request any) (string, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return id + ":" + hex.EncodeToString(sum[:]), nil
}

// OnceHeld compares the holder of a claim with the owner that wanted it: same
// tells whether both stand for the same request, id is what the first one makes.
func OnceHeld(holder, owner string) (id string, same bool) {
	id, first, _ := strings.Cut(holder, ":")
	_, second, _ := strings.Cut(owner, ":")
	return id, first == second
}
