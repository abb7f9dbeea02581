package index

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meilisearch/meilisearch-go"

	"dangan/archive"
	"dangan/index/plan"
)

// maxBatch is how many documents go into one task.
const maxBatch = 1000

// Put makes the documents searchable before it returns. A document does not replace
// a newer version of its record; the server cannot compare versions, so between
// processes this is the best that can be done, and a caller must read the head of
// the chain again afterwards. It may be repeated. Without documents it makes the
// index, if it is not there.
func (x *Index) Put(ctx context.Context, docs ...archive.Document) error {
	newest := map[string]archive.Document{}
	for _, d := range docs {
		id := d.Record.ID
		if !plainName(id) { // the server would fail the whole task, later
			return fmt.Errorf("put into index: document id: %w", archive.ErrInvalid)
		}
		if have, ok := newest[id]; !ok || d.Version >= have.Version {
			newest[id] = d
		}
	}
	if err := x.ensure(ctx); err != nil {
		return failure(ctx, "put into index", err)
	}
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(newest)), maxBatch) {
		if err := x.putBatch(ctx, batch, newest); err != nil {
			return failure(ctx, "put into index", err)
		}
	}
	return nil
}

func (x *Index) putBatch(ctx context.Context, ids []string, docs map[string]archive.Document) error {
	give, err := x.locks.take(ctx, ids)
	if err != nil {
		return err
	}
	defer give()
	have, err := x.versions(ctx, ids)
	if err != nil {
		return err
	}
	var wire []plan.Document
	for _, id := range ids {
		if docs[id].Version >= have[id] {
			wire = append(wire, plan.NewDocument(docs[id]))
		}
	}
	if len(wire) == 0 {
		return nil
	}
	return x.do(ctx, func() (*meilisearch.TaskInfo, error) {
		return x.docs.AddDocumentsWithContext(ctx, wire, nil)
	})
}

// versions reads what the index holds of the records. If it was wiped it is made
// again first: the server would make it with settings of its own.
func (x *Index) versions(ctx context.Context, ids []string) (map[string]int, error) {
	var result meilisearch.DocumentsResult
	err := x.docs.GetDocumentsWithContext(ctx, &meilisearch.DocumentsQuery{
		Ids: ids, Limit: int64(len(ids)), Fields: []string{"id", "ver"},
	}, &result)
	if code(err) == noIndex {
		x.configured.Store("")
		return nil, x.ensure(ctx)
	}
	if err != nil {
		return nil, err
	}
	var shown []plan.Shown
	if err := result.Results.DecodeInto(&shown); err != nil {
		return nil, fmt.Errorf("read versions: %w", archive.ErrCorrupt)
	}
	have := make(map[string]int, len(shown))
	for _, s := range shown {
		have[s.ID] = s.Version
	}
	return have, nil
}

// Delete takes a record out. Deleting what is not there succeeds.
func (x *Index) Delete(ctx context.Context, id string) error {
	if !plainName(id) {
		return fmt.Errorf("delete from index: document id: %w", archive.ErrInvalid)
	}
	give, err := x.locks.take(ctx, []string{id})
	if err != nil {
		return failure(ctx, "delete from index", err)
	}
	defer give()
	err = x.do(ctx, func() (*meilisearch.TaskInfo, error) { return x.docs.DeleteDocumentWithContext(ctx, id, nil) })
	if errors.Is(err, taskError(noIndex)) || code(err) == noIndex {
		return nil
	}
	if err != nil {
		return failure(ctx, "delete from index", err)
	}
	return nil
}

// taskError is the code of a task that failed.
type taskError string

func (e taskError) Error() string { return "task failed: " + string(e) }

// do sends a task and waits until it has succeeded. Tasks of an index run in the
// order they were accepted in, and those that wait are merged into one batch.
func (x *Index) do(ctx context.Context, send func() (*meilisearch.TaskInfo, error)) error {
	info, err := send()
	if err != nil {
		return err
	}
	return x.wait(ctx, info.TaskUID)
}

func (x *Index) wait(ctx context.Context, uid int64) error {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		task, err := x.server.GetTaskWithContext(ctx, uid)
		if err != nil {
			return err
		}
		switch task.Status {
		case meilisearch.TaskStatusSucceeded:
			return nil
		case meilisearch.TaskStatusFailed:
			return taskError(task.Error.Code)
		case meilisearch.TaskStatusCanceled:
			return fmt.Errorf("task canceled: %w", archive.ErrUnavailable)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("task still waiting: %w", archive.ErrUnavailable)
		}
	}
}
