package index_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"dangan/index"
	"dangan/internal/testenv"
)

// proxy stands before a real server and does to requests what a test wants.
type proxy struct {
	server *testenv.MeilisearchServer
	url    string

	mu      sync.Mutex
	refused func(*http.Request) bool           // answered with 503
	held    func(*http.Request)                // called before a request goes on
	changed func(path string, b []byte) []byte // the body
}

func newProxy(t *testing.T, server *testenv.MeilisearchServer) *proxy {
	t.Helper()
	to, err := url.Parse(server.URL)
	must(t, err)
	p := &proxy{server: server}
	forward := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		refused, held, changed := p.refused, p.held, p.changed
		p.mu.Unlock()
		if held != nil {
			held(r)
		}
		if refused != nil && refused(r) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if changed != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // the client has gone
			}
			body = changed(r.URL.Path, body)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	p.url = front.URL
	return p
}

func (p *proxy) refuse(f func(*http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = f
}

func (p *proxy) hold(f func(*http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = f
}

func (p *proxy) change(f func(path string, b []byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed = f
}

func (p *proxy) connect(t *testing.T) *index.Index {
	t.Helper()
	x, err := index.New(t.Context(), index.Config{URL: p.url, Key: p.server.MasterKey})
	must(t, err)
	return x
}
