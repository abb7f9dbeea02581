package index_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"

	"dangan/archive"
	"dangan/index"
	"dangan/internal/testenv"
)

// A compressed answer costs 40 ms more (index.go says why), so none may be asked for.
func TestAnswersAreNotCompressed(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if e := r.Header.Get("Accept-Encoding"); e != "" {
			t.Errorf("%s accepts %s", r.URL.Path, e)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"results":[{},{}]}`)) // the client sees what is missing
	}))
	defer server.Close()
	x, err := index.New(t.Context(), index.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Search(t.Context(), archive.Query{Text: "1995", Limit: 1}, everything()); err != nil || asked == 0 {
		t.Errorf("%d requests, %v", asked, err)
	}
}

// A name search of ten hits: through the client of Go's default settings (which waits
// for the acknowledgement), through raw HTTP without compression, and through this
// package with planning, rights, facets and highlights. All in one run: compare the
// lines with each other, not with those of another machine.
func BenchmarkSearch(b *testing.B) {
	server := testenv.Meilisearch(b)
	x := connect(b, server, "records")
	var docs []archive.Document
	for i := range 5000 {
		d := document(fmt.Sprintf("r%05d", i), 1)
		d.Record.Persons[0].Name = []string{"刘静佩", "王伟", "李娜", "张敏", "阿依古丽·买买提"}[i%5]
		docs = append(docs, d)
	}
	if err := x.Put(b.Context(), docs...); err != nil {
		b.Fatal(err)
	}
	raw := func(client *http.Client) func(*testing.B) {
		body := map[string]any{"q": "", "limit": 10, "filter": []string{`name_key = "刘静佩"`}}
		return func(b *testing.B) {
			for b.Loop() {
				var answer struct{ Hits []any }
				call(b, client, server, http.MethodPost, "/indexes/records/search", body, &answer)
				if len(answer.Hits) != 10 {
					b.Fatalf("%d hits", len(answer.Hits))
				}
			}
		}
	}
	b.Run("raw/compressed", raw(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}))
	b.Run("raw/plain", raw(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}}))
	for name, text := range map[string]string{"name": "刘静佩", "pinyin": "ljp", "title": "退休审批表", "nothing": "赵钱孙李"} {
		b.Run("dangan/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Search(b.Context(), archive.Query{Text: text, Limit: 10}, everything()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Puts one at a time and thirty-two at once: tasks that wait are merged, so many
// cost little more than one.
func BenchmarkPut(b *testing.B) {
	server := testenv.Meilisearch(b)
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			x := connect(b, server, fmt.Sprintf("records-%d", writers))
			var n atomic.Int64
			b.SetParallelism(max(writers/runtime.GOMAXPROCS(0), 1))
			if writers == 1 {
				for b.Loop() {
					if err := x.Put(b.Context(), document(fmt.Sprintf("r%d", n.Add(1)), 1)); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := x.Put(b.Context(), document(fmt.Sprintf("r%d", n.Add(1)), 1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
