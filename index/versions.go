package index

import (
	"context"
	"fmt"
	"iter"

	"github.com/meilisearch/meilisearch-go"

	"dangan/archive"
)

// Versions tells which version of each record the serving index has; a record that
// it does not have is left out.
func (x *Index) Versions(ctx context.Context, ids ...string) (map[string]int, error) {
	return x.versions(ctx, func(s *shard) string { return s.main }, ids)
}

func (x *Index) versions(ctx context.Context, uid func(*shard) string, ids []string) (map[string]int, error) {
	all := map[string]int{}
	for _, s := range x.shards {
		have, err := s.versions(ctx, uid(s), ids)
		if err != nil && !isGone(err) {
			return nil, failure(ctx, "versions in index", err)
		}
		for id, v := range have {
			all[id] = max(all[id], v)
		}
	}
	return all, nil
}

// IDs yields the id of every document. What is put or deleted meanwhile may be left
// out, or come twice.
func (x *Index) IDs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, s := range x.shards {
			more, err := s.ids(ctx, func(id string) bool { return yield(id, nil) })
			if err != nil {
				yield("", failure(ctx, "list documents", err))
			}
			if err != nil || !more {
				return
			}
		}
	}
}

// ids reports whether more are wanted.
func (s *shard) ids(ctx context.Context, yield func(string) bool) (more bool, err error) {
	const page = 5000
	for offset := int64(0); ; offset += page {
		var result meilisearch.DocumentsResult
		err := s.server.Index(s.main).GetDocumentsWithContext(ctx,
			&meilisearch.DocumentsQuery{Offset: offset, Limit: page, Fields: []string{"id"}}, &result)
		if isGone(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		var documents []struct {
			ID string `json:"id"`
		}
		if err := result.Results.DecodeInto(&documents); err != nil {
			return false, fmt.Errorf("read ids: %w", archive.ErrCorrupt)
		}
		for _, d := range documents {
			if !yield(d.ID) {
				return false, nil
			}
		}
		if len(documents) < page {
			return true, nil
		}
	}
}
