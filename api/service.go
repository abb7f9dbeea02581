package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"dangan/archive"
)

type categoryList struct {
	Body struct {
		Categories []archive.Category `json:"categories"`
		Purposes   []archive.Choice   `json:"purposes" doc:"Codes for Dangan-Purpose."`
	}
}

type officeList struct {
	Body struct {
		Offices []archive.Office `json:"offices"`
	}
}

// addReference registers what is the same for everybody and secret to nobody.
func (s *Server) addReference() {
	operate(s, archive.ActPublic, huma.Operation{
		OperationID: "list-categories", Method: http.MethodGet, Path: "/api/v1/categories", Tags: []string{"reference"},
		Summary: "Categories of records with their fields, and purposes",
	}, func(context.Context, archive.Actor, *struct{}) (*categoryList, error) {
		out := &categoryList{}
		out.Body.Categories, out.Body.Purposes = s.c.Schema.Categories, archive.Purposes()
		return out, nil
	})
	operate(s, archive.ActPublic, huma.Operation{
		OperationID: "list-offices", Method: http.MethodGet, Path: "/api/v1/offices", Tags: []string{"reference"},
		Summary: "Archive offices",
	}, func(ctx context.Context, _ archive.Actor, _ *struct{}) (*officeList, error) {
		list, err := s.c.Offices(ctx)
		if err != nil {
			return nil, err
		}
		out := &officeList{}
		out.Body.Offices = append([]archive.Office{}, list...)
		return out, nil
	})
}

// addService registers what operators look at.
func (s *Server) addService(registry *prometheus.Registry) {
	bare := route{act: archive.ActPublic, bare: true}
	s.add(http.MethodGet, "/healthz", bare, func(c *gin.Context) error {
		c.JSON(http.StatusOK, gin.H{"status": "ok"})
		return nil
	})
	s.add(http.MethodGet, "/readyz", bare, s.ready)
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	s.add(http.MethodGet, "/metrics", bare, func(c *gin.Context) error {
		metrics.ServeHTTP(c.Writer, c.Request)
		return nil
	})
}

// ready runs all checks at once; why one fails is for the log to say.
func (s *Server) ready(c *gin.Context) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), 3*time.Second)
	defer cancel()
	var (
		mu     sync.Mutex
		wait   sync.WaitGroup
		status = http.StatusOK
		states = make(map[string]string, len(s.c.Ready))
	)
	for name, check := range s.c.Ready {
		wait.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			states[name] = "ok"
			if err != nil {
				states[name], status = "unavailable", http.StatusServiceUnavailable
				trailOf(c.Request.Context()).cause = err
			}
		})
	}
	wait.Wait()
	c.JSON(status, gin.H{"checks": states})
	return nil
}
