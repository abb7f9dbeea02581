package index

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dangan/archive"
)

// witness is a task that has succeeded. A server that does not remember it was set
// back to an earlier state, however it got there, because numbers of tasks only grow
// and no two tasks have number and time in common.
type witness struct {
	UID int64     `json:"uid"`
	At  time.Time `json:"at"` // when it was accepted
}

// remembers asks the server.
func (s *shard) remembers(ctx context.Context, w witness) (bool, error) {
	task, err := s.server.GetTaskWithContext(ctx, w.UID)
	if code(err) == noTask {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return task.EnqueuedAt.Equal(w.At), nil
}

// Vouch tells whether the servers still hold what they have taken in: restored from
// an older dump or copy they do not, although they look filled. The witness is to be
// kept where the records are and given to the next call, of this process or another;
// nil asks for a first one, as after a rebuild. What was taken in after the last
// witness was kept is not vouched for once this process has ended.
func (x *Index) Vouch(ctx context.Context, kept []byte) (fresh []byte, intact bool, err error) {
	known := map[string]witness{}
	if len(kept) > 0 {
		if err := json.Unmarshal(kept, &known); err != nil {
			return nil, false, fmt.Errorf("read witness: %w", archive.ErrCorrupt)
		}
	}
	intact = true
	for _, s := range x.shards {
		own := s.seen.Load()
		w, ok := known[s.shape]
		switch {
		case own != nil && (!ok || own.At.After(w.At)):
			w = *own
		case !ok:
			continue
		}
		ok, err := s.remembers(ctx, w)
		if err != nil {
			return nil, false, failure(ctx, "vouch for index", err)
		}
		intact = intact && ok
		known[s.shape] = w
	}
	fresh, err = json.Marshal(known)
	return fresh, intact, err
}
