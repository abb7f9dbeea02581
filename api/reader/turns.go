package reader

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// lane is how urgent an order is.
type lane int

const (
	urgent lane = iota // somebody waits for a page
	steady             // a file that has come in; nobody sees it before it was read
	spare              // what nobody waits for
	lanes
)

// turns says who is next to have a child. Readings never have the last one, so that
// a page waits for pages at most, and what nobody waits for is done one at a time,
// after a rest. Where there is never a rest, it is done like a reading in the end.
type turns struct {
	children int
	rest     time.Duration // without an order that somebody waits for

	mu      sync.Mutex
	busy    [lanes]int
	waiting [lanes][]chan struct{}
	rested  bool
	timer   *time.Timer
}

func newTurns(children int, rest time.Duration) *turns {
	return &turns{children: children, rest: rest, rested: true}
}

// rests is how many of them pass before it is no use to wait for one.
const rests = 30

// take waits for a turn, which must be given back for the lane that is returned.
func (t *turns) take(ctx context.Context, l lane) (lane, error) {
	if l == spare {
		rest, cancel := context.WithTimeoutCause(ctx, rests*t.rest, errNoRest)
		defer cancel()
		if err := t.wait(rest, spare); err != errNoRest {
			return spare, err
		}
		l = steady
	}
	return l, t.wait(ctx, l)
}

// errNoRest is the cause of an end of waiting that is not the caller's.
var errNoRest = errors.New("there is no rest")

func (t *turns) wait(ctx context.Context, l lane) error {
	turn := make(chan struct{})
	t.mu.Lock()
	t.waiting[l] = append(t.waiting[l], turn)
	if l != spare {
		t.stir()
	}
	t.next()
	t.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.waiting[l], turn); i >= 0 {
		t.waiting[l] = slices.Delete(t.waiting[l], i, i+1)
	} else {
		t.busy[l]-- // it came at that moment
	}
	t.next()
	return context.Cause(ctx)
}

// giveBack ends a turn.
func (t *turns) giveBack(l lane) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy[l]--
	t.next()
}

// next lets go whoever may, and has a rest begin when nobody else is left.
func (t *turns) next() {
	for l := range lanes {
		for len(t.waiting[l]) > 0 && t.mayGo(l) {
			close(t.waiting[l][0])
			t.waiting[l] = t.waiting[l][1:]
			t.busy[l]++
		}
	}
	if t.calm() && !t.rested && t.timer == nil {
		t.timer = time.AfterFunc(t.rest, t.wake)
	}
}

// calm reports whether there is nothing that somebody waits for.
func (t *turns) calm() bool {
	return t.busy[urgent]+t.busy[steady]+len(t.waiting[urgent])+len(t.waiting[steady]) == 0
}

func (t *turns) mayGo(l lane) bool {
	behind := t.busy[steady] + t.busy[spare]
	switch free := t.busy[urgent]+behind < t.children; l {
	case steady:
		return free && behind < t.children-1
	case spare:
		return t.rested && behind == 0
	default:
		return free
	}
}

// stir ends a rest.
func (t *turns) stir() {
	t.rested = false
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

func (t *turns) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer, t.rested = nil, t.calm()
	t.next()
}
