package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dangan/archive"
)

// requestView is a request with its entry number.
type requestView struct {
	archive.Request
	Version int `json:"version"`
}

type requestOutput struct {
	ETag string `header:"ETag" doc:"The entry number."`
	Body requestView
}

func showRequest(v archive.Version[archive.Request]) *requestOutput {
	return &requestOutput{ETag: etag(v.N), Body: requestView{v.Value.Masked(), v.N}}
}

// submission is what an applicant says; the rest is known of the account.
type submission struct {
	Office   string          `json:"office" doc:"Id of the archive office that may hold the record."`
	Wanted   archive.Wanted  `json:"wanted"`
	Purpose  string          `json:"purpose" doc:"As the certificate is to state it."`
	Language string          `json:"language,omitempty" enum:"zh-CN,en,bilingual"`
	Service  archive.Service `json:"service,omitempty" enum:"copy,holding,service_years,reading" doc:"A certificate of what a record states when left out."`
}

type submitInput struct {
	Key  string `header:"Idempotency-Key" doc:"Repeating a request under the same key has the effect of doing it once."`
	Body submission
}

type listInput struct {
	State string `query:"state" doc:"Only requests in this state."`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Page  string `query:"page" doc:"The next of the page before."`
}

type requestList struct {
	Body struct {
		Requests []requestView `json:"requests" doc:"Newest first."`
		Next     string        `json:"next,omitempty" doc:"Page token of the next page; absent on the last."`
	}
}

type moveInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The entry number it was read at. Required."`
	Body    archive.Move
}

type candidateList struct {
	Body struct {
		Candidates []archive.Candidate `json:"candidates" doc:"Best first."`
		Ranked     bool                `json:"ranked" doc:"Whether the search engine took part; without it only exact look-ups did."`
	}
}

func (s *Server) addRequests() {
	tags := []string{"requests"}
	operate(s, archive.ActSubmit, huma.Operation{
		OperationID: "submit-request", Method: http.MethodPost, Path: "/api/v1/requests", Tags: tags,
		Summary: "Ask for a certificate", DefaultStatus: http.StatusCreated,
	}, s.submit)
	operate(s, archive.ActListRequests, huma.Operation{
		OperationID: "list-requests", Method: http.MethodGet, Path: "/api/v1/requests", Tags: tags,
		Summary: "One's own requests, or those of one's office",
	}, s.requests)
	operate(s, archive.ActReadRequest, huma.Operation{
		OperationID: "get-request", Method: http.MethodGet, Path: "/api/v1/requests/{id}", Tags: tags,
		Summary: "Where a request stands",
	}, s.request)
	// Which step needs which right is for the desk to know; who may not even
	// see the request is turned away here.
	operate(s, archive.ActReadRequest, huma.Operation{
		OperationID: "move-request", Method: http.MethodPost, Path: "/api/v1/requests/{id}/actions", Tags: tags,
		Summary: "Take a request one step further",
	}, s.move)
	operate(s, archive.ActReview, huma.Operation{
		OperationID: "list-candidates", Method: http.MethodGet, Path: "/api/v1/requests/{id}/candidates", Tags: tags,
		Summary: "Records that may be the wanted one, with reasons",
	}, s.candidates)
}

func (s *Server) submit(ctx context.Context, a archive.Actor, in *submitInput) (*requestOutput, error) {
	key, err := idempotencyKey(in.Key)
	if err != nil {
		return nil, err
	}
	b := in.Body
	v, err := s.c.Desk.Submit(ctx, a, key, archive.Request{Office: b.Office, Wanted: b.Wanted, Purpose: b.Purpose, Language: b.Language, Service: b.Service})
	if err != nil {
		return nil, err
	}
	return showRequest(v), nil
}

func (s *Server) requests(ctx context.Context, a archive.Actor, in *listInput) (*requestList, error) {
	if in.Page != "" && !archive.ValidID(in.Page) {
		return nil, archive.Problems{{Code: "bad_value", Field: "page"}}
	}
	f := archive.RequestFilter{State: archive.RequestState(in.State), Before: in.Page, Limit: in.Limit}
	list, err := s.c.Desk.Requests(ctx, a, f)
	if err != nil {
		return nil, err
	}
	out := &requestList{}
	out.Body.Requests = make([]requestView, len(list))
	for i, v := range list {
		out.Body.Requests[i] = requestView{v.Value.Masked(), v.N}
	}
	if len(list) > 0 && len(list) == in.Limit {
		out.Body.Next = list[len(list)-1].Value.ID
	}
	return out, nil
}

func (s *Server) request(ctx context.Context, a archive.Actor, in *struct {
	ID string `path:"id"`
}) (*requestOutput, error) {
	if err := validID(in.ID); err != nil {
		return nil, err
	}
	v, err := s.c.Desk.Request(ctx, a, in.ID)
	if err != nil {
		return nil, hidden(err)
	}
	return showRequest(v), nil
}

// move does not hide a refusal: the desk hides requests one may not see, and a
// reviewer who may not approve his own work is told so.
func (s *Server) move(ctx context.Context, a archive.Actor, in *moveInput) (*requestOutput, error) {
	if err := validID(in.ID); err != nil {
		return nil, err
	}
	n, err := ifMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	v, err := s.c.Desk.Move(ctx, a, in.ID, n, in.Body)
	if err != nil {
		return nil, outdated(err)
	}
	return showRequest(v), nil
}

func (s *Server) candidates(ctx context.Context, a archive.Actor, in *struct {
	ID string `path:"id"`
}) (*candidateList, error) {
	if err := validID(in.ID); err != nil {
		return nil, err
	}
	list, ranked, err := s.c.Desk.Candidates(ctx, a, in.ID)
	if err != nil {
		return nil, hidden(err)
	}
	out := &candidateList{}
	out.Body.Candidates, out.Body.Ranked = append([]archive.Candidate{}, list...), ranked
	return out, nil
}
