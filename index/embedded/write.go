package embedded

import (
	"context"
	"fmt"

	"dangan/archive"
	"dangan/index/plan"
)

// maxBatch is how many changes are written at once; callers beyond wait for the
// next batch.
const maxBatch = 4000

// batch is what callers wait for together: while one batch is written, all who come
// share the next. A single write costs little less than a thousand do.
type batch struct {
	changes []change
	done    chan struct{}
	err     error // when done
}

// Put makes the documents durable and searchable. A document never replaces a
// newer version of its record. It may be repeated, as it must be when ctx ends
// first: the documents may be written or not then.
func (x *Index) Put(ctx context.Context, docs ...archive.Document) error {
	for _, d := range docs {
		if d.Record.ID == "" { // it would fail the others of its batch
			return fmt.Errorf("put into index: document id: %w", archive.ErrInvalid)
		}
	}
	for len(docs) > 0 {
		n := min(len(docs), maxBatch)
		if err := x.write(ctx, puts(docs[:n])); err != nil {
			return failure("put into index", err)
		}
		docs = docs[n:]
	}
	return nil
}

func puts(docs []archive.Document) []change {
	changes := make([]change, len(docs))
	for i, d := range docs {
		doc := plan.NewDocument(d)
		changes[i] = change{doc.ID, &doc}
	}
	return changes
}

// Delete takes a record out. Deleting what is not there succeeds. What was said of
// it is in the files until Purge.
func (x *Index) Delete(ctx context.Context, id string) error {
	if err := x.write(ctx, []change{{id: id}}); err != nil {
		return failure("delete from index", err)
	}
	return nil
}

// write has the changes written with those of others. Who finds no batch to join
// begins one, and writes it when the one before is written.
func (x *Index) write(ctx context.Context, changes []change) error {
	for {
		b, first, joined := x.join(changes)
		if first {
			x.lead(b)
			return b.err
		}
		select {
		case <-b.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if joined {
			return b.err
		}
	}
}

func (x *Index) join(changes []change) (b *batch, first, joined bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.next == nil {
		x.next = &batch{changes: changes, done: make(chan struct{})}
		return x.next, true, true
	}
	if len(x.next.changes)+len(changes) > maxBatch {
		return x.next, false, false
	}
	x.next.changes = append(x.next.changes, changes...)
	return x.next, false, true
}

func (x *Index) lead(b *batch) {
	defer close(b.done)
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.Lock()
	x.next = nil
	x.mu.Unlock()
	if b.err = x.serving.commit(b.changes); b.err == nil && x.fresh != nil {
		b.err = x.fresh.follow(b.changes)
	}
}
