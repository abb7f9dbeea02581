package embedded

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/index/scorch/mergeplan"
)

// sentinel is the id of an empty document that no search finds.
const sentinel = "_"

// Purge rewrites the files so that nothing is left in them of documents that were
// deleted or replaced, which scorch keeps until it happens to merge their segment.
// Searches go on, writers wait: a few seconds for every 100,000 documents. When ctx
// ends first, nothing is lost and it may be repeated.
func (x *Index) Purge(ctx context.Context) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.serving.purge(ctx); err != nil {
		return failure("purge index", err)
	}
	if x.fresh == nil {
		return nil
	}
	x.fresh.mu.Lock()
	defer x.fresh.mu.Unlock()
	if err := x.fresh.purge(ctx); err != nil {
		return failure("purge index", err)
	}
	return nil
}

func (g *generation) purge(ctx context.Context) error {
	internal, err := g.Advanced()
	if err != nil {
		return err
	}
	engine, ok := internal.(*scorch.Scorch)
	if !ok {
		return fmt.Errorf("no scorch index")
	}
	// A segment alone is never merged, whatever was deleted from it.
	if err := g.Index.Index(sentinel, struct{}{}); err != nil {
		return err
	}
	all := mergeplan.SingleSegmentMergePlanOptions
	all.SegmentsPerMergeTask = 1 << 20 // in one go: with fewer, one may be left over
	if err := engine.ForceMerge(ctx, &all); err != nil {
		return err
	}
	for {
		// A write has scorch look for files that nobody reads any more.
		if err := g.Delete(sentinel); err != nil {
			return err
		}
		segments, err := filepath.Glob(filepath.Join(g.path, "store", "*.zap"))
		if err != nil || len(segments) <= 1 && ctx.Err() == nil {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
