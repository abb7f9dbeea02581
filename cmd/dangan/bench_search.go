package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"dangan/archive"
	"dangan/archive/match"
	"dangan/archive/policy"
	"dangan/index"
	"dangan/storage"
)

// texts is one kind of query: what is typed in turn.
type texts struct {
	what  string
	typed []string
}

// queries are of three kinds, with names that are in every archive of at least a
// thousand records: the same for each number of them.
func queries(n int) []texts {
	names := texts{what: "names"}
	pinyin := texts{what: "pinyin"}
	i := 0
	for r := range synthetic(min(n, 1000)) {
		if i++; i%30 != 0 || len(r.Persons) == 0 {
			continue
		}
		names.typed = append(names.typed, r.Persons[0].Name)
		if full, _ := match.Pinyin(r.Persons[0].Name); len(full) > 0 {
			pinyin.typed = append(pinyin.typed, full[0])
		}
	}
	return []texts{names, pinyin, {what: "phrases of titles", typed: []string{"结婚登记", "审查处理表", "毕业生", "土地", "退休"}}}
}

// search compares what an official gets, with rights, masks and a trace, and the
// index adapter alone, against plain HTTP to Meilisearch with the same questions.
// Where the index is embedded, the adapter is the raw side.
func (b *bench) search(ctx context.Context) error {
	for _, n := range b.records {
		err := b.at(ctx, n, func(w *bench) error {
			return w.indexed(ctx, n, func() error { return w.searchAll(ctx, n) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *bench) searchAll(ctx context.Context, n int) error {
	for _, q := range queries(n) {
		for _, clients := range w.clients {
			if err := w.searches(ctx, q, n, clients); err != nil {
				return err
			}
		}
	}
	return nil
}

const pageOfHits = 20

func (w *bench) searches(ctx context.Context, q texts, n, clients int) error {
	by := w.people["reviewer"]
	scope := policy.Scope(by)
	query := func(i int) archive.Query { return archive.Query{Text: q.typed[i%len(q.typed)], Limit: pageOfHits} }
	whole := func(ctx context.Context, i int) error {
		_, err := w.house.holdings.Search(ctx, by, query(i))
		return err
	}
	alone := func(ctx context.Context, i int) error {
		_, err := w.house.index.Search(ctx, query(i), scope)
		return err
	}
	r := row{What: "search for " + q.what, N: n, Clients: clients, Against: "the index adapter alone"}
	if w.meili == nil {
		return w.compare(ctx, r, sides{raw: alone, ours: whole})
	}
	asked, err := w.wire(ctx, q, scope)
	if err != nil {
		return err
	}
	plain := func(ctx context.Context, i int) error { return w.meili.ask(ctx, asked[i%len(asked)]) }
	r.Against = "plain HTTP to Meilisearch"
	if err := w.compare(ctx, r, sides{raw: plain, ours: whole}); err != nil {
		return err
	}
	r.Target, r.TargetP95 = 0.9, 1.1
	r.What = "index adapter alone: " + q.what
	if err := w.compare(ctx, r, sides{raw: plain, ours: alone}); err != nil {
		return err
	}
	r.What, r.Against = "search for "+q.what+", against its trace as well", r.Against+" + PUT"
	return w.compare(ctx, r, sides{raw: w.traced(plain), ours: whole, clean: w.clearTraces})
}

// traced is a raw side that keeps a durable trace as well, the least one: what it
// releases would otherwise not be what dangan may.
func (w *bench) traced(raw func(context.Context, int) error) func(context.Context, int) error {
	trace := make([]byte, traceSize)
	return func(ctx context.Context, i int) error {
		if err := raw(ctx, i); err != nil {
			return err
		}
		return w.put(ctx, fmt.Sprintf("bench/trace-%d", i), trace)
	}
}

// traceSize is about what the access entry of a page of hits takes.
const traceSize = 1500

func (w *bench) clearTraces(ctx context.Context) error { return w.clear(ctx, "bench/trace-") }

// wire is what the adapter asks Meilisearch for each text.
func (w *bench) wire(ctx context.Context, q texts, scope archive.Scope) ([][]question, error) {
	rec := &recorder{to: w.meili.http.Transport}
	proxy, at, err := forward(w.meili.url, rec, nil)
	if err != nil {
		return nil, err
	}
	defer proxy.Close()
	x, err := index.New(ctx, index.Config{URL: at, Key: w.meili.key, Name: w.index, Timeout: time.Minute})
	if err != nil {
		return nil, err
	}
	var all [][]question
	for _, text := range q.typed {
		if _, err := x.Search(ctx, archive.Query{Text: text, Limit: pageOfHits}, scope); err != nil {
			return nil, fmt.Errorf("record a search for %s: %w", q.what, err)
		}
		all = append(all, rec.taken())
	}
	return all, nil
}

// found is a number that somebody may look for, and where what it finds lies.
type found struct {
	number string // as typed
	key    string
	list   string // prefix of its marks
	get    string // the record that one of them leads to
	id     string
}

// lookup compares the exact way to a record by an id number, which needs no
// index, with the least that it can take.
func (b *bench) lookup(ctx context.Context) error {
	for _, n := range b.records {
		err := b.at(ctx, n, func(w *bench) error {
			numbers, err := w.numbers(ctx, n)
			if err != nil {
				return err
			}
			for _, clients := range b.clients {
				if err := w.lookups(ctx, numbers, n, clients); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// numbers draws a few thousand id numbers from the records that an official of the
// first office may find. Which marks there are is read from the listing: whose they
// are cannot be told by it, but which record each leads to.
func (w *bench) numbers(ctx context.Context, n int) ([]found, error) {
	marked := map[string]string{}
	for shard := range 256 {
		if err := w.someMarks(ctx, fmt.Sprintf("mark/%s/1/%02x/", archive.MarkPerson, shard), marked); err != nil {
			return nil, err
		}
	}
	var list []found
	for r := range synthetic(n) {
		prefix := marked[r.ID]
		if keys := numbersOf(r); prefix == "" || len(keys) != 1 || r.Office != w.people["reviewer"].Office {
			continue // of several numbers, the mark may be of any
		}
		p := r.Persons[slices.IndexFunc(r.Persons, func(p archive.Person) bool { return !p.ID.IsZero() })]
		shard, err := storage.ShardOf(r.ID)
		if err != nil {
			return nil, err
		}
		get := fmt.Sprintf("chain/record/%s/%s/00000001", shard, strings.ToLower(r.ID))
		list = append(list, found{number: p.ID.Original, key: p.ID.Key(), id: r.ID, list: prefix, get: get})
	}
	if len(list) == 0 {
		return nil, errors.New("too few records: none has an id number of its own")
	}
	return list, nil
}

// someMarks adds the first marks under a prefix: where they are, by the record.
func (w *bench) someMarks(ctx context.Context, prefix string, to map[string]string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of the rest of the listing
	left := 200
	for o := range w.raw.ListObjects(ctx, w.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, MaxKeys: left}) {
		if o.Err != nil {
			return o.Err
		}
		to[strings.ToUpper(path.Base(o.Key))] = path.Dir(o.Key) + "/"
		if left--; left == 0 {
			break
		}
	}
	return nil
}

func (w *bench) lookups(ctx context.Context, numbers []found, n, clients int) error {
	by := w.people["reviewer"]
	marks := w.house.bucket.Marks()
	raw := func(ctx context.Context, i int) error { return w.listAndGet(ctx, numbers[i%len(numbers)]) }
	alone := func(ctx context.Context, i int) error {
		f := numbers[i%len(numbers)]
		ids, err := marks.Marked(ctx, archive.MarkPerson, f.key)
		if err == nil && !slices.Contains(ids, f.id) {
			err = errors.New("a mark is missing")
		}
		if err != nil {
			return err
		}
		_, err = w.house.records.Head(ctx, f.id)
		return err
	}
	whole := func(ctx context.Context, i int) error {
		hits, err := w.house.holdings.Search(ctx, by, archive.Query{Text: numbers[i%len(numbers)].number})
		if err == nil && (!hits.Exact || hits.Total == 0) {
			err = errors.New("not found exactly")
		}
		return err
	}
	const atMost = 1 / 1.2 // of the time is at least this of the rate
	r := row{What: "look-up by id number, storage alone", N: n, Against: "LIST + GET", Clients: clients, Target: atMost}
	if err := w.compare(ctx, r, sides{raw: raw, ours: alone}); err != nil {
		return err
	}
	r.What, r.Target = "look-up by id number, with its trace", 0
	if err := w.compare(ctx, r, sides{raw: raw, ours: whole}); err != nil {
		return err
	}
	r.What, r.Against, r.Target = "look-up by id number, against its trace as well", r.Against+" + PUT", atMost
	return w.compare(ctx, r, sides{raw: w.traced(raw), ours: whole, clean: w.clearTraces})
}

// listAndGet is the least that a look-up by a mark can take.
func (w *bench) listAndGet(ctx context.Context, f found) error {
	some := false
	for o := range w.raw.ListObjects(ctx, w.bucket, minio.ListObjectsOptions{Prefix: f.list}) {
		if o.Err != nil {
			return o.Err
		}
		some = true
	}
	if !some {
		return errors.New("a mark is missing")
	}
	return w.get(ctx, f.get, 1)
}
