package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"dangan/archive"
)

// blow strikes a site that clients are using, and returns what brings back the
// parts that do not come back by themselves.
type blow func(rng *rand.Rand) (restore func())

// restEvery is after how many rounds the clients repeat what was not
// acknowledged and wait until nothing is left to do.
const restEvery = 5

// endure lets clients deposit and certify in rounds that each end in a blow.
// Afterwards nothing that was acknowledged is lost, nothing is there twice, and
// nothing is half visible.
func (s *site) endure(t *testing.T, rounds int, strike blow) {
	t.Helper()
	book, demo := &ledger{}, s.all(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	var ready, rest durations
	for round := range rounds {
		restore := s.round(t, book, round, rng, strike)
		start := time.Now()
		restore()
		s.awaitWell(t)
		ready = append(ready, time.Since(start))
		if (round+1)%restEvery == 0 || round+1 == rounds {
			s.settleAll(t, book)
			s.awaitRest(t)
			rest = append(rest, time.Since(start))
		}
	}
	s.checkDeposits(t, book)
	s.checkCertificates(t, book)
	book.compare(t, demo, s.all(t))
	s.checkBucket(t)
	t.Logf("%d rounds, %v\nfrom restart to ready: %v; to all repeated and no work left: %v", rounds, book, ready, rest)
	book.mustShow(t)
}

// round has clients at work and strikes.
func (s *site) round(t *testing.T, book *ledger, round int, rng *rand.Rand, strike blow) (restore func()) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for n := range 4 {
		clients.Go(func() { s.client(ctx, book, fmt.Sprintf("%d-%d", round, n)) })
	}
	// The moment of the blow, not a wait for something: early among the
	// deposits in one round, late among the approvals in the next.
	time.Sleep(time.Duration(30+rng.IntN(400+1200*(round%2))) * time.Millisecond)
	restore = strike(rng)
	cancel()
	clients.Wait()
	return restore
}

// awaitWell waits until the service says that it and its servers are well.
func (s *site) awaitWell(t *testing.T) {
	t.Helper()
	eventually(t, 2*time.Minute, "readiness", func() bool {
		a, err := s.try(t.Context(), call{method: "GET", path: "/readyz"})
		return err == nil && a.status == 200
	})
}

// awaitRest waits until the store holds no work any more, given up work included.
func (s *site) awaitRest(t *testing.T) {
	t.Helper()
	eventually(t, 3*time.Minute, "an empty queue", func() bool { return len(s.stored(t, "work")) == 0 })
}

// all is every chain of the kinds that clients make, as the store has them.
func (s *site) all(t *testing.T) map[archive.Ref]bool {
	t.Helper()
	chains := map[archive.Ref]bool{}
	for _, kind := range []archive.Kind{archive.KindRecord, archive.KindRequest, archive.KindCertificate} {
		for _, id := range s.chains(t, kind) {
			chains[archive.Ref{Kind: kind, ID: id}] = true
		}
	}
	return chains
}

// durations are told by their middle and their longest.
type durations []time.Duration

func (d durations) String() string {
	slices.Sort(d)
	return fmt.Sprintf("median %v, longest %v of %d",
		d[len(d)/2].Round(time.Millisecond), d[len(d)-1].Round(time.Millisecond), len(d))
}
