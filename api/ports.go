package api

import (
	"context"
	"net/http"

	"dangan/api/web"
	"dangan/archive"
)

// The rooms, as the API needs them. Most of what it needs the pages need too;
// those ports are declared where the pages are.
type (
	// Holdings also describes records anew.
	Holdings interface {
		web.Holdings
		// Describe applies a merge patch (RFC 7396) to entry n, the one the
		// actor has seen; archive.ErrConflict when there is a newer one.
		Describe(ctx context.Context, actor archive.Actor, id string, n int, patch []byte) (archive.RecordView, error)
	}
	// Files also gives the text of pages.
	Files interface {
		web.Files
		// PageText is the text of page (from 1) of file n, without id numbers. A
		// scan that waits for being read is an archive.ErrState.
		PageText(ctx context.Context, actor archive.Actor, p archive.Purpose, id string, n, page int) (archive.PageText, error)
	}
	Searcher     = web.Searcher
	Desk         = web.Desk
	Certificates = web.Certificates
	Choices      = web.Choices
	Drafts       = web.Drafts
	Templates    = web.Templates
	Verifier     = web.Verifier
	Lookup       = web.Lookup
	Evidence     = web.Evidence
	Self         = web.Self
	People       = web.People
)

// Sessions finds out who is asking (package api/auth).
type Sessions interface {
	web.Sessions
	// Actor is an archive.ErrUnauthenticated for a token that is not good.
	Actor(r *http.Request) (archive.Actor, error)
}

// Check tells whether something the service depends on works.
type Check func(ctx context.Context) error
