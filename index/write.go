package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/meilisearch/meilisearch-go"

	"dangan/archive"
	"dangan/index/plan"
)

// Put makes the documents searchable before it returns. Callers at the same time
// share tasks; when too much waits already, Put waits until ctx ends.
//
// A document does not replace a newer version of its record. A server cannot compare
// versions, so they are read before a task is sent: within this process nothing comes
// between, but another process may, and then the older one may win. Therefore a caller
// must read the head of the chain after Put, and put again if it has changed: the last
// one to do so leaves the newest version. Put may be repeated. Without documents it
// makes the index, if it is not there.
//
// When the server refuses a document, the error is none of package archive, and trying
// again does not help.
func (x *Index) Put(ctx context.Context, docs ...archive.Document) error {
	for _, d := range docs {
		if !plainName(d.Record.ID) { // the server would fail the whole task, later
			return fmt.Errorf("put into index: document id: %w", archive.ErrInvalid)
		}
	}
	if len(docs) == 0 {
		if err := x.each(ctx, func(ctx context.Context, s *shard) error { _, err := s.ensure(ctx); return err }); err != nil {
			return failure(ctx, "put into index", err)
		}
	}
	var entries []*entry
	for batch := range slices.Chunk(docs, maxTaskDocs) {
		added, err := x.put(ctx, batch)
		entries = append(entries, added...)
		if err != nil {
			return errors.Join(failure(ctx, "put into index", err), await(ctx, "put into index", entries))
		}
	}
	return await(ctx, "put into index", entries)
}

// put hands documents to the shards they belong on, and has the others forget them:
// a record may have moved to another fonds. One that is down keeps Put from ending
// well, and its documents from no other shard.
func (x *Index) put(ctx context.Context, docs []archive.Document) ([]*entry, error) {
	newest := x.elsewhere(ctx, docs)
	ops := map[*shard][]op{}
	for _, d := range docs {
		if d.Version < newest[d.Record.ID] {
			continue
		}
		line, err := json.Marshal(plan.NewDocument(d))
		if err != nil {
			return nil, fmt.Errorf("encode document: %w", archive.ErrInvalid)
		}
		home := x.home(d.Record.Fonds)
		for _, s := range x.shards {
			o := op{kind: opMoved, id: d.Record.ID, version: d.Version}
			if s == home {
				o.kind, o.line = opPut, line
			}
			ops[s] = append(ops[s], o)
		}
	}
	return x.enqueue(ctx, ops)
}

// elsewhere is the newest version of each document on any shard, as far as they answer:
// a record that has moved on has none on the shard it was on.
func (x *Index) elsewhere(ctx context.Context, docs []archive.Document) map[string]int {
	newest := map[string]int{}
	if len(x.shards) == 1 {
		return newest
	}
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.Record.ID
	}
	ctx, cancel := context.WithTimeout(ctx, x.config.Timeout)
	defer cancel()
	for _, s := range x.shards {
		have, err := s.versions(ctx, s.main, ids)
		if err != nil {
			continue // a shard that is down says so again when it is written to
		}
		for id, v := range have {
			newest[id] = max(newest[id], v)
		}
	}
	return newest
}

// enqueue waits for its turn to wait.
func (x *Index) enqueue(ctx context.Context, ops map[*shard][]op) ([]*entry, error) {
	var entries []*entry
	for s, some := range ops {
		size, docs := int64(0), int64(0)
		for _, o := range some {
			size += int64(len(o.line) + len(o.id))
			if o.kind == opPut {
				docs++
			}
		}
		size = min(size, x.config.Waiting)
		if err := x.waiting.Acquire(ctx, size); err != nil {
			return entries, fmt.Errorf("too much waits for the index: %w", archive.ErrUnavailable)
		}
		s.docs.Add(docs)
		entries = append(entries, s.add(some, func() {
			x.waiting.Release(size)
			s.docs.Add(-docs)
		}))
	}
	return entries, nil
}

// await gives the outcome of all entries.
func await(ctx context.Context, operation string, entries []*entry) error {
	var errs []error
	for _, e := range entries {
		select {
		case <-e.done:
		case <-ctx.Done():
			return failure(ctx, operation, fmt.Errorf("not waited for: %w", archive.ErrUnavailable))
		}
		if e.err != nil {
			errs = append(errs, failure(ctx, operation, e.err))
		}
	}
	return errors.Join(errs...)
}

