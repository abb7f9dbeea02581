package embedded

import (
	"context"
	"iter"
)

// Versions tells which version of each record the index has; a record that it does
// not have is left out.
func (x *Index) Versions(_ context.Context, ids ...string) (map[string]int, error) {
	g, done := x.use()
	defer done()
	changes := make([]change, len(ids))
	for i, id := range ids {
		changes[i].id = id
	}
	have, err := g.versions(changes)
	if err != nil {
		return nil, failure("versions in index", err)
	}
	return have, nil
}

// IDs yields the id of every document, as they were when it was called.
func (x *Index) IDs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		g, done := x.use()
		defer done()
		if err := g.ids(ctx, func(id string) bool { return yield(id, nil) }); err != nil {
			yield("", failure("list documents", err))
		}
	}
}

func (g *generation) ids(ctx context.Context, yield func(string) bool) error {
	inner, err := g.Advanced()
	if err != nil {
		return err
	}
	reader, err := inner.Reader()
	if err != nil {
		return err
	}
	defer reader.Close()
	all, err := reader.DocIDReaderAll()
	if err != nil {
		return err
	}
	defer all.Close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		internal, err := all.Next()
		if err != nil || internal == nil {
			return err
		}
		id, err := reader.ExternalID(internal)
		if err != nil {
			return err
		}
		if id != sentinel && !yield(id) {
			return nil
		}
	}
}
