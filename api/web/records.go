package web

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/api/internal/wire"
	"dangan/archive"
	"dangan/archive/policy"
)

// pageSize is how many hits a page of results has.
const pageSize = 20

// searchPage is the search form as it stands and what it found. Searching is a
// POST: names and id numbers do not belong in addresses.
type searchPage struct {
	Asked      bool
	Query      archive.Query
	Hits       archive.Hits
	Away       bool // the search engine does not answer
	Categories []archive.Category
	Offices    map[string]archive.Label
	Previous   int
	Next       int
	Faults     problems
}

func (p *Pages) searchForm(c *gin.Context) error {
	page, err := p.newSearch(c)
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, "search", page)
}

func (p *Pages) newSearch(c *gin.Context) (searchPage, error) {
	names, err := p.officeNames(c)
	return searchPage{Categories: p.c.Schema.Categories, Offices: names, Previous: -1, Next: -1}, err
}

func (p *Pages) search(c *gin.Context) error {
	page, err := p.newSearch(c)
	if err != nil {
		return err
	}
	page.Asked = true
	page.Query = archive.Query{
		Text: strings.TrimSpace(c.PostForm("q")), Sort: archive.Sort(c.PostForm("sort")),
		Offset: max(whole(c.PostForm("offset")), 0), Limit: pageSize,
		Filter: archive.Filter{
			Category: c.PostForm("category"), Office: c.PostForm("office"), Family: archive.Family(c.PostForm("family")),
			Fonds: strings.TrimSpace(c.PostForm("fonds")), Openness: archive.Openness(c.PostForm("openness")),
			YearFrom: whole(c.PostForm("year_from")), YearTo: whole(c.PostForm("year_to")),
		},
	}
	page.Hits, err = p.c.Search.Search(c.Request.Context(), actor(c), page.Query)
	var ps archive.Problems
	switch {
	case errors.Is(err, archive.ErrUnavailable):
		page.Away = true
		return p.show(c, http.StatusServiceUnavailable, "search", page)
	case errors.As(err, &ps):
		page.Faults = byField(ps)
		return p.show(c, http.StatusUnprocessableEntity, "search", page)
	case err != nil:
		return err
	}
	if page.Query.Offset > 0 {
		page.Previous = max(page.Query.Offset-pageSize, 0)
	}
	if next := page.Query.Offset + pageSize; len(page.Hits.Hits) == pageSize && (next < page.Hits.Total || page.Hits.AtLeast) {
		page.Next = next
	}
	return p.show(c, http.StatusOK, "search", page)
}

// whole reads a number of a form; anything else is 0, which narrows nothing.
func whole(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0
	}
	return n
}

// recordPage is a record with one page of one of its files.
type recordPage struct {
	View     archive.RecordView
	Category archive.Category
	Office   archive.Label
	File     int // shown, from 1; 0 for none
	Page     int
	Pages    int
	Previous int
	Next     int
	Asks     bool // a purpose is required before a page is shown
	Purpose  archive.Purpose
	Purposes []archive.Choice
	Reveals  bool
	Reveal   askPage
}

// askPage asks why a record is to be looked at.
type askPage struct {
	ID       string
	Purposes []archive.Choice
	Faults   problems
	Purpose  archive.Purpose
	Persons  []archive.Person // with their numbers, when they are revealed
}

func (p *Pages) record(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	purpose := purposeOf(c)
	view, err := p.c.Holdings.Open(c.Request.Context(), actor(c), purpose, id)
	if err != nil {
		return p.orAsk(c, id, err)
	}
	names, err := p.officeNames(c)
	if err != nil {
		return err
	}
	page := recordPage{View: view, Office: names[view.Office], Purpose: purpose, Purposes: archive.Purposes()}
	page.Category, _ = p.c.Schema.Category(view.Category)
	page.Asks = policy.Decide(actor(c), archive.ActFile, view.Target()).Purpose
	page.Reveals = policy.Decide(actor(c), archive.ActReveal, view.Target()).Allowed
	page.Reveal = askPage{ID: id, Purposes: page.Purposes, Purpose: purpose}
	page.turn(whole(c.Query("file")), whole(c.Query("page")))
	return p.show(c, http.StatusOK, "record", page)
}

