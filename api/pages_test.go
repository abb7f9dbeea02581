package api_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dangan/archive"
)

// element is a tag of a page with its attributes.
type element struct {
	name  string
	attrs map[string]string
}

// page is a page as a reader of HTML sees it.
type page struct {
	text     string
	elements []element
}

func parsePage(t *testing.T, rec *httptest.ResponseRecorder) page {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(rec.Body.String()))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var p page
	for {
		token, err := d.Token()
		if err == io.EOF {
			return p
		}
		if err != nil {
			t.Fatalf("not HTML: %v\n%s", err, rec.Body)
		}
		switch token := token.(type) {
		case xml.CharData:
			p.text += string(token) + " "
		case xml.StartElement:
			e := element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			p.elements = append(p.elements, e)
		}
	}
}

// find returns the elements with a name and an attribute of a value.
func (p page) find(name, attr, value string) []element {
	var list []element
	for _, e := range p.elements {
		if got, ok := e.attrs[attr]; ok && e.name == name && got == value {
			list = append(list, e)
		}
	}
	return list
}

func (p page) value(field string) string {
	for _, e := range p.find("input", "name", field) {
		return e.attrs["value"]
	}
	return ""
}

// TestEveryPage opens every page in both languages as everybody who may, and
// looks for what no page may have: texts without a translation, scripts or
// styles of its own, anything from another site, inputs without a label.
func TestEveryPage(t *testing.T) {
	w := newWorld(t)
	pages := map[string][]archive.Role{
		"/":                              {"", archive.RoleUploader, archive.RoleCitizen, archive.RoleAgency, archive.RoleAuditor},
		"/signin":                        {""},
		"/v":                             {"", archive.RoleCitizen},
		"/deposit":                       {archive.RoleUploader},
		"/deposit?category=dossier_item": {archive.RoleUploader},
		"/search":                        {archive.RoleReviewer},
		"/records/" + recordID:           {archive.RoleUploader},
		"/records/" + recordID + "?file=1&page=2":          {archive.RoleUploader},
		"/records/" + recordID + "/versions":               {archive.RoleUploader},
		"/requests":                                        {archive.RoleReviewer, archive.RoleCitizen},
		"/requests/new?category=land":                      {archive.RoleCitizen},
		"/requests/" + requestID:                           {archive.RoleApprover, archive.RoleCitizen},
		"/certificates/" + url.PathEscape(number):          {archive.RoleApprover, archive.RoleCitizen},
		"/requests/" + requestID + "/copy":                 {archive.RoleReviewer},
		"/requests/" + requestID + "/copy/files/1/pages/2": {archive.RoleReviewer},
		"/lookup":               {archive.RoleAgency},
		"/accesses":             {archive.RoleAuditor},
		"/me":                   {archive.RoleHead, archive.RoleCitizen, archive.RoleAgency},
		"/me/accesses":          {archive.RoleCitizen},
		"/accounts":             {archive.RoleAdmin, archive.RoleSecurity, archive.RoleAuditor},
		"/accounts?list=agency": {archive.RoleSecurity},
		"/citizens":             {archive.RoleReviewer},
		"/nothing":              {""},
		"/records/" + missingID: {archive.RoleUploader},
	}
	cookies := map[archive.Role]*http.Cookie{}
	for path, roles := range pages {
		for _, role := range roles {
			if role != "" && cookies[role] == nil {
				cookies[role] = w.signIn(role)
			}
			for _, lang := range []string{"zh", "en"} {
				address := path + "?lang=" + lang
				if strings.Contains(path, "?") {
					address = path + "&lang=" + lang
				}
				rec := w.get(address, cookies[role])
				want := 200
				if path == "/nothing" || strings.Contains(path, missingID) {
					want = 404
				}
				if rec.Code != want {
					t.Errorf("%s as %q: %d", address, role, rec.Code)
				}
				checkPage(t, address+" as "+string(role), lang, rec)
			}
		}
	}
}

