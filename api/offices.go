package api

import (
	"context"
	"sync"
	"time"

	"dangan/archive"
)

// officesKept is how long a list of offices is used again: every page names
// them, and they change a few times a year.
const officesKept = 30 * time.Second

// remembered wraps the list of offices with a short memory. Failures are not
// remembered.
func remembered(ask func(context.Context) ([]archive.Office, error), now func() time.Time) func(context.Context) ([]archive.Office, error) {
	var (
		mu   sync.Mutex
		list []archive.Office
		at   time.Time
	)
	return func(ctx context.Context) ([]archive.Office, error) {
		mu.Lock()
		known, fresh := list, !at.IsZero() && now().Sub(at) < officesKept
		mu.Unlock()
		if fresh {
			return known, nil
		}
		asked, err := ask(ctx)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		list, at = asked, now()
		return asked, nil
	}
}
