package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/peterbourgon/ff/v4"
	"golang.org/x/sync/errgroup"

	"dangan/archive"
	indexplan "dangan/index/plan"
	"dangan/storage"
)

func reindexCommand(c console) *ff.Command {
	var s settings
	flags := s.flags("reindex")
	fresh := flags.BoolLong("fresh", "make every document from its chain again, and the packs of ready documents too")
	return &ff.Command{
		Name: "reindex", Usage: "dangan reindex [--fresh] [FLAGS]", Flags: flags,
		ShortHelp: "fill a fresh search index beside the one that serves, and put it in its place",
		LongHelp: "Searches and deposits go on meanwhile. What was killed goes on where it stood, here or in the service.\n" +
			"Nothing of records that were disposed of is in the files of the search engine afterwards.",
		Exec: func(ctx context.Context, _ []string) error {
			h, closeHouse, err := s.openConfigured(ctx, c, flags)
			if err != nil {
				return err
			}
			defer closeHouse()
			bar := newProgress(c.stderr)
			r := reindexing{house: h, holder: h.replica + " reindex " + h.newID(), fresh: *fresh, show: bar.show}
			n, err := r.run(ctx)
			bar.end()
			if err != nil {
				return fmt.Errorf("reindex: %w", err)
			}
			_, err = fmt.Fprintf(c.stdout, "%d records are in the index.\n", n)
			return err
		},
	}
}

// reindexing fills a fresh index from the chains and swaps it with the one that
// serves. Puts go to both meanwhile, from every replica.
type reindexing struct {
	house  *house
	holder string // of the lease: one at a time
	fresh  bool   // whatever the packs hold
	piece  int    // bytes of documents, roughly, that are loaded at once; 0 means loadSize
	show   func(done, total int, label string)

	rebuild indexplan.Rebuild
	state   reindexState
	began   time.Time
	loaded  atomic.Int64 // documents, since then
}

// reindexState is kept in the bucket, so that another process can go on.
type reindexState struct {
	Generation string `json:"generation"` // of the index being filled
	Done       int    `json:"done"`       // so many shards of the records are in it
}

// Names of the packs beside those of the shards.
const (
	packReindex = "reindex" // reindexState, while one is under way
	packWitness = "witness" // what the index must still remember
)

// lasting is a rebuild on a server: it is still there after this process has ended,
// and other processes put into it.
type lasting interface {
	Generation() string
	Versions(ctx context.Context, ids ...string) (map[string]int, error)
}

// run tells how many documents the index has in the end. While another process does
// the same, the error is archive.ErrConflict.
func (r *reindexing) run(ctx context.Context) (n int, err error) {
	err = r.house.underLease(ctx, "reindex", r.holder, func(ctx context.Context) error {
		n, err = r.work(ctx)
		return err
	})
	return n, err
}

func (r *reindexing) work(ctx context.Context) (n int, err error) {
	if r.rebuild, err = r.house.index.Rebuild(ctx); err != nil {
		return 0, err
	}
	defer func() {
		if _, ok := r.rebuild.(lasting); err != nil && !ok { // nobody can go on with it
			err = errors.Join(err, r.rebuild.Abandon(context.WithoutCancel(ctx)))
		}
	}()
	if err := r.resume(ctx); err != nil {
		return 0, err
	}
	if err := r.fill(ctx); err != nil {
		return 0, err
	}
	want, err := r.catchUp(ctx)
	if err != nil {
		return 0, err
	}
	n, err = r.rebuild.Count(ctx)
	if err == nil && n < want {
		err = fmt.Errorf("the fresh index holds %d of %d documents: %w", n, want, archive.ErrCorrupt)
	}
	if err == nil {
		err = r.rebuild.Swap(ctx)
	}
	if err == nil {
		err = errors.Join(r.house.renewWitness(ctx), r.house.bucket.Packs().Delete(ctx, packReindex))
	}
	return n, err
}

// resume finds out where the rebuild stands.
func (r *reindexing) resume(ctx context.Context) error {
	generation := ""
	if l, ok := r.rebuild.(lasting); ok {
		generation = l.Generation()
	}
	raw, err := r.house.bucket.Packs().Get(ctx, packReindex)
	if err == nil {
		err = json.Unmarshal(raw, &r.state)
	}
	if err != nil && !errors.Is(err, archive.ErrNotFound) {
		return err
	}
	if generation == "" || r.state.Generation != generation {
		r.state = reindexState{Generation: generation}
	}
	return r.save(ctx, r.state.Done)
}

func (r *reindexing) save(ctx context.Context, done int) error {
	raw, err := json.Marshal(reindexState{r.state.Generation, done})
	if err != nil {
		return err
	}
	return r.house.bucket.Packs().Put(ctx, packReindex, raw)
}

const (
	aheadShards = 2 // that are made while others are loaded
	loadSize    = 16 << 20
	loadsAtOnce = 2
)

// fill makes the documents of one shard after the other and loads them in large
// pieces. A few shards are made ahead: while the engine is at work, so are we.
func (r *reindexing) fill(ctx context.Context) error {
	r.began = time.Now()
	group, ctx := errgroup.WithContext(ctx)
	ahead := make(chan chan []archive.Document, aheadShards)
	group.Go(func() error {
		defer close(ahead)
		for _, shard := range storage.Shards()[r.state.Done:] {
			made := make(chan []archive.Document, 1)
			select {
			case ahead <- made:
			case <-ctx.Done():
				return ctx.Err()
			}
			group.Go(func() error {
				docs, err := r.documents(ctx, shard)
				made <- docs
				return err
			})
		}
		return nil
	})
	group.Go(func() error { return r.load(ctx, ahead) })
	return group.Wait()
}

