package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/archive"
)

// mePage is the own account, with what a step has just brought about.
type mePage struct {
	Account  archive.Account
	Sessions []archive.Session
	Current  string
	Secret   string   // for an authenticator, not yet proved
	Address  string   // the same, as authenticators take it over
	Recovery []string // shown once
	Faults   problems
}

func (p *Pages) me(c *gin.Context) error { return p.showMe(c, http.StatusOK, mePage{}) }

func (p *Pages) showMe(c *gin.Context, status int, page mePage) error {
	a := actor(c)
	v, err := p.c.People.Own(c.Request.Context(), a)
	if err != nil {
		return err
	}
	page.Account, page.Current = v.Value, a.Session
	if page.Sessions, err = p.c.Self.Sessions(c.Request.Context(), a.ID); err != nil {
		return err
	}
	return p.show(c, status, "me", page)
}

// orFaults shows the page again with what was wrong in the form.
func (p *Pages) orFaults(c *gin.Context, page mePage, err error) error {
	var ps archive.Problems
	switch {
	case errors.As(err, &ps):
		page.Faults = byField(ps)
		return p.showMe(c, http.StatusUnprocessableEntity, page)
	case errors.Is(err, auth.ErrTooMany):
		page.Faults = problems{"current": {"too_many"}, "code": {"too_many"}}
		return p.showMe(c, http.StatusTooManyRequests, page)
	}
	return err
}

// attempt is what is known of the browser that signs in.
func attempt(c *gin.Context) auth.Attempt {
	return auth.Attempt{From: c.ClientIP(), Device: c.Request.UserAgent()}
}

func (p *Pages) setPassword(c *gin.Context) error {
	cookie, err := p.c.Self.SetPassword(c.Request.Context(), actor(c), c.PostForm("current"), c.PostForm("password"), attempt(c))
	if err != nil {
		return p.orFaults(c, mePage{}, err)
	}
	http.SetCookie(c.Writer, cookie)
	c.Redirect(http.StatusSeeOther, "/me?notice=changed")
	return nil
}

func (p *Pages) beginSecond(c *gin.Context) error {
	secret, address, err := p.c.Self.BeginSecond(c.Request.Context(), actor(c), c.PostForm("current"))
	if err != nil {
		return p.orFaults(c, mePage{}, err)
	}
	return p.showMe(c, http.StatusOK, mePage{Secret: secret, Address: address})
}

func (p *Pages) confirmSecond(c *gin.Context) error {
	recovery, err := p.c.Self.ConfirmSecond(c.Request.Context(), actor(c), strings.TrimSpace(c.PostForm("code")))
	if err != nil {
		return p.orFaults(c, mePage{Secret: c.PostForm("secret")}, err)
	}
	return p.showMe(c, http.StatusOK, mePage{Recovery: recovery})
}

func (p *Pages) dropSecond(c *gin.Context) error {
	if err := p.c.Self.DropSecond(c.Request.Context(), actor(c), c.PostForm("current")); err != nil {
		return p.orFaults(c, mePage{}, err)
	}
	c.Redirect(http.StatusSeeOther, "/me?notice=changed")
	return nil
}

func (p *Pages) endSession(c *gin.Context) error {
	if err := p.c.Self.EndSession(c.Request.Context(), actor(c).ID, c.PostForm("id")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/me?notice=changed")
	return nil
}

func (p *Pages) declare(c *gin.Context) error {
	relative := archive.NewIDNumber("", c.PostForm("relative"))
	if _, err := p.c.People.Declare(c.Request.Context(), actor(c), []archive.IDNumber{relative}); err != nil {
		return p.orFaults(c, mePage{}, err)
	}
	c.Redirect(http.StatusSeeOther, "/me?notice=changed")
	return nil
}

// seenPage is who saw the records about somebody.
type seenPage struct {
	List    []archive.Seen
	Offices map[string]archive.Label
	Next    string
	Faults  problems
}

func (p *Pages) ownAccesses(c *gin.Context) error {
	names, err := p.officeNames(c)
	if err != nil {
		return err
	}
	page := seenPage{Offices: names}
	page.List, page.Next, err = p.c.Evidence.Own(c.Request.Context(), actor(c), c.Query("before"))
	var ps archive.Problems
	if errors.As(err, &ps) {
		page.Faults = byField(ps)
		return p.show(c, http.StatusUnprocessableEntity, "me_accesses", page)
	}
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, "me_accesses", page)
}

// reveal shows a record with its numbers in full, on a page that has no address of
// its own.
func (p *Pages) reveal(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	purpose := archive.Purpose{Code: archive.PurposeCode(c.PostForm("purpose")), Case: strings.TrimSpace(c.PostForm("case"))}
	view, err := p.c.Holdings.Reveal(c.Request.Context(), actor(c), purpose, id)
	var ps archive.Problems
	if errors.As(err, &ps) {
		return p.show(c, http.StatusUnprocessableEntity, "reveal", askPage{ID: id, Purposes: archive.Purposes(), Purpose: purpose, Faults: byField(ps)})
	}
	if err != nil {
		return hidden(err)
	}
	return p.show(c, http.StatusOK, "reveal", askPage{ID: id, Purpose: purpose, Persons: view.Persons})
}
