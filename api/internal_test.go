package api

import (
	"testing"

	"github.com/gin-gonic/gin"

	"dangan/archive"
)

func TestRoutesWithoutAnActionFail(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	for name, add := range map[string]func(*Server){
		"no action": func(s *Server) { s.engine.GET("/rogue", func(*gin.Context) {}) },
		"unknown action": func(s *Server) {
			s.add("GET", "/rogue", route{act: "record.burn"}, func(*gin.Context) error { return nil })
		},
	} {
		s := &Server{engine: gin.New(), routes: map[string]route{}}
		s.add("GET", "/good", route{act: archive.ActPublic}, func(*gin.Context) error { return nil })
		if err := s.check(); err != nil {
			t.Fatal(err)
		}
		add(s)
		if err := s.check(); err == nil {
			t.Errorf("%s: the server is built", name)
		}
	}
}

func FuzzPageToken(f *testing.F) {
	f.Add(pageToken(20))
	f.Add("")
	f.Add("bzA")
	f.Fuzz(func(t *testing.T, token string) {
		n, err := parsePageToken(token)
		if err == nil && token != "" && pageToken(n) != token {
			t.Errorf("%q is read as %d, which is written %q", token, n, pageToken(n))
		}
	})
}

func FuzzIfMatch(f *testing.F) {
	for _, s := range []string{`"3"`, `3`, `"03"`, `*`, `W/"3"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		n, err := ifMatch(header)
		if err == nil && etag(n) != header && etag(n) != `"`+header+`"` {
			t.Errorf("%q is read as %d", header, n)
		}
	})
}
