package storage_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/oklog/ulid/v2"

	"dangan/archive"
	"dangan/storage"
)

// BenchmarkCheck compares a check of many records with reading the same objects
// with as many readers and doing nothing with them.
func BenchmarkCheck(b *testing.B) {
	for _, start := range []func(testing.TB) server{startMinIO, startEmbedded} {
		s := start(b)
		for _, size := range []int{20 << 10, 1 << 20} {
			cfg := s.cfg
			cfg.Bucket, cfg.RootKey = fmt.Sprint("check-", size), make([]byte, 32)
			objects, err := storage.Dial(b.Context(), cfg)
			check(b, err)
			bucket, err := storage.New(b.Context(), objects, cfg)
			check(b, err)
			fillRecords(b, bucket, 300, size)
			weight, err := storage.Weigh(b.Context(), bucket)
			check(b, err)
			b.Run(fmt.Sprintf("%s/%dKiB/raw", s.name, size>>10), func(b *testing.B) {
				b.SetBytes(weight.Bytes)
				for b.Loop() {
					readAll(b, objects)
				}
			})
			b.Run(fmt.Sprintf("%s/%dKiB/check", s.name, size>>10), func(b *testing.B) {
				b.SetBytes(weight.Bytes)
				for b.Loop() {
					for f, err := range storage.Check(b.Context(), bucket, storage.CheckConfig{}) {
						b.Fatal(f, err)
					}
				}
			})
		}
	}
}

// fillRecords deposits records with one file each, and what follows from them.
func fillRecords(b *testing.B, bucket *storage.Bucket, n, size int) {
	records := storage.NewChain[archive.Record](bucket, archive.KindRecord)
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			code, err := archive.ParseRefCode(fmt.Sprintf("X001-ZY-2026-%06d", i))
			check(b, err)
			r := archive.Record{ID: ulid.Make().String(), RefCode: code}
			carry := archive.Carry{Entry: 1, Room: archive.CarryRoom}
			blob, err := bucket.Blobs().PutBlob(b.Context(), r.Ref(), noise(int64(size)), carry)
			check(b, err)
			r.Files = []archive.File{{Name: "a.pdf", Blob: blob}}
			_, err = bucket.Claims().Claim(b.Context(), archive.ClaimRefCode, code.Canonical(), r.ID)
			check(b, err)
			check(b, records.Append(b.Context(), r.ID, 1, r))
			check(b, bucket.Blobs().PutDerived(b.Context(), r.Ref(), blob.ID, archive.DerivedReading, []byte(strings.Repeat("x", 2000))))
			check(b, bucket.Marks().Mark(b.Context(), archive.MarkDigest, blob.SHA256, r.ID))
			check(b, bucket.Marks().Mark(b.Context(), archive.MarkRefKey, code.Key(), r.ID))
		})
	}
	wg.Wait()
}

// readAll reads every object with twelve readers.
func readAll(b *testing.B, objects storage.Objects) {
	keys := make(chan string)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			for key := range keys {
				o, err := objects.Get(b.Context(), key, 0, -1)
				check(b, err)
				_, err = io.Copy(io.Discard, o.Body)
				check(b, err)
				check(b, o.Body.Close())
			}
		})
	}
	for o, err := range objects.List(b.Context(), "", "") {
		check(b, err)
		keys <- o.Key
	}
	close(keys)
	wg.Wait()
}
