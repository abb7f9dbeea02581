package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/api/internal/wire"
	"dangan/archive"
)

// copyView is what a copy may be made of and what was chosen.
type copyView struct {
	Record    string               `json:"record" doc:"Id of the matched record."`
	Version   int                  `json:"version" doc:"The entry number of the request, for If-Match."`
	Originals []archive.FileChoice `json:"originals" doc:"The files of the record."`
	Pages     []archive.CopyPage   `json:"pages" doc:"The pages chosen so far, in the order of the copy."`
	Reasons   []archive.Choice     `json:"reasons" doc:"Why a part of a page may be blacked out."`
}

type copyOutput struct {
	ETag string `header:"ETag" doc:"The entry number of the request."`
	Body copyView
}

func (s *Server) addCopies() {
	tags := []string{"requests"}
	const path = "/api/v1/requests/{id}/copy"
	operate(s, archive.ActReview, huma.Operation{
		OperationID: "get-copy", Method: http.MethodGet, Path: path, Tags: tags,
		Summary: "What a certified copy may be made of, and the pages chosen",
	}, s.copy)
	s.described(route{act: archive.ActReview, body: bodyJSON}, huma.Operation{
		OperationID: "get-copy-draft", Method: http.MethodGet, Path: path + "/draft", Tags: tags,
		Summary:    "The copy as it would be issued, without seal and number",
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}},
		Responses:  binaryResponse("application/pdf"),
	}, s.copyDraft)
}

func (s *Server) copy(ctx context.Context, a archive.Actor, in *struct {
	ID string `path:"id"`
}) (*copyOutput, error) {
	if err := validID(in.ID); err != nil {
		return nil, err
	}
	v, record, err := s.c.Choices.Choice(ctx, a, in.ID)
	if err != nil {
		return nil, hidden(err)
	}
	out := &copyOutput{ETag: etag(v.N), Body: copyView{Record: record.ID, Version: v.N,
		Originals: record.Choices(), Pages: []archive.CopyPage{}, Reasons: archive.MaskReasons()}}
	if v.Value.Copy != nil {
		out.Body.Pages = v.Value.Copy.Pages
	}
	return out, nil
}

func (s *Server) copyDraft(c *gin.Context) error {
	ctx, id := c.Request.Context(), c.Param("id")
	if err := validID(id); err != nil {
		return err
	}
	return hidden(wire.Stream(c.Writer, wire.Served{Name: id + ".pdf", MediaType: "application/pdf"}, func(w io.Writer) error {
		return s.c.Drafts.Draft(ctx, auth.From(ctx), id, w)
	}))
}
