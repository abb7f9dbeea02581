package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dangan/archive"
)

type accessesInput struct {
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Page  string `query:"page" doc:"The next of the page before."`
}

type accessList struct {
	Body struct {
		Accesses []archive.Access `json:"accesses" doc:"Newest first."`
		Next     string           `json:"next,omitempty" doc:"Page token of the next page; absent on the last."`
	}
}

// addAnswers registers what auditors read.
func (s *Server) addAnswers() {
	operate(s, archive.ActAccesses, huma.Operation{
		OperationID: "list-accesses", Method: http.MethodGet, Path: "/api/v1/accesses", Tags: []string{"accesses"},
		Summary: "Who saw what, when and why",
	}, s.accesses)
}

func (s *Server) accesses(ctx context.Context, a archive.Actor, in *accessesInput) (*accessList, error) {
	if in.Page != "" && !archive.ValidID(in.Page) {
		return nil, archive.Problems{{Code: "bad_value", Field: "page"}}
	}
	list, err := s.c.Evidence.Accesses(ctx, a, in.Page, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &accessList{}
	out.Body.Accesses = append([]archive.Access{}, list...)
	if len(list) > 0 && len(list) == in.Limit {
		out.Body.Next = list[len(list)-1].ID
	}
	return out, nil
}
