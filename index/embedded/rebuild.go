package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"dangan/archive"
	"dangan/index/plan"
)

// rebuild is a fresh generation beside the serving one.
type rebuild struct {
	*generation
	index   *Index
	mu      sync.Mutex      // held while something is written to it
	deleted map[string]bool // since it began: not to be loaded any more; nil when it is over
}

// Rebuild starts a fresh index beside the serving one; see plan.Rebuild. A second
// one at the same time is archive.ErrExists. A crash before Swap leaves the old
// index and one after it the new.
func (x *Index) Rebuild(context.Context) (plan.Rebuild, error) {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.fresh != nil {
		return nil, fmt.Errorf("rebuild index: one is under way: %w", archive.ErrExists)
	}
	number, err := strconv.Atoi(x.serving.name)
	if err != nil {
		return nil, fmt.Errorf("rebuild index: %w", err)
	}
	g, err := x.folder.create(strconv.Itoa(number + 1))
	if err != nil {
		return nil, fmt.Errorf("rebuild index: %w", err)
	}
	x.fresh = &rebuild{generation: g, index: x, deleted: map[string]bool{}}
	return x.fresh, nil
}

// follow repeats what was done to the serving generation.
func (r *rebuild) follow(changes []change) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range changes {
		if c.doc == nil {
			r.deleted[c.id] = true
		}
	}
	return r.commit(changes)
}

// Load implements plan.Rebuild.
func (r *rebuild) Load(_ context.Context, docs ...archive.Document) error {
	changes := puts(docs)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deleted == nil {
		return fmt.Errorf("load index: the rebuild is over: %w", archive.ErrInvalid)
	}
	wanted := changes[:0]
	for _, c := range changes {
		if !r.deleted[c.id] {
			wanted = append(wanted, c)
		}
	}
	if err := r.commit(wanted); err != nil {
		return failure("load index", err)
	}
	return nil
}

// Count implements plan.Rebuild.
func (r *rebuild) Count(ctx context.Context) (int, error) { return r.count(ctx) }

// Swap implements plan.Rebuild. Searches that are under way end in the old index.
func (r *rebuild) Swap(context.Context) error {
	x := r.index
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.fresh != r {
		return fmt.Errorf("swap index: the rebuild is over: %w", archive.ErrInvalid)
	}
	if err := r.markFilled(); err != nil {
		return err
	}
	if err := x.folder.serve(r.generation); err != nil {
		return fmt.Errorf("swap index: %w", err)
	}
	x.mu.Lock()
	old := x.serving
	x.serving = r.generation
	x.mu.Unlock()
	r.end()
	return old.drop()
}

// Abandon implements plan.Rebuild.
func (r *rebuild) Abandon(context.Context) error {
	x := r.index
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.fresh != r {
		return nil
	}
	r.end()
	return r.drop()
}

func (r *rebuild) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deleted, r.index.fresh = nil, nil
}

// drop removes a generation when nobody searches it any more.
func (g *generation) drop() error {
	g.busy.Lock()
	defer g.busy.Unlock()
	if err := errors.Join(g.Close(), os.RemoveAll(g.path)); err != nil {
		return fmt.Errorf("drop index: %w", err)
	}
	return nil
}
