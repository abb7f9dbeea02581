package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/api/internal/wire"
	"dangan/archive"
)

func depositOperation(schemas huma.Registry) huma.Operation {
	view := schemas.Schema(reflect.TypeFor[archive.RecordView](), true, "")
	return huma.Operation{
		OperationID: "deposit-record", Method: http.MethodPost, Path: "/api/v1/records", Tags: []string{"records"},
		Summary:     "Deposit a record with its files",
		Description: "The part `record` (JSON) comes first, the parts `file` after it, in order. Files are streamed and may be of any size. 201 means that everything is durable.",
		Parameters:  []*huma.Param{idempotencyParam()},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {
			Schema: &huma.Schema{Type: "object", Required: []string{"record"}, Properties: map[string]*huma.Schema{
				"record": schemas.Schema(reflect.TypeFor[archive.Record](), true, ""),
				"file":   {Type: "array", Items: &huma.Schema{Type: "string", Format: "binary"}},
			}},
			Encoding: map[string]*huma.Encoding{"record": {ContentType: "application/json"}},
		}}},
		Responses: map[string]*huma.Response{"201": {Description: "Deposited",
			Content: map[string]*huma.MediaType{"application/json": {Schema: view}}}},
	}
}

func idempotencyParam() *huma.Param {
	return &huma.Param{Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string"},
		Description: "Repeating a request under the same key has the effect of doing it once."}
}

func (s *Server) deposit(c *gin.Context) error {
	ctx := c.Request.Context()
	c.Request.Body = io.NopCloser(wire.Patient(c.Writer, c.Request.Body))
	view, err := s.depositParts(c)
	if err != nil {
		wire.Drain(c.Request.Body)
		return err
	}
	trailOf(ctx).cause = nil
	c.Header("ETag", etag(view.Version))
	c.Header("Location", "/api/v1/records/"+view.ID)
	c.JSON(http.StatusCreated, view)
	return nil
}

func (s *Server) depositParts(c *gin.Context) (archive.RecordView, error) {
	var none archive.RecordView
	key, err := idempotencyKey(c.GetHeader("Idempotency-Key"))
	if err != nil {
		return none, err
	}
	parts, err := c.Request.MultipartReader()
	if err != nil {
		return none, errors.Join(errMediaType, err)
	}
	first, err := parts.NextPart()
	if err == io.EOF {
		return none, archive.Problems{{Code: "required", Field: "record"}}
	}
	if err != nil {
		return none, wire.ReadError(err)
	}
	r, err := recordPart(first)
	if err != nil {
		return none, err
	}
	next, err := parts.NextPart()
	if err != nil && err != io.EOF {
		return none, wire.ReadError(err)
	}
	ctx := c.Request.Context()
	return s.c.Holdings.Deposit(ctx, auth.From(ctx), key, r, wire.Files(parts, next))
}

// recordPart reads the description, which must come before the files: what is
// wrong with it should be known before gigabytes have travelled.
func recordPart(part *multipart.Part) (archive.Record, error) {
	var r archive.Record
	if part.FormName() != "record" {
		return r, archive.Problems{{Code: "required_first", Field: "record"}}
	}
	raw, err := io.ReadAll(io.LimitReader(part, bodyJSON+1))
	if err != nil {
		return r, wire.ReadError(err)
	}
	if len(raw) > bodyJSON {
		return r, &http.MaxBytesError{Limit: bodyJSON}
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, badJSON(err, "record")
	}
	return r, nil
}

// badJSON says where JSON is wrong. The decoder's own words may repeat the
// input, so they are not passed on, not even to the log.
func badJSON(err error, field string) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return archive.Problems{{Code: "bad_value", Field: kind.Field}}
	}
	return fmt.Errorf("%s: %w: %w", field, wire.ErrMalformed, archive.Problems{{Code: "bad_json", Field: field}})
}

func binaryResponse(mediaType string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: "The bytes", Content: map[string]*huma.MediaType{
		mediaType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}
}
