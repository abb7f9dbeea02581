package archive

import "errors"

// The sentinels of the service. Adapters translate vendor errors to them once,
// at the boundary; callers test with errors.Is. An error that wraps none of
// them is unknown and stays unknown: it is never turned into "not found".
var (
	ErrNotFound        = errors.New("not found")
	ErrExists          = errors.New("already exists")
	ErrConflict        = errors.New("changed meanwhile")
	ErrInvalid         = errors.New("invalid input")
	ErrForbidden       = errors.New("not permitted")
	ErrUnauthenticated = errors.New("not signed in")
	ErrCorrupt         = errors.New("stored data is damaged")
	ErrUnavailable     = errors.New("temporarily unavailable")
	ErrState           = errors.New("not possible in this state")

	// ErrEarly is what a work handler answers when the commit that its job was
	// planned for has not happened yet, or when it is not through and others are
	// to have their turn: the job is left as it is.
	ErrEarly = errors.New("not yet")
)
