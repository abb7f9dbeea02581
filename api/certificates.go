package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/api/internal/wire"
	"dangan/archive"
)

// certificateView is a certificate with its entry number.
type certificateView struct {
	archive.Certificate
	Version int `json:"version"`
}

type certificateInput struct {
	Number string `path:"number" example:"青民档证〔2026〕000123号"`
}

type certificateOutput struct {
	ETag string `header:"ETag" doc:"The entry number."`
	Body certificateView
}

type revokeInput struct {
	Number string `path:"number"`
	Body   struct {
		Reason string `json:"reason" doc:"Shown to everybody who verifies the certificate."`
	}
}

type supersedeInput struct {
	Number string `path:"number"`
	Body   struct {
		Successor string `json:"successor" doc:"Number of the certificate that takes its place."`
		Reason    string `json:"reason"`
	}
}

func (s *Server) addCertificates() {
	tags := []string{"certificates"}
	const path = "/api/v1/certificates/{number}"
	operate(s, archive.ActCertificate, huma.Operation{
		OperationID: "get-certificate", Method: http.MethodGet, Path: path, Tags: tags, Summary: "A certificate and its state",
	}, s.certificate)
	s.described(route{act: archive.ActCertificate, body: bodyJSON}, huma.Operation{
		OperationID: "get-certificate-pdf", Method: http.MethodGet, Path: path + "/pdf", Tags: tags, Summary: "The sealed PDF",
		Parameters: []*huma.Param{{Name: "number", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}},
		Responses:  binaryResponse("application/pdf"),
	}, s.certificatePDF)
	change := func(id, step, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path + step, Tags: tags, Summary: summary}
	}
	operate(s, archive.ActRevoke, change("revoke-certificate", "/revoke", "Revoke a certificate"),
		func(ctx context.Context, a archive.Actor, in *revokeInput) (*certificateOutput, error) {
			return s.changed(ctx, a, in.Number, s.c.Certificates.Revoke(ctx, a, in.Number, in.Body.Reason))
		})
	operate(s, archive.ActRevoke, change("supersede-certificate", "/supersede", "Put another certificate in its place"),
		func(ctx context.Context, a archive.Actor, in *supersedeInput) (*certificateOutput, error) {
			return s.changed(ctx, a, in.Number, s.c.Certificates.Supersede(ctx, a, in.Number, in.Body.Successor, in.Body.Reason))
		})
	operate(s, archive.ActReseal, change("reseal-certificate", "/reseal", "Try again to seal a certificate whose sealing failed"),
		func(ctx context.Context, a archive.Actor, in *certificateInput) (*certificateOutput, error) {
			return s.changed(ctx, a, in.Number, s.c.Certificates.Reseal(ctx, a, in.Number))
		})
}

func (s *Server) certificate(ctx context.Context, a archive.Actor, in *certificateInput) (*certificateOutput, error) {
	return s.changed(ctx, a, in.Number, nil)
}

// changed shows a certificate after something was done to it.
func (s *Server) changed(ctx context.Context, a archive.Actor, number string, err error) (*certificateOutput, error) {
	if err != nil {
		return nil, hidden(err)
	}
	v, err := s.c.Certificates.Certificate(ctx, a, number)
	if err != nil {
		return nil, hidden(err)
	}
	return &certificateOutput{ETag: etag(v.N), Body: certificateView{v.Value, v.N}}, nil
}

func (s *Server) certificatePDF(c *gin.Context) error {
	ctx := c.Request.Context()
	number := c.Param("number")
	content, err := s.c.Certificates.PDF(ctx, auth.From(ctx), number)
	if err != nil {
		return hidden(err)
	}
	return wire.Deliver(c.Writer, c.Request, wire.Served{Name: number + ".pdf", MediaType: "application/pdf"}, content)
}
