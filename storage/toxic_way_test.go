package storage_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"dangan/storage"
)

// fault is one kind of trouble: of toxiproxy with the connection, or of an HTTP
// proxy with requests and answers.
type fault struct {
	toxic string // JSON
	spoil func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

// faults that come over every second connection or request.
var faults = map[string]fault{
	"latency":                    {toxic: `{"type": "latency", "attributes": {"latency": 20, "jitter": 20}}`},
	"small pieces":               {toxic: `{"type": "slicer", "attributes": {"average_size": 5000, "size_variation": 2000, "delay": 50}}`},
	"silence":                    {toxic: `{"type": "timeout", "toxicity": 0.5, "attributes": {"timeout": 100}}`},
	"reset before the request":   {toxic: `{"type": "reset_peer", "stream": "upstream", "toxicity": 0.5, "attributes": {"timeout": 0}}`},
	"reset before the answer":    {toxic: `{"type": "reset_peer", "toxicity": 0.5, "attributes": {"timeout": 0}}`},
	"cut in the request":         {toxic: `{"type": "limit_data", "stream": "upstream", "toxicity": 0.5, "attributes": {"bytes": 2000}}`},
	"cut in the answer":          {toxic: `{"type": "limit_data", "toxicity": 0.5, "attributes": {"bytes": 900}}`},
	"503":                        {spoil: refuse},
	"503 after the fact":         {spoil: refuseLate},
	"request truncated":          {spoil: spoilRequest(func(body []byte) []byte { return body[:len(body)/2] })},
	"request corrupted":          {spoil: spoilRequest(flip)},
	"answer truncated":           {spoil: truncateAnswer},
	"object shortened in answer": {spoil: spoilObject(func(body []byte) []byte { return body[:len(body)/2] })},
	"object corrupted in answer": {spoil: spoilObject(flip)},
}

// faultyWay leads to a store past an HTTP proxy and toxiproxy.
type faultyWay struct {
	cfg    storage.Config // of who takes it
	direct server

	fault  fault
	harmed atomic.Int64 // requests that were spoiled
	armed  atomic.Bool
	tcp    *toxiproxy.Proxy
}

func newFaultyWay(t *testing.T, s server) *faultyWay {
	t.Helper()
	_, name, _ := strings.Cut(t.Name(), "/")
	f := &faultyWay{direct: s, fault: faults[strings.ReplaceAll(name, "_", " ")]}
	store := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: s.cfg.Endpoint})
			p.Out.Host = p.In.Host // which is signed
		},
		Transport:    s.cfg.Transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.fault.spoil == nil || !f.armed.Load() || rand.IntN(2) == 0 {
			store.ServeHTTP(w, r)
			return
		}
		f.harmed.Add(1)
		// All of it first: of a request that is answered early, minio-go repeats
		// what net/http may still be sending, and the race detector sees it.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		f.fault.spoil(w, r, store)
	}))
	t.Cleanup(front.Close)
	toxic := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	f.tcp = toxiproxy.NewProxy(toxic, "store", "127.0.0.1:0", strings.TrimPrefix(front.URL, "http://"))
	if err := f.tcp.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.tcp.Stop)
	f.cfg = s.cfg
	f.cfg.Endpoint, f.cfg.Transport = f.tcp.Listen, nil
	return f
}

// begin lets the trouble begin, until end.
func (f *faultyWay) begin(t *testing.T) {
	t.Helper()
	f.armed.Store(true)
	if f.fault.toxic != "" {
		if _, err := f.tcp.Toxics.AddToxicJson(strings.NewReader(f.fault.toxic)); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *faultyWay) end() {
	f.armed.Store(false)
	f.tcp.Toxics.ResetToxics(context.Background())
}

func refuse(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
}

// refuseLate has the store do what it is asked, and says that it could not.
func refuseLate(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	refuse(w, r, next)
}

// spoilRequest changes what the store is sent, if there is anything.
func spoilRequest(change func([]byte) []byte) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, err := io.ReadAll(r.Body)
		if err == nil && len(body) > 0 {
			body = change(body)
			r.ContentLength = int64(len(body))
			r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	}
}

// truncateAnswer ends the connection in the middle of an answer.
func truncateAnswer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	body := answer.Body.Bytes()
	copyHeader(w, answer)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// spoilObject changes an object that is being read, and everything that depends
// on its length. Of a listing, only TLS would show that it was changed.
func spoilObject(change func([]byte) []byte) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		listing := strings.Contains(answer.Header().Get("Content-Type"), "xml")
		if r.Method == http.MethodGet && answer.Code < 300 && !listing && len(body) > 0 {
			body = change(body)
			answer.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		copyHeader(w, answer)
		_, _ = w.Write(body)
	}
}

func copyHeader(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
}

// flip changes one bit in the middle.
func flip(body []byte) []byte {
	body = bytes.Clone(body)
	body[len(body)/2] ^= 1
	return body
}
