package web

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/archive"
)

// verifyPage is the public form and, once asked, the answer.
type verifyPage struct {
	Number, Code string
	Faults       problems
	Answer       *archive.Verification
}

// verifyForm is also where the QR code of a certificate leads: number and code
// come behind the #, which browsers keep to themselves, and a script fills the
// form with them.
func (p *Pages) verifyForm(c *gin.Context) error {
	return p.show(c, http.StatusOK, "verify", verifyPage{})
}

func (p *Pages) verify(c *gin.Context) error {
	page := verifyPage{Number: strings.TrimSpace(c.PostForm("number")), Code: strings.TrimSpace(c.PostForm("code"))}
	pdf, err := formFile(c, "file")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	var answer archive.Verification
	if pdf != nil {
		page.Number, page.Code = "", ""
		answer, err = p.c.Verifier.VerifyPDF(ctx, pdf)
	} else if ps := page.missing(); ps != nil {
		err = ps
	} else {
		answer, err = p.c.Verifier.Verify(ctx, page.Number, page.Code)
	}
	var ps archive.Problems
	if errors.As(err, &ps) {
		page.Faults = byField(ps)
		return p.show(c, http.StatusUnprocessableEntity, "verify", page)
	}
	if err != nil {
		return err
	}
	page.Answer = &answer
	return p.show(c, http.StatusOK, "verify", page)
}

func (v verifyPage) missing() archive.Problems {
	var ps archive.Problems
	if v.Number == "" || len(v.Number) > 200 {
		ps.Add("required", "number")
	}
	if v.Code == "" || len(v.Code) > 200 {
		ps.Add("required", "code")
	}
	return ps
}

// formFile reads a small file of a form; nil when none was chosen.
func formFile(c *gin.Context, field string) ([]byte, error) {
	header, err := c.FormFile(field)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && header.Size == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	return io.ReadAll(f)
}
