package api

import (
	"context"

	"dangan/archive"
)

// trail is what one request leaves behind for its line in the log.
type trail struct {
	id    string
	actor archive.Actor
	cause error
}

type trailKey struct{}

func withTrail(ctx context.Context, t *trail) context.Context {
	return context.WithValue(ctx, trailKey{}, t)
}

// trailOf is the trail of the request; outside of one, a trail nobody reads.
func trailOf(ctx context.Context) *trail {
	if t, ok := ctx.Value(trailKey{}).(*trail); ok {
		return t
	}
	return &trail{}
}
