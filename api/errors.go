package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"dangan/api/auth"
	"dangan/api/internal/wire"
	"dangan/archive"
)

// Faults that only HTTP knows.
var (
	errPrecondition = errors.New("the entry is not the newest any more")
	errNoIfMatch    = errors.New("If-Match is missing")
	errMediaType    = errors.New("unsupported media type")
	errMethod       = errors.New("method not allowed")
	errCrossOrigin  = errors.New("cross-origin request refused")
)

// statusClientGone is nginx's code for a client that did not wait.
const statusClientGone = 499

// fault is how one kind of error looks from outside.
type fault struct {
	err    error
	status int
	code   string
	title  string
}

// faults is the one table from errors to answers; the first match counts. What
// is not in it is an internal error, and says nothing of itself.
func faults() []fault {
	return []fault{
		{archive.ErrCorrupt, 500, "damaged", "Stored data is damaged."},
		{wire.ErrMalformed, 400, "malformed", "The request cannot be read."},
		{errMediaType, 415, "unsupported_media_type", "The body is of a type that is not accepted here."},
		{errMethod, 405, "method_not_allowed", "This address does not take that method."},
		{errNoIfMatch, 428, "if_match_required", "If-Match with the entry number is required."},
		{errPrecondition, 412, "changed", "It has been changed since it was read."},
		{errCrossOrigin, 403, "cross_origin", "Requests from other sites are refused."},
		{auth.ErrTooMany, 429, "too_many_attempts", "Too many attempts. Wait ten minutes."},
		{auth.ErrQuota, 429, "quota_exceeded", "The quota of questions for today is used up."},
		{archive.ErrInvalid, 422, "invalid", "The input has problems."},
		{archive.ErrUnauthenticated, 401, "unauthenticated", "Sign in first."},
		{archive.ErrForbidden, 403, "forbidden", "This is not permitted."},
		{archive.ErrNotFound, 404, "not_found", "There is nothing here, or nothing that may be shown."},
		{archive.ErrExists, 409, "exists", "It exists already."},
		{archive.ErrConflict, 409, "conflict", "It was changed by somebody else at the same moment."},
		{archive.ErrState, 409, "state", "This is not possible in its present state."},
		{archive.ErrUnavailable, 503, "unavailable", "A part of the service is away. Try again soon."},
	}
}

// Problem is an error as clients see it (RFC 9457, type about:blank). The cause
// is in the log under the same request id, and only there.
type Problem struct {
	Title    string           `json:"title" doc:"What happened, in English."`
	Status   int              `json:"status" doc:"The HTTP status."`
	Code     string           `json:"code" doc:"Stable code for programs."`
	Request  string           `json:"request" doc:"Id of the request, to be quoted to the operators."`
	Problems archive.Problems `json:"problems,omitempty" doc:"With code invalid or malformed: every fault of the input."`
}

// Error makes Problem an error, as huma wants it.
func (p *Problem) Error() string { return p.Code }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is application/problem+json whatever was asked for.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders says when to come back, or with what.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	case http.StatusTooManyRequests:
		h.Set("Retry-After", "600")
	}
	return h
}

// explain turns an error into a problem and leaves the cause for the log.
func explain(ctx context.Context, err error) *Problem {
	t := trailOf(ctx)
	t.cause = err
	p := &Problem{Status: 500, Code: "internal", Title: "Something went wrong here.", Request: t.id}
	var large *http.MaxBytesError
	switch {
	case errors.Is(context.Cause(ctx), context.Canceled) && errors.Is(err, context.Canceled):
		p.Status, p.Code, p.Title = statusClientGone, "client_gone", "The client did not wait."
	case errors.As(err, &large):
		p.Status, p.Code, p.Title = 413, "too_large", "The body is too large."
	case errors.Is(err, context.DeadlineExceeded):
		p.Status, p.Code, p.Title = 503, "timeout", "It took too long. Try again."
	default:
		for _, f := range faults() {
			if errors.Is(err, f.err) {
				p.Status, p.Code, p.Title = f.status, f.code, f.title
				break
			}
		}
	}
	var list archive.Problems
	if p.Status < 500 && errors.As(err, &list) {
		p.Problems = list
	}
	return p
}

// fromHuma rewrites what huma says of a bad request: its words may repeat the
// input, so only the place of each fault is passed on.
func fromHuma(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &Problem{Status: m.Status, Code: "malformed", Title: "The request cannot be read.", Request: trailOf(ctx.Context()).id}
	switch m.Status {
	case http.StatusUnprocessableEntity:
		p.Code, p.Title = "invalid", "The input has problems."
	case http.StatusRequestEntityTooLarge:
		p.Code, p.Title = "too_large", "The body is too large."
	case http.StatusUnsupportedMediaType:
		p.Code, p.Title = "unsupported_media_type", "The body is of a type that is not accepted here."
	case http.StatusRequestTimeout:
		p.Code, p.Title = "timeout", "It took too long. Try again."
	}
	for _, e := range m.Errors {
		code := "bad_value"
		if e.Message == validation.MsgUnexpectedProperty {
			code = "unknown_field"
		}
		p.Problems.Add(code, place(e.Location))
	}
	return p, nil
}
