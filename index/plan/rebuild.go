package plan

import (
	"context"

	"dangan/archive"
)

// Rebuild is a fresh index being filled beside the one that serves. From its
// beginning until Swap or Abandon every Put and Delete of the engine goes to both.
// One at a time; its methods are called by one caller after the other.
type Rebuild interface {
	// Load puts documents into the fresh index only, never an older version over a
	// newer one that came by Put, and never one that was deleted meanwhile.
	Load(ctx context.Context, docs ...archive.Document) error
	// Count is the number of documents in the fresh index, to be checked before Swap.
	Count(ctx context.Context) (int, error)
	// Swap makes the fresh index the serving one, without a search failing
	// meanwhile, and drops the other. It is marked as filled. A crash leaves one of
	// the two, whole.
	Swap(ctx context.Context) error
	// Abandon drops the fresh index. After Swap it does nothing.
	Abandon(ctx context.Context) error
}
