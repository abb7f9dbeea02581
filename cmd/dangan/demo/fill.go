package demo

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dangan/archive"
	"dangan/archive/certificates"
	"dangan/archive/desk"
	"dangan/archive/holdings"
)

// Seed makes the records that Fill deposits.
const Seed = 2026

// workers deposit at the same time.
const workers = 4

// Rooms is the house to fill.
type Rooms struct {
	Holdings     *holdings.Room
	Desk         *desk.Room
	Certificates *certificates.Room
	Actor        func(ctx context.Context, user string) (archive.Actor, error) // by user name
	Wait         func(ctx context.Context) error                               // until no work is left
	Now          func() time.Time                                              // only to tell how long it will take
}

// Progress is told how far something is. It is called one call at a time.
type Progress func(done, total int, label string)

// Samples are things to look at first.
type Samples struct {
	Record      string      `json:"record"` // id
	RefCode     string      `json:"reference_code"`
	Request     string      `json:"request"` // id
	Certificate Certificate `json:"certificate"`
}

// Certificate is what a stranger needs to verify one.
type Certificate struct {
	Number string `json:"number"`
	Code   string `json:"code"`
}

// Fill makes the synthetic office, with n records or the few fixed ones if those
// are more, as people would make it. Whatever was there already stays: after a
// crash, or on a full house, it goes on from where it was. A request that
// somebody took another way meanwhile is left alone.
func Fill(ctx context.Context, rooms Rooms, n int, progress Progress) (Samples, error) {
	schema, err := archive.DefaultSchema()
	if err != nil {
		return Samples{}, err
	}
	n = max(n, len(fixedRecords()))
	f := &filler{
		Rooms: rooms, schema: schema, records: make([]archive.Record, len(fixedRecords())),
		bar: bar{show: progress, total: n + len(stories()) + 1, now: rooms.Now, start: rooms.Now()},
	}
	if err := f.deposits(ctx, n); err != nil {
		return Samples{}, fmt.Errorf("records: %w", err)
	}
	requests, err := f.requests(ctx)
	if err != nil {
		return Samples{}, fmt.Errorf("requests: %w", err)
	}
	if err := f.Wait(ctx); err != nil {
		return Samples{}, err
	}
	samples, err := f.certificates(ctx, requests)
	if err != nil {
		return Samples{}, fmt.Errorf("certificates: %w", err)
	}
	f.bar.step("ready")
	return samples, nil
}

type filler struct {
	Rooms
	schema  archive.Schema
	records []archive.Record // the fixed ones, as they were deposited
	bar     bar
}

// bar counts steps, and guesses how long the rest takes.
type bar struct {
	show  Progress
	total int
	now   func() time.Time
	start time.Time

	mu   sync.Mutex
	done int
}

func (b *bar) step(label string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done++
	if rest := b.now().Sub(b.start) * time.Duration(b.total-b.done) / time.Duration(b.done); rest >= time.Second {
		label = fmt.Sprintf("%s, about %s to go", label, rest.Round(time.Second))
	}
	b.show(b.done, b.total, label)
}

// deposits deposits all records, several at a time. Drawing the scans is most of
// the work, so every worker draws its own.
func (f *filler) deposits(ctx context.Context, n int) error {
	type job struct {
		i int
		d Deposit
	}
	jobs := make(chan job)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(jobs)
		i := 0
		for d := range Records(Seed, n) {
			select {
			case jobs <- job{i, d}:
				i++
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range workers {
		group.Go(func() error {
			painter, err := NewPainter()
			if err != nil {
				return err
			}
			for j := range jobs {
				view, err := f.deposit(ctx, painter, j.d)
				if err != nil {
					return err
				}
				if j.i < len(f.records) {
					f.records[j.i] = view.Record
				}
				f.bar.step("records")
			}
			return nil
		})
	}
	return group.Wait()
}

func (f *filler) deposit(ctx context.Context, p *Painter, d Deposit) (archive.RecordView, error) {
	actor, err := f.Actor(ctx, d.By)
	if err != nil {
		return archive.RecordView{}, err
	}
	return f.Holdings.Deposit(ctx, actor, d.Key, d.Record, uploads(d, p, f.schema))
}

// uploads draws the scans when they are asked for: a record that is there
// already needs none.
func uploads(d Deposit, p *Painter, s archive.Schema) iter.Seq2[archive.Upload, error] {
	return func(yield func(archive.Upload, error) bool) {
		files, err := d.Files(p, s)
		if err != nil {
			yield(archive.Upload{}, err)
			return
		}
		for _, file := range files {
			if !yield(archive.Upload{Name: file.Name, MediaType: file.MediaType, Body: bytes.NewReader(file.Bytes)}, nil) {
				return
			}
		}
	}
}
