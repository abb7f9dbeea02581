package reader_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"dangan/api/reader"
)

// drawer is a Reader or a Pool of them.
type drawer interface {
	looker
	Page(ctx context.Context, src io.ReaderAt, size int64, page int, widths ...int) ([][]byte, error)
}

// inBoth runs a benchmark in this process and over a child.
func inBoth(b *testing.B, bench func(b *testing.B, r drawer)) {
	b.Run("here", func(b *testing.B) { bench(b, newReader(b, reader.Config{Workers: 1})) })
	b.Run("child", func(b *testing.B) { bench(b, newPool(b, reader.PoolConfig{Config: reader.Config{Workers: 1}})) })
}

func BenchmarkReadScan(b *testing.B) {
	file := scanPDF(jpegFile(b, 1653, 2339), 1653, 2339)
	inBoth(b, func(b *testing.B, r drawer) {
		read(b, r, file)
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			read(b, r, file)
		}
	})
}

func BenchmarkPage(b *testing.B) {
	scan := jpegFile(b, 1653, 2339)
	for name, file := range map[string][]byte{"pdf": scanPDF(scan, 1653, 2339), "jpeg": scan} {
		b.Run(name, func(b *testing.B) {
			inBoth(b, func(b *testing.B, r drawer) {
				read(b, r, file)
				for b.Loop() {
					if _, err := r.Page(b.Context(), bytes.NewReader(file), int64(len(file)), 1, 200); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkStart is a child from its start to its first reading.
func BenchmarkStart(b *testing.B) {
	file := textPDF("x")
	read(b, newPool(b, reader.PoolConfig{Config: reader.Config{Workers: 1}}), file) // fills the cache
	for b.Loop() {
		read(b, newPool(b, reader.PoolConfig{Config: reader.Config{Workers: 1}}), file)
	}
}
