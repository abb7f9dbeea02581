package index

import (
	"bytes"
	"context"
	_ "embed" // the settings
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/meilisearch/meilisearch-go"

	"dangan/archive"
)

// settings are sent as they are: the client's own type for them drops false, zero
// and empty values.
//
//go:embed settings.json
var settings []byte

// shape names what documents look like. An index filled in another shape counts as
// not filled.
const shape = "2"

// ensure makes the serving index if it is missing and gives it its settings, once in
// a process and again after it was found changed. It tells which index that is.
// Callers at the same time share one attempt and its outcome.
func (s *shard) ensure(ctx context.Context) (string, error) {
	built, err := s.built(ctx, s.main)
	if err != nil {
		return "", err
	}
	if done, _ := s.configured.Load().(string); built != "" && built == done {
		return built, nil
	}
	made, err, _ := s.configuring.Do("", func() (any, error) {
		built, err := s.configure(ctx, s.main, built)
		if err == nil {
			s.configured.Store(built)
			s.log.InfoContext(ctx, "search index configured", "index", s.main, "shard", s.name)
		}
		return built, err
	})
	if err != nil {
		return "", err
	}
	return made.(string), nil
}

// configure costs nothing when everything is as it should be.
func (s *shard) configure(ctx context.Context, uid, built string) (string, error) {
	if built == "" {
		err := s.do(ctx, func() (*meilisearch.TaskInfo, error) {
			return s.server.CreateIndexWithContext(ctx, &meilisearch.IndexConfig{Uid: uid, PrimaryKey: "id"})
		})
		if err != nil && !errors.Is(err, taskError("index_already_exists")) { // another process was quicker
			return "", err
		}
	}
	if err := s.do(ctx, func() (*meilisearch.TaskInfo, error) { return s.patchSettings(ctx, uid) }); err != nil {
		return "", fmt.Errorf("settings: %w", err)
	}
	return s.built(ctx, uid)
}

func (s *shard) patchSettings(ctx context.Context, uid string) (*meilisearch.TaskInfo, error) {
	var info meilisearch.TaskInfo
	err := s.call(ctx, http.MethodPatch, "/indexes/"+uid+"/settings", json.RawMessage(settings), http.StatusAccepted, &info)
	return &info, err
}

// call is for what the client cannot say. It fails as the client does.
func (s *shard) call(ctx context.Context, method, path string, body any, want int, answer any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.key)
	response, err := s.http.Do(r)
	if err != nil {
		return fmt.Errorf("send: %w", archive.ErrUnavailable) // its text has the address
	}
	defer func() { _ = response.Body.Close() }() // a failure here changes nothing
	if response.StatusCode != want {
		refused := &meilisearch.Error{StatusCode: response.StatusCode}
		_ = json.NewDecoder(response.Body).Decode(&refused.MeilisearchApiError) // without a code it is refused all the same
		return refused
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("read answer: %w", archive.ErrUnavailable)
	}
	return nil
}

// mark is what the state index remembers of another.
type mark struct {
	ID    string `json:"id"`
	Built string `json:"built"` // when that index was made, and the shape
	// Was is the index that it takes the place of, until that one is dropped; and
	// Whole, whether that one is filled too.
	Was   string `json:"was,omitempty"`
	Whole bool   `json:"whole,omitempty"`
}

// The marks.
const (
	markFilled  = "filled"  // holds all that was promised
	markRebuild = "rebuild" // is being filled; puts go to it too
)

// mark reads a mark; one that is not there is empty.
func (s *shard) mark(ctx context.Context, id string) (mark, error) {
	var m mark
	err := s.state.GetDocumentWithContext(ctx, id, nil, &m)
	if c := code(err); c == noIndex || c == noDocument {
		return mark{}, nil
	}
	return m, err
}

func (s *shard) putMark(ctx context.Context, m mark) error {
	return s.do(ctx, func() (*meilisearch.TaskInfo, error) {
		return s.state.AddDocumentsWithContext(ctx, []mark{m}, &meilisearch.DocumentOptions{PrimaryKey: new("id")})
	})
}

func (s *shard) removeMark(ctx context.Context, id string) error {
	err := s.do(ctx, func() (*meilisearch.TaskInfo, error) { return s.state.DeleteDocumentWithContext(ctx, id, nil) })
	if isGone(err) {
		return nil
	}
	return err
}

// Filled tells whether the index is the one that MarkFilled was called for, or that
// was rebuilt. One that was wiped, or made again by somebody, is not; see Vouch for
// one that was brought back.
func (x *Index) Filled(ctx context.Context) (bool, error) {
	for _, s := range x.shards {
		built, err := s.built(ctx, s.main)
		if err != nil {
			return false, failure(ctx, "index state", err)
		}
		if filled, err := s.filled(ctx, built); err != nil || !filled {
			if err != nil {
				err = failure(ctx, "index state", err)
			}
			return false, err
		}
	}
	return true, nil
}

// filled tells whether the serving index, which is built, is filled. It drops the one
// before, when whoever swapped them did not live to do so.
func (s *shard) filled(ctx context.Context, built string) (bool, error) {
	m, err := s.mark(ctx, markFilled)
	if err != nil || built == "" || m.Built != built {
		return built != "" && m.Was == built && m.Whole, err
	}
	if m.Was == "" {
		return true, nil
	}
	old, err := s.built(ctx, s.next)
	if err == nil && old == m.Was {
		err = s.endRebuild(ctx)
	}
	if err == nil {
		err = s.putMark(ctx, mark{ID: markFilled, Built: built})
	}
	return true, err
}

// MarkFilled remembers that the index, as it is now, holds every record.
func (x *Index) MarkFilled(ctx context.Context) error {
	for _, s := range x.shards {
		built, err := s.ensure(ctx) // an archive without records
		if err == nil {
			err = s.putMark(ctx, mark{ID: markFilled, Built: built})
		}
		if err != nil {
			return failure(ctx, "mark index", err)
		}
	}
	return nil
}
