package storage

import (
	"context"
	"sync"
	"time"
)

// group is a group commit: what callers bring while an object is being written
// goes into the next one together, so that durability costs each of them little.
type group[T any] struct {
	put   func(ctx context.Context, items []T) error
	takes func(items []T, next T) bool // whether one object may hold next as well

	mu      sync.Mutex
	waiting []*commit[T] // in the order to be written; the last may still grow
	writing bool
}

// commit is the items of one object, and how its writing ended.
type commit[T any] struct {
	items []T
	done  chan struct{}
	err   error
}

// commitTimeout is for the writing of one object.
const commitTimeout = 30 * time.Second

// add returns when the item is durable. When ctx ends first it may become
// durable all the same.
func (g *group[T]) add(ctx context.Context, item T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := g.join(item)
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join adds the item to a commit that has not begun, and sees to it that somebody
// writes.
func (g *group[T]) join(item T) *commit[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	var c *commit[T]
	if n := len(g.waiting); n > 0 && g.takes(g.waiting[n-1].items, item) {
		c = g.waiting[n-1]
	} else {
		c = &commit[T]{done: make(chan struct{})}
		g.waiting = append(g.waiting, c)
	}
	c.items = append(c.items, item)
	if !g.writing {
		g.writing = true
		go g.write()
	}
	return c
}

// write commits until nobody waits. No caller's deadline ends it, because it
// writes for all of them.
func (g *group[T]) write() {
	for {
		g.mu.Lock()
		if len(g.waiting) == 0 {
			g.writing = false
			g.mu.Unlock()
			return
		}
		c := g.waiting[0]
		g.waiting = g.waiting[1:]
		g.mu.Unlock()

		ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
		c.err = g.put(ctx, c.items)
		cancel()
		close(c.done)
	}
}
