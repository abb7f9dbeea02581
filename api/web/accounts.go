package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"dangan/archive"
	"dangan/archive/policy"
)

// accountRoutes are the pages about accounts, the own and others'.
func (p *Pages) accountRoutes() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{Method: get, Path: "/me", Action: archive.ActSelf, Handle: p.me},
		{Method: get, Path: "/me/accesses", Action: archive.ActOwnAccesses, Handle: p.ownAccesses},
		{Method: post, Path: "/me/password", Action: archive.ActSelf, Handle: p.setPassword},
		{Method: post, Path: "/me/second", Action: archive.ActSelf, Handle: p.beginSecond},
		{Method: post, Path: "/me/second/confirm", Action: archive.ActSelf, Handle: p.confirmSecond},
		{Method: post, Path: "/me/second/drop", Action: archive.ActSelf, Handle: p.dropSecond},
		{Method: post, Path: "/me/sessions/end", Action: archive.ActSelf, Handle: p.endSession},
		{Method: post, Path: "/me/relatives", Action: archive.ActSelf, Handle: p.declare},
		{Method: get, Path: "/accounts", Action: archive.ActAccounts, Handle: p.accounts},
		{Method: post, Path: "/accounts", Action: archive.ActPropose, Handle: p.propose},
		{Method: post, Path: "/accounts/:id/password", Action: archive.ActPropose, Handle: p.renew},
		{Method: post, Path: "/accounts/:id/rulings", Action: archive.ActConfirm, Handle: p.rule},
		{Method: post, Path: "/accounts/:id/keys", Action: archive.ActKeys, Handle: p.grantKey},
		{Method: post, Path: "/accounts/:id/keys/withdraw", Action: archive.ActKeys, Handle: p.withdrawKey},
		{Method: get, Path: "/citizens", Action: archive.ActEnrol, Handle: p.enrolForm},
		{Method: post, Path: "/citizens", Action: archive.ActEnrol, Handle: p.enrol},
	}
}

// accountsPage is a list of accounts, and what its reader may do about them.
type accountsPage struct {
	List     string
	Accounts []archive.Version[archive.Account]
	Next     string
	Offices  map[string]archive.Label
	Roles    []archive.Role
	Proposes bool
	Rules    bool
	Keys     bool
	Made     *archive.Account // just now
	Secret   string           // its first password, or a new key: shown once
	Faults   problems
}

func (p *Pages) accounts(c *gin.Context) error {
	return p.showAccounts(c, http.StatusOK, accountsPage{List: c.Query("list")})
}

func (p *Pages) showAccounts(c *gin.Context, status int, page accountsPage) error {
	a := actor(c)
	if page.List == "" {
		page.List = archive.ListStaff
	}
	var err error
	if page.Offices, err = p.officeNames(c); err != nil {
		return err
	}
	if page.Accounts, page.Next, err = p.c.People.List(c.Request.Context(), a, page.List, c.Query("before")); err != nil {
		return err
	}
	page.Roles = []archive.Role{archive.RoleUploader, archive.RoleReviewer, archive.RoleApprover, archive.RoleHead,
		archive.RoleAdmin, archive.RoleSecurity, archive.RoleAuditor, archive.RoleAgency}
	page.Proposes, page.Rules = policy.Permits(a.Role, archive.ActPropose), policy.Permits(a.Role, archive.ActConfirm)
	page.Keys = policy.Permits(a.Role, archive.ActKeys)
	return p.show(c, status, "accounts", page)
}

// orAccounts shows the list again with what was wrong.
func (p *Pages) orAccounts(c *gin.Context, page accountsPage, err error) error {
	var ps archive.Problems
	switch {
	case errors.As(err, &ps):
		page.Faults = byField(ps)
		return p.showAccounts(c, http.StatusUnprocessableEntity, page)
	case errors.Is(err, archive.ErrConflict), errors.Is(err, archive.ErrState):
		page.Faults = problems{"version": {"changed"}}
		return p.showAccounts(c, http.StatusConflict, page)
	}
	return err
}

