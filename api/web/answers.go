package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/archive"
)

// lookupPage is an agency's question as it stands and the answer.
type lookupPage struct {
	Question   archive.Question
	Categories []archive.Category
	Purposes   []archive.Choice
	Offices    map[string]archive.Label
	Faults     problems
	Answer     *archive.Answer
}

func (p *Pages) lookupForm(c *gin.Context) error {
	return p.show(c, http.StatusOK, "lookup", lookupPage{Categories: p.c.Schema.Categories, Purposes: archive.Purposes()})
}

func (p *Pages) lookup(c *gin.Context) error {
	names, err := p.officeNames(c)
	if err != nil {
		return err
	}
	v := func(field string) string { return strings.TrimSpace(c.PostForm(field)) }
	page := lookupPage{Categories: p.c.Schema.Categories, Purposes: archive.Purposes(), Offices: names,
		Question: archive.Question{Kind: archive.RecordExists, Category: v("category"),
			Person:  archive.Person{Name: v("person.name"), ID: archive.NewIDNumber("", v("person.id"))},
			Purpose: archive.Purpose{Code: archive.PurposeCode(v("purpose")), Case: v("case")}}}
	answer, err := p.c.Lookup.Ask(c.Request.Context(), actor(c), page.Question)
	var ps archive.Problems
	if errors.As(err, &ps) {
		page.Faults = byField(ps)
		return p.show(c, http.StatusUnprocessableEntity, "lookup", page)
	}
	if err != nil {
		return err
	}
	page.Answer = &answer
	return p.show(c, http.StatusOK, "lookup", page)
}

type accessesPage struct {
	List []archive.Access
	Next string
}

func (p *Pages) accesses(c *gin.Context) error {
	const most = 100
	before := c.Query("before")
	if before != "" && !archive.ValidID(before) {
		return archive.ErrNotFound
	}
	list, err := p.c.Evidence.Accesses(c.Request.Context(), actor(c), before, most)
	if err != nil {
		return err
	}
	page := accessesPage{List: list}
	if len(list) == most {
		page.Next = list[most-1].ID
	}
	return p.show(c, http.StatusOK, "accesses", page)
}
