package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"

	"dangan/archive"
)

// The cost of a password check: the second set of parameters that OWASP's
// Password Storage Cheat Sheet gives for argon2id.
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
)

// Bounds on what a stored string may ask for, so that a damaged one cannot take
// the machine down.
const (
	mostMemory = 256 * 1024
	mostTime   = 16
)

// HashPassword is the argon2id hash of a password as a PHC string.
func HashPassword(random io.Reader, password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("password salt: %w", err)
	}
	p := phc{memory: argonMemory, time: argonTime, lanes: argonLanes, salt: salt}
	p.key = p.derive(password, argonKey)
	return p.String(), nil
}

// CheckPassword reports whether the password has the hash. A hash that is no
// PHC string of argon2id is an archive.ErrCorrupt.
func CheckPassword(hash, password string) (bool, error) {
	p, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(p.derive(password, uint32(len(p.key))), p.key) == 1, nil
}

// phc is $argon2id$v=19$m=…,t=…,p=…$salt$hash (the PHC string format).
type phc struct {
	memory, time uint32
	lanes        uint8
	salt, key    []byte
}

func (p phc) derive(password string, length uint32) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.lanes, length)
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.lanes,
		b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

func parsePHC(s string) (phc, error) {
	bad := fmt.Errorf("password hash: %w", archive.ErrCorrupt)
	parts := strings.Split(s, "$")
	if len(parts) != 6 {
		return phc{}, bad
	}
	var p phc
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.lanes); err != nil {
		return phc{}, bad
	}
	var errSalt, errKey error
	p.salt, errSalt = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	p.key, errKey = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if errSalt != nil || errKey != nil || p.String() != s {
		return phc{}, bad
	}
	if p.time < 1 || p.time > mostTime || p.lanes < 1 || p.memory > mostMemory || len(p.key) < 16 || len(p.key) > 64 {
		return phc{}, bad
	}
	return p, nil
}