func (p *Pages) propose(c *gin.Context) error {
	v := func(field string) string { return strings.TrimSpace(c.PostForm(field)) }
	role := archive.Role(v("role"))
	made, password, err := p.c.People.Propose(c.Request.Context(), actor(c), archive.Account{User: v("user"), Name: v("name"),
		IDNumber: archive.NewIDNumber("", v("id_number")), Quota: whole(v("quota")), Proposed: archive.Post{Role: role, Office: v("office")}})
	page := accountsPage{List: archive.Account{Role: role}.List(), Made: &made.Value, Secret: password}
	if err != nil {
		return p.orAccounts(c, accountsPage{}, err)
	}
	return p.showAccounts(c, http.StatusOK, page)
}

func (p *Pages) renew(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	v, password, err := p.c.People.Renew(c.Request.Context(), actor(c), id, whole(c.PostForm("version")))
	if err != nil {
		return p.orAccounts(c, accountsPage{}, err)
	}
	return p.showAccounts(c, http.StatusOK, accountsPage{List: v.Value.List(), Made: &v.Value, Secret: password})
}

func (p *Pages) rule(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	list := c.PostForm("list")
	_, err = p.c.People.Rule(c.Request.Context(), actor(c), id, whole(c.PostForm("version")), archive.Ruling{Step: archive.RulingStep(c.PostForm("step"))})
	if err != nil {
		return p.orAccounts(c, accountsPage{List: list}, err)
	}
	c.Redirect(http.StatusSeeOther, "/accounts?notice=changed&list="+escape(list))
	return nil
}

func (p *Pages) grantKey(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	// One that cannot be read is in the past, which is a problem that the room names.
	expires, _ := time.ParseInLocation(time.DateOnly, c.PostForm("expires"), beijing())
	v, secret, err := p.c.People.Grant(c.Request.Context(), actor(c), id, whole(c.PostForm("version")),
		archive.Key{Label: strings.TrimSpace(c.PostForm("label")), Expires: expires})
	if err != nil {
		return p.orAccounts(c, accountsPage{List: archive.ListAgency}, err)
	}
	return p.showAccounts(c, http.StatusOK, accountsPage{List: archive.ListAgency, Made: &v.Value, Secret: secret})
}

func (p *Pages) withdrawKey(c *gin.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	if _, err := p.c.People.Withdraw(c.Request.Context(), actor(c), id, whole(c.PostForm("version")), c.PostForm("key")); err != nil {
		return p.orAccounts(c, accountsPage{List: archive.ListAgency}, err)
	}
	c.Redirect(http.StatusSeeOther, "/accounts?notice=changed&list="+archive.ListAgency)
	return nil
}

// enrolPage is the form for a citizen at the counter, and the account it made.
type enrolPage struct {
	User, Name string
	Made       *archive.Account
	Secret     string
	Faults     problems
}

func (p *Pages) enrolForm(c *gin.Context) error {
	return p.show(c, http.StatusOK, "enrol", enrolPage{})
}

func (p *Pages) enrol(c *gin.Context) error {
	page := enrolPage{User: strings.TrimSpace(c.PostForm("user")), Name: strings.TrimSpace(c.PostForm("name"))}
	enter := p.c.People.Enrol
	if c.PostForm("known") != "" {
		enter = p.c.People.Readmit
	}
	v, password, err := enter(c.Request.Context(), actor(c), archive.Account{User: page.User, Name: page.Name,
		IDNumber: archive.NewIDNumber("", c.PostForm("id_number"))})
	var ps archive.Problems
	if errors.As(err, &ps) {
		page.Faults = byField(ps)
		return p.show(c, http.StatusUnprocessableEntity, "enrol", page)
	}
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, "enrol", enrolPage{Made: &v.Value, Secret: password})
}
