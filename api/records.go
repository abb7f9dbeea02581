package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/api/internal/wire"
	"dangan/archive"
)

// recordInput names a record and says why it is looked at.
type recordInput struct {
	ID      string `path:"id" doc:"Id of the record."`
	Purpose string `header:"Dangan-Purpose" example:"request; case=\"2026-17\"" doc:"Why: a purpose code, with the case it serves. Required where policy says so."`
}

func (in recordInput) parse() (archive.Purpose, error) {
	if err := validID(in.ID); err != nil {
		return archive.Purpose{}, err
	}
	return wire.ParsePurpose(in.Purpose)
}

type recordOutput struct {
	ETag string `header:"ETag" doc:"The entry number."`
	Body archive.RecordView
}

func showRecord(v archive.RecordView) *recordOutput {
	return &recordOutput{ETag: etag(v.Version), Body: v}
}

// entryView is one entry of the history of a record.
type entryView struct {
	archive.Record
	Version int       `json:"version"`
	Written time.Time `json:"at"`
}

type versionsOutput struct {
	Body struct {
		Versions []entryView `json:"versions" doc:"Oldest first."`
	}
}

type patchInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The entry number it was read at. Required."`
	RawBody []byte `contentType:"application/merge-patch+json"`
}

// searchRequest is a page of a search.
type searchRequest struct {
	Query    string           `json:"q,omitempty" doc:"Names, pinyin, reference codes, full id numbers, words of a title."`
	Family   archive.Family   `json:"family,omitempty"`
	Category string           `json:"category,omitempty"`
	Office   string           `json:"office,omitempty"`
	Fonds    string           `json:"fonds,omitempty"`
	YearFrom int              `json:"year_from,omitempty"`
	YearTo   int              `json:"year_to,omitempty"`
	Openness archive.Openness `json:"openness,omitempty"`
	Sort     archive.Sort     `json:"sort,omitempty" enum:"date,-date,reference_code" doc:"By relevance when left out."`
	Limit    int              `json:"limit,omitempty" minimum:"1" maximum:"100" doc:"20 when left out."`
	Page     string           `json:"page,omitempty" doc:"The next of the page before."`
}

func (r searchRequest) query() (archive.Query, error) {
	offset, err := parsePageToken(r.Page)
	if err != nil {
		return archive.Query{}, err
	}
	if r.Limit == 0 {
		r.Limit = 20
	}
	return archive.Query{Text: r.Query, Sort: r.Sort, Offset: offset, Limit: r.Limit, Filter: archive.Filter{
		Family: r.Family, Category: r.Category, Office: r.Office, Fonds: r.Fonds, Openness: r.Openness,
		YearFrom: r.YearFrom, YearTo: r.YearTo,
	}}, nil
}

// searchAnswer is a page of hits.
type searchAnswer struct {
	archive.Hits
	Next string `json:"next,omitempty" doc:"Page token of the next page; absent on the last."`
}

func (s *Server) addRecords() {
	s.described(route{act: archive.ActDeposit, body: bodyAny}, depositOperation(s.huma.OpenAPI().Components.Schemas), s.deposit)
	operate(s, archive.ActSearch, huma.Operation{
		OperationID: "search-records", Method: http.MethodPost, Path: "/api/v1/records/search", Tags: []string{"records"},
		Summary: "Search records within one's rights",
	}, s.search)
	operate(s, archive.ActRead, huma.Operation{
		OperationID: "get-record", Method: http.MethodGet, Path: "/api/v1/records/{id}", Tags: []string{"records"},
		Summary: "Read a record and the state of its files",
	}, s.record)
	operate(s, archive.ActDescribe, huma.Operation{
		OperationID: "describe-record", Method: http.MethodPatch, Path: "/api/v1/records/{id}", Tags: []string{"records"},
		Summary: "Change a description by a merge patch (RFC 7396)",
	}, s.describe)
	// huma describes a raw body as bytes; this one is a part of a record.
	s.huma.OpenAPI().Paths["/api/v1/records/{id}"].Patch.RequestBody.Content["application/merge-patch+json"].Schema =
		s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[archive.Record](), true, "")
	operate(s, archive.ActRead, huma.Operation{
		OperationID: "list-record-versions", Method: http.MethodGet, Path: "/api/v1/records/{id}/versions", Tags: []string{"records"},
		Summary: "Every entry of a record's history",
	}, s.versions)
	s.addFiles()
}

func (s *Server) record(ctx context.Context, a archive.Actor, in *recordInput) (*recordOutput, error) {
	p, err := in.parse()
	if err != nil {
		return nil, err
	}
	v, err := s.c.Holdings.Open(ctx, a, p, in.ID)
	if err != nil {
		return nil, hidden(err)
	}
	return showRecord(v), nil
}

