package storage

import (
	"container/list"
	"sync"
)

// lru remembers the most recently used values, at most size of them.
type lru[K comparable, V any] struct {
	size int

	mu    sync.Mutex
	items map[K]*list.Element
	order *list.List // of pair[K, V], most recent first
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](size int) *lru[K, V] {
	return &lru[K, V]{size: size, items: map[K]*list.Element{}, order: list.New()}
}

func (c *lru[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	item, ok := c.items[key]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(item)
	return item.Value.(pair[K, V]).value, true
}

func (c *lru[K, V]) put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if item, ok := c.items[key]; ok {
		item.Value = pair[K, V]{key, value}
		c.order.MoveToFront(item)
		return
	}
	c.items[key] = c.order.PushFront(pair[K, V]{key, value})
	if c.order.Len() > c.size {
		oldest := c.order.Back()
		delete(c.items, c.order.Remove(oldest).(pair[K, V]).key)
	}
}
