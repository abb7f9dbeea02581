package index_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/index"
	"dangan/index/indextest"
	"dangan/internal/testenv"
)

// cluster is several servers with one key.
type cluster []*testenv.MeilisearchServer

func newCluster(t *testing.T, n int) cluster {
	t.Helper()
	key := strings.Repeat("k", 20)
	var c cluster
	for range n {
		c = append(c, testenv.Meilisearch(t, key))
	}
	return c
}

func (c cluster) connect(t *testing.T, name string) *index.Index {
	t.Helper()
	var urls []string
	for _, s := range c {
		urls = append(urls, s.URL)
	}
	x, err := index.New(t.Context(), index.Config{URL: strings.Join(urls, ","), Key: c[0].MasterKey, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// spread are records of many fonds.
func spread() []archive.Document {
	var docs []archive.Document
	for i := range 60 {
		d := document(fmt.Sprintf("r%02d", i), 1)
		d.Record.Fonds = fmt.Sprintf("Q%03d", i%12)
		d.Record.RefCode, _ = archive.ParseRefCode(fmt.Sprintf("%s-WS·%d-D30-%04d", d.Record.Fonds, 1980+i%7, 90-i))
		d.Record.Date, _ = archive.ParseDate([]string{"1995", "19951231", "199506", ""}[i%4])
		d.Record.Persons[0].Name = []string{"刘静佩", "刘婧佩", "王伟"}[i%3]
		d.Record.Title = []string{"退休审批表", "关于刘静佩退休的批复"}[i%2]
		docs = append(docs, d)
	}
	return docs
}

func TestShardsKeepTheContract(t *testing.T) {
	servers, name := newCluster(t, 3), names()
	indextest.Run(t, func(t *testing.T) indextest.Index { return servers.connect(t, name()) })
}

// Three servers find what one does, as many, and page by page in one order.
func TestShardsAnswerAsOne(t *testing.T) {
	servers := newCluster(t, 3)
	one, three := connect(t, servers[0], "alone"), servers.connect(t, "records")
	for _, x := range []*index.Index{one, three} {
		if err := x.Put(t.Context(), spread()...); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"", "刘静佩", "刘静佩 退休", "退休", "liujingpei", "Q003", "1995", "刘敬佩"} {
		for _, sort := range []archive.Sort{"", archive.SortDate, archive.SortDateDesc, archive.SortRefCode} {
			q := archive.Query{Text: text, Sort: sort, Limit: 100}
			want, got := find(t, one, q), find(t, three, q)
			if diff := cmp.Diff([]any{want.Total, want.AtLeast, want.Facets, want.Suggestions}, []any{got.Total, got.AtLeast, got.Facets, got.Suggestions}); diff != "" {
				t.Errorf("%q by %q: %s", text, sort, diff)
			}
			if sort == archive.SortRefCode && cmp.Diff(order(want), order(got)) != "" {
				t.Errorf("%q by %q: %v, not %v", text, sort, order(got), order(want))
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(order(want))), slices.Sorted(slices.Values(order(got)))); diff != "" {
				t.Errorf("%q by %q: %s", text, sort, diff)
			}
			var pages []string
			for q.Limit = 7; q.Offset < len(got.Hits); q.Offset += 7 {
				pages = append(pages, order(find(t, three, q))...)
			}
			if diff := cmp.Diff(order(got), pages); diff != "" {
				t.Errorf("%q by %q, page by page: %s", text, sort, diff)
			}
		}
	}
}

func find(t *testing.T, x *index.Index, q archive.Query) archive.Hits {
	t.Helper()
	hits, err := x.Search(t.Context(), q, everything())
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

func order(hits archive.Hits) []string {
	list := []string{}
	for _, h := range hits.Hits {
		list = append(list, h.ID)
	}
	return list
}

// A shard that does not answer is named, and what the others hold is found.
func TestMissingShardsAreNamed(t *testing.T) {
	servers := newCluster(t, 3)
	x := servers.connect(t, "records")
	if err := x.Put(t.Context(), spread()...); err != nil {
		t.Fatal(err)
	}
	held := map[string]int{} // by shard
	for i, s := range servers {
		n, err := connect(t, s, "records").Count(t.Context())
		if err != nil || n == 0 {
			t.Fatalf("shard %d holds %d records, %v", i+1, n, err)
		}
		held[fmt.Sprintf("shard-%d", i+1)] = n
	}
	expect := func(what string, missing ...string) {
		t.Helper()
		total := 60
		for _, m := range missing {
			total -= held[m]
		}
		hits := find(t, x, archive.Query{Limit: 100})
		if diff := cmp.Diff(missing, hits.Missing); diff != "" || hits.Total != total || len(hits.Hits) != total {
			t.Errorf("%s: %d hits of %d, %s", what, len(hits.Hits), total, diff)
		}
	}
	expect("all there")
	servers[1].Pause()
	expect("one paused", "shard-2")
	servers[0].Kill()
	expect("another killed", "shard-1", "shard-2")
	if err := x.Ready(t.Context()); err != nil {
		t.Errorf("ready with one of three: %v", err)
	}
	answered, silent := 0, 0
	for i := range 12 { // a search within a fonds asks its own shard only
		hits, err := x.Search(t.Context(), archive.Query{Limit: 10, Filter: archive.Filter{Fonds: fmt.Sprintf("Q%03d", i)}}, everything())
		switch {
		case err == nil && hits.Total == 5 && hits.Missing == nil:
			answered++
		case errors.Is(err, archive.ErrUnavailable):
			silent++
		default:
			t.Errorf("fonds %d: %d hits, missing %v, %v", i, hits.Total, hits.Missing, err)
		}
	}
	if answered == 0 || silent == 0 {
		t.Errorf("%d fonds answered, %d did not", answered, silent)
	}
	servers[2].Kill()
	if _, err := x.Search(t.Context(), archive.Query{Limit: 10}, everything()); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("all away: %v", err)
	}
	servers[0].Start()
	servers[1].Resume()
	servers[2].Start()
	expect("all back")
}

// A record that moves to another fonds is found once, and an old version of it does
// not come back on the shard it was on.
func TestRecordMovesToAnotherShard(t *testing.T) {
	x := newCluster(t, 3).connect(t, "records")
	for version := 1; version <= 12; version++ {
		d := document("a", version)
		d.Record.Fonds = fmt.Sprintf("Q%03d", version)
		if err := x.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		old := document("a", version-1)
		old.Record.Fonds = fmt.Sprintf("Q%03d", version-1)
		if err := x.Put(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		if n, err := x.Count(t.Context()); err != nil || n != 1 {
			t.Errorf("version %d: %d documents, %v", version, n, err)
		}
		if hits := find(t, x, archive.Query{Text: "刘静佩", Limit: 10}); hits.Total != 1 || hits.Hits[0].Version != version {
			t.Errorf("version %d: %+v", version, hits.Hits)
		}
	}
}

// Another number of shards is another index.
func TestShardsAreCounted(t *testing.T) {
	servers := newCluster(t, 2)
	one, two := connect(t, servers[0], "records"), servers.connect(t, "records")
	if err := one.MarkFilled(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectUnfilled(t, two)
	if err := two.MarkFilled(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectUnfilled(t, one)
	turned := cluster{servers[1], servers[0]}.connect(t, "records")
	expectUnfilled(t, turned)
}
