package index

import (
	"context"
	"errors"
	"sync"
)

const (
	maxTask     = 8 << 20  // bytes of documents in one task
	maxTaskDocs = 1000     // and how many
	maxLoad     = 20 << 20 // bytes of documents in one task of a rebuild
)

// op is one change of a shard.
type op struct {
	kind    opKind
	id      string
	version int
	line    []byte // the document as JSON, of put
}

type opKind int

const (
	opPut    opKind = iota // unless there is a newer version
	opMoved                // it is on another shard now: away with this version and older ones
	opDelete               // whatever there is
)

// queue is group commit: whoever comes while tasks are out waits for them, and then
// shares the next ones. So changes of one shard happen one group after the other.
type queue struct {
	mu      sync.Mutex
	entries []*entry
	busy    bool
}

// entry is what one caller wants done.
type entry struct {
	ops     []op
	release func()        // called when it is done, however it went
	err     error         // to be read when done is closed
	done    chan struct{} // closed when it is done
}

func (e *entry) end(err error) {
	e.release()
	e.err = err
	close(e.done)
}

// add has ops carried out, whether somebody waits for it or not.
func (s *shard) add(ops []op, release func()) *entry {
	e := &entry{ops: ops, release: release, done: make(chan struct{})}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.queue.entries = append(s.queue.entries, e)
	if !s.queue.busy {
		s.queue.busy = true
		go s.work()
	}
	return e
}

// work carries out groups until nobody waits.
func (s *shard) work() {
	for {
		s.queue.mu.Lock()
		group := s.queue.entries
		s.queue.entries = nil
		s.queue.busy = len(group) > 0
		s.queue.mu.Unlock()
		if len(group) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), taskTimeout)
		s.carryOut(ctx, group)
		cancel()
	}
}

// carryOut gives every entry its outcome. When the server refuses a task that several
// share, each half is tried by itself, until a bad document has failed only its own.
func (s *shard) carryOut(ctx context.Context, group []*entry) {
	var all []op
	for _, e := range group {
		all = append(all, e.ops...)
	}
	err := s.apply(ctx, all)
	if _, refused := errors.AsType[taskError](err); refused && len(group) > 1 {
		half := len(group) / 2
		s.carryOut(ctx, group[:half])
		s.carryOut(ctx, group[half:])
		return
	}
	for _, e := range group {
		e.end(err)
	}
}

// Stats is what an Index has done since it was opened, over all shards.
type Stats struct {
	Waiting   int // documents handed to Put that are not searchable yet
	Succeeded int // tasks
	Failed    int
}

// Stats may be called at any time and asks no server.
func (x *Index) Stats() Stats {
	var sum Stats
	for _, s := range x.shards {
		sum.Waiting += int(s.docs.Load())
		sum.Succeeded += int(s.succeeded.Load())
		sum.Failed += int(s.refused.Load())
	}
	return sum
}
