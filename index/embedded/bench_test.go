package embedded_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/index/embedded"
	"dangan/index/indextest"
)

// The benchmarks run on DANGAN_BENCH_RECORDS made-up records, in an index that is kept
// in DANGAN_BENCH_INDEX from one run to the next, so that memory can be measured in a
// process that has not filled it.
func filled(b *testing.B) (path string, p *indextest.Population) {
	b.Helper()
	size := 20000
	if s := os.Getenv("DANGAN_BENCH_RECORDS"); s != "" {
		var err error
		if size, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	if path = os.Getenv("DANGAN_BENCH_INDEX"); path == "" {
		path = filepath.Join(b.TempDir(), "index")
	}
	p, err := indextest.NewPopulation(1, size)
	if err != nil {
		b.Fatal(err)
	}
	x, err := embedded.New(b.Context(), embedded.Config{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	if full, err := x.Filled(b.Context()); err != nil || !full {
		indextest.Fill(b, x, p)
		if err := x.MarkFilled(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if n, err := x.Count(b.Context()); err != nil || n != size {
		b.Fatalf("the index has %d records, %v", n, err)
	}
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	return path, p
}

// Searches of ten hits in every way people ask, with planning, rights, facets and
// highlights. On a busy machine read the processor time.
func BenchmarkSearch(b *testing.B) {
	path, p := filled(b)
	x, err := embedded.New(b.Context(), embedded.Config{Path: path, Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = x.Close() }() // nothing was written
	queries := indextest.Queries(p)
	queries["everything"] = []string{""}
	for class, texts := range queries {
		b.Run(strings.ReplaceAll(class, " ", "_"), func(b *testing.B) {
			begun, searches := processor(b), 0
			for ; b.Loop(); searches++ {
				if _, err := x.Search(b.Context(), archive.Query{Text: texts[searches%len(texts)], Limit: 10}, all()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((processor(b)-begun)/float64(searches), "cpu-ms/op")
		})
	}
}

// Opening and the first search, and what is in memory then: the heap, and all pages
// of the process that are its own (anonymous) or of the index files.
func BenchmarkOpen(b *testing.B) {
	path, _ := filled(b)
	for b.Loop() {
		x, err := embedded.New(b.Context(), embedded.Config{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := x.Search(b.Context(), archive.Query{Text: "刘静佩", Limit: 10}, all()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
		b.ReportMetric(pages(b, "RssAnon"), "anon-MB")
		b.ReportMetric(pages(b, "RssFile"), "file-MB")
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// processor reads the processor time of this process in ms, in steps of 10; 0 where
// there is no such file.
func processor(b *testing.B) float64 {
	b.Helper()
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, numbers, _ := strings.Cut(string(stat), ") ")
	sum := 0.0
	for _, ticks := range strings.Fields(numbers)[11:13] { // of the user and of the system
		n, err := strconv.ParseFloat(ticks, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += 10 * n
	}
	return sum
}

// pages reads a line of the process's status; 0 where there is no such file.
func pages(b *testing.B, name string) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if words := strings.Fields(line); words[0] == name+":" {
			kilobytes, err := strconv.ParseFloat(words[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes / 1000
		}
	}
	return 0
}