func checkPage(t *testing.T, name, lang string, rec *httptest.ResponseRecorder) {
	t.Helper()
	if strings.Contains(rec.Body.String(), "⟦") {
		_, after, _ := strings.Cut(rec.Body.String(), "⟦")
		t.Errorf("%s: no text for %s", name, after[:min(40, len(after))])
	}
	p := parsePage(t, rec)
	if want := map[string]string{"zh": "zh-CN", "en": "en"}[lang]; len(p.find("html", "lang", want)) != 1 {
		t.Errorf("%s is not in %s", name, want)
	}
	for _, e := range p.elements {
		for attr, value := range e.attrs {
			if strings.HasPrefix(attr, "on") || attr == "style" {
				t.Errorf("%s: <%s %s>", name, e.name, attr)
			}
			if (attr == "src" || attr == "href" || attr == "action") && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "?") && !strings.HasPrefix(value, "#") {
				t.Errorf("%s: <%s %s=%q>", name, e.name, attr, value)
			}
			if (attr == "href" || attr == "src" || attr == "action") && (strings.Contains(value, canary) || strings.Contains(value, "99999")) {
				t.Errorf("%s: a name in an address: %q", name, value)
			}
		}
		if e.name == "style" || e.name == "script" && e.attrs["src"] == "" {
			t.Errorf("%s: inline <%s>", name, e.name)
		}
		if e.name == "form" && e.attrs["method"] != "post" {
			t.Errorf("%s: a form that is no POST puts what is entered into the address", name)
		}
	}
}

func TestLanguage(t *testing.T) {
	w := newWorld(t)
	lang := func(path, accept, cookie string) string {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Language", accept)
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "lang", Value: cookie})
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		for _, e := range parsePage(t, rec).elements {
			if e.name == "html" {
				return e.attrs["lang"]
			}
		}
		return ""
	}
	for _, tt := range [][4]string{
		{"/v", "", "", "zh-CN"}, {"/v", "de-DE, en-GB;q=0.8", "", "en"}, {"/v", "zh-TW,en", "", "zh-CN"}, {"/v", "fr", "", "zh-CN"},
		{"/v", "zh", "en", "en"}, {"/v?lang=zh", "en", "en", "zh-CN"}, {"/v?lang=xx", "en", "xx", "en"},
	} {
		if got := lang(tt[0], tt[1], tt[2]); got != tt[3] {
			t.Errorf("%v: %s", tt, got)
		}
	}
}

func TestVerifyPage(t *testing.T) {
	w := newWorld(t)
	rec := w.form("/v", url.Values{"number": {number}, "code": {"ABCD-EFGH-JKMN"}}, nil, "same-origin")
	if p := parsePage(t, rec); rec.Code != 200 || len(p.find("section", "class", "verdict VALID")) != 1 || !strings.Contains(p.text, "张**") || p.value("number") != number {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	rec = w.form("/v", url.Values{"number": {number}, "code": {"wrong"}}, nil, "same-origin")
	if p := parsePage(t, rec); rec.Code != 200 || len(p.find("section", "class", "verdict UNKNOWN")) != 1 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	rec = w.form("/v", url.Values{"number": {" "}}, nil, "same-origin")
	if p := parsePage(t, rec); rec.Code != 422 || len(p.find("span", "class", "fault")) != 2 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	body, kind := multi(t, part{name: "file", file: "c.pdf", kind: "application/pdf", body: "%PDF-1.7 changed"})
	rec = w.do(call{method: "POST", path: "/v", body: body, kind: kind})
	if p := parsePage(t, rec); rec.Code != 200 || len(p.find("section", "class", "verdict TAMPERED")) != 1 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	body, kind = multi(t, part{name: "file", file: "c.pdf", body: "hello"})
	if rec = w.do(call{method: "POST", path: "/v", body: body, kind: kind}); rec.Code != 422 {
		t.Errorf("%d", rec.Code)
	}
	w.fail = archive.ErrUnavailable
	rec = w.form("/v", url.Values{"number": {number}, "code": {"ABCD-EFGH-JKMN"}}, nil, "same-origin")
	if p := parsePage(t, rec); rec.Code != 503 || len(p.find("section", "role", "status")) != 0 {
		t.Errorf("a verdict without the store: %d", rec.Code)
	}
}

func TestDepositPage(t *testing.T) {
	w := newWorld(t)
	fields := []part{{name: "key", body: "k7"}, {name: "category", body: "marriage"}, {name: "reference_code", body: "J019-ZY·HY·2010·D100-001-0001"},
		{name: "title", body: "结婚登记审查处理表"}, {name: "responsible", body: "青川市民政局"}, {name: "date", body: "20100520"},
		{name: "persons[2].name", body: canary}, {name: "persons[2].role", body: "wife"}, {name: "persons[2].aliases", body: "张甲、张乙"}, {name: "persons[2].id", body: "999999199001010016"},
		{name: "fields.registration_kind", body: "marriage"}, {name: "fields.certificate_number", body: "J1"}, {name: "fields.registered_on", body: "20100520"}, {name: "fields.registry", body: "登记处"}}
	post := func(parts ...part) *httptest.ResponseRecorder {
		body, kind := multi(t, parts...)
		return w.do(call{role: archive.RoleUploader, method: "POST", path: "/deposit", body: body, kind: kind})
	}
	for id, a := range w.accounts { // staff belong to an office
		a.Office = "qc"
		w.accounts[id] = a
	}
	files := []part{{name: "file", file: "一.pdf", body: "one"}, {name: "file", file: "二.pdf", body: "two"}}
	rec := post(append(slices.Clone(fields), files...)...)
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/records/"+recordID+"?notice=deposited" {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if w.key != "k7" || len(w.bodies) != 2 || string(w.bodies[1]) != "two" || len(w.record.Persons) != 1 || len(w.record.Persons[0].Aliases) != 2 || w.record.Office != "qc" {
		t.Errorf("%q %q %+v", w.key, w.bodies, w.record)
	}
	bad := slices.Clone(fields)
	bad[5].body, bad[12].body = "soon", "never"
	rec = post(append(bad, files...)...)
	p := parsePage(t, rec)
	if rec.Code != 422 || len(p.find("span", "class", "fault")) != 2 {
		t.Errorf("%d, %d faults", rec.Code, len(p.find("span", "class", "fault")))
	}
	if p.value("date") != "soon" || p.value("title") != "结婚登记审查处理表" || p.value("persons[0].name") != canary || p.value("fields.registered_on") != "never" {
		t.Error("what was entered is gone")
	}
	if key := p.value("key"); key == "" || key == "k7" {
		t.Errorf("the corrected form has the key %q", key)
	}
	w.fail = archive.ErrExists
	if rec = post(fields...); rec.Code != 422 || !strings.Contains(rec.Body.String(), "该档号已有档案") {
		t.Errorf("%d", rec.Code)
	}
}

