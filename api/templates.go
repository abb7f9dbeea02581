package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dangan/api/internal/wire"
	"dangan/archive"
)

// templateView is a template with its entry number: 0 for a built-in one that was
// never used.
type templateView struct {
	archive.Template
	Version int                    `json:"version"`
	Names   []archive.TemplateName `json:"names,omitempty" doc:"The names that its texts may use."`
}

type templateOutput struct {
	ETag string `header:"ETag" doc:"The entry number."`
	Body templateView
}

type templateList struct {
	Body struct {
		Templates []templateView `json:"templates"`
	}
}

type templateInput struct {
	Key     string `path:"key" example:"marriage"`
	Office  string `query:"office" doc:"An office's own; absent for that of all offices."`
	Version int    `query:"version" minimum:"0" doc:"An older entry; absent or 0 for the newest."`
}

// TemplateText is what may be changed in a template.
type TemplateText struct {
	Title  archive.Label   `json:"title"`
	Mark   archive.Label   `json:"mark,omitzero"`
	Source archive.Label   `json:"source"`
	Blocks []archive.Block `json:"blocks"`
}

func (t TemplateText) of(key, office string) archive.Template {
	return archive.Template{Key: key, Office: office, Title: t.Title, Mark: t.Mark, Source: t.Source, Blocks: t.Blocks}
}

type writeTemplateInput struct {
	Key     string `path:"key"`
	IfMatch string `header:"If-Match" doc:"The entry number it was read at; absent when it had none."`
	Body    struct {
		TemplateText
		Office string `json:"office,omitempty" doc:"To make or change an office's own."`
	}
}

type previewInput struct {
	Key     string `path:"key"`
	Purpose string `header:"Dangan-Purpose" doc:"Why; required for a record where policy says so."`
	Body    struct {
		TemplateText
		Language string `json:"language,omitempty" enum:"zh-CN,en,bilingual"`
		Record   string `json:"record,omitempty" doc:"Id of a record to word; absent for a made-up one."`
	}
}

type pdfOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Server) addTemplates() {
	tags := []string{"templates"}
	const path = "/api/v1/templates"
	operate(s, archive.ActTemplates, huma.Operation{
		OperationID: "list-templates", Method: http.MethodGet, Path: path, Tags: tags, Summary: "The words of certificates",
	}, s.templates)
	operate(s, archive.ActTemplates, huma.Operation{
		OperationID: "get-template", Method: http.MethodGet, Path: path + "/{key}", Tags: tags, Summary: "A template, and the names it may use",
	}, s.template)
	operate(s, archive.ActWriteTemplate, huma.Operation{
		OperationID: "write-template", Method: http.MethodPost, Path: path + "/{key}", Tags: tags, Summary: "Put a new version in its place",
		DefaultStatus: http.StatusCreated,
	}, s.writeTemplate)
	operate(s, archive.ActTemplates, huma.Operation{
		OperationID: "preview-template", Method: http.MethodPost, Path: path + "/{key}/preview", Tags: tags,
		Summary: "What a template would say, as a draft without seal and number", Responses: binaryResponse("application/pdf"),
	}, s.previewTemplate)
}

func (s *Server) templates(ctx context.Context, a archive.Actor, _ *struct{}) (*templateList, error) {
	list, err := s.c.Templates.Templates(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &templateList{}
	out.Body.Templates = make([]templateView, len(list))
	for i, v := range list {
		out.Body.Templates[i] = templateView{Template: v.Value, Version: v.N}
	}
	return out, nil
}

func (s *Server) template(ctx context.Context, a archive.Actor, in *templateInput) (*templateOutput, error) {
	v, err := s.c.Templates.Template(ctx, a, in.Key, in.Office, in.Version)
	if err != nil {
		return nil, hidden(err)
	}
	return s.showTemplate(v), nil
}

func (s *Server) showTemplate(v archive.Version[archive.Template]) *templateOutput {
	return &templateOutput{ETag: etag(v.N), Body: templateView{v.Value, v.N, v.Value.Names(s.c.Schema, s.c.Now())}}
}

func (s *Server) writeTemplate(ctx context.Context, a archive.Actor, in *writeTemplateInput) (*templateOutput, error) {
	n := 0
	if in.IfMatch != "" {
		var err error
		if n, err = ifMatch(in.IfMatch); err != nil {
			return nil, err
		}
	}
	v, err := s.c.Templates.Write(ctx, a, n, in.Body.of(in.Key, in.Body.Office))
	if err != nil {
		return nil, outdated(err)
	}
	return s.showTemplate(v), nil
}

func (s *Server) previewTemplate(ctx context.Context, a archive.Actor, in *previewInput) (*pdfOutput, error) {
	purpose, err := wire.ParsePurpose(in.Purpose)
	if err != nil {
		return nil, err
	}
	if in.Body.Record != "" && !archive.ValidID(in.Body.Record) {
		return nil, archive.Problems{{Code: "bad_id", Field: "record"}}
	}
	pdf, err := s.c.Templates.Preview(ctx, a, purpose, in.Body.of(in.Key, ""), in.Body.Record, in.Body.Language)
	if err != nil {
		return nil, hidden(err)
	}
	return &pdfOutput{ContentType: "application/pdf", Body: pdf}, nil
}
