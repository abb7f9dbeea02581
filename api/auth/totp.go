package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"dangan/archive"
)

// The parameters of RFC 6238 that every authenticator knows: SHA-1, six digits,
// thirty seconds. A code of the step before or after is good, too, since clocks differ.
const (
	totpStep     = 30 * time.Second
	totpDrift    = 1
	totpSecret   = 20 // bytes
	recoveries   = 10
	recoverySize = 10 // bytes
)

// totpCode is the code of a time step (RFC 4226, section 5.3).
func totpCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

// checkTOTP finds the step, later than after, whose code was given: a code that was
// used is not good again. It compares with every step, so that it takes as long.
func checkTOTP(secret, code string, now time.Time, after int64) (step int64, ok bool) {
	key, err := base32.StdEncoding.DecodeString(secret)
	if err != nil || len(key) == 0 {
		return 0, false
	}
	current := now.Unix() / int64(totpStep/time.Second)
	for s := current - totpDrift; s <= current+totpDrift; s++ {
		if subtle.ConstantTimeCompare([]byte(totpCode(key, s)), []byte(code)) == 1 && s > after {
			step, ok = s, true
		}
	}
	return step, ok
}

// newSecond makes a secret for an authenticator.
func newSecond(random io.Reader) (string, error) {
	raw := make([]byte, totpSecret)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("second factor: %w", err)
	}
	return base32.StdEncoding.EncodeToString(raw), nil
}

// newRecovery makes codes to be written down, and the form in which they are kept.
// They have 80 random bits, so that a slow hash would add nothing.
func newRecovery(random io.Reader) (codes, kept []string, err error) {
	for range recoveries {
		raw := make([]byte, recoverySize)
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, nil, fmt.Errorf("recovery codes: %w", err)
		}
		code := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
		code = code[:4] + "-" + code[4:8] + "-" + code[8:12] + "-" + code[12:]
		codes, kept = append(codes, code), append(kept, recoveryHash(code))
	}
	return codes, kept, nil
}

// recoveryHash reads a code however it was typed.
func recoveryHash(code string) string {
	return TokenHash(strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code)))
}

// otpauth is the address by which an authenticator takes a secret over.
func otpauth(user, secret string) string {
	return "otpauth://totp/dangan:" + url.PathEscape(user) + "?" + url.Values{"secret": {secret}, "issuer": {"dangan"}}.Encode()
}

// checkSecond finds out by what an account with a second factor was signed in to: the
// time step of a code, or the recovery code that is then used up.
func checkSecond(s archive.Second, code string, now time.Time, after int64) (step int64, left []string, ok bool) {
	step, ok = checkTOTP(s.Secret, strings.ReplaceAll(code, " ", ""), now, after)
	if ok {
		return step, s.Recovery, true
	}
	used := recoveryHash(code)
	if i := slices.Index(s.Recovery, used); i >= 0 {
		return after, slices.Delete(slices.Clone(s.Recovery), i, i+1), true
	}
	return after, s.Recovery, false
}
