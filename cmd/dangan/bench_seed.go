package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"dangan/archive"
	"dangan/cmd/dangan/demo"
	"dangan/storage"
)

// synthetic yields n records of the demonstration's kinds with ids of their own,
// the same every time: what is seeded into a store fits what is loaded into an index.
func synthetic(n int) iter.Seq[archive.Record] {
	return func(yield func(archive.Record) bool) {
		start := uint64(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
		i := 0
		for d := range demo.Records(demo.Seed, n) {
			r := d.Record
			id := ulid.ULID{}
			_ = id.SetTime(start + uint64(i)) // fails only beyond the year 10889
			binary.BigEndian.PutUint64(id[8:], uint64(i)*0x9E3779B97F4A7C15)
			r.ID, r.By, r.At = id.String(), "bench", time.UnixMilli(int64(start)).UTC()
			if !yield(r) {
				return
			}
			i++
		}
	}
}

// seedRecords puts n records and their marks into a bucket, without files and
// without jobs: as if each had been deposited and settled long ago.
func seedRecords(ctx context.Context, b *storage.Bucket, n int, show func(done int)) error {
	records := storage.NewChain[archive.Record](b, archive.KindRecord)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	done := 0
	for r := range synthetic(n) {
		if gctx.Err() != nil {
			break
		}
		group.Go(func() error { return seedRecord(gctx, b, records, r) })
		if done++; done%1000 == 0 {
			show(done)
		}
	}
	return group.Wait()
}

func seedRecord(ctx context.Context, b *storage.Bucket, records *storage.Chain[archive.Record], r archive.Record) error {
	if err := records.Append(ctx, r.ID, 1, r); err != nil && !errors.Is(err, archive.ErrConflict) {
		return err
	}
	if err := b.Marks().Mark(ctx, archive.MarkRefKey, r.RefCode.Key(), r.ID); err != nil {
		return err
	}
	for _, key := range numbersOf(r) {
		if err := b.Marks().Mark(ctx, archive.MarkPerson, key, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// numbersOf are the keys of the id numbers in a record.
func numbersOf(r archive.Record) []string {
	var keys []string
	for _, p := range r.Persons {
		if !p.ID.IsZero() {
			keys = append(keys, p.ID.Key())
		}
	}
	return keys
}

// seededFile is made when all records are there.
const seededFile = "seeded"

// seedFolder fills the store of an embedded house in dir, which must not run.
func seedFolder(ctx context.Context, dir string, n int, show func(done int)) error {
	done := filepath.Join(dir, seededFile)
	if have, err := os.ReadFile(done); err == nil {
		if string(have) != strconv.Itoa(n) {
			return fmt.Errorf("%s holds %s records, not %d", dir, have, n)
		}
		return nil
	}
	e, err := openEmbedded(ctx, dir, "http://localhost", slog.New(slog.DiscardHandler)) // makes the bucket
	if err != nil {
		return err
	}
	e.close()
	key, err := readRootKey(filepath.Join(dir, "root.key"))
	if err != nil {
		return err
	}
	root := filepath.Join(dir, "store", "objects", "dangan")
	b, err := storage.New(ctx, &folder{root: root}, storage.Config{RootKey: key})
	if err != nil {
		return err
	}
	if err := seedRecords(ctx, b, n, show); err != nil {
		return fmt.Errorf("seed %d records: %w", n, err)
	}
	return os.WriteFile(done, []byte(strconv.Itoa(n)), 0o600)
}
