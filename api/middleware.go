package api

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// trace gives the request an id, and writes its line into the log when it is
// done: the pattern of the route, never the address or the query.
func (s *Server) trace(c *gin.Context) {
	start := s.c.Now()
	t := &trail{id: rand.Text()}
	c.Request = c.Request.WithContext(withTrail(c.Request.Context(), t))
	c.Header("Request-Id", t.id)
	c.Next()

	took := s.c.Now().Sub(start)
	pattern, status := c.FullPath(), c.Writer.Status()
	if pattern == "" {
		pattern = "unknown"
	}
	s.timing.WithLabelValues(method(c.Request.Method), pattern, strconv.Itoa(status)).Observe(took.Seconds())
	attrs := []slog.Attr{
		slog.String("request", t.id), slog.String("method", method(c.Request.Method)), slog.String("route", pattern),
		slog.Int("status", status), slog.Int("bytes", max(c.Writer.Size(), 0)), slog.Duration("took", took),
	}
	if t.actor.ID != "" {
		attrs = append(attrs, slog.String("actor", t.actor.ID), slog.String("role", string(t.actor.Role)))
	}
	if t.cause != nil {
		attrs = append(attrs, slog.String("error", t.cause.Error()))
	}
	level := slog.LevelInfo
	switch {
	case status >= 500:
		level = slog.LevelError
	case s.routes[c.Request.Method+" "+pattern].bare:
		level = slog.LevelDebug
	}
	s.c.Log.LogAttrs(c.Request.Context(), level, "request", attrs...)
}

// method bounds what a client can make a label of.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "OTHER"
}

// recover answers for a handler that panicked. The value may hold anything, so
// only its type and the stack go into the log.
func (s *Server) recover(c *gin.Context) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler {
			panic(v)
		}
		s.c.Log.ErrorContext(c.Request.Context(), "panic", slog.String("request", trailOf(c.Request.Context()).id),
			slog.String("type", fmt.Sprintf("%T", v)), slog.String("stack", string(debug.Stack())))
		s.fail(c, fmt.Errorf("panic: %T", v))
	}()
	c.Next()
}

// policyHeader allows what comes from here and is a file, and nothing else: no
// inline script or style, no frames, no other site.
const policyHeader = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers that hold for everything. Whatever is not the same
// for everybody is kept by nobody on the way.
func secure(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", policyHeader)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	c.Next()
}

// measure prepares the metrics; routes are patterns, so that labels are few and
// name nobody.
func (s *Server) measure() *prometheus.Registry {
	registry := s.c.Metrics
	if registry == nil {
		registry = prometheus.NewRegistry()
		registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	s.timing = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "dangan_http_request_seconds", Help: "How long requests took.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 12),
	}, []string{"method", "route", "status"})
	registry.MustRegister(s.timing)
	return registry
}

// place is the path of a fault without the part of the request it is in:
// body.persons[0].name is persons[0].name.
func place(location string) string {
	if _, rest, ok := strings.Cut(location, "."); ok {
		return rest
	}
	return location
}
