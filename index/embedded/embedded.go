// Package embedded is the search engine inside the process (bleve, scorch), for
// demos and small offices. It answers the same plan as Meilisearch does.
//
// It owns the index folder, its mapping and the translation of questions to bleve
// queries. It must not know what a query of a user means (package plan) or where
// records come from. The folder can be deleted at any time and filled again.
package embedded

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"

	"dangan/archive"
	"dangan/index/plan"
)

// ErrInUse means that another process has the index folder open.
var ErrInUse = errors.New("the index is open in another process")

// format names the mapping. An index of another format is dropped on opening: it
// cannot be searched rightly, and it is filled again from the records.
const format = "dangan-1"

// Config of an embedded index.
type Config struct {
	Path    string        // folder, made when missing
	Timeout time.Duration // of one search; 0 means 1.5 s
}

// Index is an open index. Its methods may be called concurrently.
type Index struct {
	bleve   bleve.Index
	timeout time.Duration
	writing sync.Mutex // orders the reading of versions and the write that follows
}

// New opens the index or makes an empty one. When another process holds it, the
// error is ErrInUse; when the folder cannot be read, archive.ErrCorrupt.
func New(_ context.Context, c Config) (*Index, error) {
	if c.Timeout == 0 {
		c.Timeout = 1500 * time.Millisecond
	}
	idx, err := open(c.Path)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	return &Index{bleve: idx, timeout: c.Timeout}, nil
}

func open(path string) (bleve.Index, error) {
	// Without a limit, a second process would wait for the first for ever.
	idx, err := bleve.OpenUsing(path, map[string]any{"bolt_timeout": "500ms"})
	switch {
	case errors.Is(err, bleve.ErrorIndexPathDoesNotExist),
		errors.Is(err, bleve.ErrorIndexMetaMissing), // a crash while it was made
		errors.Is(err, bleve.ErrorIndexMetaCorrupt):
		return create(path)
	case err != nil && err.Error() == "timeout": // bbolt's error, which bleve does not export
		return nil, ErrInUse
	case err != nil:
		return nil, errors.Join(archive.ErrCorrupt, err)
	}
	have, err := idx.GetInternal([]byte("format"))
	if err == nil && string(have) == format {
		return idx, nil
	}
	if err := errors.Join(err, idx.Close()); err != nil {
		return nil, err
	}
	return create(path)
}

func create(path string) (bleve.Index, error) {
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	m, err := newMapping()
	if err != nil {
		return nil, err
	}
	idx, err := bleve.NewUsing(path, m, scorch.Name, scorch.Name, nil)
	if err != nil {
		return nil, err
	}
	return idx, idx.SetInternal([]byte("format"), []byte(format))
}

// Close releases the folder. Everything that was put is durable already.
func (x *Index) Close() error { return x.bleve.Close() }

// Ready is nil: the index is part of the process.
func (x *Index) Ready(context.Context) error { return nil }

// Filled tells whether MarkFilled was called since the index was made.
func (x *Index) Filled(context.Context) (bool, error) {
	b, err := x.bleve.GetInternal([]byte("filled"))
	if err != nil {
		return false, failure("index state", err)
	}
	return len(b) > 0, nil
}

// MarkFilled remembers that the index holds every record.
func (x *Index) MarkFilled(context.Context) error {
	if err := x.bleve.SetInternal([]byte("filled"), []byte{1}); err != nil {
		return failure("mark index", err)
	}
	return nil
}

// Count is the number of documents. An index that was lost or is new has none.
func (x *Index) Count(context.Context) (int, error) {
	n, err := x.bleve.DocCount()
	if err != nil {
		return 0, failure("count documents", err)
	}
	return int(n), nil
}

// Put makes the documents durable and searchable. A document never replaces a
// newer version of its record.
func (x *Index) Put(_ context.Context, docs ...archive.Document) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	batch := x.bleve.NewBatch()
	newest := map[string]int{}
	for _, d := range docs {
		id := d.Record.ID
		have, known := newest[id]
		if !known {
			var err error
			if have, err = x.version(id); err != nil {
				return failure("put into index", err)
			}
		}
		newest[id] = max(have, d.Version)
		if d.Version < have {
			continue
		}
		if err := add(batch, plan.NewDocument(d)); err != nil {
			return fmt.Errorf("put into index: %w", err)
		}
	}
	if err := x.bleve.Batch(batch); err != nil {
		return failure("put into index", err)
	}
	return nil
}

func add(batch *bleve.Batch, d plan.Document) error {
	source, err := json.Marshal(d.Shown)
	if err != nil {
		return err
	}
	batch.SetInternal(versionKey(d.ID), binary.BigEndian.AppendUint64(nil, uint64(d.Version)))
	return batch.Index(d.ID, fields(d, string(source)))
}

func versionKey(id string) []byte { return []byte("version/" + id) }

// version is that of the record in the index, or 0.
func (x *Index) version(id string) (int, error) {
	b, err := x.bleve.GetInternal(versionKey(id))
	if err != nil || len(b) != 8 {
		return 0, err
	}
	return int(binary.BigEndian.Uint64(b)), nil
}

// Delete takes a record out. Deleting what is not there succeeds.
func (x *Index) Delete(_ context.Context, id string) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	batch := x.bleve.NewBatch()
	batch.Delete(id)
	batch.DeleteInternal(versionKey(id))
	if err := x.bleve.Batch(batch); err != nil {
		return failure("delete from index", err)
	}
	return nil
}

// Search answers a query within the scope; see plan.Search.
func (x *Index) Search(ctx context.Context, q archive.Query, s archive.Scope) (archive.Hits, error) {
	limited, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	hits, err := plan.Search(limited, x, q, s)
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
