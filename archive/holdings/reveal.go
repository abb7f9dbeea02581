package holdings

import (
	"context"

	"dangan/archive"
)

// Reveal shows the newest version of a record with every number in full, for a purpose
// with its case. One that the actor may not see is archive.ErrNotFound, as in Open.
func (h *Room) Reveal(ctx context.Context, actor archive.Actor, p archive.Purpose, id string) (archive.RecordView, error) {
	return h.show(ctx, actor, archive.ActReveal, p, id)
}