func (s *Server) versions(ctx context.Context, a archive.Actor, in *recordInput) (*versionsOutput, error) {
	p, err := in.parse()
	if err != nil {
		return nil, err
	}
	list, err := s.c.Holdings.Versions(ctx, a, p, in.ID)
	if err != nil {
		return nil, hidden(err)
	}
	out := &versionsOutput{}
	out.Body.Versions = make([]entryView, len(list))
	for i, v := range list {
		out.Body.Versions[i] = entryView{Record: v.Value, Version: v.N, Written: v.At}
	}
	return out, nil
}

func (s *Server) describe(ctx context.Context, a archive.Actor, in *patchInput) (*recordOutput, error) {
	if err := validID(in.ID); err != nil {
		return nil, err
	}
	n, err := ifMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	if !json.Valid(in.RawBody) {
		return nil, fmt.Errorf("patch: %w", wire.ErrMalformed)
	}
	v, err := s.c.Holdings.Describe(ctx, a, in.ID, n, in.RawBody)
	if err != nil {
		return nil, hidden(outdated(err))
	}
	return showRecord(v), nil
}

func (s *Server) search(ctx context.Context, a archive.Actor, in *struct{ Body searchRequest }) (*struct{ Body searchAnswer }, error) {
	q, err := in.Body.query()
	if err != nil {
		return nil, err
	}
	hits, err := s.c.Search.Search(ctx, a, q)
	if err != nil {
		return nil, err
	}
	answer := searchAnswer{Hits: hits}
	if answer.Hits.Hits == nil {
		answer.Hits.Hits = []archive.Hit{}
	}
	if next := q.Offset + len(hits.Hits); len(hits.Hits) == q.Limit && (next < hits.Total || hits.AtLeast) {
		answer.Next = pageToken(next)
	}
	return &struct{ Body searchAnswer }{answer}, nil
}

func (s *Server) addFiles() {
	params := []*huma.Param{
		{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}},
		{Name: "n", In: "path", Required: true, Description: "File, from 1.", Schema: &huma.Schema{Type: "integer"}},
		{Name: "Dangan-Purpose", In: "header", Description: "Why; required where policy says so.", Schema: &huma.Schema{Type: "string"}},
	}
	s.described(route{act: archive.ActFile, body: bodyJSON}, huma.Operation{
		OperationID: "get-record-file", Method: http.MethodGet, Path: "/api/v1/records/{id}/files/{n}", Tags: []string{"records"},
		Summary: "A file as it was deposited; Range is honoured", Parameters: params,
		Responses: binaryResponse("application/octet-stream"),
	}, s.file)
	s.described(route{act: archive.ActFile, body: bodyJSON}, huma.Operation{
		OperationID: "get-record-page", Method: http.MethodGet, Path: "/api/v1/records/{id}/files/{n}/pages/{p}", Tags: []string{"records"},
		Summary: "A page of a file as an image",
		Parameters: append(params[:3:3],
			&huma.Param{Name: "p", In: "path", Required: true, Description: "Page, from 1.", Schema: &huma.Schema{Type: "integer"}},
			&huma.Param{Name: "width", In: "query", Description: "In pixels, 100 to 2400; 1200 when left out.", Schema: &huma.Schema{Type: "integer"}}),
		Responses: binaryResponse("image/png"),
	}, s.page)
	s.addText()
}

func (s *Server) file(c *gin.Context) error {
	in := recordInput{ID: c.Param("id"), Purpose: c.GetHeader("Dangan-Purpose")}
	p, err := in.parse()
	if err != nil {
		return err
	}
	n, err := ordinal(c.Param("n"))
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	f, content, err := s.c.Files.File(ctx, auth.From(ctx), p, in.ID, n)
	if err != nil {
		return hidden(err)
	}
	return wire.Deliver(c.Writer, c.Request, wire.Served{Name: f.Name, MediaType: f.MediaType, SHA256: f.SHA256}, content)
}

func (s *Server) page(c *gin.Context) error {
	in := recordInput{ID: c.Param("id"), Purpose: c.GetHeader("Dangan-Purpose")}
	p, err := in.parse()
	if err != nil {
		return err
	}
	n, err := ordinal(c.Param("n"))
	if err != nil {
		return err
	}
	page, err := ordinal(c.Param("p"))
	if err != nil {
		return err
	}
	width, err := pageWidth(c.Query("width"))
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	image, err := s.c.Files.Page(ctx, auth.From(ctx), p, in.ID, n, page, width)
	if err != nil {
		return hidden(err)
	}
	c.Data(http.StatusOK, "image/png", image)
	return nil
}

// ordinal reads a number that counts from 1; anything else names nothing.
func ordinal(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || strconv.Itoa(n) != text {
		return 0, archive.ErrNotFound
	}
	return n, nil
}

func pageWidth(text string) (int, error) {
	if text == "" {
		return 1200, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 || n > 2400 {
		return 0, archive.Problems{{Code: "bad_value", Field: "width"}}
	}
	return n, nil
}
