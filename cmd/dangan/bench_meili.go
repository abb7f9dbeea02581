package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	indexplan "dangan/index/plan"
)

// meili speaks plain HTTP to Meilisearch: the raw side of what is measured, with
// kept connections and, for the reason that package index gives, without
// compression.
type meili struct {
	url  string
	key  string
	http *http.Client
}

func newMeili(at, key string) *meili {
	return &meili{
		url: strings.TrimRight(at, "/"), key: key,
		http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}},
	}
}

// call sends a request and reads its answer into out, or away when out is nil.
func (m *meili) call(ctx context.Context, method, path, mediaType string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, m.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Authorization", "Bearer "+m.key)
	res, err := m.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("meilisearch: %s %s: %s", method, path, res.Status)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// task sends a request that makes a task, and waits until it has succeeded.
func (m *meili) task(ctx context.Context, method, path, mediaType string, body []byte) error {
	var sent struct {
		TaskUID int64 `json:"taskUid"`
	}
	if err := m.call(ctx, method, path, mediaType, body, &sent); err != nil {
		return err
	}
	for {
		var t struct{ Status string }
		if err := m.call(ctx, http.MethodGet, fmt.Sprint("/tasks/", sent.TaskUID), "", nil, &t); err != nil {
			return err
		}
		switch t.Status {
		case "succeeded":
			return nil
		case "failed", "canceled":
			return fmt.Errorf("meilisearch: %s %s: task %s", method, path, t.Status)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// loadBatch is how many bytes of documents go into one task.
const loadBatch = 24 << 20

// load puts ready documents into an index that has its settings, as fast as
// Meilisearch takes them.
func (m *meili) load(ctx context.Context, name string, docs iter.Seq[indexplan.Document], show func(done int)) error {
	var batch bytes.Buffer
	lines := json.NewEncoder(&batch)
	send := func() error {
		defer batch.Reset()
		return m.task(ctx, http.MethodPost, "/indexes/"+name+"/documents", "application/x-ndjson", batch.Bytes())
	}
	done := 0
	for d := range docs {
		if err := lines.Encode(d); err != nil {
			return err
		}
		done++
		if batch.Len() < loadBatch {
			continue
		}
		if err := send(); err != nil {
			return err
		}
		show(done)
	}
	if batch.Len() == 0 {
		return nil
	}
	return send()
}

// count is the number of documents of an index, 0 when there is none.
func (m *meili) count(ctx context.Context, name string) (int, error) {
	var all struct {
		Indexes map[string]struct{ NumberOfDocuments int }
	}
	err := m.call(ctx, http.MethodGet, "/stats", "", nil, &all)
	return all.Indexes[name].NumberOfDocuments, err
}

// drop removes an index, and is content when there is none.
func (m *meili) drop(ctx context.Context, name string) error {
	var there struct{ Results []struct{ UID string } }
	if err := m.call(ctx, http.MethodGet, "/indexes?limit=1000", "", nil, &there); err != nil {
		return err
	}
	for _, x := range there.Results {
		if x.UID == name {
			return m.task(ctx, http.MethodDelete, "/indexes/"+name, "", nil)
		}
	}
	return nil
}

// question is a search as it went over the wire.
type question struct {
	path string
	body []byte
}

// ask sends questions again, one after the other as they were recorded, and reads
// the answers.
func (m *meili) ask(ctx context.Context, qs []question) error {
	for _, q := range qs {
		var answer struct {
			Results []struct {
				Hits []json.RawMessage `json:"hits"`
			} `json:"results"`
		}
		if err := m.call(ctx, http.MethodPost, q.path, "application/json", q.body, &answer); err != nil {
			return err
		}
	}
	return nil
}

// recorder passes requests on to Meilisearch and keeps the searches among them.
type recorder struct {
	to http.RoundTripper
	mu sync.Mutex
	qs []question
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(req.URL.Path, "search") {
		return r.to.RoundTrip(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.qs = append(r.qs, question{req.URL.Path, body})
	r.mu.Unlock()
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return r.to.RoundTrip(again)
}

// taken are the questions since it was called last.
func (r *recorder) taken() []question {
	r.mu.Lock()
	defer r.mu.Unlock()
	qs := r.qs
	r.qs = nil
	return qs
}
