package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// sample collects how long operations took.
type sample struct {
	mu    sync.Mutex
	took  []time.Duration
	total time.Duration
	next  atomic.Int64
}

// measure runs op from so many clients at once for a while, or until it ran most
// times, if that is not 0. op gets a number that no other call of this sample gets.
func (s *sample) measure(ctx context.Context, length time.Duration, clients, most int, op func(ctx context.Context, n int) error) error {
	start := time.Now()
	var ran atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range clients {
		group.Go(func() error {
			for time.Since(start) < length && (most == 0 || int(ran.Add(1)) <= most) {
				begin := time.Now()
				if err := op(ctx, int(s.next.Add(1))); err != nil {
					return err
				}
				s.mu.Lock()
				s.took = append(s.took, time.Since(begin))
				s.mu.Unlock()
			}
			return nil
		})
	}
	err := group.Wait()
	s.total += time.Since(start)
	return err
}

// summary is what a sample comes to.
type summary struct {
	Count     int           `json:"count"`
	PerSecond float64       `json:"per_second"`
	P50       time.Duration `json:"p50_ns"`
	P95       time.Duration `json:"p95_ns"`
}

func (s *sample) summary() summary {
	if len(s.took) == 0 {
		return summary{}
	}
	slices.Sort(s.took)
	return summary{len(s.took), float64(len(s.took)) / s.total.Seconds(), percentile(s.took, 50), percentile(s.took, 95)}
}

// percentile is the nearest rank in a sorted, not empty list.
func percentile(sorted []time.Duration, p int) time.Duration {
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}

func (s summary) times() string { return fmt.Sprintf("%.2f / %.2f", ms(s.P50), ms(s.P95)) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
