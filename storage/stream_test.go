package storage_test

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"dangan/archive"
	"dangan/storage"
)

// flat is how much the heap may grow while a file of any size goes through:
// some parts of 16 MiB, and what the collector has not come to.
const flat = 128 << 20

// TestFlatMemory sends a file much larger than flat in and out. Its size is 300 MB,
// or DANGAN_TEST_STREAM_MB.
func TestFlatMemory(t *testing.T) {
	size := int64(300 << 20)
	if mb, err := strconv.ParseInt(os.Getenv("DANGAN_TEST_STREAM_MB"), 10, 64); err == nil {
		size = mb << 20
	}
	for name, start := range map[string]func(testing.TB) server{"minio": startMinIO, "embedded": startEmbedded} {
		t.Run(name, func(t *testing.T) {
			cfg := start(t).cfg
			cfg.Bucket, cfg.RootKey = "streams", make([]byte, 32)
			b, err := storage.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			peak := watchHeap(t)
			began := time.Now()
			blob, err := b.Blobs().PutBlob(t.Context(), mine, noise(size), archive.Carry{})
			if err != nil {
				t.Fatal(err)
			}
			in := time.Since(began)
			began = time.Now()
			content, err := b.Blobs().OpenBlob(t.Context(), mine, blob)
			if err != nil {
				t.Fatal(err)
			}
			r, err := content.Range(0, size)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			n, err := io.Copy(io.Discard, r) // and its SHA-256 is checked
			if err != nil || n != size {
				t.Errorf("%d bytes of %d came back, error %v", n, size, err)
			}
			grown := peak()
			t.Logf("%d MiB: in %v, out %v, heap grew by %d MiB", size>>20, in, time.Since(began), grown>>20)
			if grown > flat {
				t.Errorf("the heap grew by %d MiB for %d MiB", grown>>20, size>>20)
			}
		})
	}
}

// noise is size bytes that no store can compress.
func noise(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), size)
}

// watchHeap returns a function that ends the watch and tells by how much the heap
// has grown at most, in bytes.
func watchHeap(t *testing.T) (peak func() uint64) {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before := stats.HeapInuse
	ctx, cancel := context.WithCancel(t.Context())
	greatest := make(chan uint64, 1)
	go func() {
		var stats runtime.MemStats
		most := before
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			runtime.ReadMemStats(&stats)
			most = max(most, stats.HeapInuse)
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
		greatest <- most
	}()
	return func() uint64 {
		cancel()
		return <-greatest - before
	}
}
