package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/api/internal/wire"
	"dangan/archive"
	"dangan/archive/policy"
)

// certificatePage is a certificate with what may be done about it.
type certificatePage struct {
	C         archive.Certificate
	CanRevoke bool
	CanReseal bool
	Faults    problems
}

func (p *Pages) certificate(c *gin.Context) error {
	return p.showCertificate(c, http.StatusOK, nil)
}

func (p *Pages) showCertificate(c *gin.Context, status int, faults problems) error {
	a := actor(c)
	v, err := p.c.Certificates.Certificate(c.Request.Context(), a, c.Param("number"))
	if err != nil {
		return hidden(err)
	}
	may := func(act archive.Action) bool { return policy.Decide(a, act, v.Value.Target()).Allowed }
	return p.show(c, status, "certificate", certificatePage{C: v.Value, Faults: faults,
		CanRevoke: v.Value.State == archive.CertSealed && may(archive.ActRevoke),
		CanReseal: !v.Value.Released() && may(archive.ActReseal)})
}

func (p *Pages) certificatePDF(c *gin.Context) error {
	number := c.Param("number")
	content, err := p.c.Certificates.PDF(c.Request.Context(), actor(c), number)
	if err != nil {
		return hidden(err)
	}
	return wire.Deliver(c.Writer, c.Request, wire.Served{Name: number + ".pdf", MediaType: "application/pdf"}, content)
}

func (p *Pages) revoke(c *gin.Context) error {
	reason := strings.TrimSpace(c.PostForm("reason"))
	return p.changed(c, "revoked", p.c.Certificates.Revoke(c.Request.Context(), actor(c), c.Param("number"), reason))
}

func (p *Pages) supersede(c *gin.Context) error {
	successor, reason := strings.TrimSpace(c.PostForm("successor")), strings.TrimSpace(c.PostForm("reason"))
	return p.changed(c, "superseded", p.c.Certificates.Supersede(c.Request.Context(), actor(c), c.Param("number"), successor, reason))
}

func (p *Pages) reseal(c *gin.Context) error {
	return p.changed(c, "resealing", p.c.Certificates.Reseal(c.Request.Context(), actor(c), c.Param("number")))
}

// changed goes back to the certificate, or shows what was wrong.
func (p *Pages) changed(c *gin.Context, notice string, err error) error {
	var ps archive.Problems
	switch {
	case errors.As(err, &ps):
		return p.showCertificate(c, http.StatusUnprocessableEntity, byField(ps))
	case err != nil:
		return hidden(err)
	}
	c.Redirect(http.StatusSeeOther, "/certificates/"+url.PathEscape(c.Param("number"))+"?notice="+notice)
	return nil
}
