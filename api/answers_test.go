package api_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

func TestRequests(t *testing.T) {
	w := newWorld(t)
	body := `{"office":"qc","purpose":"办理公积金贷款","wanted":{"category":"marriage","persons":[{"name":"张三","role":"wife"}],"year_from":2009}}`
	rec := w.do(call{role: archive.RoleCitizen, method: "POST", path: "/api/v1/requests", body: body, header: map[string]string{"Idempotency-Key": "k"}})
	if rec.Code != 201 || rec.Header().Get("ETag") != `"2"` || !strings.Contains(rec.Body.String(), `"version":2`) || w.key != "k" || w.request.Wanted.YearFrom != 2009 {
		t.Errorf("%d %s %+v", rec.Code, rec.Body, w.request)
	}
	if p := problem(t, w.do(call{role: archive.RoleCitizen, method: "POST", path: "/api/v1/requests", body: `{"office":"qc"}`})); p.Status != 422 || len(p.Problems) < 3 {
		t.Errorf("%+v", p)
	}
	path := "/api/v1/requests/" + requestID
	if rec := w.do(call{role: archive.RoleCitizen, method: "GET", path: path}); rec.Code != 200 || rec.Header().Get("ETag") != `"2"` {
		t.Errorf("%d", rec.Code)
	}
	move := `{"step":"match","record":"` + recordID + `","sources":[{"file":1,"page":2}],"note":"看过"}`
	for match, status := range map[string]int{`"2"`: 200, `"1"`: 412, "": 428} {
		rec := w.do(call{role: archive.RoleReviewer, method: "POST", path: path + "/actions", body: move, header: map[string]string{"If-Match": match}})
		if rec.Code != status {
			t.Errorf("If-Match %s: %d %s", match, rec.Code, rec.Body)
		}
	}
	want := archive.Move{Step: archive.StepMatch, Record: recordID, Sources: []archive.PageRef{{File: 1, Page: 2}}, Note: "看过"}
	if diff := cmp.Diff(want, w.move); diff != "" {
		t.Error(diff)
	}
	if rec := w.do(call{role: archive.RoleReviewer, method: "GET", path: path + "/candidates"}); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"ranked":false`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	var list struct {
		Requests []struct {
			ID      string
			Version int
		}
		Next string
	}
	rec = w.do(call{role: archive.RoleReviewer, method: "GET", path: "/api/v1/requests?limit=1"})
	if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || len(list.Requests) != 1 || list.Requests[0].Version != 2 || list.Next != requestID {
		t.Errorf("%v %s", err, rec.Body)
	}
	for _, bad := range []string{"limit=0", "limit=101", "page=abc"} {
		if p := problem(t, w.do(call{role: archive.RoleReviewer, method: "GET", path: "/api/v1/requests?" + bad})); p.Status != 422 {
			t.Errorf("%s: %+v", bad, p)
		}
	}
}

func TestCertificates(t *testing.T) {
	w := newWorld(t)
	path := "/api/v1/certificates/" + url.PathEscape(number)
	if rec := w.do(call{role: archive.RoleCitizen, method: "GET", path: path}); rec.Code != 200 || rec.Header().Get("ETag") != `"4"` || !strings.Contains(rec.Body.String(), number) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.do(call{role: archive.RoleCitizen, method: "GET", path: path + "/pdf"}); rec.Code != 200 || rec.Header().Get("Content-Type") != "application/pdf" || rec.Body.String() != string(w.content) {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	for _, c := range []call{
		{path: path + "/revoke", body: `{"reason":"登记有误"}`},
		{path: path + "/supersede", body: `{"successor":"青民档证〔2026〕000124号","reason":"更正"}`},
		{path: path + "/reseal"},
	} {
		c.role, c.method = archive.RoleApprover, "POST"
		if rec := w.do(c); rec.Code != 200 {
			t.Errorf("%s: %d %s", c.path, rec.Code, rec.Body)
		}
		c.path = strings.Replace(c.path, url.PathEscape(number), "another", 1)
		if p := problem(t, w.do(c)); p.Status != 404 {
			t.Errorf("of another office: %+v", p)
		}
	}
	want := []string{"revoke 登记有误", "revoke 登记有误", "supersede 青民档证〔2026〕000124号 更正", "supersede 青民档证〔2026〕000124号 更正", "reseal", "reseal"}
	if diff := cmp.Diff(want, w.steps); diff != "" {
		t.Error(diff)
	}
	if p := problem(t, w.do(call{role: archive.RoleApprover, method: "POST", path: path + "/revoke", body: `{"reason":""}`})); p.Status != 422 {
		t.Errorf("%+v", p)
	}
}

func TestVerify(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, body, kind string
		status           int
		want             string
	}{
		{"valid", `{"number":"` + number + `","code":"ABCD-EFGH-JKMN"}`, "application/json; charset=utf-8", 200, `"verdict":"VALID"`},
		{"unknown", `{"number":"` + number + `","code":"AAAA-AAAA-AAAA"}`, "application/json", 200, `"verdict":"UNKNOWN"`},
		{"pdf", "%PDF-1.7", "application/pdf", 200, `"verdict":"TAMPERED"`},
		{"not a pdf", "hello", "application/pdf", 422, "not_a_pdf"},
		{"nothing", `{}`, "application/json", 422, `"field":"code"`},
		{"broken", `{`, "application/json", 400, "malformed"},
		{"text", `hello`, "text/plain", 415, "unsupported_media_type"},
		{"no type", `hello`, " ", 415, "unsupported_media_type"},
		{"large", "%PDF" + strings.Repeat("x", 20<<20), "application/pdf", 413, "too_large"},
	}
	for _, tt := range tests {
		rec := w.do(call{method: "POST", path: "/api/v1/verify", body: tt.body, kind: tt.kind})
		if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.want) {
			t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
		}
	}
	w.fail = archive.ErrUnavailable
	if rec := w.do(call{method: "POST", path: "/api/v1/verify", body: tests[0].body}); rec.Code != 503 || strings.Contains(rec.Body.String(), "verdict") {
		t.Errorf("without the store there must be no verdict: %d %s", rec.Code, rec.Body)
	}
}

func TestLookupAndAccesses(t *testing.T) {
	w := newWorld(t)
	rec := w.do(call{role: archive.RoleAgency, method: "POST", path: "/api/v1/lookups",
		body: `{"question":"record_exists","category":"marriage","person":{"name":"张三","id":{"original":"９９９９９９199001010016"}},"purpose":{"code":"pension","case":"2026-1"}}`})
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), `"exists":true`) || !strings.Contains(rec.Body.String(), missingID) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.do(call{role: archive.RoleAuditor, method: "GET", path: "/api/v1/accesses?limit=1"}); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"next":"`+missingID) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	for _, path := range []string{"/api/v1/categories", "/api/v1/offices", "/api/v1/questions"} {
		if rec := w.do(call{method: "GET", path: path}); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"zh"`) {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}
