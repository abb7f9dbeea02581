// Package index is the search engine beside the store: Meilisearch. What it holds
// can be thrown away at any time and is filled again from the chains.
//
// It owns the settings, the translation of questions to Meilisearch and its tasks,
// and is the only user of meilisearch-go. It must not know what a query of a user
// means (package plan), nor where records come from. No id number ever reaches the
// server, and no error of this package quotes what was asked.
package index

import (
	"context"
	_ "embed" // the settings
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meilisearch/meilisearch-go"
	"golang.org/x/sync/singleflight"

	"dangan/archive"
	"dangan/index/plan"
)

// Config says which server and index to use.
type Config struct {
	URL     string        // http://host:port
	Key     string        // may search, write documents, make indexes and change settings
	Name    string        // of the index; "records" when empty. Name-state holds its state
	Timeout time.Duration // of one search; 0 means 1.5 s
	Log     *slog.Logger  // nil discards
}

const (
	callTimeout = 10 * time.Second // of one request that is no search
	taskTimeout = 2 * time.Minute  // from accepted to searchable
)

// Index is one index of a Meilisearch server. Its methods may be called concurrently.
type Index struct {
	config Config
	http   *http.Client
	server meilisearch.ServiceManager
	docs   meilisearch.IndexManager
	state  meilisearch.IndexManager
	locks  locks

	configuring singleflight.Group
	configured  atomic.Value // string: which index this process has given its settings, "" for none
}

// New makes a client. The server may be down: it is asked when it is needed, and
// the index is made with the first Put.
func New(_ context.Context, c Config) (*Index, error) {
	if c.Name == "" {
		c.Name = "records"
	}
	if c.Timeout == 0 {
		c.Timeout = 1500 * time.Millisecond
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if !strings.HasPrefix(c.URL, "http://") && !strings.HasPrefix(c.URL, "https://") || !plainName(c.Name) {
		return nil, fmt.Errorf("meilisearch: URL or index name: %w", archive.ErrInvalid)
	}
	c.URL = strings.TrimRight(c.URL, "/")
	// A compressed answer leaves the server in two writes, and the second waits
	// 40 ms for the acknowledgement of the first (Nagle against delayed ACK). An
	// uncompressed one leaves in one.
	client := &http.Client{
		Timeout:   callTimeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
	}
	// The client's own retries send an empty body.
	server := meilisearch.New(c.URL, meilisearch.WithAPIKey(c.Key), meilisearch.WithCustomClient(client), meilisearch.DisableRetries())
	return &Index{
		config: c, http: client, server: server,
		docs: server.Index(c.Name), state: server.Index(c.Name + "-state"),
	}, nil
}

// plainName reports whether s may be an index name or document id of Meilisearch.
func plainName(s string) bool {
	return s != "" && len(s) <= 400 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	})
}

// Ready is nil when the server answers. An index that is not there yet is made
// with the first Put and does not count.
func (x *Index) Ready(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, x.config.Timeout)
	defer cancel()
	if _, err := x.server.HealthWithContext(limited); err != nil {
		return failure(ctx, "meilisearch", err)
	}
	return nil
}

// Count is the number of documents; 0 for an index that is not there.
func (x *Index) Count(ctx context.Context) (int, error) {
	stats, err := x.docs.GetStatsWithContext(ctx, nil)
	if code(err) == noIndex {
		return 0, nil
	}
	if err != nil {
		return 0, failure(ctx, "count documents", err)
	}
	return int(stats.NumberOfDocuments), nil
}

// Search answers a query within the scope; see plan.Search. It takes no longer than
// the configured timeout, and is archive.ErrUnavailable then.
func (x *Index) Search(ctx context.Context, q archive.Query, s archive.Scope) (archive.Hits, error) {
	limited, cancel := context.WithTimeout(ctx, x.config.Timeout)
	defer cancel()
	hits, err := plan.Search(limited, x, q, s)
	if err != nil {
		return archive.Hits{}, failure(ctx, "search index", err)
	}
	return hits, nil
}

// Codes of Meilisearch that say the index is not as this package makes it: wiped,
// or made a moment ago and not configured yet. Filters are built here and well
// formed, so a rejected one means missing settings.
const (
	noIndex    = "index_not_found"
	noDocument = "document_not_found"
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
	case failed, errors.Is(err, archive.ErrCorrupt):
		return fmt.Errorf("%s: %w", op, err)
	case errors.Is(err, archive.ErrUnavailable), !answered, e.StatusCode == 0, e.StatusCode >= 500,
		e.StatusCode == http.StatusTooManyRequests,
		code(err) == noIndex, code(err) == noSettings:
		return fmt.Errorf("%s: %w", op, archive.ErrUnavailable)
	}
	return fmt.Errorf("%s: meilisearch answered %d %s", op, e.StatusCode, code(err))
}
