package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/archive"
	"dangan/archive/policy"
)

// Templates keeps the words of certificates (package archive/certificates).
type Templates interface {
	// Templates lists those that count, with version 0 for built-in ones that were
	// never used.
	Templates(ctx context.Context, actor archive.Actor) ([]archive.Version[archive.Template], error)
	// Template shows entry n of the template of an office, or of all, or the newest
	// for 0.
	Template(ctx context.Context, actor archive.Actor, key, office string, n int) (archive.Version[archive.Template], error)
	// Write makes t the next version after entry n, the one the actor has seen.
	Write(ctx context.Context, actor archive.Actor, n int, t archive.Template) (archive.Version[archive.Template], error)
	// Preview draws a draft as a PDF, of a made-up case without a record.
	Preview(ctx context.Context, actor archive.Actor, p archive.Purpose, t archive.Template, record, language string) ([]byte, error)
}

type templatesPage struct {
	List    []archive.Version[archive.Template]
	Offices map[string]archive.Label
}

// Own reports whether the office has a template of its own for the key.
func (p templatesPage) Own(key, office string) bool {
	return office == "" || slices.ContainsFunc(p.List, func(v archive.Version[archive.Template]) bool {
		return v.Value.Key == key && v.Value.Office == office
	})
}

func (p *Pages) templates(c *gin.Context) error {
	list, err := p.c.Templates.Templates(c.Request.Context(), actor(c))
	if err != nil {
		return err
	}
	names, err := p.officeNames(c)
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, "templates", templatesPage{list, names})
}

// templatePage is a template as it stands in its form.
type templatePage struct {
	T         archive.Template
	Version   int
	Names     []archive.TemplateName
	Kinds     []archive.BlockKind
	Purposes  []archive.Choice
	Languages []string
	CanWrite  bool
	Faults    archive.Problems
}

// F are the faults of a field.
func (t templatePage) F(field string) (list archive.Problems) {
	for _, f := range t.Faults {
		if f.Field == field {
			list = append(list, f)
		}
	}
	return list
}

// Blocks are the blocks, and room for a few more.
func (t templatePage) Blocks() []archive.Block {
	return append(slices.Clone(t.T.Blocks), make([]archive.Block, 3)...)
}

// template shows a form with the newest version; one of an office that has none
// begins with that of all.
func (p *Pages) template(c *gin.Context) error {
	key, office := c.Param("key"), c.Query("office")
	v, err := p.c.Templates.Template(c.Request.Context(), actor(c), key, office, 0)
	if errors.Is(err, archive.ErrNotFound) && office != "" && office == actor(c).Office {
		v, err = p.c.Templates.Template(c.Request.Context(), actor(c), key, "", 0)
		v.N, v.Value.Office = 0, office
	}
	if err != nil {
		return hidden(err)
	}
	return p.showTemplate(c, http.StatusOK, v.N, v.Value, nil)
}

func (p *Pages) showTemplate(c *gin.Context, status, n int, t archive.Template, faults archive.Problems) error {
	c.Header("Content-Security-Policy", c.Writer.Header().Get("Content-Security-Policy")+"; frame-src 'self'")
	return p.show(c, status, "template", templatePage{T: t, Version: n, Names: t.Names(p.c.Schema, p.c.Now()), Kinds: archive.BlockKinds(),
		Purposes: archive.Purposes(), Languages: []string{"zh-CN", archive.Bilingual, "en"}, Faults: faults,
		CanWrite: policy.Decide(actor(c), archive.ActWriteTemplate, t.Target()).Allowed})
}

// submitted is the template in a form. Blocks without a kind are left out, and the
// others stand in the order of their places.
func submitted(c *gin.Context) archive.Template {
	v := func(field string) string { return strings.TrimSpace(c.PostForm(field)) }
	label := func(field string) archive.Label { return archive.Label{ZH: v(field + ".zh"), EN: v(field + ".en")} }
	t := archive.Template{Key: c.Param("key"), Office: v("office"), Occasion: archive.Occasion(v("occasion")), Category: v("category"),
		Title: label("title"), Mark: label("mark"), Source: label("source")}
	type placed struct {
		archive.Block
		place float64
	}
	var blocks []placed
	for i := range min(whole(v("blocks")), 100) {
		at := fmt.Sprintf("blocks[%d].", i)
		if v(at+"kind") == "" {
			continue
		}
		place, err := strconv.ParseFloat(v(at+"place"), 64)
		if err != nil {
			place = float64(i + 1)
		}
		// Blanks at either end may be meant: they part words of letters.
		text := archive.Label{ZH: c.PostForm(at + "text.zh"), EN: c.PostForm(at + "text.en")}
		blocks = append(blocks, placed{archive.Block{Kind: archive.BlockKind(v(at + "kind")), When: v(at + "when"), Each: v(at + "each"),
			Label: label(at + "label"), Text: text, Source: label(at + "source")}, place})
	}
	slices.SortStableFunc(blocks, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	for _, b := range blocks {
		t.Blocks = append(t.Blocks, b.Block)
	}
	return t
}

func (p *Pages) writeTemplate(c *gin.Context) error {
	t, n := submitted(c), whole(c.PostForm("version"))
	_, err := p.c.Templates.Write(c.Request.Context(), actor(c), n, t)
	var ps archive.Problems
	switch {
	case errors.As(err, &ps):
		return p.showTemplate(c, http.StatusUnprocessableEntity, n, t, ps)
	case err != nil:
		return hidden(err)
	}
	c.Redirect(http.StatusSeeOther, "/templates/"+url.PathEscape(t.Key)+"?notice=saved&office="+url.QueryEscape(t.Office))
	return nil
}

// previewTemplate answers into a frame of the form's page.
func (p *Pages) previewTemplate(c *gin.Context) error {
	headers := c.Writer.Header()
	headers.Set("X-Frame-Options", "SAMEORIGIN")
	headers.Set("Content-Security-Policy", strings.Replace(headers.Get("Content-Security-Policy"), "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
	record := strings.TrimSpace(c.PostForm("record"))
	if record != "" && !archive.ValidID(record) {
		return p.show(c, http.StatusUnprocessableEntity, "template_faults", templatePage{Faults: archive.Problems{{Code: "bad_id", Field: "record"}}})
	}
	purpose := archive.Purpose{Code: archive.PurposeCode(c.PostForm("purpose"))}
	pdf, err := p.c.Templates.Preview(c.Request.Context(), actor(c), purpose, submitted(c), record, c.PostForm("language"))
	var ps archive.Problems
	if errors.As(err, &ps) {
		return p.show(c, http.StatusUnprocessableEntity, "template_faults", templatePage{Faults: ps})
	}
	if err != nil {
		return hidden(err)
	}
	c.Data(http.StatusOK, "application/pdf", pdf)
	return nil
}
