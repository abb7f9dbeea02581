package auth

import (
	"crypto/rand"
	"errors"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"

	"dangan/archive"
)

func TestKeysOfAgencies(t *testing.T) {
	w := newWorld(t)
	k := w.replica()
	grant := archive.Grant{Categories: []string{"marriage"}}
	secret, kept, err := NewKey(rand.Reader, liID)
	if err != nil {
		t.Fatal(err)
	}
	other, otherKept, err := NewKey(rand.Reader, liID)
	if err != nil {
		t.Fatal(err)
	}
	w.change(func(a *archive.Account) {
		a.Role, a.Quota = archive.RoleAgency, 5
		a.Keys = []archive.Key{{ID: "1", Hash: kept, Grant: grant, Expires: w.now.Add(hours(24))}, {ID: "2", Hash: otherKept, Expires: w.now.Add(hours(1))}}
	})
	ask := func(token string) (archive.Actor, error) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		return k.Actor(r)
	}
	w.asked = nil
	a, err := ask(secret)
	if err != nil || !reflect.DeepEqual(a.Grant, grant) || a.Quota != 5 || !slices.Equal(w.asked, []string{"head"}) {
		t.Errorf("%+v %v, read %v", a, err, w.asked)
	}
	w.now = w.now.Add(hours(1))
	if _, err := ask(other); !errors.Is(err, archive.ErrUnauthenticated) {
		t.Errorf("a key that has expired: %v", err)
	}
	w.change(func(a *archive.Account) { a.Keys = slices.Clone(a.Keys); a.Keys[0].Revoked = w.now })
	if _, err := ask(secret); !errors.Is(err, archive.ErrUnauthenticated) {
		t.Errorf("a key that was revoked: %v", err)
	}
}

// TestQuotaOfAllReplicas: together they give out no more than the quota, one that
// stops loses at most a block, and the next day begins anew.
func TestQuotaOfAllReplicas(t *testing.T) {
	w := newWorld(t)
	replicas := []*Keeper{w.replica(), w.replica(), w.replica()}
	agency := archive.Actor{ID: liID, Quota: 1000}
	given := 0
	for i := range 3000 {
		switch err := replicas[i%3].Take(t.Context(), agency, 1); {
		case err == nil:
			given++
		case !errors.Is(err, ErrQuota):
			t.Fatal(err)
		}
	}
	if given != 1000 || len(w.asked) > 3*1000 {
		t.Errorf("%d of 1000 were given with %d requests to the store", given, len(w.asked))
	}
	w.now = w.now.Add(hours(24))
	if err := replicas[0].Take(t.Context(), agency, 1000); err != nil {
		t.Errorf("the next day: %v", err)
	}
	if err := replicas[1].Take(t.Context(), agency, 1); !errors.Is(err, ErrQuota) {
		t.Errorf("beyond: %v", err)
	}
	if err := replicas[1].Take(t.Context(), archive.Actor{ID: "free"}, 1_000_000); err != nil {
		t.Errorf("without a quota: %v", err)
	}
}
