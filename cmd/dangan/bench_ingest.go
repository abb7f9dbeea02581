package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/minio/minio-go/v7"

	"dangan/archive"
	"dangan/archive/holdings"
	"dangan/cmd/dangan/demo"
)

// depositTarget is the least ratio for a size at 32 clients.
type depositTarget struct {
	size          int
	single, batch float64
}

func depositTargets() []depositTarget {
	return []depositTarget{{10_000, 0.20, 0.40}, {200_000, 0.40, 0.60}, {5_000_000, 0.80, 0.85}, {100_000_000, 0.90, 0.90}}
}

// targetClients is how many clients the targets of deposits are for.
const targetClients = 32

// ingest compares deposits, with evidence, sealing and everything, against a
// plain PUT of the same bytes on the same server.
func (b *bench) ingest(ctx context.Context) error {
	for _, size := range b.sizes {
		content := make([]byte, size)
		if _, err := rand.Read(content); err != nil {
			return err
		}
		for _, clients := range b.clients {
			if err := b.deposits(ctx, content, clients); err != nil {
				return err
			}
		}
	}
	return nil
}

// deposits compares one size from so many clients, each on its own and in batches.
// What either side has stored is removed again: a hundred megabytes add up.
func (b *bench) deposits(ctx context.Context, content []byte, clients int) error {
	size := len(content)
	single := row{What: "deposit " + bytesWord(size), N: size, Against: "minio-go PUT", Clients: clients}
	batches := single
	batches.What += ", in batches"
	for _, t := range depositTargets() {
		if t.size == size && clients == targetClients {
			single.Target, batches.Target = t.single, t.batch
		}
	}
	s := sides{
		raw: func(ctx context.Context, n int) error {
			return b.put(ctx, fmt.Sprintf("bench/%d-%d-%d", size, clients, n), content)
		},
		ours: func(ctx context.Context, n int) error {
			r, files, err := b.sampleDeposit(fmt.Sprintf("%d%02d%07d", size, clients, n), content)
			if err == nil {
				_, err = b.house.holdings.Deposit(ctx, b.people["uploader"], "", r, files)
			}
			return err
		},
		clean:  func(ctx context.Context) error { return b.clear(ctx, "bench/") },
		settle: b.house.idle,
		turns:  3, // the wait after each is long
	}
	if size > 50_000_000 { // a few operations say enough and fill no disk
		s.turns, s.most = 1, max(clients, 10)
	}
	if err := b.compare(ctx, single, s); err != nil {
		return err
	}
	if clients < slices.Max(b.clients) { // a batch is worked on by dangan's own number of hands
		return b.clear(ctx, "blob/record/")
	}
	s.each, s.callers = 8*targetClients, 2 // two scanners, with a few hundred files each
	if size > 1_000_000 {
		s.each, s.callers = targetClients, 1
	}
	s.ours = func(ctx context.Context, n int) error {
		return b.depositBatch(ctx, fmt.Sprintf("%d%02d%07d", size, clients, n), content, s.each)
	}
	if err := b.compare(ctx, batches, s); err != nil {
		return err
	}
	return b.clear(ctx, "blob/record/")
}

func (b *bench) depositBatch(ctx context.Context, number string, content []byte, count int) error {
	var batch []holdings.Deposit
	for i := range count {
		r, files, err := b.sampleDeposit(fmt.Sprintf("%s%03d", number, i), content)
		if err != nil {
			return err
		}
		batch = append(batch, holdings.Deposit{Record: r, Files: files})
	}
	results, err := b.house.holdings.DepositAll(ctx, b.people["uploader"], "bench-"+number, batch)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	return err
}

// clear removes objects behind dangan's back, from a bucket that is the bench's own.
func (b *bench) clear(ctx context.Context, prefix string) error {
	list := minio.ListObjectsOptions{Prefix: prefix, Recursive: true}
	var first error // the listing is read to its end, or its sender would wait for ever
	for failed := range b.raw.RemoveObjects(ctx, b.bucket, b.raw.ListObjects(ctx, b.bucket, list), minio.RemoveObjectsOptions{}) {
		first = errors.Join(first, failed.Err)
	}
	return first
}

func bytesWord(n int) string {
	if n >= 1_000_000 {
		return fmt.Sprintf("%d MB", n/1_000_000)
	}
	return fmt.Sprintf("%d KB", n/1000)
}

func (b *bench) put(ctx context.Context, key string, content []byte) error {
	_, err := b.raw.PutObject(ctx, b.bucket, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	return err
}

// sampleDeposit is a marriage record with one file.
func (b *bench) sampleDeposit(number string, content []byte) (archive.Record, iter.Seq2[archive.Upload, error], error) {
	year, err := archive.ParseDate("2010")
	citizen := b.people["citizen"]
	r := archive.Record{
		Category: "marriage", Office: b.people["uploader"].Office, Title: "结婚登记审查处理表", Responsible: "青川市民政局", Date: year,
		RefCode: archive.BuildRefCode(demo.Offices()[0].Fonds[0], []string{"ZY", "BENCH", "2010", "D100"}, "001", number),
		Persons: []archive.Person{{Name: citizen.Name, Role: "husband"}, {Name: "李㛃", Role: "wife"}},
		Fields:  map[string]string{"registration_kind": "marriage", "certificate_number": number, "registered_on": "2010", "registry": "民政局"},
	}
	files := func(yield func(archive.Upload, error) bool) {
		yield(archive.Upload{Name: "scan.bin", Body: bytes.NewReader(content)}, nil)
	}
	return r, files, err
}
