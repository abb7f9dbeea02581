package index

import (
	"context"
	"sync"
)

// locks gives one caller at a time the right to a set of ids.
type locks struct {
	mu      sync.Mutex
	held    map[string]bool
	changed chan struct{} // closed when some are given back
}

// take waits until nobody holds any of the ids, then holds them all, so that two
// callers never wait for each other. give gives them back.
func (l *locks) take(ctx context.Context, ids []string) (give func(), err error) {
	for {
		wait := l.try(ids)
		if wait == nil {
			return func() { l.give(ids) }, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (l *locks) try(ids []string) (wait <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held, l.changed = map[string]bool{}, make(chan struct{})
	}
	for _, id := range ids {
		if l.held[id] {
			return l.changed
		}
	}
	for _, id := range ids {
		l.held[id] = true
	}
	return nil
}

func (l *locks) give(ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.held, id)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}
