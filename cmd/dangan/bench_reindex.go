package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"dangan/index"
	indexplan "dangan/index/plan"
)

// reindex compares a whole reindex, from the bucket to the swap, with loading the
// same documents into the same Meilisearch when they lie ready in a file. Packs are
// made by a first reindex, which is a fact beside.
func (b *bench) reindex(ctx context.Context) error {
	for _, n := range b.records {
		if err := b.at(ctx, n, func(w *bench) error { return w.reindexAt(ctx, n) }); err != nil {
			return err
		}
	}
	return nil
}

func (w *bench) reindexAt(ctx context.Context, n int) (err error) {
	name := fmt.Sprintf("dangan-bench-reindex-%d", n)
	defer func() {
		ctx := context.WithoutCancel(ctx)
		for _, suffix := range []string{"", "-next", "-state", "-raw", "-raw-state"} {
			err = errors.Join(err, w.meili.drop(ctx, name+suffix))
		}
	}()
	x, err := index.New(ctx, index.Config{URL: w.meili.url, Key: w.meili.key, Name: name})
	if err != nil {
		return err
	}
	h, err := w.house.over(x)
	if err != nil {
		return err
	}
	file, err := w.readyFile(n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()

	got := 0 // a configured bucket holds what was deposited before, too
	run := func() (err error) {
		r := reindexing{house: h, holder: "bench"}
		got, err = r.run(ctx)
		if err == nil && got < n {
			err = fmt.Errorf("%d of %d records reindexed", got, n)
		}
		return err
	}
	first, err := clocked(run)
	if err != nil {
		return err
	}
	raw, err := clocked(func() error { return w.rawLoad(ctx, name+"-raw", file) })
	if err != nil {
		return err
	}
	heap, stop := heapPeak()
	ours, err := clocked(run)
	stop()
	if err != nil {
		return err
	}
	summed := func(n int, d time.Duration) summary {
		return summary{Count: n, PerSecond: float64(n) / d.Seconds(), P50: d, P95: d}
	}
	w.results.Rows = append(w.results.Rows, row{What: fmt.Sprintf("reindex %d records", n), N: n, Clients: 1,
		Against: "bulk load of the same ready documents", Raw: summed(n, raw), Dangan: summed(got, ours), Target: 0.7})
	w.results.Facts = append(w.results.Facts,
		fact{What: "first reindex, which makes the packs", N: n, Value: first.Seconds(), Unit: "s"},
		fact{What: "greatest heap of a reindex", N: n, Value: float64(heap.Load()) / 1e6, Unit: "MB"})
	return nil
}

func clocked(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}

// heapPeak watches the heap of this process.
func heapPeak() (peak *atomic.Uint64, stop func()) {
	peak = &atomic.Uint64{}
	done := make(chan struct{})
	go func() {
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return peak, func() { close(done) }
}

// readyFile holds the documents as Meilisearch takes them.
func (w *bench) readyFile(n int) (*os.File, error) {
	file, err := os.CreateTemp(w.data, "ready-")
	if err != nil {
		return nil, err
	}
	lines := json.NewEncoder(file)
	for d := range w.documents(n) {
		if err := lines.Encode(indexplan.NewDocument(d)); err != nil {
			return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}
	return file, nil
}

// rawLoad is the fastest way that is known: settings first, then large tasks.
func (w *bench) rawLoad(ctx context.Context, name string, file *os.File) error {
	x, err := index.New(ctx, index.Config{URL: w.meili.url, Key: w.meili.key, Name: name})
	if err != nil {
		return err
	}
	if err := x.Put(ctx); err != nil { // makes it, with its settings
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	piece := make([]byte, loadBatch)
	kept := 0
	for {
		n, err := io.ReadFull(file, piece[kept:])
		full := piece[:kept+n]
		end := bytes.LastIndexByte(full, '\n') + 1
		if end > 0 {
			if err := w.meili.task(ctx, http.MethodPost, "/indexes/"+name+"/documents", "application/x-ndjson", full[:end]); err != nil {
				return err
			}
		}
		kept = copy(piece, full[end:])
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}
