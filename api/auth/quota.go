package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"dangan/archive"
)

// ErrQuota is the answer to an agency that has asked all it may in a day.
var ErrQuota = errors.New("the quota of the day is used up")

// blocks is how many times a replica goes to the store for a whole quota: it takes a
// block and gives it out by itself. So an agency never gets more than its quota from
// all replicas together, and loses at most one block for each that stops.
const blocks = 100

// taken is the state of a quota: how much all replicas have taken of a day.
type taken struct {
	Day string `json:"day"`
	N   int    `json:"n"`
}

// share is what this process has taken and not given out.
type share struct {
	sync.Mutex
	day  string
	left int
}

// Take counts n questions of an actor against the quota of the day, in Beijing. It is
// ErrQuota when there are not that many left, and then counts none.
func (k *Keeper) Take(ctx context.Context, a archive.Actor, n int) error {
	if a.Quota == 0 {
		return nil
	}
	kept, _ := k.shares.LoadOrStore(a.ID, &share{})
	s := kept.(*share)
	s.Lock()
	defer s.Unlock()
	day := archive.DateOf(k.c.Now()).ISO()
	if s.day != day {
		s.day, s.left = day, 0
	}
	if s.left < n {
		if err := k.fetch(ctx, a, s, n-s.left); err != nil {
			return err
		}
	}
	s.left -= n
	return nil
}

// fetch takes a block, or more when more are missing, or what is left of the quota.
func (k *Keeper) fetch(ctx context.Context, a archive.Actor, s *share, missing int) error {
	var block int
	err := changeState(ctx, k.c.States, "quota/"+a.ID, func(t *taken) error {
		if t.Day != s.day {
			*t = taken{Day: s.day}
		}
		block = min(max(missing, a.Quota/blocks), a.Quota-t.N)
		if block < missing {
			return ErrQuota
		}
		t.N += block
		return nil
	})
	if err != nil {
		return fmt.Errorf("quota: %w", err)
	}
	s.left += block
	return nil
}
