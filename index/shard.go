package index

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meilisearch/meilisearch-go"
	"golang.org/x/sync/singleflight"

	"dangan/archive"
	"dangan/index/plan"
)

// shard is the part of an index that is on one server: main serves, next is being
// filled, and state remembers which of them is what.
type shard struct {
	name   string // in search results
	shape  string // of documents and of the spreading
	url    string
	key    string
	main   string
	next   string
	log    *slog.Logger
	http   *http.Client
	server meilisearch.ServiceManager
	state  meilisearch.IndexManager

	configuring singleflight.Group
	configured  atomic.Value // string: which index this process has given its settings, "" for none

	queue queue
	// While this process loads next: the least version that may be loaded of what was
	// put or deleted meanwhile, held while documents are sent.
	loading sync.Mutex
	touched map[string]int

	seen               atomic.Pointer[witness]
	docs               atomic.Int64 // that wait
	succeeded, refused atomic.Int64 // tasks
}

func newShard(c Config, url string) *shard {
	s := &shard{url: url, key: c.Key, main: c.Name, next: c.Name + "-next", log: c.Log}
	s.server, s.http = newClient(c, url)
	s.state = s.server.Index(c.Name + "-state")
	return s
}

func (s *shard) count(ctx context.Context, uid string) (int, error) {
	stats, err := s.server.Index(uid).GetStatsWithContext(ctx, nil)
	if code(err) == noIndex {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int(stats.NumberOfDocuments), nil
}

// versions reads what an index holds of the records.
func (s *shard) versions(ctx context.Context, uid string, ids []string) (map[string]int, error) {
	have := make(map[string]int, len(ids))
	for part := range slices.Chunk(ids, maxTaskDocs) {
		var result meilisearch.DocumentsResult
		err := s.server.Index(uid).GetDocumentsWithContext(ctx, &meilisearch.DocumentsQuery{
			Ids: part, Limit: int64(len(part)), Fields: []string{"id", "ver"},
		}, &result)
		if err != nil {
			return nil, err
		}
		var shown []plan.Shown
		if err := result.Results.DecodeInto(&shown); err != nil {
			return nil, fmt.Errorf("read versions: %w", archive.ErrCorrupt)
		}
		for _, d := range shown {
			have[d.ID] = d.Version
		}
	}
	return have, nil
}

// built identifies an index; empty when there is none.
func (s *shard) built(ctx context.Context, uid string) (string, error) {
	info, err := s.server.Index(uid).FetchInfoWithContext(ctx)
	if code(err) == noIndex {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return info.CreatedAt.UTC().Format("20060102T150405.000000000Z") + "/" + s.shape, nil
}

// drop removes an index, with its file.
func (s *shard) drop(ctx context.Context, uid string) error {
	err := s.do(ctx, func() (*meilisearch.TaskInfo, error) { return s.server.DeleteIndexWithContext(ctx, uid) })
	if isGone(err) {
		return nil
	}
	return err
}

// taskError is the code of a task that failed.
type taskError string

func (e taskError) Error() string { return "task failed: " + string(e) }

// do sends a task and waits until it has succeeded. Tasks of an index run in the
// order they were accepted in, and those that wait are merged into one batch.
func (s *shard) do(ctx context.Context, send func() (*meilisearch.TaskInfo, error)) error {
	info, err := send()
	if err != nil {
		return err
	}
	return s.wait(ctx, info.TaskUID)
}

func (s *shard) wait(ctx context.Context, uid int64) error {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		task, err := s.server.GetTaskWithContext(ctx, uid)
		if err != nil {
			return err
		}
		switch task.Status {
		case meilisearch.TaskStatusSucceeded:
			s.succeeded.Add(1)
			s.seen.Store(&witness{task.UID, task.EnqueuedAt})
			return nil
		case meilisearch.TaskStatusFailed:
			return s.failed(task.Error.Code)
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

// failed tells what is wrong with the task from what is wrong with the server.
func (s *shard) failed(code string) error {
	s.refused.Add(1)
	switch code {
	case "no_space_left_on_device", "io_error", "too_many_open_files", "internal":
		return fmt.Errorf("task failed: %s: %w", code, archive.ErrUnavailable)
	}
	return taskError(code)
}
