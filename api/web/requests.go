package web

import (
	"crypto/rand"
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

func listsRequests(a archive.Actor) bool { return policy.Permits(a.Role, archive.ActListRequests) }

// newKey is an idempotency key for one filling-in of a form.
func newKey() string { return rand.Text() }

// requestsPage is a list of requests.
type requestsPage struct {
	State   archive.RequestState
	States  []archive.RequestState
	List    []archive.Version[archive.Request]
	Offices map[string]archive.Label
	Next    string
}

func states() []archive.RequestState {
	return []archive.RequestState{archive.Submitted, archive.Supplement, archive.Matched, archive.Reviewed, archive.ReviewedNone,
		archive.Approved, archive.Issued, archive.NotFound, archive.Refused, archive.Withdrawn}
}

func (p *Pages) requests(c *gin.Context) error {
	const most = 50
	page := requestsPage{State: archive.RequestState(c.Query("state")), States: states()}
	before := c.Query("before")
	if before != "" && !archive.ValidID(before) {
		return archive.ErrNotFound
	}
	var err error
	if page.Offices, err = p.officeNames(c); err != nil {
		return err
	}
	page.List, err = p.c.Desk.Requests(c.Request.Context(), actor(c), archive.RequestFilter{State: page.State, Before: before, Limit: most})
	if err != nil {
		return err
	}
	if len(page.List) == most {
		page.Next = page.List[most-1].Value.ID
	}
	return p.show(c, http.StatusOK, "requests", page)
}

// submitPage is the form of a new request as it stands.
type submitPage struct {
	Key        string
	Categories []archive.Category
	Category   archive.Category
	Offices    []archive.Office
	Persons    []int
	Values     url.Values
	Faults     problems
	General    []archive.Problem
}

// V is the value a field was left with.
func (s submitPage) V(field string) string { return s.Values.Get(field) }

// Services are what may be asked for from records of the category.
func (s submitPage) Services() []archive.Choice {
	return slices.DeleteFunc(archive.Services(), func(c archive.Choice) bool {
		return archive.Service(c.Code).Family() != s.Category.Family
	})
}

// F are the faults of a field.
func (s submitPage) F(field string) []string { return s.Faults[field] }

// Person is the name of a field of the i-th person.
func (s submitPage) Person(i int, field string) string {
	return fmt.Sprintf("wanted.persons[%d].%s", i, field)
}

func (p *Pages) newSubmission(c *gin.Context, category string, values url.Values) (submitPage, error) {
	s := submitPage{Key: newKey(), Values: values, Persons: []int{0, 1}}
	for _, cat := range p.c.Schema.Categories {
		s.Categories = append(s.Categories, cat)
		if cat.Code == category || s.Category.Code == "" {
			s.Category = cat
		}
	}
	var err error
	s.Offices, err = p.c.Offices(c.Request.Context())
	return s, err
}

func (p *Pages) submitForm(c *gin.Context) error {
	s, err := p.newSubmission(c, c.Query("category"), url.Values{})
	if err != nil {
		return err
	}
	for i, role := range s.Category.Roles {
		if i < len(s.Persons) {
			s.Values.Set(s.Person(i, "role"), role.Code)
		}
	}
	s.Values.Set(s.Person(0, "name"), actor(c).Name)
	return p.show(c, http.StatusOK, "request_new", s)
}

func (p *Pages) submit(c *gin.Context) error {
	if err := c.Request.ParseForm(); err != nil {
		return err
	}
	values := c.Request.PostForm
	s, err := p.newSubmission(c, values.Get("category"), values)
	if err != nil {
		return err
	}
	r := archive.Request{Office: values.Get("office"), Purpose: strings.TrimSpace(values.Get("purpose")),
		Language: values.Get("language"), Service: archive.Service(values.Get("service")), Wanted: s.wanted(values.Get("category"))}
	v, err := p.c.Desk.Submit(c.Request.Context(), actor(c), values.Get("key"), r)
	var ps archive.Problems
	if errors.As(err, &ps) {
		s.Faults = byField(ps)
		for _, f := range ps {
			if f.Field == "wanted.persons" || f.Field == "applicant" || f.Field == "Idempotency-Key" {
				s.General = append(s.General, f)
			}
		}
		return p.show(c, http.StatusUnprocessableEntity, "request_new", s)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/requests/"+v.Value.ID+"?notice=submitted")
	return nil
}

// wanted is what the form says about the record looked for.
func (s submitPage) wanted(category string) archive.Wanted {
	v := func(field string) string { return strings.TrimSpace(s.Values.Get(field)) }
	w := archive.Wanted{Category: category, Place: v("wanted.place"), YearFrom: whole(v("wanted.year_from")), YearTo: whole(v("wanted.year_to"))}
	for _, i := range s.Persons {
		pv := func(field string) string { return v(s.Person(i, field)) }
		if pv("name") == "" && pv("id") == "" {
			continue
		}
		w.Persons = append(w.Persons, archive.Person{Name: pv("name"), Aliases: split(pv("aliases")), Role: pv("role"), ID: archive.NewIDNumber("", pv("id"))})
	}
	return w
}

// requestPage is one request with what may be done about it.
type requestPage struct {
	V          archive.Version[archive.Request]
	Office     archive.Label
	Category   archive.Category
	Steps      map[archive.Step]bool
	MayReview  bool
	Candidates []archive.Candidate
	Unranked   bool // the search engine is away: exact look-ups alone
	Record     *archive.RecordView
	Fault      string
	Faults     problems
}

// R is the request.
func (r requestPage) R() archive.Request { return r.V.Value }

// May reports whether a step may be taken.
func (r requestPage) May(step string) bool { return r.Steps[archive.Step(step)] }

// Role is the label of a person's role in the wanted category.
func (r requestPage) Role(code string) archive.Label { return r.Category.RoleLabel(code) }

func (p *Pages) request(c *gin.Context) error {
	return p.showRequest(c, http.StatusOK, "", nil)
}

func (p *Pages) showRequest(c *gin.Context, status int, fault string, faults problems) error {
	ctx, a := c.Request.Context(), actor(c)
	id := c.Param("id")
	if !archive.ValidID(id) {
		return archive.ErrNotFound
	}
	v, err := p.c.Desk.Request(ctx, a, id)
	if err != nil {
		return hidden(err)
	}
	names, err := p.officeNames(c)
	if err != nil {
		return err
	}
	page := requestPage{V: v, Office: names[v.Value.Office], Steps: map[archive.Step]bool{}, Fault: fault, Faults: faults}
	page.Category, _ = p.c.Schema.Category(v.Value.Wanted.Category)
	page.MayReview = policy.Decide(a, archive.ActReview, v.Value.Target()).Allowed
	for _, step := range archive.Steps(v.Value, func(act archive.Action) bool { return policy.Decide(a, act, v.Value.Target()).Allowed }) {
		page.Steps[step] = true
	}
	if page.May(string(archive.StepMatch)) {
		ranked := true
		if page.Candidates, ranked, err = p.c.Desk.Candidates(ctx, a, id); err != nil {
			return err
		}
		page.Unranked = !ranked
	}
	if a.Staff() && v.Value.Record != "" {
		// The matched record is shown if the actor may see it, and left out if not.
		purpose := archive.Purpose{Code: archive.ForRequest, Case: id}
		if rec, err := p.c.Holdings.Open(ctx, a, purpose, v.Value.Record); err == nil {
			page.Record = &rec
		} else if !errors.Is(err, archive.ErrNotFound) && !errors.Is(err, archive.ErrForbidden) {
			return err
		}
	}
	return p.show(c, status, "request", page)
}

func (p *Pages) move(c *gin.Context) error {
	id := c.Param("id")
	if !archive.ValidID(id) {
		return archive.ErrNotFound
	}
	m := archive.Move{Step: archive.Step(c.PostForm("step")), Record: strings.TrimSpace(c.PostForm("record")), Note: strings.TrimSpace(c.PostForm("note"))}
	if place, names := strings.TrimSpace(c.PostForm("searched.place")), split(c.PostForm("searched.names")); place != "" || len(names) > 0 {
		m.Searched = []archive.Search{{Place: place, Names: names, Fonds: split(c.PostForm("searched.fonds")),
			YearFrom: whole(c.PostForm("searched.year_from")), YearTo: whole(c.PostForm("searched.year_to"))}}
	}
	sources, err := parseSources(c.PostForm("sources"))
	if err == nil {
		m.Sources = sources
		_, err = p.c.Desk.Move(c.Request.Context(), actor(c), id, whole(c.PostForm("version")), m)
	}
	var ps archive.Problems
	switch {
	case err == nil:
		c.Redirect(http.StatusSeeOther, "/requests/"+id+"?notice=moved")
		return nil
	case errors.As(err, &ps):
		return p.showRequest(c, http.StatusUnprocessableEntity, "", byField(ps))
	case errors.Is(err, archive.ErrConflict):
		c.Redirect(http.StatusSeeOther, "/requests/"+id+"?notice=changed")
		return nil
	case errors.Is(err, archive.ErrState):
		return p.showRequest(c, http.StatusConflict, "request.state_fault", nil)
	case errors.Is(err, archive.ErrForbidden):
		return p.showRequest(c, http.StatusForbidden, "request.forbidden_fault", nil)
	}
	return err
}

// parseSources reads "1/2, 1/3": file and page of each sentence, in order.
func parseSources(text string) ([]archive.PageRef, error) {
	var list []archive.PageRef
	for _, part := range split(text) {
		file, page, ok := strings.Cut(part, "/")
		if !ok {
			file, page = "1", part
		}
		f, errFile := strconv.Atoi(file)
		n, errPage := strconv.Atoi(page)
		if errFile != nil || errPage != nil || f < 1 || n < 1 {
			return nil, archive.Problems{{Code: "bad_value", Field: "sources"}}
		}
		list = append(list, archive.PageRef{File: f, Page: n})
	}
	return list, nil
}
