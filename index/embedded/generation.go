package embedded

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/blevesearch/bleve/v2"

	"dangan/index/plan"
)

// generation is one index of bleve in a folder of its own.
type generation struct {
	bleve.Index
	name string       // a number
	path string       // of its folder
	busy sync.RWMutex // held for reading by searches, so that none is cut off
}

// change puts a document or takes one out.
type change struct {
	id  string
	doc *plan.Document // nil deletes
}

// commit makes the changes durable and searchable, in their order. A document never
// replaces a newer version of its record. One at a time.
func (g *generation) commit(changes []change) error {
	newest, err := g.versions(changes)
	if err != nil {
		return err
	}
	batch := g.NewBatch()
	for _, c := range changes {
		switch {
		case c.doc == nil:
			batch.Delete(c.id)
			newest[c.id] = 0
		case c.doc.Version >= newest[c.id]:
			newest[c.id] = c.doc.Version
			if err := add(batch, *c.doc); err != nil {
				return err
			}
		}
	}
	if batch.Size() == 0 {
		return nil
	}
	return g.Batch(batch)
}

func add(batch *bleve.Batch, d plan.Document) error {
	shown, err := json.Marshal(d.Shown)
	if err != nil {
		return err
	}
	return batch.Index(d.ID, fields(d, string(shown)))
}

// versions reads what the index holds of the records, from the documents: internal
// values, one for each, would all be in memory and copied with every batch.
func (g *generation) versions(changes []change) (map[string]int, error) {
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.id
	}
	r := bleve.NewSearchRequestOptions(bleve.NewDocIDQuery(ids), len(ids), 0, false)
	r.Fields = []string{source}
	result, err := g.Search(r)
	if err != nil {
		return nil, err
	}
	held, err := answer(result)
	if err != nil {
		return nil, err
	}
	have := make(map[string]int, len(held.Shown))
	for _, s := range held.Shown {
		have[s.ID] = s.Version
	}
	return have, nil
}

func (g *generation) count(ctx context.Context) (int, error) {
	result, err := g.SearchInContext(ctx, bleve.NewSearchRequestOptions(everything(), 0, 0, false))
	if err != nil {
		return 0, failure("count documents", err)
	}
	return int(result.Total), nil
}

func (g *generation) markFilled() error {
	if err := g.SetInternal([]byte("filled"), []byte{1}); err != nil {
		return failure("mark index", err)
	}
	return nil
}