func TestSearchPage(t *testing.T) {
	w := newWorld(t)
	cookie := w.signIn(archive.RoleReviewer)
	rec := w.form("/search", url.Values{"q": {"张"}, "category": {"marriage"}, "year_from": {"2000"}, "offset": {"20"}}, cookie, "same-origin")
	p := parsePage(t, rec)
	if rec.Code != 200 || w.query.Offset != 20 || w.query.Filter.YearFrom != 2000 || p.value("q") != "张" || len(p.find("a", "href", "/records/"+recordID)) != 1 {
		t.Errorf("%d %+v", rec.Code, w.query)
	}
	if !strings.Contains(rec.Body.String(), "<mark>题</mark>名") || !strings.Contains(p.text, "张金丝") || !strings.Contains(p.text, "shard-2") || len(p.find("button", "value", "0")) != 1 {
		t.Errorf("%s", rec.Body)
	}
	w.away = archive.ErrUnavailable
	rec = w.form("/search", url.Values{"q": {"张"}}, cookie, "same-origin")
	if p = parsePage(t, rec); rec.Code != 503 || !strings.Contains(p.text, "全文检索暂时不可用") || p.value("q") != "张" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestPurposePage(t *testing.T) {
	w := newWorld(t)
	cookie := w.signIn(archive.RoleUploader)
	rec := w.get("/records/"+askID, cookie)
	if p := parsePage(t, rec); rec.Code != 422 || len(p.find("form", "action", "/records/"+askID+"/purpose")) != 1 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if rec = w.form("/records/"+askID+"/purpose", url.Values{"purpose": {"curiosity"}}, cookie, "same-origin"); rec.Code != 422 {
		t.Errorf("%d", rec.Code)
	}
	rec = w.form("/records/"+askID+"/purpose", url.Values{"purpose": {"justice"}, "case": {"（2026）川01民初12号"}}, cookie, "same-origin")
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/records/"+askID {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	r := httptest.NewRequest("GET", "/records/"+askID+"/files/1/pages/1", nil)
	r.AddCookie(cookie)
	given := rec.Result().Cookies()[0]
	if given.Path != "/records/"+askID || !given.HttpOnly {
		t.Errorf("%+v", given)
	}
	r.AddCookie(given)
	rec = httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	want := archive.Purpose{Code: archive.ForJustice, Case: "（2026）川01民初12号"}
	if rec.Code != 200 || w.purpose != want {
		t.Errorf("%d %+v", rec.Code, w.purpose)
	}
}

func TestRequestPages(t *testing.T) {
	w := newWorld(t)
	citizen, reviewer := w.signIn(archive.RoleCitizen), w.signIn(archive.RoleReviewer)
	values := url.Values{"key": {"k"}, "category": {"marriage"}, "office": {"qc"}, "purpose": {"办理贷款"}, "language": {"zh-CN"},
		"wanted.persons[0].name": {"张三"}, "wanted.persons[0].role": {"wife"}, "wanted.year_from": {"2009"}}
	rec := w.form("/requests", values, citizen, "same-origin")
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/requests/"+requestID+"?notice=submitted" || w.key != "k" || w.request.Wanted.Persons[0].Name != "张三" {
		t.Errorf("%d %+v", rec.Code, w.request)
	}
	values.Set("purpose", " ")
	rec = w.form("/requests", values, citizen, "same-origin")
	if p := parsePage(t, rec); rec.Code != 422 || len(p.find("span", "class", "fault")) != 1 || p.value("wanted.persons[0].name") != "张三" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	path := "/requests/" + requestID
	p := parsePage(t, w.get(path, reviewer))
	if !strings.Contains(p.text, "姓名相同") || !strings.Contains(p.text, "92%") || len(p.find("input", "value", "match")) != 2 || len(p.find("input", "value", "approve")) != 0 {
		t.Errorf("%s", p.text)
	}
	match := url.Values{"step": {"match"}, "version": {"2"}, "record": {recordID}, "sources": {"1/2"}}
	rec = w.form(path+"/actions", match, reviewer, "same-origin")
	if rec.Code != http.StatusSeeOther || w.move.Record != recordID || w.move.Sources[0].Page != 2 {
		t.Errorf("%d %+v", rec.Code, w.move)
	}
	match.Set("version", "1")
	if rec = w.form(path+"/actions", match, reviewer, "same-origin"); rec.Header().Get("Location") != path+"?notice=changed" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	match.Set("sources", "x")
	if rec = w.form(path+"/actions", match, reviewer, "same-origin"); rec.Code != 422 {
		t.Errorf("%d", rec.Code)
	}
}

