package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"dangan/archive"
	"dangan/archive/policy"
)

// views are the pages in one language, by name.
type views map[string]*template.Template

// words are the texts of the interface in one language, by key.
type words map[string]string

// languages lists the languages, the default first.
func languages() []string { return []string{"zh", "en"} }

// langCookie remembers the language somebody chose.
const langCookie = "lang"

func readWords(lang string) (words, error) {
	raw, err := files.ReadFile("locales/" + lang + ".json")
	if err != nil {
		return nil, err
	}
	var w words
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, fmt.Errorf("locale %s: %w", lang, err)
	}
	return w, nil
}

// say is the text for a key; further arguments fill its verbs. A key without a
// text shows itself, which a test looks for.
func (w words) say(key string, args ...any) string {
	text, ok := w[key]
	if !ok {
		return "⟦" + key + "⟧"
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// known is the text for a key, or fallback when there is none: for codes that
// come from elsewhere.
func (w words) known(key, fallback string) string {
	if text, ok := w[key]; ok {
		return text
	}
	return fallback
}

func parseViews(lang string, w words, schema archive.Schema) (views, error) {
	list, err := fs.Glob(files, "templates/pages/*.html")
	if err != nil {
		return nil, err
	}
	shared, err := template.New("").Funcs(functions(lang, w, schema)).ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	all := views{}
	for _, file := range list {
		page, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if page, err = page.ParseFS(files, file); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(path.Base(file), ".html")] = page
	}
	return all, nil
}

// view is what every template gets.
type view struct {
	Lang   string
	Other  string // the other language, for the switch
	Path   string // of this page
	Get    bool   // the switch of language may ask for the page again
	Actor  archive.Actor
	Links  []link
	Notice string // key of a text on top
	Data   any
}

// link is an entry of the menu.
type link struct {
	Path, Key string
	Current   bool
}

// menu lists the pages an actor's role may open.
func menu(a archive.Actor, here string) []link {
	var list []link
	for _, l := range []struct {
		path, key string
		act       archive.Action
	}{
		{"/requests", "menu.requests", archive.ActListRequests},
		{"/requests/new", "menu.new_request", archive.ActSubmit},
		{"/search", "menu.search", archive.ActSearch},
		{"/deposit", "menu.deposit", archive.ActDeposit},
		{"/templates", "menu.templates", archive.ActTemplates},
		{"/lookup", "menu.lookup", archive.ActLookup},
		{"/accesses", "menu.accesses", archive.ActAccesses},
		{"/me/accesses", "menu.own_accesses", archive.ActOwnAccesses},
		{"/citizens", "menu.enrol", archive.ActEnrol},
		{"/accounts", "menu.accounts", archive.ActAccounts},
		{"/v", "menu.verify", archive.ActVerify},
	} {
		if policy.Permits(a.Role, l.act) {
			list = append(list, link{Path: l.path, Key: l.key, Current: l.path == here})
		}
	}
	return list
}

// show renders a page completely before the first byte of it is sent.
func (p *Pages) show(c *gin.Context, status int, name string, data any) error {
	lang := p.language(c)
	v := view{Lang: lang, Path: c.Request.URL.Path, Get: c.Request.Method == http.MethodGet, Actor: actor(c), Data: data}
	v.Links = menu(v.Actor, v.Path)
	v.Notice = notice(c.Query("notice"))
	for _, l := range languages() {
		if l != lang {
			v.Other = l
		}
	}
	var page bytes.Buffer
	if err := p.views[lang][name].ExecuteTemplate(&page, "layout", v); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	c.Data(status, "text/html; charset=utf-8", page.Bytes())
	return nil
}

// notice admits only what a redirect of ours can have put there.
func notice(key string) string {
	switch key {
	case "saved", "moved", "changed", "deposited", "submitted", "revoked", "superseded", "resealing", "chosen":
		return "notice." + key
	}
	return ""
}

// language is the one asked for with ?lang=, which is remembered, or the one
// remembered, or what the browser prefers, or Chinese.
func (p *Pages) language(c *gin.Context) string {
	if lang := c.Query("lang"); p.views[lang] != nil {
		c.SetSameSite(http.SameSiteLaxMode)
		c.SetCookie(langCookie, lang, 365*24*60*60, "/", "", false, true)
		return lang
	}
	if lang, err := c.Cookie(langCookie); err == nil && p.views[lang] != nil {
		return lang
	}
	for _, tag := range strings.Split(c.GetHeader("Accept-Language"), ",") {
		lang, _, _ := strings.Cut(strings.TrimSpace(tag), ";")
		lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
		if p.views[lang] != nil {
			return lang
		}
	}
	return languages()[0]
}

// problems are the faults of a form by field.
type problems map[string][]string

func byField(ps archive.Problems) problems {
	m := problems{}
	for _, p := range ps {
		m[p.Field] = append(m[p.Field], p.Code)
	}
	return m
}

// Fail shows an error as a page. Somebody who must sign in first is sent to do
// so, and comes back.
func (p *Pages) Fail(c *gin.Context, status int, code, request string) {
	if status == http.StatusUnauthorized && c.Request.Method == http.MethodGet {
		c.Redirect(http.StatusSeeOther, "/signin?next="+escape(c.Request.URL.Path))
		return
	}
	if err := p.show(c, status, "error", map[string]any{"Status": status, "Code": code, "Request": request}); err != nil {
		c.String(status, code)
	}
}
