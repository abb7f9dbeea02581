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
const shape = "1"

// ensure makes the index if it is missing and gives it its settings, once in a
// process and again after it was found wiped. Callers at the same time share one
// attempt and its outcome.
func (x *Index) ensure(ctx context.Context) error {
	if done, _ := x.configured.Load().(string); done != "" {
		return nil
	}
	_, err, _ := x.configuring.Do("", func() (any, error) {
		built, err := x.configure(ctx)
		if err == nil {
			x.configured.Store(built)
			x.config.Log.InfoContext(ctx, "search index configured", "index", x.config.Name)
		}
		return nil, err
	})
	return err
}

// configure costs nothing when everything is as it should be. It tells which index
// it configured.
func (x *Index) configure(ctx context.Context) (string, error) {
	built, err := x.built(ctx)
	if err == nil && built == "" {
		err = x.do(ctx, func() (*meilisearch.TaskInfo, error) {
			return x.server.CreateIndexWithContext(ctx, &meilisearch.IndexConfig{Uid: x.config.Name, PrimaryKey: "id"})
		})
	}
	if err != nil && !errors.Is(err, taskError("index_already_exists")) { // another process was quicker
		return "", err
	}
	err = x.do(ctx, func() (*meilisearch.TaskInfo, error) { return x.patchSettings(ctx) })
	if err != nil {
		return "", fmt.Errorf("settings: %w", err)
	}
	return x.built(ctx)
}

func (x *Index) patchSettings(ctx context.Context) (*meilisearch.TaskInfo, error) {
	url := x.config.URL + "/indexes/" + x.config.Name + "/settings"
	r, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, bytes.NewReader(settings))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+x.config.Key)
	response, err := x.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("send: %w", archive.ErrUnavailable)
	}
	defer func() { _ = response.Body.Close() }() // a failure here changes nothing
	if response.StatusCode != http.StatusAccepted {
		return nil, &meilisearch.Error{StatusCode: response.StatusCode}
	}
	var info meilisearch.TaskInfo
	if err := json.NewDecoder(response.Body).Decode(&info); err != nil {
		return nil, fmt.Errorf("read answer: %w", archive.ErrUnavailable)
	}
	return &info, nil
}

// mark is what the state index remembers of the documents index.
type mark struct {
	ID    string `json:"id"`
	Built string `json:"built"` // when the index was made, and the shape
}

// Filled tells whether the index is the one that MarkFilled was called for. One
// that was wiped, or made again by somebody, is not.
func (x *Index) Filled(ctx context.Context) (bool, error) {
	built, err := x.built(ctx)
	if err != nil {
		return false, failure(ctx, "index state", err)
	}
	var m mark
	err = x.state.GetDocumentWithContext(ctx, "filled", nil, &m)
	if c := code(err); err != nil && c != noIndex && c != noDocument {
		return false, failure(ctx, "index state", err)
	}
	if done, _ := x.configured.Load().(string); built != done {
		x.configured.Store("") // whoever made this one may not have given it settings
	}
	return built != "" && m.Built == built, nil
}

// MarkFilled remembers that the index, as it is now, holds every record.
func (x *Index) MarkFilled(ctx context.Context) error {
	if err := x.ensure(ctx); err != nil { // an archive without records
		return failure(ctx, "mark index", err)
	}
	built, err := x.built(ctx)
	if err == nil {
		err = x.do(ctx, func() (*meilisearch.TaskInfo, error) {
			return x.state.AddDocumentsWithContext(ctx, []mark{{ID: "filled", Built: built}}, &meilisearch.DocumentOptions{PrimaryKey: new("id")})
		})
	}
	if err != nil {
		return failure(ctx, "mark index", err)
	}
	return nil
}

// built identifies the index that is there; empty when there is none.
func (x *Index) built(ctx context.Context) (string, error) {
	info, err := x.docs.FetchInfoWithContext(ctx)
	if code(err) == noIndex {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return info.CreatedAt.UTC().Format("20060102T150405.000000000Z") + "/" + shape, nil
}
