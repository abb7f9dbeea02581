package api

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"dangan/archive"
)

// contractVersion is the version of the HTTP contract; a test keeps the
// description from changing without it.
const contractVersion = "1.4.0"

//go:embed docs.html
var docsFile embed.FS

// text is how dates, reference codes travel: as they were written.
type text string

func newHuma(engine *gin.Engine, version string) huma.API {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[archive.Date](), reflect.TypeFor[text]())
	registry.RegisterTypeAlias(reflect.TypeFor[archive.RefCode](), reflect.TypeFor[text]())
	registry.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "dangan", Version: contractVersion,
				Description: "Personnel and livelihood archives (人事档案, 民生档案). Errors are RFC 9457 problems. Updates take If-Match with the entry number that ETag gave. Names and id numbers travel in bodies only."},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				"token":   {Type: "http", Scheme: "bearer"},
				"session": {Type: "apiKey", In: "cookie", Name: "dangan"},
			}},
			Extensions: map[string]any{"x-program": version},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{fromHuma},
	}
	// What is required the words themselves say, in their own codes and all at once.
	config.FieldsOptionalByDefault = true
	api := humagin.New(engine, config)
	registry.Schema(reflect.TypeFor[Problem](), true, "")
	return api
}

// schemaName tells a problem with a field from the problem that lists it.
func schemaName(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[archive.Problem]() {
		return "FieldProblem"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// addDescription serves /openapi.json and /docs, made once. The page is our
// own: those that come with huma load scripts from elsewhere.
func (s *Server) addDescription() error {
	description, err := json.MarshalIndent(s.huma.OpenAPI(), "", "  ")
	if err != nil {
		return err
	}
	page, err := s.docs()
	if err != nil {
		return err
	}
	bare := route{act: archive.ActPublic, bare: true}
	s.add(http.MethodGet, "/openapi.json", bare, func(c *gin.Context) error {
		c.Data(http.StatusOK, "application/openapi+json", description)
		return nil
	})
	s.add(http.MethodGet, "/docs", bare, func(c *gin.Context) error {
		c.Data(http.StatusOK, "text/html; charset=utf-8", page)
		return nil
	})
	return nil
}

// documented is one operation as the page shows it.
type documented struct {
	*huma.Operation
	Action any
	Body   string // media types and schema of the request
	Answer string
}

func (s *Server) docs() ([]byte, error) {
	var list []documented
	for _, item := range s.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Put, item.Delete} {
			if op == nil {
				continue
			}
			d := documented{Operation: op, Action: op.Extensions["x-action"]}
			if op.RequestBody != nil {
				d.Body = contents(op.RequestBody.Content)
			}
			for _, status := range []string{"200", "201"} {
				if r := op.Responses[status]; r != nil {
					d.Answer = status + " " + contents(r.Content)
				}
			}
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b documented) int {
		return strings.Compare(a.Path+a.Method, b.Path+b.Method)
	})
	t, err := template.ParseFS(docsFile, "docs.html")
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = t.Execute(&page, map[string]any{"Operations": list, "Faults": problemList(), "Version": contractVersion})
	return page.Bytes(), err
}

func contents(content map[string]*huma.MediaType) string {
	var parts []string
	for mediaType, m := range content {
		if m.Schema != nil && m.Schema.Ref != "" {
			mediaType += " (" + strings.TrimPrefix(m.Schema.Ref, "#/components/schemas/") + ")"
		}
		parts = append(parts, mediaType)
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// problemList is the table of faults for readers.
func problemList() []Problem {
	list := []Problem{
		{Status: 413, Code: "too_large", Title: "The body is too large."},
		{Status: 503, Code: "timeout", Title: "It took too long. Try again."},
		{Status: 500, Code: "internal", Title: "Something went wrong here."},
	}
	for _, f := range faults() {
		list = append(list, Problem{Status: f.status, Code: f.code, Title: f.title})
	}
	slices.SortFunc(list, func(a, b Problem) int { return a.Status - b.Status })
	return list
}