// recordID refuses what cannot be an id before it becomes part of a key.
func recordID(c *gin.Context) (string, error) {
	if id := c.Param("id"); archive.ValidID(id) {
		return id, nil
	}
	return "", archive.ErrNotFound
}

// turn opens a file at a page, by default the first that can be shown.
func (r *recordPage) turn(file, page int) {
	ready := func(n int) bool {
		return n >= 1 && n <= len(r.View.States) && r.View.States[n-1].State == archive.Ready && r.View.States[n-1].Pages > 0
	}
	for n := 1; file == 0 && n <= len(r.View.States); n++ {
		if ready(n) {
			file = n
		}
	}
	if !ready(file) {
		return
	}
	r.File, r.Pages = file, r.View.States[file-1].Pages
	r.Page = min(max(page, 1), r.Pages)
	r.Previous, r.Next = r.Page-1, r.Page+1
	if r.Next > r.Pages {
		r.Next = 0
	}
}

// orAsk asks for a purpose when that is all that is missing.
func (p *Pages) orAsk(c *gin.Context, id string, err error) error {
	var ps archive.Problems
	if !errors.As(err, &ps) {
		return hidden(err)
	}
	return p.show(c, http.StatusUnprocessableEntity, "purpose", askPage{ID: id, Purposes: archive.Purposes()})
}

func hidden(err error) error {
	if errors.Is(err, archive.ErrForbidden) {
		return archive.ErrNotFound
	}
	return err
}

// purposeCookie keeps the purpose somebody gave for a record, for the pages of
// that record and for half an hour.
const purposeCookie = "purpose"

func (p *Pages) purpose(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	purpose := archive.Purpose{Code: archive.PurposeCode(c.PostForm("purpose")), Case: strings.TrimSpace(c.PostForm("case"))}
	if !purpose.Valid() {
		return p.show(c, http.StatusUnprocessableEntity, "purpose", askPage{ID: id, Purposes: archive.Purposes(), Purpose: purpose,
			Faults: problems{"purpose": {"required"}}})
	}
	http.SetCookie(c.Writer, &http.Cookie{Name: purposeCookie, Path: "/records/" + id, MaxAge: 30 * 60, HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Value: base64.RawURLEncoding.EncodeToString([]byte(wire.FormatPurpose(purpose)))})
	c.Redirect(http.StatusSeeOther, "/records/"+id)
	return nil
}

func purposeOf(c *gin.Context) archive.Purpose {
	cookie, err := c.Request.Cookie(purposeCookie)
	if err != nil {
		return archive.Purpose{}
	}
	raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return archive.Purpose{}
	}
	purpose, err := wire.ParsePurpose(string(raw))
	if err != nil {
		return archive.Purpose{}
	}
	return purpose
}

type versionsPage struct {
	ID   string
	List []archive.Version[archive.Record]
}

func (p *Pages) versions(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	list, err := p.c.Holdings.Versions(c.Request.Context(), actor(c), purposeOf(c), id)
	if err != nil {
		return p.orAsk(c, id, err)
	}
	return p.show(c, http.StatusOK, "versions", versionsPage{ID: id, List: list})
}

func (p *Pages) file(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	f, content, err := p.c.Files.File(c.Request.Context(), actor(c), purposeOf(c), id, whole(c.Param("n")))
	if err != nil {
		return p.orAsk(c, id, err)
	}
	return wire.Deliver(c.Writer, c.Request, wire.Served{Name: f.Name, MediaType: f.MediaType, SHA256: f.SHA256}, content)
}

func (p *Pages) page(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	image, err := p.c.Files.Page(c.Request.Context(), actor(c), purposeOf(c), id, whole(c.Param("n")), whole(c.Param("p")), 1000)
	if err != nil {
		return p.orAsk(c, id, err)
	}
	c.Data(http.StatusOK, "image/png", image)
	return nil
}

// officeNames are the names of the offices by id.
func (p *Pages) officeNames(c *gin.Context) (map[string]archive.Label, error) {
	list, err := p.c.Offices(c.Request.Context())
	if err != nil {
		return nil, err
	}
	names := make(map[string]archive.Label, len(list))
	for _, o := range list {
		names[o.ID] = o.Name
	}
	return names, nil
}