func TestCertificateAndLookupPages(t *testing.T) {
	w := newWorld(t)
	approver := w.signIn(archive.RoleApprover)
	path := "/certificates/" + url.PathEscape(number)
	rec := w.form(path+"/revoke", url.Values{"reason": {"登记有误"}}, approver, "same-origin")
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != path+"?notice=revoked" || w.steps[0] != "revoke 登记有误" {
		t.Errorf("%d %v %v", rec.Code, rec.Header(), w.steps)
	}
	if rec = w.form(path+"/revoke", nil, approver, "same-origin"); rec.Code != 422 {
		t.Errorf("%d", rec.Code)
	}
	agency := w.signIn(archive.RoleAgency)
	ask := url.Values{"person.name": {"张三"}, "person.id": {"999999199001010016"}, "category": {"marriage"}, "purpose": {"pension"}, "case": {"2026-1"}}
	if rec = w.form("/lookup", ask, agency, "same-origin"); rec.Code != 200 || !strings.Contains(rec.Body.String(), missingID) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	ask.Del("purpose")
	if rec = w.form("/lookup", ask, agency, "same-origin"); rec.Code != 422 {
		t.Errorf("%d", rec.Code)
	}
}

func TestPagesTurnAway(t *testing.T) {
	w := newWorld(t)
	rec := w.get("/records/"+recordID, nil)
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/signin?next="+url.QueryEscape("/records/"+recordID) {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	rec = w.get("/deposit", w.signIn(archive.RoleCitizen))
	if rec.Code != http.StatusForbidden || !strings.Contains(rec.Body.String(), "没有权限") {
		t.Errorf("%d", rec.Code)
	}
	if rec = w.get("/static/style.css", nil); rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/css") {
		t.Errorf("%d", rec.Code)
	}
	if rec = w.get("/static/..%2fweb.go", nil); rec.Code != 404 {
		t.Errorf("%d", rec.Code)
	}
}