// Delete takes a record out. Deleting what is not there succeeds. What the server
// keeps of it in its files until they are written anew goes with the next rebuild.
func (x *Index) Delete(ctx context.Context, id string) error {
	if !plainName(id) {
		return fmt.Errorf("delete from index: document id: %w", archive.ErrInvalid)
	}
	ops := map[*shard][]op{}
	for _, s := range x.shards {
		ops[s] = []op{{kind: opDelete, id: id}}
	}
	entries, err := x.enqueue(ctx, ops)
	if err != nil {
		err = failure(ctx, "delete from index", err)
	}
	return errors.Join(err, await(ctx, "delete from index", entries))
}

// apply carries ops out in the serving index, and in the next one while there is
// one. If they have changed places meanwhile it does so again: the tasks may have
// gone to the index that was left behind.
func (s *shard) apply(ctx context.Context, ops []op) error {
	const attempts = 5
	for range attempts {
		serving, err := s.ensure(ctx)
		if err != nil {
			return err
		}
		next, err := s.rebuilding(ctx)
		if err == nil && next != "" {
			err = s.change(ctx, s.next, ops)
		}
		if err == nil {
			err = s.change(ctx, s.main, ops)
		}
		if err != nil && !isGone(err) {
			return err
		}
		same, checked := s.unchanged(ctx, serving, next)
		if same || checked != nil {
			return errors.Join(err, checked)
		}
	}
	return fmt.Errorf("the index changes all the time: %w", archive.ErrUnavailable)
}

// unchanged reports whether the indexes are still those that were written to. One that
// the server made anew, from what was sent to an index that had gone, is dropped.
func (s *shard) unchanged(ctx context.Context, serving, next string) (bool, error) {
	now, err := s.built(ctx, s.main)
	if err != nil || next == "" {
		return now == serving, err
	}
	still, err := s.rebuilding(ctx)
	if err == nil && still == "" {
		err = s.drop(ctx, s.next)
	}
	return now == serving && still == next, err
}

// change carries ops out in one index.
func (s *shard) change(ctx context.Context, uid string, ops []op) error {
	ids := make([]string, len(ops))
	for i, o := range ops {
		ids[i] = o.id
	}
	have, err := s.versions(ctx, uid, ids)
	if err != nil {
		return err
	}
	if uid == s.next {
		s.touch(ops)
	}
	tasks, err := s.send(ctx, uid, fold(ops, have), maxTask, maxTaskDocs)
	for _, uid := range tasks {
		err = errors.Join(err, s.wait(ctx, uid))
	}
	return err
}

// fold brings ops to one for each record, by what the index has of it.
func fold(ops []op, have map[string]int) []op {
	at := map[string]int{}
	var out []op
	for _, o := range ops {
		newest := have[o.id]
		switch {
		case o.kind == opPut && o.version < newest,
			o.kind == opMoved && (newest == 0 || o.version < newest):
			continue
		case o.kind == opPut:
			have[o.id] = o.version
		default:
			have[o.id] = 0
		}
		if i, ok := at[o.id]; ok {
			out[i] = o
			continue
		}
		at[o.id] = len(out)
		out = append(out, o)
	}
	return out
}

// send sends ops, each about another record, in tasks of so many bytes and documents,
// and returns the tasks.
func (s *shard) send(ctx context.Context, uid string, ops []op, size, docs int) ([]int64, error) {
	var tasks []int64
	var gone []string
	var body []byte
	n := 0
	accepted := func(info *meilisearch.TaskInfo, err error) error {
		if err == nil {
			tasks = append(tasks, info.TaskUID)
		}
		return err
	}
	add := func() error {
		if n == 0 {
			return nil
		}
		err := accepted(s.server.Index(uid).AddDocumentsNdjsonWithContext(ctx, body, nil))
		body, n = body[:0], 0
		return err
	}
	for _, o := range ops {
		if o.kind != opPut {
			gone = append(gone, o.id)
			continue
		}
		if n == docs || n > 0 && len(body)+len(o.line) > size {
			if err := add(); err != nil {
				return tasks, err
			}
		}
		body = append(append(body, o.line...), '\n')
		n++
	}
	err := add()
	if err == nil && len(gone) > 0 {
		err = accepted(s.server.Index(uid).DeleteDocumentsWithContext(ctx, gone, nil))
	}
	return tasks, err
}

// isGone is the error of asking something of an index that is not there.
func isGone(err error) bool { return code(err) == noIndex || errors.Is(err, taskError(noIndex)) }
