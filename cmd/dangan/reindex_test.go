package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"dangan/archive"
	"dangan/index"
	indexembedded "dangan/index/embedded"
	"dangan/internal/testenv"
	"dangan/storage"
	"dangan/storage/memstore"
)

// office is a house with records and nothing else, whose search index is real.
type office struct {
	*house
	t     *testing.T
	store *memstore.Store
	ids   []string
	reads atomic.Int64 // of entries of records
}

func newOffice(t *testing.T, x searchIndex, records int) *office {
	t.Helper()
	o := &office{t: t, store: memstore.New(t)}
	bucket, err := storage.New(t.Context(), o.store, storage.Config{RootKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	o.house, err = build(parts{bucket: bucket, index: x, rootKey: make([]byte, 32),
		publicURL: "http://example.test", log: slog.New(slog.DiscardHandler), replica: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for r := range synthetic(records) {
		o.ids = append(o.ids, r.ID)
		if err := o.records.Append(t.Context(), r.ID, 1, r); err != nil {
			t.Fatal(err)
		}
	}
	o.store.SetFault(func(op, key string) (bool, error) {
		if op == memstore.Get && strings.HasPrefix(key, "chain/record/") {
			o.reads.Add(1)
		}
		return true, nil
	})
	return o
}

// describe commits another version of a record and does not tell the index.
func (o *office) describe(i int, title string) {
	o.t.Helper()
	v, err := o.records.Head(o.t.Context(), o.ids[i])
	if err != nil {
		o.t.Fatal(err)
	}
	v.Value.Title = title
	if err := o.records.Append(o.t.Context(), o.ids[i], v.N+1, v.Value); err != nil {
		o.t.Fatal(err)
	}
}

// find searches the index alone.
func (o *office) find(text string) archive.Hits {
	o.t.Helper()
	hits, err := o.index.Search(o.t.Context(), archive.Query{Text: text, Limit: 20}, archive.Scope{Clauses: []archive.Clause{{}}})
	if err != nil {
		o.t.Errorf("search: %v", err)
	}
	return hits
}

func (o *office) expect(text string, total int) {
	o.t.Helper()
	if hits := o.find(text); hits.Total != total {
		o.t.Errorf("%s: %d hits, want %d", text, hits.Total, total)
	}
}

func (o *office) reindex(r *reindexing) {
	o.t.Helper()
	r.house, r.holder = o.house, "test"
	n, err := r.run(o.t.Context())
	if err != nil || n != len(o.ids) {
		o.t.Fatalf("%d of %d records, %v", n, len(o.ids), err)
	}
	if whole, err := o.indexWhole(o.t.Context()); err != nil || !whole {
		o.t.Errorf("after a reindex the index is whole: %v, %v", whole, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func meilisearch(t *testing.T, server *testenv.MeilisearchServer) *index.Index {
	t.Helper()
	x, err := index.New(t.Context(), index.Config{URL: server.URL, Key: server.MasterKey})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func eachEngine(t *testing.T, test func(t *testing.T, x searchIndex)) {
	t.Run("Meilisearch", func(t *testing.T) { test(t, meilisearch(t, testenv.Meilisearch(t))) })
	t.Run("embedded", func(t *testing.T) {
		x, err := indexembedded.New(t.Context(), indexembedded.Config{Path: t.TempDir() + "/index"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = x.Close() })
		test(t, x)
	})
}

// Searches go on all along and never lose a hit; what the packs hold is not read
// again from the chains, and what they hold of an older version is.
func TestReindex(t *testing.T) {
	eachEngine(t, func(t *testing.T, x searchIndex) {
		o := newOffice(t, x, 200)
		o.describe(1, "常在之题")
		o.reindex(&reindexing{})
		o.expect("常在之题", 1)

		ctx, stop := context.WithCancel(t.Context())
		var searching sync.WaitGroup
		searches := 0
		searching.Go(func() {
			for ; ctx.Err() == nil; searches++ {
				o.expect("常在之题", 1)
			}
		})
		o.describe(2, "新近之题")
		o.reads.Store(0)
		o.reindex(&reindexing{})
		if n := o.reads.Load(); n == 0 || n > 20 {
			t.Errorf("%d reads of entries, of which one has changed", n)
		}
		o.reindex(&reindexing{fresh: true})
		stop()
		searching.Wait()
		if searches == 0 {
			t.Error("nobody searched meanwhile")
		}
		o.expect("新近之题", 1)
		o.expect("常在之题", 1)
	})
}

// What changes while documents are loaded is in the fresh index: an entry nobody told
// the index about, and one that was put.
func TestReindexCatchesUp(t *testing.T) {
	eachEngine(t, func(t *testing.T, x searchIndex) {
		o := newOffice(t, x, 200)
		var once sync.Once
		o.reindex(&reindexing{piece: 30_000, show: func(int, int, string) {
			once.Do(func() {
				for i := range 40 {
					o.describe(i, "其间之题")
					d, err := o.holdings.Document(t.Context(), o.ids[i])
					if err == nil {
						err = x.Put(t.Context(), d)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}})
		if hits := o.find("其间之题"); hits.Total != 40 {
			t.Errorf("%d of 40 hits", hits.Total)
		}
	})
}

// A reindex that was cut short goes on where it stood, by the service too.
func TestReindexGoesOn(t *testing.T) {
	x := meilisearch(t, testenv.Meilisearch(t))
	o := newOffice(t, x, 200)
	ctx, kill := context.WithCancel(t.Context())
	r := reindexing{house: o.house, holder: "killed", piece: 30_000, show: func(shards, _ int, _ string) {
		if shards > 100 {
			kill()
		}
	}}
	if _, err := r.run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("cut short: %v", err)
	}
	if whole, err := o.indexWhole(t.Context()); err != nil || whole {
		t.Errorf("cut short, and whole: %v, %v", whole, err)
	}
	o.reads.Store(0)
	if err := o.refill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := o.reads.Load(); n == 0 || n > 140 {
		t.Errorf("%d reads of entries", n)
	}
	if n, err := x.Count(t.Context()); err != nil || n != 200 {
		t.Errorf("%d of 200 records, %v", n, err)
	}
	if whole, err := o.indexWhole(t.Context()); err != nil || !whole {
		t.Errorf("filled, and whole: %v, %v", whole, err)
	}
}

// A server that is restored from an older copy of its folder, or from an old dump,
// looks filled and is not. It is noticed and filled again, by a process that was there
// and by one that was not.
func TestOldCopyIsNoticed(t *testing.T) {
	for what, keep := range map[string]func(*testenv.MeilisearchServer) (restore func()){
		"folder": func(s *testenv.MeilisearchServer) func() {
			s.Stop()
			old := t.TempDir()
			must(t, os.CopyFS(old, os.DirFS(s.Data)))
			s.Start()
			return func() {
				s.Stop()
				must(t, os.RemoveAll(s.Data))
				must(t, os.CopyFS(s.Data, os.DirFS(old)))
				s.Start()
			}
		},
		"dump": func(s *testenv.MeilisearchServer) func() {
			dump := s.Dump()
			return func() { s.Restore(dump) }
		},
	} {
		t.Run(what, func(t *testing.T) {
			server := testenv.Meilisearch(t)
			o := newOffice(t, meilisearch(t, server), 30)
			o.reindex(&reindexing{})
			restore := keep(server)
			for _, restarted := range []bool{false, true} {
				o.describe(0, "后来之题")
				d, err := o.holdings.Document(t.Context(), o.ids[0])
				must(t, err)
				must(t, o.index.Put(t.Context(), d))
				if whole, err := o.indexWhole(t.Context()); err != nil || !whole {
					t.Fatalf("before: whole %v, %v", whole, err)
				}
				restore()
				if restarted {
					o.index = meilisearch(t, server)
				}
				o.healsOldCopy()
			}
		})
	}
}

// healsOldCopy expects an index that lacks what was described last, and has it mended.
func (o *office) healsOldCopy() {
	o.expect("后来之题", 0)
	if filled, err := o.index.Filled(o.t.Context()); err != nil || !filled {
		o.t.Errorf("an old copy says by itself that it is filled: %v, %v", filled, err)
	}
	if whole, err := o.indexWhole(o.t.Context()); err != nil || whole {
		o.t.Errorf("an old copy is taken for whole: %v, %v", whole, err)
	}
	must(o.t, o.refill(o.t.Context()))
	o.expect("后来之题", 1)
	if whole, err := o.indexWhole(o.t.Context()); err != nil || !whole {
		o.t.Errorf("filled again: whole %v, %v", whole, err)
	}
}

// An index that was wiped is filled again without help.
func TestWipedIndexIsFilled(t *testing.T) {
	server := testenv.Meilisearch(t)
	o := newOffice(t, meilisearch(t, server), 30)
	o.reindex(&reindexing{})
	server.Stop()
	must(t, os.RemoveAll(server.Data))
	server.Start()
	if _, err := o.index.Search(t.Context(), archive.Query{Limit: 1}, archive.Scope{Clauses: []archive.Clause{{}}}); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("search of a wiped index: %v", err)
	}
	must(t, o.refill(t.Context()))
	o.expect("", 30)
}

// One at a time: a second reindex is refused while the first holds the lease, and
// loses nothing of what that has done.
func TestReindexesTakeTurns(t *testing.T) {
	o := newOffice(t, meilisearch(t, testenv.Meilisearch(t)), 30)
	var once sync.Once
	o.reindex(&reindexing{piece: 10_000, show: func(int, int, string) {
		once.Do(func() {
			second := reindexing{house: o.house, holder: "second"}
			if _, err := second.run(t.Context()); !errors.Is(err, archive.ErrConflict) {
				t.Errorf("second at the same time: %v", err)
			}
		})
	}})
	o.expect("", 30)
}

// A pack that is damaged, or of a record that is no more, is made again.
func TestPacksAreChecked(t *testing.T) {
	o := newOffice(t, meilisearch(t, testenv.Meilisearch(t)), 30)
	o.reindex(&reindexing{})
	shard, err := storage.ShardOf(o.ids[0])
	must(t, err)
	packs := o.bucket.Packs()
	for what, spoil := range map[string]func() error{
		"gone":    func() error { return packs.Delete(t.Context(), shard) },
		"damaged": func() error { return o.store.Put(t.Context(), "derived/documents/"+shard+"-v1", []byte("damage")) },
		"foreign": func() error {
			stray := archive.Document{Version: 1, Record: archive.Record{ID: "01JDQ7Z0000000000000000001"}}
			return pack{packs, shard}.write(t.Context(), []archive.Document{stray})
		},
	} {
		must(t, spoil())
		o.reindex(&reindexing{})
		o.reads.Store(0)
		o.reindex(&reindexing{})
		if n := o.reads.Load(); n != 0 {
			t.Errorf("%s: %d reads of entries after the pack was made again", what, n)
		}
	}
	o.expect("", 30)
}
