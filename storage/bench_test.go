package storage_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/oklog/ulid/v2"

	"dangan/archive"
	"dangan/storage"
)

// BenchmarkStore compares minio-go alone with what is built on it, on the same
// server and with the same sizes: "raw" and the lines below it belong together.
func BenchmarkStore(b *testing.B) {
	for _, start := range []func(testing.TB) server{startMinIO, startEmbedded} {
		s := start(b)
		cfg := s.cfg
		cfg.Bucket, cfg.RootKey = "bench", make([]byte, 32)
		bucket, err := storage.Open(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		raw, err := minio.New(cfg.Endpoint, &minio.Options{
			Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Region: "us-east-1", Transport: cfg.Transport,
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(s.name, func(b *testing.B) {
			for _, size := range []int{10 << 10, 1 << 20, 50 << 20} {
				data := make([]byte, size)
				_, _ = io.ReadFull(noise(int64(size)), data)
				b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) { benchBlob(b, raw, bucket, data) })
			}
			benchChain(b, bucket)
		})
	}
}

func benchBlob(b *testing.B, raw *minio.Client, bucket *storage.Bucket, data []byte) {
	size := int64(len(data))
	b.Run("put/raw", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			_, err := raw.PutObject(b.Context(), "bench", "raw/"+ulid.Make().String(), bytes.NewReader(data), size, minio.PutObjectOptions{})
			check(b, err)
		}
	})
	b.Run("put/blob", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			_, err := bucket.Blobs().PutBlob(b.Context(), mine, bytes.NewReader(data), archive.Carry{})
			check(b, err)
		}
	})
	_, err := raw.PutObject(b.Context(), "bench", "raw/get", bytes.NewReader(data), size, minio.PutObjectOptions{})
	check(b, err)
	blob, err := bucket.Blobs().PutBlob(b.Context(), mine, bytes.NewReader(data), archive.Carry{})
	check(b, err)
	b.Run("get/raw", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			o, err := raw.GetObject(b.Context(), "bench", "raw/get", minio.GetObjectOptions{})
			check(b, err)
			_, err = io.Copy(io.Discard, o)
			check(b, err)
			check(b, o.Close())
		}
	})
	b.Run("get/blob", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			content, err := bucket.Blobs().OpenBlob(b.Context(), mine, blob)
			check(b, err)
			r, err := content.Range(0, size)
			check(b, err)
			_, err = io.Copy(io.Discard, r)
			check(b, err)
			check(b, r.Close())
		}
	})
}

func benchChain(b *testing.B, bucket *storage.Bucket) {
	chain := storage.NewChain[note](bucket, "note")
	value := note{string(make([]byte, 1<<10))}
	b.Run("chain/append", func(b *testing.B) { // with a new data key each
		for b.Loop() {
			check(b, chain.Append(b.Context(), ulid.Make().String(), 1, value))
		}
	})
	id := ulid.Make().String()
	for n := 1; n <= 4; n++ {
		check(b, chain.Append(b.Context(), id, n, value))
	}
	b.Run("chain/head", func(b *testing.B) {
		for b.Loop() {
			_, err := chain.Head(b.Context(), id)
			check(b, err)
		}
	})
	b.Run("claim", func(b *testing.B) {
		for b.Loop() {
			_, err := bucket.Claims().Claim(b.Context(), archive.ClaimRefCode, ulid.Make().String(), id)
			check(b, err)
		}
	})
	b.Run("access/16 callers", func(b *testing.B) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				check(b, bucket.Access().Record(b.Context(), archive.Access{ID: ulid.Make().String()}))
			}
		})
	})
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
