package auth

import (
	"sync"
	"time"
)

// A user may fail to sign in this often from one address within the window.
const (
	mostFailures = 8
	window       = 10 * time.Minute
	mostTracked  = 100_000 // pairs of user and address
)

// attempts counts attempts to sign in, per user and address, in this process.
type attempts struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[[2]string]count
}

type count struct {
	n     int
	since time.Time
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, seen: map[[2]string]count{}}
}

// allow counts one attempt and says whether it may go on.
func (a *attempts) allow(user, from string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(user) > 200 { // longer than any user name: not worth remembering
		user = user[:200]
	}
	key, now := [2]string{user, from}, a.now()
	c := a.seen[key]
	if now.Sub(c.since) >= window {
		c = count{since: now}
	}
	c.n++
	if len(a.seen) >= mostTracked {
		a.sweep(now)
	}
	a.seen[key] = c
	return c.n <= mostFailures
}

// sweep drops what has run out, or everything when nothing has.
func (a *attempts) sweep(now time.Time) {
	for k, c := range a.seen {
		if now.Sub(c.since) >= window {
			delete(a.seen, k)
		}
	}
	if len(a.seen) >= mostTracked {
		clear(a.seen)
	}
}

// forget clears the count after a success.
func (a *attempts) forget(user, from string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.seen, [2]string{user, from})
}
