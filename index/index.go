// Package index is the search engine beside the store: Meilisearch, one server or
// several. What it holds can be thrown away at any time and is filled again from
// the chains.
//
// It owns the settings, the translation of questions to Meilisearch, its tasks, how
// records are spread over servers, and the change from one generation of the index
// to the next. It is the only user of meilisearch-go. It must not know what a query
// of a user means (package plan), nor where records come from. No id number ever
// reaches a server, and no error of this package quotes what was asked.
package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meilisearch/meilisearch-go"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"dangan/archive"
	"dangan/index/plan"
)

// Config says which servers and index to use.
type Config struct {
	// URL is http://host:port. Several, separated by commas, are shards: every
	// fonds is on one of them. Another number or order of them is another index,
	// which counts as not filled.
	URL     string
	Key     string        // may search, write documents, make indexes and change settings; the same everywhere
	Name    string        // of the index; "records" when empty. Name-next and Name-state are used too
	Timeout time.Duration // of one search; 0 means 1.5 s
	// ShardTimeout is how long one of several shards is waited for; 0 means a third
	// of Timeout.
	ShardTimeout time.Duration
	Waiting      int64        // bytes of documents that may wait in this process; 0 means 32 MB
	Log          *slog.Logger // nil discards
}

const (
	callTimeout = 10 * time.Second // of one request that is no search
	taskTimeout = 5 * time.Minute  // from accepted to searchable
)

// Index is one index, on one Meilisearch server or spread over several. Its methods
// may be called concurrently.
type Index struct {
	config  Config
	shards  []*shard
	waiting *semaphore.Weighted // bytes of documents that may wait for a task
}

// New makes a client. The servers may be down: they are asked when they are needed,
// and the index is made with the first Put.
func New(_ context.Context, c Config) (*Index, error) {
	if c.Name == "" {
		c.Name = "records"
	}
	if c.Timeout == 0 {
		c.Timeout = 1500 * time.Millisecond
	}
	if c.ShardTimeout == 0 {
		c.ShardTimeout = c.Timeout / 3
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Waiting == 0 {
		c.Waiting = 32 << 20
	}
	x := &Index{config: c, waiting: semaphore.NewWeighted(c.Waiting)}
	urls := strings.Split(c.URL, ",")
	for i, url := range urls {
		url = strings.TrimRight(strings.TrimSpace(url), "/")
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") || !plainName(c.Name) {
			return nil, fmt.Errorf("meilisearch: URL or index name: %w", archive.ErrInvalid)
		}
		s := newShard(c, url)
		s.name, s.shape = fmt.Sprintf("shard-%d", i+1), fmt.Sprintf("%s/%d-of-%d", shape, i+1, len(urls))
		x.shards = append(x.shards, s)
	}
	return x, nil
}

// newClient speaks to one server.
func newClient(c Config, url string) (meilisearch.ServiceManager, *http.Client) {
	// A compressed answer leaves the server in two writes, and the second waits
	// 40 ms for the acknowledgement of the first (Nagle against delayed ACK). An
	// uncompressed one leaves in one.
	client := &http.Client{
		Timeout:   callTimeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
	}
	// The client's own retries send an empty body.
	return meilisearch.New(url, meilisearch.WithAPIKey(c.Key), meilisearch.WithCustomClient(client), meilisearch.DisableRetries()), client
}

// plainName reports whether s may be an index name or document id of Meilisearch.
func plainName(s string) bool {
	return s != "" && len(s) <= 400 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	})
}

// each does something with all shards at once.
func (x *Index) each(ctx context.Context, do func(ctx context.Context, s *shard) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range x.shards {
		group.Go(func() error { return do(ctx, s) })
	}
	return group.Wait()
}

// Ready is nil when a server answers: the index may be missing, and so may other
// shards, which search results then name.
func (x *Index) Ready(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, x.config.Timeout)
	defer cancel()
	answers := make(chan error, len(x.shards))
	for _, s := range x.shards {
		go func() {
			_, err := s.server.HealthWithContext(limited)
			answers <- err
		}()
	}
	var err error
	for range x.shards {
		if err = <-answers; err == nil {
			return nil
		}
	}
	return failure(ctx, "meilisearch", err)
}

// Count is the number of documents; an index that is not there has none.
func (x *Index) Count(ctx context.Context) (int, error) {
	return x.count(ctx, func(s *shard) string { return s.main })
}

func (x *Index) count(ctx context.Context, uid func(*shard) string) (int, error) {
	sum := 0
	for _, s := range x.shards {
		n, err := s.count(ctx, uid(s))
		if err != nil {
			return 0, failure(ctx, "count documents", err)
		}
		sum += n
	}
	return sum, nil
}

// Search answers a query within the scope; see plan.Search. It takes no longer than
// the configured timeout, and is archive.ErrUnavailable then. Shards that did not
// answer are named in Hits.Missing; only when none did, there is no answer.
func (x *Index) Search(ctx context.Context, q archive.Query, s archive.Scope) (archive.Hits, error) {
	limited, cancel := context.WithTimeout(ctx, x.config.Timeout)
	defer cancel()
	f := &fan{x: x, missing: map[string]bool{}}
	hits, err := plan.Search(limited, f, true, q, s)
	if err != nil {
		return archive.Hits{}, failure(ctx, "search index", err)
	}
	hits.Missing = slices.Sorted(maps.Keys(f.missing))
	return hits, nil
}

// Codes of Meilisearch that say the index is not as this package makes it: wiped,
// or made a moment ago and not configured yet. Filters are built here and well
// formed, so a rejected one means missing settings.
const (
	noIndex    = "index_not_found"
	noDocument = "document_not_found"
	noTask     = "task_not_found"
	noSettings = "invalid_search_filter"
	// The server learns its fields from documents, and every document has all that
	// are searched: a field it does not know means that there are no documents.
	noField = "invalid_search_attributes_to_search_on"
)

func code(err error) string {
	if e, ok := errors.AsType[*meilisearch.Error](err); ok {
		return e.MeilisearchApiError.Code
	}
	return ""
}

// failure translates an error of the client. The client's own text quotes the
// request, so only status and code are kept.
func failure(ctx context.Context, op string, err error) error {
	e, answered := errors.AsType[*meilisearch.Error](err)
	_, failed := errors.AsType[taskError](err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", op, context.Canceled)
	case failed, errors.Is(err, archive.ErrCorrupt), errors.Is(err, archive.ErrConflict):
		return fmt.Errorf("%s: %w", op, err)
	case errors.Is(err, archive.ErrUnavailable), !answered, e.StatusCode == 0, e.StatusCode >= 500,
		e.StatusCode == http.StatusTooManyRequests,
		code(err) == noIndex, code(err) == noSettings:
		return fmt.Errorf("%s: %w", op, archive.ErrUnavailable)
	}
	return fmt.Errorf("%s: meilisearch answered %d %s", op, e.StatusCode, code(err))
}
