package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"dangan/archive"
	"dangan/index"
	indexplan "dangan/index/plan"
	"dangan/storage"
)

// at measures in a house with n synthetic records: in the configured bucket, where
// they are added to those of the measurement before, or in an embedded store that
// was seeded while it was stopped. Nothing works in the background.
func (b *bench) at(ctx context.Context, n int, measure func(w *bench) error) (err error) {
	w := *b
	closeStore := func() error { return nil }
	if b.embedded == nil {
		err = b.seed(ctx, b.house.bucket, n)
	} else {
		closeStore, err = w.openSeeded(ctx, n)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	return measure(&w)
}

// indexed measures with the n records in the index of w as well.
func (w *bench) indexed(ctx context.Context, n int, measure func() error) (err error) {
	if w.meili == nil {
		err = w.loadEmbedded(ctx, n)
	} else {
		var drop func() error
		if drop, err = w.loadMeili(ctx, n); err == nil {
			defer func() { err = errors.Join(err, drop()) }()
		}
	}
	if err != nil {
		return err
	}
	return measure()
}

// seed fills a bucket up to n records.
func (b *bench) seed(ctx context.Context, bucket *storage.Bucket, n int) error {
	if n <= b.seeded {
		return nil
	}
	bar := newProgress(b.stderr)
	defer bar.end()
	if err := seedRecords(ctx, bucket, n, func(done int) { bar.show(done, n, "records seeded") }); err != nil {
		return err
	}
	b.seeded = n
	return nil
}

// openSeeded moves w into an embedded house with n records.
func (w *bench) openSeeded(ctx context.Context, n int) (func() error, error) {
	dir, remove := filepath.Join(w.data, strconv.Itoa(n)), func() error { return nil }
	if w.data == "" {
		temp, err := os.MkdirTemp("", "dangan-bench-")
		if err != nil {
			return nil, err
		}
		dir, remove = temp, func() error { return os.RemoveAll(temp) }
	}
	bar := newProgress(w.stderr)
	err := seedFolder(ctx, dir, n, func(done int) { bar.show(done, n, "records seeded") })
	bar.end()
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	e, err := openEmbedded(ctx, dir, "http://localhost", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	closeStore := func() error {
		e.close()
		return remove()
	}
	w.dir = dir
	if err = w.moveInto(e); err == nil {
		err = w.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, closeStore())
	}
	return closeStore, nil
}

// documents are the records as a settled deposit puts them into the index.
func (w *bench) documents(n int) iter.Seq[archive.Document] {
	marks := w.house.bucket.Marks()
	return func(yield func(archive.Document) bool) {
		for r := range synthetic(n) {
			d := archive.Document{Record: r.WithoutIDs(), Version: 1}
			for _, key := range numbersOf(r) {
				d.Persons = append(d.Persons, marks.Token(archive.MarkPerson, key))
			}
			if !yield(d) {
				return
			}
		}
	}
}

func (w *bench) loadEmbedded(ctx context.Context, n int) error {
	if filled, err := w.house.index.Filled(ctx); err != nil || filled {
		return err
	}
	for batch := range slices.Chunk(slices.Collect(w.documents(n)), 1000) {
		if err := w.house.index.Put(ctx, batch...); err != nil {
			return err
		}
	}
	return w.house.index.MarkFilled(ctx)
}

// loadMeili gives the house of w an index with the n records. Without a folder of
// seeded stores, the index is removed at the end as they are.
func (w *bench) loadMeili(ctx context.Context, n int) (drop func() error, err error) {
	name := fmt.Sprintf("dangan-bench-%d", n)
	x, err := index.New(ctx, index.Config{URL: w.meili.url, Key: w.meili.key, Name: name, Timeout: time.Minute}) // to be measured, not cut off
	if err != nil {
		return nil, err
	}
	drop = func() error { return nil }
	if w.data == "" {
		drop = func() error {
			ctx := context.WithoutCancel(ctx)
			return errors.Join(w.meili.drop(ctx, name), w.meili.drop(ctx, name+"-state"))
		}
	}
	if err := w.fillMeili(ctx, x, name, n); err != nil {
		return nil, errors.Join(err, drop())
	}
	w.index = name
	w.house, err = w.house.over(x)
	return drop, err
}

// fillMeili loads the documents by plain HTTP, unless an earlier run has.
func (w *bench) fillMeili(ctx context.Context, x *index.Index, name string, n int) error {
	have, err := w.meili.count(ctx, name)
	if err != nil {
		return err
	}
	if have == n { // by an earlier version, perhaps, whose settings take effect with the next document
		return errors.Join(x.Put(ctx, archive.Document{Record: archive.Record{ID: "touch"}, Version: 1}), x.Delete(ctx, "touch"))
	}
	if err := w.meili.drop(ctx, name); err != nil {
		return err
	}
	if err := x.Put(ctx); err != nil { // makes it, with its settings
		return err
	}
	ready := func(yield func(indexplan.Document) bool) {
		for d := range w.documents(n) {
			if !yield(indexplan.NewDocument(d)) {
				return
			}
		}
	}
	bar := newProgress(w.stderr)
	defer bar.end()
	if err := w.meili.load(ctx, name, ready, func(done int) { bar.show(done, n, "documents loaded") }); err != nil {
		return err
	}
	return x.MarkFilled(ctx)
}

// over is the same house with another index.
func (h *house) over(x searchIndex) (*house, error) {
	p := h.parts
	p.index, p.metrics = x, nil
	return build(p)
}
