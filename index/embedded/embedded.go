// Package embedded is the search engine inside the process (bleve, scorch), for
// demos and small offices. It answers the same plan as Meilisearch does.
//
// It owns the index folder, its mapping and the translation of questions to bleve
// queries. It must not know what a query of a user means (package plan) or where
// records come from. The folder can be deleted at any time and filled again.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"

	"dangan/archive"
	"dangan/index/plan"
)

// ErrInUse means that another process has the index folder open.
var ErrInUse = errors.New("the index is open in another process")

// Config of an embedded index.
type Config struct {
	Path    string        // folder, made when missing
	Timeout time.Duration // of one search; 0 means 1.5 s
}

// Index is an open index. Its methods may be called concurrently.
type Index struct {
	folder  folder
	timeout time.Duration

	writing sync.Mutex // held while a batch is written, and by whatever changes the generations
	mu      sync.RWMutex
	serving *generation
	fresh   *rebuild // being filled; nil most of the time
	next    *batch   // collects what waits for writing
}

// New opens the index or makes an empty one. When another process holds it, the
// error is ErrInUse; when the folder cannot be read, archive.ErrCorrupt.
func New(_ context.Context, c Config) (*Index, error) {
	if c.Timeout == 0 {
		c.Timeout = 1500 * time.Millisecond
	}
	f := folder(c.Path)
	g, err := f.open()
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	return &Index{folder: f, timeout: c.Timeout, serving: g}, nil
}

// Close releases the folder. Everything that was put is durable already; a rebuild
// that was not swapped is lost.
func (x *Index) Close() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	var err error
	if x.fresh != nil {
		err = x.fresh.Close()
	}
	return errors.Join(err, x.serving.Close())
}

// use gives the serving generation, which stays open until done is called.
func (x *Index) use() (g *generation, done func()) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.serving.busy.RLock()
	return x.serving, x.serving.busy.RUnlock
}

// Ready is nil: the index is part of the process.
func (x *Index) Ready(context.Context) error { return nil }

// Filled tells whether MarkFilled was called since the index was made.
func (x *Index) Filled(context.Context) (bool, error) {
	g, done := x.use()
	defer done()
	b, err := g.GetInternal([]byte("filled"))
	if err != nil {
		return false, failure("index state", err)
	}
	return len(b) > 0, nil
}

// MarkFilled remembers that the index holds every record.
func (x *Index) MarkFilled(context.Context) error {
	g, done := x.use()
	defer done()
	return g.markFilled()
}

// Count is the number of documents. An index that was lost or is new has none.
func (x *Index) Count(ctx context.Context) (int, error) {
	g, done := x.use()
	defer done()
	return g.count(ctx)
}

// Search answers a query within the scope; see plan.Search.
func (x *Index) Search(ctx context.Context, q archive.Query, s archive.Scope) (archive.Hits, error) {
	limited, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	hits, err := plan.Search(limited, x, false, q, s)
	switch {
	case err == nil:
		return hits, nil
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return archive.Hits{}, fmt.Errorf("search index: %w", ctx.Err()) // the caller went away
	case limited.Err() != nil:
		return archive.Hits{}, fmt.Errorf("search index: %w", archive.ErrUnavailable)
	}
	return archive.Hits{}, failure("search index", err)
}

// failure names the operation; a closed index is one that is not available.
func failure(op string, err error) error {
	if errors.Is(err, bleve.ErrorIndexClosed) {
		err = archive.ErrUnavailable
	}
	return fmt.Errorf("%s: %w", op, err)
}
