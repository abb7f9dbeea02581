package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"dangan/archive"
)

// Numbers gives out numbers, and finds what they were given to by claims.
type Numbers struct{ Claims }

// sequence is the sealed body of lease/sequence-<hash>.
type sequence struct {
	Name string `json:"sequence"`
	Last int    `json:"last"`
}

// Waits between attempts when other replicas draw from the same sequence.
const (
	firstWait   = 5 * time.Millisecond
	longestWait = 500 * time.Millisecond
)

// Next is the next number of a sequence, from 1. A number is never given twice;
// one that is lost to an error or not used stays void (作废). It tries until ctx
// ends while other replicas are faster.
func (n *Numbers) Next(ctx context.Context, name string) (int, error) {
	n.b.sequences.Lock()
	defer n.b.sequences.Unlock()
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		number, err := n.next(ctx, name)
		if !errors.Is(err, archive.ErrConflict) {
			if err != nil {
				return 0, fmt.Errorf("next of sequence: %w", err)
			}
			return number, nil
		}
		select {
		case <-time.After(rand.N(wait)):
		case <-ctx.Done():
			return 0, fmt.Errorf("next of sequence: %w", ctx.Err())
		}
	}
}

func (n *Numbers) next(ctx context.Context, name string) (int, error) {
	key := "lease/sequence-" + n.b.ring().Claim.Hash("sequence", name)
	body := sequence{Name: name}
	there, plain, err := n.b.fetchRing(ctx, key)
	switch {
	case errors.Is(err, archive.ErrNotFound):
	case err != nil:
		return 0, err
	default:
		if err := json.Unmarshal(plain, &body); err != nil || body.Name != name {
			return 0, fmt.Errorf("body is not this sequence: %w", archive.ErrCorrupt)
		}
	}
	body.Last++
	if plain, err = json.Marshal(body); err != nil {
		return 0, fmt.Errorf("encode: %w", err)
	}
	return body.Last, n.b.swap(ctx, key, plain, there.etag)
}
