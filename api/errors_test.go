package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"dangan/archive"
)

func TestErrors(t *testing.T) {
	tests := []struct {
		fail   error
		status int
		code   string
	}{
		{archive.ErrNotFound, 404, "not_found"},
		{archive.ErrForbidden, 404, "not_found"}, // of a record: as if there were none
		{archive.ErrUnauthenticated, 401, "unauthenticated"},
		{archive.ErrExists, 409, "exists"},
		{archive.ErrConflict, 409, "conflict"},
		{archive.ErrState, 409, "state"},
		{archive.ErrUnavailable, 503, "unavailable"},
		{archive.ErrCorrupt, 500, "damaged"},
		{archive.Problems{{Code: "purpose_required", Field: "purpose"}}, 422, "invalid"},
		{context.DeadlineExceeded, 503, "timeout"},
		{errOdd, 500, "internal"},
	}
	for _, tt := range tests {
		w := newWorld(t)
		w.fail = fmt.Errorf("open: %w", tt.fail)
		p := problem(t, w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + recordID}))
		if p.Status != tt.status || p.Code != tt.code {
			t.Errorf("%v: %d %s", tt.fail, p.Status, p.Code)
		}
		if p.Title == "" || strings.Contains(p.Title, "secret cause") {
			t.Errorf("%v: title %q", tt.fail, p.Title)
		}
		if !strings.Contains(w.log.String(), p.Request) || tt.fail == errOdd && !strings.Contains(w.log.String(), "secret cause") {
			t.Errorf("%v: the log does not say why: %s", tt.fail, &w.log)
		}
	}
}

func TestProblemsAreListed(t *testing.T) {
	w := newWorld(t)
	w.fail = archive.Problems{{Code: "required", Field: "title"}, {Code: "bad_date", Field: "date"}}
	p := problem(t, w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + recordID}))
	if len(p.Problems) != 2 || p.Problems[1] != (archive.Problem{Code: "bad_date", Field: "date"}) {
		t.Errorf("%+v", p)
	}
}

// TestForbiddenIsAsUnknown compares whole answers: only the request id differs.
func TestForbiddenIsAsUnknown(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"", "/versions", "/files/1", "/files/1/pages/1", "/files/1/pages/1/text"} {
		seen := map[string]bool{}
		for _, id := range []string{closedID, missingID, "not-an-id"} {
			rec := w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + id + path})
			p := problem(t, rec)
			if rec.Code != 404 {
				t.Errorf("%s%s: %d", id, path, rec.Code)
			}
			seen[strings.ReplaceAll(rec.Body.String(), p.Request, "")] = true
		}
		if len(seen) != 1 {
			t.Errorf("%s: closed and missing records answer differently: %v", path, seen)
		}
	}
}

func TestClientGone(t *testing.T) {
	w := newWorld(t)
	w.fail = context.Canceled
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/records/"+recordID, nil)
	r.Header.Set("Authorization", "Bearer "+w.tokens[archive.RoleUploader])
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if p := problem(t, rec); p.Status != 499 || p.Code != "client_gone" {
		t.Errorf("%+v", p)
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/v1/nothing", 404}, {"DELETE", "/api/v1/records/" + recordID, 405}, {"GET", "/nothing", 404}, {"PUT", "/signin", 405},
	} {
		if p := problem(t, w.do(call{method: tt.method, path: tt.path})); p.Status != tt.status {
			t.Errorf("%s %s: %d", tt.method, tt.path, p.Status)
		}
	}
	rec := w.do(call{method: "GET", path: "/nothing", header: map[string]string{"Accept": "text/html"}})
	if rec.Code != 404 || !strings.Contains(rec.Body.String(), "<!DOCTYPE html>") {
		t.Errorf("people get no page: %d %s", rec.Code, rec.Body)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	w := newWorld(t)
	c := w.config()
	c.Desk = nil
	w.rebuild(c)
	p := problem(t, w.do(call{role: archive.RoleCitizen, method: "GET", path: "/api/v1/requests/" + requestID}))
	if p.Status != http.StatusInternalServerError || p.Code != "internal" || !strings.Contains(w.log.String(), "stack") {
		t.Errorf("%+v", p)
	}
}

// TestMalformedInput: what huma finds wrong is told by place, never by value.
func TestMalformedInput(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name         string
		body, kind   string
		status       int
		code, detail string
	}{
		{"not json", `{"q":` + canary, "", 400, "malformed", "bad_value body"},
		{"wrong type", `{"year_from":"` + canary + `"}`, "", 422, "invalid", "bad_value year_from"},
		{"unknown field", `{"shoe_size":1}`, "", 422, "invalid", "unknown_field shoe_size"},
		{"no choice", `{"sort":"random"}`, "", 422, "invalid", "bad_value sort"},
		{"page token", `{"page":"abc"}`, "", 422, "invalid", "bad_value page"},
		{"empty", ``, "application/json", 400, "malformed", ""},
		{"form", `q=1`, "application/x-www-form-urlencoded", 415, "unsupported_media_type", "bad_value body"},
		{"large", `{"q":"` + strings.Repeat("x", 1<<20) + `"}`, "", 413, "too_large", ""},
	}
	for _, tt := range tests {
		rec := w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records/search", body: tt.body, kind: tt.kind})
		p := problem(t, rec)
		if p.Status != tt.status || p.Code != tt.code {
			t.Errorf("%s: %d %s", tt.name, p.Status, p.Code)
		}
		detail := ""
		for _, f := range p.Problems {
			detail = f.Code + " " + f.Field
		}
		if detail != tt.detail {
			t.Errorf("%s: %q", tt.name, detail)
		}
		if strings.Contains(rec.Body.String()+w.log.String(), canary) {
			t.Errorf("%s: the input is repeated: %s", tt.name, rec.Body)
		}
	}
}