// load loads what is made, and writes down how far that has come.
func (r *reindexing) load(ctx context.Context, ahead <-chan chan []archive.Document) error {
	loads, ctx := errgroup.WithContext(ctx)
	loads.SetLimit(loadsAtOnce)
	var piece []archive.Document
	size, done := 0, r.state.Done
	before := make(chan struct{}) // closed when what was loaded before is written down
	close(before)
	send := func() {
		docs, done, last, mine := piece, done, before, make(chan struct{})
		piece, size, before = nil, 0, mine
		loads.Go(func() error {
			if err := r.rebuild.Load(ctx, docs...); err != nil {
				return err
			}
			select {
			case <-last:
			case <-ctx.Done():
				return ctx.Err()
			}
			r.tell(done, r.loaded.Add(int64(len(docs))))
			defer close(mine)
			return r.save(ctx, done)
		})
	}
	for made := range ahead {
		select {
		case docs := <-made:
			for _, d := range docs {
				piece, size = append(piece, d), size+weight(d)
				if size >= cmp.Or(r.piece, loadSize) {
					send()
				}
			}
		case <-ctx.Done():
			return errors.Join(loads.Wait(), ctx.Err())
		}
		done++
	}
	send()
	return loads.Wait()
}

// weight is about how many bytes a document comes to in the engine's form.
func weight(d archive.Document) int { return 1500 + 2*len(d.Text) }

// tell shows how many shards are done, and at this rate how long the others take.
func (r *reindexing) tell(shards int, loaded int64) {
	if r.show == nil {
		return
	}
	total, label := len(storage.Shards()), ""
	if took, done := time.Since(r.began).Seconds(), shards-r.state.Done; done > 0 {
		left := time.Duration(took / float64(done) * float64(total-shards) * float64(time.Second))
		label = fmt.Sprintf("shards, %d records, %.0f/s, %v left", loaded, float64(loaded)/took, left.Round(time.Second))
	}
	r.show(shards, total, label)
}

// documents are those of a shard: from its pack what is of the newest version there,
// from the chains the rest. The pack is written anew when it was not up to date.
func (r *reindexing) documents(ctx context.Context, shard string) ([]archive.Document, error) {
	tips, err := r.tips(ctx, shard)
	if err != nil {
		return nil, err
	}
	p := pack{r.house.bucket.Packs(), shard}
	var docs []archive.Document
	stale := false
	if !r.fresh {
		for d, err := range p.read(ctx) {
			switch {
			case err != nil:
				return nil, err
			case tips[d.Record.ID] != d.Version:
				stale = true
			default:
				docs = append(docs, d)
				delete(tips, d.Record.ID)
			}
		}
	}
	made, early, err := r.fromChains(ctx, tips)
	if err != nil {
		return nil, err
	}
	docs = append(docs, made...)
	if stale || len(made) > 0 {
		if err := p.write(ctx, docs); err != nil {
			return nil, err
		}
	}
	return append(docs, early...), nil
}

func (r *reindexing) tips(ctx context.Context, shard string) (map[string]int, error) {
	tips := map[string]int{}
	for tip, err := range r.house.records.Tips(ctx, shard) {
		if err != nil {
			return nil, err
		}
		tips[tip.ID] = tip.N
	}
	return tips, nil
}

// fromChains makes documents; early are those of records with unread files. Chains
// that were fenced have none, and damaged ones are left out.
func (r *reindexing) fromChains(ctx context.Context, ids map[string]int) (ready, early []archive.Document, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	docs := make([]archive.Document, len(ids))
	unread := make([]bool, len(ids))
	for i, id := range slices.Sorted(maps.Keys(ids)) {
		group.Go(func() error {
			d, err := r.house.holdings.Document(ctx, id)
			switch unread[i] = errors.Is(err, archive.ErrEarly); {
			case err == nil, unread[i]:
				docs[i] = d
			case errors.Is(err, archive.ErrNotFound):
			case errors.Is(err, archive.ErrCorrupt): // fsck says what; all others shall be found
				r.house.log.ErrorContext(ctx, "record left out of the index", "record", id, "error", err)
			default:
				return err
			}
			return nil
		})
	}
	err = group.Wait()
	for i, d := range docs {
		switch {
		case d.Version == 0:
		case unread[i]:
			early = append(early, d)
		default:
			ready = append(ready, d)
		}
	}
	return ready, early, err
}

// catchUp compares the fresh index with the chains, now that all is loaded, and puts
// what has changed meanwhile: a put of another replica may have been overtaken by an
// older version that was loaded. Whatever is put from now on is in both indexes. It
// tells how many documents there must be.
func (r *reindexing) catchUp(ctx context.Context) (int, error) {
	l, ok := r.rebuild.(lasting)
	if !ok {
		return 0, nil // nobody else puts
	}
	var sum atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, shard := range storage.Shards() {
		group.Go(func() error {
			tips, err := r.tips(ctx, shard)
			if err != nil {
				return err
			}
			n := len(tips)
			have, err := l.Versions(ctx, slices.Collect(maps.Keys(tips))...)
			if err != nil {
				return err
			}
			for id, v := range have {
				if tips[id] == v {
					delete(tips, id)
				}
			}
			ready, early, err := r.fromChains(ctx, tips)
			if err != nil {
				return err
			}
			sum.Add(int64(n - len(tips) + len(ready) + len(early)))
			if len(ready)+len(early) == 0 {
				return nil
			}
			return r.house.index.Put(ctx, append(ready, early...)...)
		})
	}
	err := group.Wait()
	return int(sum.Load()), err
}
