package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dangan/archive"
)

// textInput names a page of a file of a record.
type textInput struct {
	ID      string `path:"id" doc:"Id of the record."`
	File    string `path:"n" doc:"File, from 1."`
	Page    string `path:"p" doc:"Page, from 1."`
	Purpose string `header:"Dangan-Purpose" doc:"Why; required where policy says so."`
}

// textLine is a line of a page. Places are left, top, right and bottom as fractions
// of the page as it is shown; one that is not known is left out.
type textLine struct {
	Text  string         `json:"text"`
	Place archive.Place  `json:"place,omitzero"`
	Words []archive.Word `json:"words" doc:"What stands together, in the order in which it is read."`
}

type textOutput struct {
	Body struct {
		Machine bool       `json:"machine" doc:"Read from a picture by a machine: for search, and no evidence of what the page says."`
		Lines   []textLine `json:"lines"`
	}
}

func (s *Server) addText() {
	operate(s, archive.ActFile, huma.Operation{
		OperationID: "get-record-page-text", Method: http.MethodGet, Path: "/api/v1/records/{id}/files/{n}/pages/{p}/text", Tags: []string{"records"},
		Summary: "The text of a page without id numbers, and where it stands",
	}, s.text)
}

func (s *Server) text(ctx context.Context, a archive.Actor, in *textInput) (*textOutput, error) {
	p, err := recordInput{ID: in.ID, Purpose: in.Purpose}.parse()
	if err != nil {
		return nil, err
	}
	n, err := ordinal(in.File)
	if err != nil {
		return nil, err
	}
	page, err := ordinal(in.Page)
	if err != nil {
		return nil, err
	}
	text, err := s.c.Files.PageText(ctx, a, p, in.ID, n, page)
	if err != nil {
		return nil, hidden(err)
	}
	out := &textOutput{}
	out.Body.Machine, out.Body.Lines = text.Machine, make([]textLine, len(text.Lines))
	for i, l := range text.Lines {
		out.Body.Lines[i] = textLine{l.String(), l.Place(), l}
	}
	return out, nil
}
