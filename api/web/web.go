// Package web is the pages of dangan: for staff, for citizens, for agencies,
// and the public verify page. They are rendered on the server from templates in
// the binary, need no script, and ask the same ports as the JSON API.
//
// It owns templates, style and words of the interface in both languages. It
// must not know how credentials are checked nor who may do what: routes name
// their action, package api guards them, and the rooms decide. Names and id
// numbers travel in bodies, never in addresses.
package web

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"

	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/archive"
)

//go:embed templates static locales
var files embed.FS

// Config is what the pages work with.
type Config struct {
	Holdings     Holdings
	Files        Files
	Search       Searcher
	Desk         Desk
	Certificates Certificates
	Choices      Choices
	Drafts       Drafts
	Verifier     Verifier
	Lookup       Lookup
	Evidence     Evidence
	Sessions     Sessions
	Self         Self
	People       People

	Templates Templates

	Schema  archive.Schema
	Now     func() time.Time
	Offices func(ctx context.Context) ([]archive.Office, error)
}

// Pages is every page.
type Pages struct {
	c     Config
	views map[string]views // by language
}

// Route is a page for package api to mount.
type Route struct {
	Method, Path string
	Action       archive.Action
	Body         int64 // limit of the request body: 0 is the usual one, -1 none
	Static       bool  // the same for everybody
	Handle       func(*gin.Context) error
}

// New reads templates and words.
func New(c Config) (*Pages, error) {
	p := &Pages{c: c, views: map[string]views{}}
	for _, lang := range languages() {
		words, err := readWords(lang)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		if p.views[lang], err = parseViews(lang, words, c.Schema); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	return p, nil
}

// Routes lists every page with its action.
func (p *Pages) Routes() []Route {
	const upload = 24 << 20 // a PDF of 20 MB in a form
	get, post := http.MethodGet, http.MethodPost
	return append(p.accountRoutes(), []Route{
		{Method: get, Path: "/", Action: archive.ActPublic, Handle: p.home},
		{Method: get, Path: "/static/:name", Action: archive.ActPublic, Static: true, Handle: static},
		{Method: get, Path: "/signin", Action: archive.ActPublic, Handle: p.signInForm},
		{Method: post, Path: "/signin", Action: archive.ActPublic, Handle: p.signIn},
		{Method: post, Path: "/signout", Action: archive.ActPublic, Handle: p.signOut},
		{Method: get, Path: "/v", Action: archive.ActVerify, Handle: p.verifyForm},
		{Method: post, Path: "/v", Action: archive.ActVerify, Body: upload, Handle: p.verify},

		{Method: get, Path: "/deposit", Action: archive.ActDeposit, Handle: p.depositForm},
		{Method: post, Path: "/deposit", Action: archive.ActDeposit, Body: -1, Handle: p.deposit},
		{Method: get, Path: "/search", Action: archive.ActSearch, Handle: p.searchForm},
		{Method: post, Path: "/search", Action: archive.ActSearch, Handle: p.search},
		{Method: get, Path: "/records/:id", Action: archive.ActRead, Handle: p.record},
		{Method: post, Path: "/records/:id/purpose", Action: archive.ActRead, Handle: p.purpose},
		{Method: post, Path: "/records/:id/reveal", Action: archive.ActReveal, Handle: p.reveal},
		{Method: get, Path: "/records/:id/versions", Action: archive.ActRead, Handle: p.versions},
		{Method: get, Path: "/records/:id/files/:n", Action: archive.ActFile, Handle: p.file},
		{Method: get, Path: "/records/:id/files/:n/pages/:p", Action: archive.ActFile, Handle: p.page},

		{Method: get, Path: "/requests", Action: archive.ActListRequests, Handle: p.requests},
		{Method: get, Path: "/requests/new", Action: archive.ActSubmit, Handle: p.submitForm},
		{Method: post, Path: "/requests", Action: archive.ActSubmit, Handle: p.submit},
		{Method: get, Path: "/requests/:id", Action: archive.ActReadRequest, Handle: p.request},
		{Method: post, Path: "/requests/:id/actions", Action: archive.ActReadRequest, Handle: p.move},
		{Method: get, Path: "/requests/:id/copy", Action: archive.ActReview, Handle: p.copy},
		{Method: post, Path: "/requests/:id/copy", Action: archive.ActReview, Handle: p.choosePages},
		{Method: get, Path: "/requests/:id/copy/draft", Action: archive.ActReview, Handle: p.copyDraft},
		{Method: get, Path: "/requests/:id/copy/files/:n/pages/:p", Action: archive.ActReview, Handle: p.maskForm},
		{Method: post, Path: "/requests/:id/copy/files/:n/pages/:p", Action: archive.ActReview, Handle: p.mask},
		{Method: get, Path: "/requests/:id/copy/files/:n/pages/:p/image", Action: archive.ActReview, Handle: p.copyImage},

		{Method: get, Path: "/certificates/:number", Action: archive.ActCertificate, Handle: p.certificate},
		{Method: get, Path: "/certificates/:number/pdf", Action: archive.ActCertificate, Handle: p.certificatePDF},
		{Method: post, Path: "/certificates/:number/revoke", Action: archive.ActRevoke, Handle: p.revoke},
		{Method: post, Path: "/certificates/:number/supersede", Action: archive.ActRevoke, Handle: p.supersede},
		{Method: post, Path: "/certificates/:number/reseal", Action: archive.ActReseal, Handle: p.reseal},

		{Method: get, Path: "/templates", Action: archive.ActTemplates, Handle: p.templates},
		{Method: get, Path: "/templates/:key", Action: archive.ActTemplates, Handle: p.template},
		{Method: post, Path: "/templates/:key", Action: archive.ActWriteTemplate, Handle: p.writeTemplate},
		{Method: post, Path: "/templates/:key/preview", Action: archive.ActTemplates, Handle: p.previewTemplate},

		{Method: get, Path: "/lookup", Action: archive.ActLookup, Handle: p.lookupForm},
		{Method: post, Path: "/lookup", Action: archive.ActLookup, Handle: p.lookup},
		{Method: get, Path: "/accesses", Action: archive.ActAccesses, Handle: p.accesses},
	}...)
}

func static(c *gin.Context) error {
	raw, err := fs.ReadFile(files, "static/"+c.Param("name"))
	if err != nil {
		return archive.ErrNotFound
	}
	kind := "text/css; charset=utf-8"
	if path.Ext(c.Param("name")) == ".js" {
		kind = "text/javascript; charset=utf-8"
	}
	c.Header("Cache-Control", "public, max-age=600")
	c.Data(http.StatusOK, kind, raw)
	return nil
}

func actor(c *gin.Context) archive.Actor { return auth.From(c.Request.Context()) }
