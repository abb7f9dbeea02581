package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"dangan/archive"
	"dangan/index"
	"dangan/index/indextest"
	"dangan/internal/testenv"
)

func connect(t testing.TB, server *testenv.MeilisearchServer, name string) *index.Index {
	t.Helper()
	x, err := index.New(t.Context(), index.Config{URL: server.URL, Key: server.MasterKey, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// names gives every test an index of its own on one server.
func names() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("records-%d", n.Add(1)) }
}

func TestContract(t *testing.T) {
	server, name := testenv.Meilisearch(t), names()
	indextest.Run(t, func(t *testing.T) indextest.Index { return connect(t, server, name()) })
}

func TestRelevance(t *testing.T) {
	indextest.Relevance(t, connect(t, testenv.Meilisearch(t), "records"))
}

func everything() archive.Scope { return archive.Scope{Clauses: []archive.Clause{{}}} }

func document(id string, version int) archive.Document {
	return archive.Document{Version: version, Record: archive.Record{
		ID: id, Title: "退休审批表", Office: "qc", Persons: []archive.Person{{Name: "刘静佩"}},
	}}
}

func TestNewRefusesBadSettings(t *testing.T) {
	for _, c := range []index.Config{{URL: "localhost:7700"}, {}, {URL: "http://localhost:7700", Name: "a/b"}} {
		if _, err := index.New(t.Context(), c); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Whatever state the server is in, nobody waits for it longer than the deadline,
// and when it is back all goes on without a restart.
func TestServerDownPausedAndBack(t *testing.T) {
	server := testenv.Meilisearch(t)
	x := connect(t, server, "records")
	query := archive.Query{Text: "刘静佩", Limit: 10}
	find := func() error { _, err := x.Search(t.Context(), query, everything()); return err }
	if err := find(); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("before the first put: %v", err)
	}
	if err := x.Put(t.Context(), document("a", 1)); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	if err := find(); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("search, server paused: %v", err)
	}
	if err := x.Ready(t.Context()); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("ready, server paused: %v", err)
	}
	server.Resume()
	if err := find(); err != nil {
		t.Errorf("search, server resumed: %v", err)
	}
	server.Kill()
	_, filled := x.Filled(t.Context())
	for op, err := range map[string]error{
		"search": find(), "put": x.Put(t.Context(), document("b", 1)), "delete": x.Delete(t.Context(), "a"),
		"ready": x.Ready(t.Context()), "filled": filled, "mark": x.MarkFilled(t.Context()),
	} {
		if !errors.Is(err, archive.ErrUnavailable) {
			t.Errorf("%s, server killed: %v", op, err)
		}
	}
	server.Start()
	if err := x.Put(t.Context(), document("b", 1)); err != nil {
		t.Fatal(err)
	}
	if hits, err := x.Search(t.Context(), query, everything()); err != nil || hits.Total != 2 {
		t.Errorf("server back: %d hits, %v", hits.Total, err)
	}
}

// A wiped index is noticed, and made again with its settings and not with those
// the server would give it, even when somebody else made it so meanwhile.
func TestWipedIndexIsMadeAgain(t *testing.T) {
	server := testenv.Meilisearch(t)
	for name, wiped := range map[string]func(){
		"gone": func() {},
		"made again without settings": func() {
			act(t, server, http.MethodPost, "/indexes/records/documents", []map[string]string{{"id": "stray", "title": "刘静佩"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := connect(t, server, "records")
			if err := x.Put(t.Context(), document("a", 1)); err != nil {
				t.Fatal(err)
			}
			if err := x.MarkFilled(t.Context()); err != nil {
				t.Fatal(err)
			}
			act(t, server, http.MethodDelete, "/indexes/records", nil)
			wiped()
			expectUnfilled(t, x)
			_, err := x.Search(t.Context(), archive.Query{Text: "刘静佩", Limit: 10}, everything())
			if !errors.Is(err, archive.ErrUnavailable) {
				t.Errorf("search of a wiped index: %v", err)
			}
			if err := x.Put(t.Context(), document("a", 1)); err != nil {
				t.Fatal(err)
			}
			hits, err := x.Search(t.Context(), archive.Query{Text: "liujingpei", Limit: 10}, everything())
			if err != nil || hits.Total != 1 {
				t.Errorf("%d hits, %v", hits.Total, err)
			}
			expectUnfilled(t, x)
		})
	}
}

func expectUnfilled(t *testing.T, x *index.Index) {
	t.Helper()
	if filled, err := x.Filled(t.Context()); err != nil || filled {
		t.Errorf("wiped, and filled: %v, %v", filled, err)
	}
}

// Two processes: the one that comes late with an old version does not win.
func TestOlderVersionOfAnotherProcessIsIgnored(t *testing.T) {
	server := testenv.Meilisearch(t)
	first, second := connect(t, server, "records"), connect(t, server, "records")
	if err := first.Put(t.Context(), document("a", 2)); err != nil {
		t.Fatal(err)
	}
	if err := second.Put(t.Context(), document("a", 1)); err != nil {
		t.Fatal(err)
	}
	hits, err := first.Search(t.Context(), archive.Query{Text: "刘静佩", Limit: 10}, everything())
	if err != nil || len(hits.Hits) != 1 || hits.Hits[0].Version != 2 {
		t.Errorf("%+v, %v", hits.Hits, err)
	}
}

func TestBadDocumentIDIsRefusedBeforeItTakesOthersWithIt(t *testing.T) {
	x := connect(t, testenv.Meilisearch(t), "records")
	for _, id := range []string{"", "a b", "a/b", "刘"} {
		if err := x.Put(t.Context(), document("a", 1), document(id, 1)); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("put: %v", err)
		}
		if err := x.Delete(t.Context(), id); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("delete: %v", err)
		}
	}
}

// What is asked must not come back in errors or logs, of the server neither.
func TestErrorsAndLogsQuoteNothing(t *testing.T) {
	server := testenv.Meilisearch(t)
	var log bytes.Buffer
	x, err := index.New(t.Context(), index.Config{
		URL: server.URL, Key: "not the key", Name: "records", Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	query := archive.Query{Text: "刘静佩", Limit: 1, Filter: archive.Filter{Fonds: "金丝雀"}}
	_, searched := x.Search(t.Context(), query, everything())
	put := x.Put(t.Context(), document("a", 1))
	good := connect(t, server, "records")
	if err := good.Put(t.Context(), document("a", 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := good.Search(t.Context(), query, everything()); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(searched), fmt.Sprint(put), log.String(), server.Log()} {
		for _, canary := range []string{"刘静佩", "金丝雀", "退休", "not the key", server.MasterKey} {
			if strings.Contains(text, canary) {
				t.Errorf("%q is in %q", canary, text)
			}
		}
	}
	if searched == nil || errors.Is(searched, archive.ErrUnavailable) || put == nil {
		t.Errorf("a wrong key is not an index that is down: %v, %v", searched, put)
	}
}
