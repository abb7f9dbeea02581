package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/meilisearch/meilisearch-go"

	"dangan/archive"
	"dangan/index/plan"
)

// Rebuild is a fresh index beside the serving one, on every shard; see plan.Rebuild.
// It is on the servers, so it outlives this process, and other processes put into it
// too: until Swap or Abandon.
//
// What one of those puts can be overtaken by an older version that Load sends. So
// when all is loaded, and before Swap, Versions must be compared with the chains, and
// what differs be put.
type Rebuild struct {
	x           *Index
	generations []string // by shard
}

var _ plan.Rebuild = (*Rebuild)(nil)

// Rebuild begins a rebuild, or goes on with the one that is under way. The settings
// come first: to change those of a full index costs as much as filling it.
func (x *Index) Rebuild(ctx context.Context) (plan.Rebuild, error) {
	r := &Rebuild{x: x}
	for _, s := range x.shards {
		generation, err := s.begin(ctx)
		if err != nil {
			return nil, failure(ctx, "begin rebuild", err)
		}
		r.generations = append(r.generations, generation)
	}
	return r, nil
}

// Generation names what is being filled: the same after a restart, unless it had to
// begin anew.
func (r *Rebuild) Generation() string { return strings.Join(r.generations, " ") }

// Load puts documents into the fresh index. It may be called concurrently.
func (r *Rebuild) Load(ctx context.Context, docs ...archive.Document) error {
	ops := map[*shard][]op{}
	for _, d := range docs {
		line, err := json.Marshal(plan.NewDocument(d))
		if err != nil || !plainName(d.Record.ID) {
			return fmt.Errorf("load into index: encode document: %w", archive.ErrInvalid)
		}
		s := r.x.home(d.Record.Fonds)
		ops[s] = append(ops[s], op{kind: opPut, id: d.Record.ID, version: d.Version, line: line})
	}
	if err := r.x.each(ctx, func(ctx context.Context, s *shard) error { return s.load(ctx, ops[s]) }); err != nil {
		return failure(ctx, "load into index", err)
	}
	return nil
}

// Versions tells which version of each record the fresh index has.
func (r *Rebuild) Versions(ctx context.Context, ids ...string) (map[string]int, error) {
	return r.x.versions(ctx, func(s *shard) string { return s.next }, ids)
}

// Count is the number of documents in the fresh index.
func (r *Rebuild) Count(ctx context.Context) (int, error) {
	return r.x.count(ctx, func(s *shard) string { return s.next })
}

// Swap makes the fresh index the serving one: at one moment on each server, while
// searches go on. When the fresh index is not the one that was filled, the error is
// archive.ErrConflict. A crash between servers leaves each with one whole index or
// the other, and the rebuild to be done again.
func (r *Rebuild) Swap(ctx context.Context) error {
	for i, s := range r.x.shards {
		if err := s.swap(ctx, r.generations[i]); err != nil {
			return failure(ctx, "swap index", err)
		}
	}
	return nil
}

// Abandon drops the fresh index. After Swap it does nothing.
func (r *Rebuild) Abandon(ctx context.Context) error {
	for i, s := range r.x.shards {
		next, err := s.built(ctx, s.next)
		if err == nil && next == r.generations[i] {
			err = s.endRebuild(ctx)
		}
		if err != nil {
			return failure(ctx, "abandon rebuild", err)
		}
	}
	return nil
}

// rebuilding tells which index is being filled; empty when none is.
func (s *shard) rebuilding(ctx context.Context) (string, error) {
	m, err := s.mark(ctx, markRebuild)
	if err != nil || m.Built == "" {
		return "", err
	}
	built, err := s.built(ctx, s.next)
	if err != nil || built != m.Built {
		return "", err
	}
	return built, nil
}

func (s *shard) begin(ctx context.Context) (string, error) {
	s.loading.Lock()
	s.touched = map[string]int{}
	s.loading.Unlock()
	serving, err := s.ensure(ctx)
	if err != nil {
		return "", err
	}
	if _, err := s.filled(ctx, serving); err != nil { // which ends a swap that was cut short
		return "", err
	}
	under, err := s.rebuilding(ctx)
	if err != nil || under != "" {
		return under, err
	}
	if err := s.drop(ctx, s.next); err != nil {
		return "", err
	}
	built, err := s.configure(ctx, s.next, "")
	if err != nil {
		return "", err
	}
	return built, s.putMark(ctx, mark{ID: markRebuild, Built: built})
}

// load sends what nobody has put meanwhile. What is put later comes after it.
func (s *shard) load(ctx context.Context, ops []op) error {
	s.loading.Lock()
	var wanted []op
	for _, o := range ops {
		if o.version >= s.touched[o.id] {
			wanted = append(wanted, o)
		}
	}
	tasks, err := s.send(ctx, s.next, wanted, maxLoad, math.MaxInt)
	s.loading.Unlock()
	for _, uid := range tasks {
		err = errors.Join(err, s.wait(ctx, uid))
	}
	return err
}

// touch remembers what is about to be put, so that nothing older is loaded over it.
func (s *shard) touch(ops []op) {
	s.loading.Lock()
	defer s.loading.Unlock()
	if s.touched == nil {
		return // another process loads
	}
	for _, o := range ops {
		least := o.version
		switch o.kind {
		case opMoved:
			least++
		case opDelete:
			least = math.MaxInt
		}
		s.touched[o.id] = max(s.touched[o.id], least)
	}
}

func (s *shard) swap(ctx context.Context, generation string) error {
	serving, err := s.ensure(ctx)
	if err != nil {
		return err
	}
	next, err := s.built(ctx, s.next)
	if err == nil && next != generation {
		err = fmt.Errorf("another index is in its place: %w", archive.ErrConflict)
	}
	if err != nil {
		return err
	}
	whole, err := s.filled(ctx, serving)
	if err != nil {
		return err
	}
	if err := s.putMark(ctx, mark{ID: markFilled, Built: generation, Was: serving, Whole: whole}); err != nil {
		return err
	}
	err = s.do(ctx, func() (*meilisearch.TaskInfo, error) {
		return s.server.SwapIndexesWithContext(ctx, []*meilisearch.SwapIndexesParams{{Indexes: []string{s.main, s.next}}})
	})
	if err != nil {
		return err
	}
	s.configured.Store(generation)
	_, err = s.filled(ctx, generation)
	return err
}

// endRebuild drops the index beside the serving one.
func (s *shard) endRebuild(ctx context.Context) error {
	s.loading.Lock()
	s.touched = nil
	s.loading.Unlock()
	// The mark first: without it nobody writes to that index any more.
	return errors.Join(s.removeMark(ctx, markRebuild), s.drop(ctx, s.next))
}
