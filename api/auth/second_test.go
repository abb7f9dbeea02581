package auth

import (
	"encoding/base32"
	"errors"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

// TestTOTP has the values of RFC 6238, appendix B, in six digits.
func TestTOTP(t *testing.T) {
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := totpCode([]byte("12345678901234567890"), at/30); got != want {
			t.Errorf("at %d: %s, not %s", at, got, want)
		}
	}
}

// code is what an authenticator shows.
func (w *world) code(secret string, after time.Duration) string {
	key, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		w.t.Fatal(err)
	}
	return totpCode(key, w.now.Add(after).Unix()/30)
}

// enrolled turns li's second factor on.
func (w *world) enrolled(k *Keeper) (secret string, recovery []string) {
	w.t.Helper()
	li := archive.Actor{ID: liID}
	secret, address, err := k.BeginSecond(w.t.Context(), li, "secret")
	if err != nil || !strings.Contains(address, "secret="+secret) {
		w.t.Fatal(address, err)
	}
	if _, err := k.SignIn(w.t.Context(), Attempt{User: "li", Password: "secret"}); err != nil {
		w.t.Fatalf("before a code was given: %v", err)
	}
	var ps archive.Problems
	if _, err := k.ConfirmSecond(w.t.Context(), li, "000000"); !errors.As(err, &ps) || ps[0].Code != "wrong_code" {
		w.t.Fatal(err)
	}
	if recovery, err = k.ConfirmSecond(w.t.Context(), li, w.code(secret, 0)); err != nil || len(recovery) != recoveries {
		w.t.Fatal(recovery, err)
	}
	return secret, recovery
}

func TestSecondFactor(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	secret, recovery := w.enrolled(k)
	used := w.code(secret, 0)
	try := func(code string) error {
		_, err := k.SignIn(t.Context(), Attempt{User: "li", Password: "secret", Code: code})
		return err
	}
	for what, bad := range map[string]string{"none": "", "used at enrolment": used, "late": w.code(secret, 2*time.Minute), "another": "123456x"} {
		if err := try(bad); !errors.Is(err, archive.ErrUnauthenticated) {
			t.Errorf("%s: %v", what, err)
		}
	}
	next := w.code(secret, totpStep)
	if err := try(next[:3] + " " + next[3:]); err != nil {
		t.Errorf("the code of the next step: %v", err)
	}
	if err := try(next); !errors.Is(err, archive.ErrUnauthenticated) {
		t.Errorf("a code was good twice: %v", err)
	}
	if err := try(strings.ToUpper(recovery[3])); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	if err := try(recovery[3]); !errors.Is(err, archive.ErrUnauthenticated) {
		t.Errorf("a recovery code was good twice: %v", err)
	}
	head := w.accounts[liID][len(w.accounts[liID])-1]
	if len(head.Second.Recovery) != recoveries-1 || head.By != liID || head.Public().Second.Secret != "" {
		t.Errorf("%+v", head.Second)
	}
	if err := k.DropSecond(t.Context(), archive.Actor{ID: liID}, "secret"); err != nil || try("") != nil {
		t.Errorf("turned off: %v", err)
	}
}

// TestNoSecret: what was never begun cannot be confirmed.
func TestNoSecret(t *testing.T) {
	w := newWorld(t)
	if _, err := w.replica().ConfirmSecond(t.Context(), archive.Actor{ID: liID}, totpCode(nil, w.now.Unix()/30)); !errors.Is(err, archive.ErrInvalid) {
		t.Error(err)
	}
}
