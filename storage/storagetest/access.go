package storagetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/storage"
)

func entry(id string) archive.Access {
	return archive.Access{
		ID:      id,
		At:      time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
		Actor:   newID(),
		Role:    archive.RoleReviewer,
		Action:  archive.ActRead,
		Ref:     noteRef(newID()),
		Purpose: archive.Purpose{Code: archive.ForRequest, Case: "R-1"},
	}
}

// testAccess: entries of callers that wait while an object is written share the
// next one, and each is durable when its caller returns.
func testAccess(t *testing.T, objects storage.Objects) {
	held := &gate{Objects: objects, open: make(chan struct{}), reached: make(chan struct{}, 100)}
	log := bucket(t, held).Access()
	const waiters = 20
	results := make(chan error, waiters+1)
	record := func() { results <- log.Record(t.Context(), entry(newID())) }

	go record()
	<-held.reached // the first object is on its way, and stays there
	for range waiters {
		go record()
	}
	cancelled, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantError(t, "record of a caller who does not wait", log.Record(cancelled, entry(newID())), context.DeadlineExceeded)
	if n := len(results); n != 0 {
		t.Errorf("%d callers returned before anything was durable", n)
	}
	close(held.open)
	for range waiters + 1 {
		must(t, <-results)
	}
	must(t, log.Record(t.Context(), entry(newID())))

	entries, err := bucket(t, objects).Access().Accesses(t.Context(), "", 100)
	must(t, err)
	if len(entries) < waiters+2 {
		t.Errorf("%d entries, want at least the %d that were acknowledged", len(entries), waiters+2)
	}
	if n := len(Keys(t, objects, "access/")); n > waiters/2 {
		t.Errorf("%d objects for %d concurrent entries", n, waiters)
	}
	wantError(t, "record without an id", log.Record(t.Context(), archive.Access{}), archive.ErrInvalid)
}

// gate holds the creation of access objects back until it is open.
type gate struct {
	storage.Objects
	open    chan struct{}
	reached chan struct{}
}

func (g *gate) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if strings.HasPrefix(key, "access/") {
		g.reached <- struct{}{}
		<-g.open
	}
	return g.Objects.PutIfAbsent(ctx, key, data)
}

// testAccessPaging: whatever the order in which replicas wrote, the pages give
// every entry once, newest first.
func testAccessPaging(t *testing.T, objects storage.Objects) {
	replicas := []*storage.AccessLog{bucket(t, objects).Access(), bucket(t, objects).Access(), bucket(t, objects).Access()}
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	var want []archive.Access
	for i := range 60 {
		// Bursts in the same seconds, minutes apart, and some days apart.
		days, minutes := time.Duration(i/20)*50*time.Hour, time.Duration(i/5)*25*time.Second
		at := start.Add(days + minutes + rand.N(20*time.Second))
		want = append(want, entry(idAt(at)))
	}
	for _, err := range race(len(want), func(i int) error {
		return replicas[rand.IntN(len(replicas))].Record(t.Context(), want[i])
	}) {
		must(t, err)
	}
	slices.SortFunc(want, func(a, b archive.Access) int { return strings.Compare(b.ID, a.ID) })
	for _, limit := range []int{1, 7, 59, 60, 100} {
		var got []archive.Access
		for before := ""; ; before = got[len(got)-1].ID {
			page, err := replicas[0].Accesses(t.Context(), before, limit)
			must(t, err)
			if len(page) > limit {
				t.Fatalf("%d entries in a page of %d", len(page), limit)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	// A position need not be an entry.
	page, err := replicas[0].Accesses(t.Context(), idAt(start.Add(-time.Hour)), 10)
	if err != nil || len(page) != 0 {
		t.Errorf("before everything: %d entries, error %v", len(page), err)
	}
	_, err = replicas[0].Accesses(t.Context(), "nonsense", 10)
	wantError(t, fmt.Sprintf("position %q", "nonsense"), err, archive.ErrInvalid)
}
