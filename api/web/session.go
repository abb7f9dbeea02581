package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/api/auth"
	"dangan/archive"
)

// signInPage is the sign-in form as it stands.
type signInPage struct {
	User, Next, Fault string
}

func (p *Pages) signInForm(c *gin.Context) error {
	next := inside(c.Query("next"))
	if actor(c).Role != archive.RoleAnonymous {
		c.Redirect(http.StatusSeeOther, next)
		return nil
	}
	return p.show(c, http.StatusOK, "signin", signInPage{Next: next})
}

func (p *Pages) signIn(c *gin.Context) error {
	form := signInPage{User: strings.TrimSpace(c.PostForm("user")), Next: inside(c.PostForm("next"))}
	t := attempt(c)
	t.User, t.Password, t.Code = form.User, c.PostForm("password"), strings.TrimSpace(c.PostForm("code"))
	cookie, err := p.c.Sessions.SignIn(c.Request.Context(), t)
	switch {
	case errors.Is(err, archive.ErrUnauthenticated):
		form.Fault = "signin.wrong"
		return p.show(c, http.StatusUnauthorized, "signin", form)
	case errors.Is(err, auth.ErrTooMany):
		form.Fault = "signin.too_many"
		return p.show(c, http.StatusTooManyRequests, "signin", form)
	case err != nil:
		return err
	}
	http.SetCookie(c.Writer, cookie)
	c.Redirect(http.StatusSeeOther, form.Next)
	return nil
}

func (p *Pages) signOut(c *gin.Context) error {
	cookie, err := p.c.Sessions.SignOut(c.Request.Context(), actor(c))
	http.SetCookie(c.Writer, cookie)
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/")
	return nil
}

// inside lets only a path of this site through: after signing in nobody is to
// be sent elsewhere.
func inside(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

func escape(path string) string { return url.QueryEscape(path) }

// homePage is what somebody has to do.
type homePage struct {
	List    []archive.Version[archive.Request] // open requests
	Offices map[string]archive.Label
}

func (p *Pages) home(c *gin.Context) error {
	a := actor(c)
	page := homePage{}
	if a.Role == archive.RoleAnonymous || !listsRequests(a) {
		return p.show(c, http.StatusOK, "home", page)
	}
	var err error
	if page.Offices, err = p.officeNames(c); err != nil {
		return err
	}
	list, err := p.c.Desk.Requests(c.Request.Context(), a, archive.RequestFilter{Limit: 50})
	if err != nil {
		return err
	}
	for _, r := range list {
		if !r.Value.State.Closed() && len(page.List) < 10 {
			page.List = append(page.List, r)
		}
	}
	return p.show(c, http.StatusOK, "home", page)
}
