package api

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"dangan/api/internal/wire"
	"dangan/archive"
)

// verifyRequest is what is printed on a certificate.
type verifyRequest struct {
	Number string `json:"number"`
	Code   string `json:"code" doc:"The check code."`
}

func (s *Server) addVerify() {
	schemas := s.huma.OpenAPI().Components.Schemas
	s.described(route{act: archive.ActVerify, body: bodyPDF}, huma.Operation{
		OperationID: "verify-certificate", Method: http.MethodPost, Path: "/api/v1/verify", Tags: []string{"certificates"},
		Summary:     "Check a certificate by number and check code, or by its PDF",
		Description: "Needs no account. A verdict, whichever it is, is a 200; without a verdict there is an error and never a verdict.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemas.Schema(reflect.TypeFor[verifyRequest](), true, "")},
			"application/pdf":  {Schema: &huma.Schema{Type: "string", Format: "binary"}},
		}},
		Responses: map[string]*huma.Response{"200": {Description: "One of the five answers", Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemas.Schema(reflect.TypeFor[archive.Verification](), true, "")}}}},
	}, s.verify)
}

func (s *Server) verify(c *gin.Context) error {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil {
		return errMediaType
	}
	ask := s.verifyNumber
	switch kind {
	case "application/json":
	case "application/pdf":
		ask = s.c.Verifier.VerifyPDF
	default:
		return errMediaType
	}
	body, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return wire.ReadError(err)
	}
	answer, err := ask(c.Request.Context(), body)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

func (s *Server) verifyNumber(ctx context.Context, body []byte) (archive.Verification, error) {
	var in verifyRequest
	if err := json.Unmarshal(body, &in); err != nil {
		return archive.Verification{}, badJSON(err, "body")
	}
	var ps archive.Problems
	for _, f := range []struct{ value, field string }{{in.Number, "number"}, {in.Code, "code"}} {
		switch {
		case f.value == "":
			ps.Add("required", f.field)
		case len(f.value) > 200:
			ps.Add("too_long", f.field)
		}
	}
	if err := ps.Err(); err != nil {
		return archive.Verification{}, err
	}
	return s.c.Verifier.Verify(ctx, in.Number, in.Code)
}
