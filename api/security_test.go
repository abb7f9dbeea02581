package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

// signIn signs a role in with its password and returns the cookie.
func (w *world) signIn(role archive.Role) *http.Cookie {
	w.t.Helper()
	rec := w.form("/signin", url.Values{"user": {string(role)}, "password": {"正确的密码"}, "next": {"/search"}}, nil, "")
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/search" || len(rec.Result().Cookies()) != 1 {
		w.t.Fatalf("sign in: %d %v", rec.Code, rec.Header())
	}
	return rec.Result().Cookies()[0]
}

// form posts a form as a browser on a page of site would.
func (w *world) form(path string, values url.Values, cookie *http.Cookie, site string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if site != "" {
		r.Header.Set("Sec-Fetch-Site", site)
	}
	if cookie != nil {
		r.AddCookie(cookie)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

func (w *world) get(path string, cookie *http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", "text/html")
	if cookie != nil {
		r.AddCookie(cookie)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

func TestSession(t *testing.T) {
	w := newWorld(t)
	cookie := w.signIn(archive.RoleUploader)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("%+v", cookie)
	}
	if rec := w.get("/search", cookie); rec.Code != 200 {
		t.Errorf("signed in: %d", rec.Code)
	}
	w.now = w.now.Add(8*time.Hour + time.Second)
	if rec := w.get("/search", cookie); rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/signin?next=%2Fsearch" {
		t.Errorf("a session outlived its eight hours: %d %v", rec.Code, rec.Header())
	}
}

func TestSessionEnds(t *testing.T) {
	for name, change := range map[string]func(*archive.Account){
		"disabled":     func(a *archive.Account) { a.Disabled = true },
		"new password": func(a *archive.Account) { a.Password += "x" },
	} {
		w := newWorld(t)
		cookie := w.signIn(archive.RoleUploader)
		for id, a := range w.accounts {
			change(&a)
			w.accounts[id] = a
		}
		if rec := w.get("/search", cookie); rec.Code != http.StatusSeeOther {
			t.Errorf("%s: the session goes on: %d", name, rec.Code)
		}
	}
}

// TestPlantedSession: whatever a browser brings along, signing in makes a new
// session, and a cookie that was not made here is nobody's.
func TestPlantedSession(t *testing.T) {
	w := newWorld(t)
	good := w.signIn(archive.RoleUploader)
	account, secret, _ := strings.Cut(good.Value, ".")
	for _, value := range []string{
		"planted", account + ".", account + "." + secret[1:],
		strings.Replace(good.Value, "A0.", "A1.", 1), good.Value + "A", "",
	} {
		if rec := w.get("/search", &http.Cookie{Name: good.Name, Value: value}); rec.Code != http.StatusSeeOther {
			t.Errorf("%q: %d", value, rec.Code)
		}
	}
	planted := &http.Cookie{Name: good.Name, Value: "planted"}
	rec := w.form("/signin", url.Values{"user": {"uploader"}, "password": {"正确的密码"}}, planted, "same-origin")
	if c := rec.Result().Cookies(); len(c) != 1 || c[0].Value == "planted" {
		t.Errorf("%v", c)
	}
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	cookie := w.signIn(archive.RoleUploader)
	rec := w.form("/signout", nil, cookie, "same-origin")
	if c := rec.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 || c[0].Value != "" {
		t.Errorf("%v", c)
	}
	if rec := w.get("/search", cookie); rec.Code != http.StatusSeeOther {
		t.Errorf("a cookie that was kept is still good: %d", rec.Code)
	}
}

func TestSignInGoesNowhereElse(t *testing.T) {
	w := newWorld(t)
	for _, next := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y", ""} {
		rec := w.form("/signin", url.Values{"user": {"uploader"}, "password": {"正确的密码"}, "next": {next}}, nil, "")
		if rec.Header().Get("Location") != "/" {
			t.Errorf("%q leads to %q", next, rec.Header().Get("Location"))
		}
	}
}

func TestWrongPasswords(t *testing.T) {
	w := newWorld(t)
	var bodies []string
	for _, user := range []string{"uploader", "nobody"} {
		rec := w.form("/signin", url.Values{"user": {user}, "password": {"falsch"}}, nil, "")
		if rec.Code != http.StatusUnauthorized || len(rec.Result().Cookies()) != 0 {
			t.Errorf("%s: %d", user, rec.Code)
		}
		bodies = append(bodies, strings.ReplaceAll(rec.Body.String(), user, ""))
	}
	if bodies[0] != bodies[1] {
		t.Error("the answer tells whether a user exists")
	}
	for range 8 {
		w.form("/signin", url.Values{"user": {"uploader"}, "password": {"falsch"}}, nil, "")
	}
	if rec := w.form("/signin", url.Values{"user": {"uploader"}, "password": {"正确的密码"}}, nil, ""); rec.Code != http.StatusTooManyRequests {
		t.Errorf("guessing goes on: %d", rec.Code)
	}
	w.now = w.now.Add(11 * time.Minute)
	w.signIn(archive.RoleUploader)
}

func TestCrossSiteRequestsAreRefused(t *testing.T) {
	w := newWorld(t)
	cookie := w.signIn(archive.RoleCitizen)
	values := url.Values{"step": {"withdraw"}, "version": {"2"}}
	path := "/requests/" + requestID + "/actions"
	for site, status := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 303, "none": 303} {
		w.move = archive.Move{}
		rec := w.form(path, values, cookie, site)
		if rec.Code != status || (status == 403) != (w.move.Step == "") {
			t.Errorf("%s: %d %+v", site, rec.Code, w.move)
		}
	}
	r := httptest.NewRequest("POST", "/api/v1/requests/"+requestID+"/actions", strings.NewReader(`{"step":"withdraw"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("If-Match", `"2"`)
	r.AddCookie(cookie)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if p := problem(t, rec); p.Code != "cross_origin" {
		t.Errorf("%+v", p)
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t)
	for header, status := range map[string]int{
		"Bearer " + w.tokens[archive.RoleUploader]: 200, "bearer " + w.tokens[archive.RoleUploader]: 200,
		"Bearer wrong": 401, "Bearer": 401, "Basic dTpw": 401,
	} {
		rec := w.do(call{method: "GET", path: "/api/v1/records/" + recordID, header: map[string]string{"Authorization": header}})
		if rec.Code != status || status == 401 && rec.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%q: %d %v", header, rec.Code, rec.Header())
		}
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/v", "/docs", "/api/v1/categories", "/openapi.json", "/nothing"} {
		h := w.get(path, nil).Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestNothingPrivateIsLogged goes through the service with a name, an id number
// and an address, and looks for them in the log and in the metrics.
func TestNothingPrivateIsLogged(t *testing.T) {
	w := newWorld(t)
	cookie := w.signIn(archive.RoleUploader)
	w.form("/search", url.Values{"q": {canary + " 999999199001010016"}}, cookie, "same-origin")
	w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records/search?" + url.QueryEscape(canary), body: `{"q":"` + canary + `"}`})
	w.do(call{role: archive.RoleAgency, method: "POST", path: "/api/v1/lookups", body: `{"question":"record_exists","person":{"name":"` + canary + `","id":{"original":"999999199001010016"}}}`})
	w.get("/"+url.PathEscape(canary), nil)
	w.do(call{role: archive.RoleCitizen, method: "GET", path: "/api/v1/certificates/" + url.PathEscape(number)})
	w.do(call{method: "ZHANG", path: "/"})
	metrics := w.get("/metrics", nil).Body.String()
	for _, secret := range []string{canary, "999999199001010016", url.QueryEscape(canary), "青民档证", "正确的密码", "dgt_", "ZHANG"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
		if strings.Contains(metrics, secret) {
			t.Errorf("the metrics hold %q", secret)
		}
	}
	if !strings.Contains(w.log.String(), `"route":"/api/v1/certificates/:number"`) || !strings.Contains(metrics, `route="/api/v1/records/search"`) {
		t.Error("routes are not named by their patterns")
	}
}

func TestReady(t *testing.T) {
	w := newWorld(t)
	if rec := w.get("/readyz", nil); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"store":"ok"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	w.fail = archive.ErrUnavailable
	if rec := w.get("/readyz", nil); rec.Code != 503 || !strings.Contains(rec.Body.String(), `"store":"unavailable"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.get("/healthz", nil); rec.Code != 200 {
		t.Errorf("alive though the store is away: %d", rec.Code)
	}
}
