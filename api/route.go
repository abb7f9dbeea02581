package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/archive"
	"dangan/archive/policy"
)

// Limits of request bodies, in bytes.
const (
	bodyJSON = 1 << 20
	bodyPDF  = 20 << 20
	bodyAny  = -1 // streamed
)

// route is what the guard needs to know of a route.
type route struct {
	act  archive.Action
	body int64
	page bool // answers to people, in HTML
	bare bool // the same for everybody: credentials are not looked at
}

// handler is how a plain handler looks; plain turns its error into the answer.
type handler func(*gin.Context) error

func (s *Server) plain(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.fail(c, err)
		}
	}
}

// fail answers with an error, as a page or as a problem. When the answer has
// begun already, only the log hears of it.
func (s *Server) fail(c *gin.Context, err error) {
	p := explain(c.Request.Context(), err)
	c.Abort()
	if c.Writer.Written() {
		return
	}
	for name, values := range p.GetHeaders() {
		c.Writer.Header()[name] = values
	}
	if s.wantsPage(c) {
		s.pages.Fail(c, p.Status, p.Code, p.Request)
		return
	}
	c.Header("Content-Type", p.ContentType(""))
	c.JSON(p.Status, p)
}

// wantsPage reports whether people look at this address.
func (s *Server) wantsPage(c *gin.Context) bool {
	if c.FullPath() != "" {
		return s.routes[c.Request.Method+" "+c.FullPath()].page
	}
	return !strings.HasPrefix(c.Request.URL.Path, "/api/") && strings.Contains(c.GetHeader("Accept"), "text/html")
}

// add registers a plain handler.
func (s *Server) add(method, path string, r route, h handler) {
	s.routes[method+" "+path] = r
	s.engine.Handle(method, path, s.plain(h))
}

// described registers a plain handler and its description, for routes whose
// bodies are streams.
func (s *Server) described(r route, op huma.Operation, h handler) {
	s.annotate(r.act, &op)
	s.huma.OpenAPI().AddOperation(&op)
	s.add(op.Method, ginPath(op.Path), r, h)
}

// operate registers a JSON operation. Its input is checked and described by its
// type; its error becomes a problem.
func operate[I, O any](s *Server, act archive.Action, op huma.Operation, h func(context.Context, archive.Actor, *I) (*O, error)) {
	s.annotate(act, &op)
	op.MaxBodyBytes = bodyJSON
	s.routes[op.Method+" "+ginPath(op.Path)] = route{act: act, body: bodyJSON}
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, auth.From(ctx), in)
		if err != nil {
			return nil, explain(ctx, err)
		}
		return out, nil
	})
}

// annotate writes into an operation what holds for all of them.
func (s *Server) annotate(act archive.Action, op *huma.Operation) {
	op.Extensions = map[string]any{"x-action": act}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{Description: "Problem", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
	}}
	if !policy.Permits(archive.RoleAnonymous, act) {
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
}

func ginPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// guard lets a request through to its route: the route is known, it was not
// sent by another site's page, its sender is known and may do such things.
func (s *Server) guard(c *gin.Context) {
	if c.FullPath() == "" {
		return // answered by NoRoute or NoMethod
	}
	r, ok := s.routes[c.Request.Method+" "+c.FullPath()]
	if !ok {
		s.fail(c, archive.ErrForbidden)
		return
	}
	if r.body >= 0 {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, r.body)
	}
	if r.bare {
		return
	}
	actor, err := s.admit(c.Request, r)
	trailOf(c.Request.Context()).actor = actor
	c.Request = c.Request.WithContext(auth.With(c.Request.Context(), actor))
	if err != nil {
		s.fail(c, err)
	}
}

func (s *Server) admit(r *http.Request, to route) (archive.Actor, error) {
	// A bearer token is not sent by browsers of their own accord; a cookie is.
	if r.Header.Get("Authorization") == "" {
		if err := http.NewCrossOriginProtection().Check(r); err != nil {
			return auth.Anonymous(), errCrossOrigin
		}
	}
	actor, err := s.c.Sessions.Actor(r)
	switch {
	case err != nil:
		return actor, err
	case policy.Permits(actor.Role, to.act):
		return actor, nil
	case actor.Role == archive.RoleAnonymous:
		return actor, archive.ErrUnauthenticated
	}
	return actor, archive.ErrForbidden
}
