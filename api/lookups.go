package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dangan/archive"
)

type questionList struct {
	Body struct {
		Questions []archive.QuestionKind `json:"questions"`
	}
}

type receiptKeyList struct {
	Body struct {
		Keys []archive.JWK `json:"keys"`
	}
}

// questionInput keeps the question as it was sent: the receipt is about that.
type questionInput struct {
	Body    archive.Question
	RawBody []byte
}

type answerOutput struct{ Body archive.Answer }

// addLookups registers what agencies ask.
func (s *Server) addLookups() {
	tags := []string{"lookups"}
	operate(s, archive.ActPublic, huma.Operation{
		OperationID: "list-questions", Method: http.MethodGet, Path: "/api/v1/questions", Tags: tags,
		Summary: "Questions that agencies may ask, and what is shown for which purpose",
	}, func(context.Context, archive.Actor, *struct{}) (*questionList, error) {
		out := &questionList{}
		out.Body.Questions = s.c.Schema.Questions
		return out, nil
	})
	operate(s, archive.ActPublic, huma.Operation{
		OperationID: "list-receipt-keys", Method: http.MethodGet, Path: "/api/v1/receipt-keys", Tags: tags,
		Summary: "The keys that receipts are checked with, as a JWK set (RFC 7517)",
	}, func(context.Context, archive.Actor, *struct{}) (*receiptKeyList, error) {
		out := &receiptKeyList{}
		out.Body.Keys = s.c.ReceiptKeys
		return out, nil
	})
	operate(s, archive.ActLookup, huma.Operation{
		OperationID: "ask-lookup", Method: http.MethodPost, Path: "/api/v1/lookups", Tags: tags,
		Summary: "Ask a question about a person on a legal basis",
		Description: "The answer holds no more than the agency may see. Its receipt is the id of the trace that was written before it was given. " +
			"signed is a JWS by one of the receipt keys over the hashes of the question as it was sent and of the answer without signed, each SHA-256 of the canonical form (RFC 8785).",
	}, func(ctx context.Context, a archive.Actor, in *questionInput) (*answerOutput, error) {
		answer, err := s.ask(ctx, a, in.Body, in.RawBody)
		if err != nil {
			return nil, err
		}
		return &answerOutput{answer}, nil
	})
	s.described(route{act: archive.ActLookup, body: bodyAny}, batchOperation(s.huma.OpenAPI().Components.Schemas), s.lookupBatch)
}

// ask asks a question that was sent as raw.
func (s *Server) ask(ctx context.Context, a archive.Actor, q archive.Question, raw []byte) (answer archive.Answer, err error) {
	if q.Digest, err = archive.Digest(raw); err != nil {
		return answer, err
	}
	q.Person.ID = archive.NewIDNumber(q.Person.ID.Type, q.Person.ID.Original)
	return s.c.Lookup.Ask(ctx, a, q)
}
