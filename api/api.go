// Package api serves dangan over HTTP: the JSON API with its OpenAPI
// description, the pages, health and metrics.
//
// It owns the routes, the one table from errors to answers, and what every
// request goes through: who asks, whether that role may ask at all, limits,
// headers, the access log. It must not know how the rooms do their work nor
// where anything is stored; *gin.Context stays inside this directory, and below
// it there is only a context.Context with archive types.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"dangan/api/web"
	"dangan/archive"
	"dangan/archive/policy"
)

// Config is what the API is made of. Every field is required unless it says
// otherwise.
type Config struct {
	Holdings     Holdings
	Files        Files
	Search       Searcher
	Desk         Desk
	Certificates Certificates
	Choices      Choices
	Drafts       Drafts
	Templates    Templates
	Verifier     Verifier
	Lookup       Lookup
	Evidence     Evidence
	Sessions     Sessions
	Self         Self
	People       People

	Schema archive.Schema
	// ReceiptKeys are what the receipts of Lookup are checked with.
	ReceiptKeys []archive.JWK
	// Offices lists the archive offices.
	Offices func(ctx context.Context) ([]archive.Office, error)
	// Ready is what must work for the service to be of use, by name.
	Ready map[string]Check
	// Version is the version of the program, shown in the OpenAPI description.
	Version string

	Metrics *prometheus.Registry // optional: shared with other parts
	Log     *slog.Logger
	Now     func() time.Time
}

// Server is the whole HTTP surface as one handler.
type Server struct {
	c      Config
	engine *gin.Engine
	huma   huma.API
	pages  *web.Pages
	routes map[string]route // "METHOD /path/:id", as gin has it
	timing *prometheus.HistogramVec
}

// New builds the surface. It fails when a route names no action, or one that
// policy does not know.
func New(c Config) (*Server, error) {
	gin.SetMode(gin.ReleaseMode) // gin has no other way to keep it from printing
	c.Offices = remembered(c.Offices, c.Now)
	s := &Server{c: c, engine: gin.New(), routes: map[string]route{}}
	s.engine.HandleMethodNotAllowed = true
	s.engine.RedirectTrailingSlash = false
	if err := s.engine.SetTrustedProxies(nil); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	pages, err := web.New(web.Config{
		Holdings: c.Holdings, Files: c.Files, Search: c.Search, Desk: c.Desk, Certificates: c.Certificates, Choices: c.Choices, Drafts: c.Drafts,
		Verifier: c.Verifier, Lookup: c.Lookup, Evidence: c.Evidence, Sessions: c.Sessions,
		Templates: c.Templates, Schema: c.Schema, Offices: c.Offices, Now: c.Now,
		Self: c.Self, People: c.People,
	})
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	s.pages = pages
	registry := s.measure()
	s.engine.Use(s.trace, s.recover, secure, s.guard)
	s.engine.NoRoute(s.plain(func(*gin.Context) error { return archive.ErrNotFound }))
	s.engine.NoMethod(s.plain(func(*gin.Context) error { return errMethod }))
	s.huma = newHuma(s.engine, c.Version)
	s.addRecords()
	s.addRequests()
	s.addCopies()
	s.addCertificates()
	s.addTemplates()
	s.addVerify()
	s.addAnswers()
	s.addLookups()
	s.addAccounts()
	s.addMe()
	s.addReference()
	s.addService(registry)
	s.addPages()
	if err := s.addDescription(); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return s, s.check()
}

// ServeHTTP makes Server a handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.engine.ServeHTTP(w, r) }

// HTTPServer is a server for h with every timeout set. Streams move the
// deadlines on as they go (package wire).
func HTTPServer(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return context.Background() },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// check is default deny at construction: every route that gin serves was
// registered with an action that policy knows.
func (s *Server) check() error {
	var errs []error
	for _, r := range s.engine.Routes() {
		key := r.Method + " " + r.Path
		registered, ok := s.routes[key]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("api: route %s names no action", key))
		case !policy.Known(registered.act):
			errs = append(errs, fmt.Errorf("api: route %s: policy does not know %q", key, registered.act))
		}
	}
	return errors.Join(errs...)
}
