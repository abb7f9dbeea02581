package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dangan/archive"
)

func (w *world) papers() map[string]archive.Template {
	defaults, err := archive.DefaultTemplates(w.schema)
	if err != nil {
		w.t.Fatal(err)
	}
	byKey := map[string]archive.Template{}
	for _, d := range defaults {
		byKey[d.Key] = d
	}
	return byKey
}

func (w *world) Templates(context.Context, archive.Actor) ([]archive.Version[archive.Template], error) {
	return []archive.Version[archive.Template]{{N: 2, Value: w.papers()["marriage"]}, {Value: w.papers()["not-found"]}}, w.fail
}

func (w *world) Template(_ context.Context, _ archive.Actor, key, office string, n int) (archive.Version[archive.Template], error) {
	d, ok := w.papers()[key]
	if !ok || office != "" {
		return archive.Version[archive.Template]{}, errors.Join(w.fail, archive.ErrNotFound)
	}
	return archive.Version[archive.Template]{N: max(n, 2), Value: d}, w.fail
}

func (w *world) Write(_ context.Context, _ archive.Actor, n int, t archive.Template) (archive.Version[archive.Template], error) {
	w.paper = t
	d := w.papers()[t.Key]
	t.Occasion, t.Category = d.Occasion, d.Category
	if n != 2 {
		return archive.Version[archive.Template]{}, archive.ErrConflict
	}
	return archive.Version[archive.Template]{N: n + 1, Value: t}, errors.Join(w.fail, t.Problems(w.schema).Err())
}

func (w *world) Preview(_ context.Context, _ archive.Actor, p archive.Purpose, t archive.Template, record, language string) ([]byte, error) {
	w.paper, w.purpose = t, p
	if record != "" {
		return nil, w.see(record, p)
	}
	d := w.papers()[t.Key]
	t.Occasion, t.Category = d.Occasion, d.Category
	return []byte("%PDF draft " + language), errors.Join(w.fail, t.Problems(w.schema).Err())
}

func TestTemplates(t *testing.T) {
	w := newWorld(t)
	head := archive.RoleHead
	list := w.do(call{role: head, method: "GET", path: "/api/v1/templates"})
	if list.Code != 200 || !strings.Contains(list.Body.String(), `"key":"not-found"`) {
		t.Errorf("%d %s", list.Code, list.Body)
	}
	got := w.do(call{role: archive.RoleReviewer, method: "GET", path: "/api/v1/templates/marriage"})
	var view struct {
		archive.Template
		Names []archive.TemplateName
	}
	if err := json.Unmarshal(got.Body.Bytes(), &view); err != nil || got.Header().Get("ETag") != `"2"` || len(view.Names) < 30 {
		t.Fatalf("%v %s %d names", err, got.Header().Get("ETag"), len(view.Names))
	}
	for _, tt := range []struct {
		name   string
		role   archive.Role
		match  string
		spoil  func(*archive.Template)
		status int
	}{
		{"head", head, `"2"`, nil, 201},
		{"reviewer", archive.RoleReviewer, `"2"`, nil, 403},
		{"citizen", archive.RoleCitizen, `"2"`, nil, 403},
		{"seen an older one", head, `"1"`, nil, 412},
		{"a fault", head, `"2"`, func(d *archive.Template) { d.Blocks[5].Text.ZH = "甲{nobody}" }, 422},
	} {
		d := w.papers()["marriage"]
		if tt.spoil != nil {
			tt.spoil(&d)
		}
		body, err := json.Marshal(map[string]any{"title": d.Title, "mark": d.Mark, "source": d.Source, "blocks": d.Blocks, "office": "qc"})
		if err != nil {
			t.Fatal(err)
		}
		rec := w.do(call{role: tt.role, method: "POST", path: "/api/v1/templates/marriage", body: string(body), header: map[string]string{"If-Match": tt.match}})
		if rec.Code != tt.status {
			t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
		}
		if rec.Code == 422 {
			ps := problem(t, rec).Problems
			if len(ps) != 1 || ps[0] != (archive.Problem{Code: "unknown_name", Field: "blocks[5].text.zh", At: 2}) {
				t.Errorf("%+v", ps)
			}
		}
	}
}

func TestPreviewOfATemplate(t *testing.T) {
	w := newWorld(t)
	d := w.papers()["marriage"]
	preview := func(record string, purpose string) (int, string, string) {
		body, err := json.Marshal(map[string]any{"title": d.Title, "source": d.Source, "blocks": d.Blocks, "language": "bilingual", "record": record})
		if err != nil {
			t.Fatal(err)
		}
		rec := w.do(call{role: archive.RoleHead, method: "POST", path: "/api/v1/templates/marriage/preview", body: string(body), header: map[string]string{"Dangan-Purpose": purpose}})
		return rec.Code, rec.Header().Get("Content-Type"), rec.Body.String()
	}
	if code, kind, body := preview("", ""); code != 200 || kind != "application/pdf" || body != "%PDF draft bilingual" {
		t.Errorf("%d %s %s", code, kind, body)
	}
	if code, _, _ := preview(closedID, "request"); code != 404 {
		t.Errorf("a record that one may not see: %d", code)
	}
	if code, _, _ := preview("../x", ""); code != 422 {
		t.Errorf("no id: %d", code)
	}
}

// TestTemplatePage works without a script: a form, its faults at their places, and
// a preview in a frame of the same site alone.
func TestTemplatePage(t *testing.T) {
	w := newWorld(t)
	cookie := w.signIn(archive.RoleHead)
	if rec := w.get("/templates", cookie); rec.Code != 200 || !strings.Contains(rec.Body.String(), "/templates/marriage?office=qc") {
		t.Errorf("%d", rec.Code)
	}
	page := w.get("/templates/marriage", cookie)
	if page.Code != 200 || !strings.Contains(page.Header().Get("Content-Security-Policy"), "; frame-src 'self'") || strings.Contains(page.Body.String(), "⟦") {
		t.Fatalf("%d %s", page.Code, page.Header().Get("Content-Security-Policy"))
	}
	values := url.Values{"version": {"2"}, "blocks": {"4"}, "title.zh": {"证明"}, "source.zh": {"{source.page}"},
		"blocks[0].kind": {"statement"}, "blocks[0].text.zh": {"丙"}, "blocks[0].place": {"9"},
		"blocks[2].kind": {"statement"}, "blocks[2].text.zh": {"甲{husband.name}"}, "blocks[2].place": {"2"}}
	if rec := w.form("/templates/marriage", values, cookie, "same-origin"); rec.Code != http.StatusSeeOther {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if len(w.paper.Blocks) != 2 || w.paper.Blocks[1].Text.ZH != "丙" {
		t.Errorf("%+v", w.paper.Blocks)
	}
	preview := w.form("/templates/marriage/preview", values, cookie, "same-origin")
	csp := preview.Header().Get("Content-Security-Policy")
	if preview.Code != 200 || preview.Header().Get("X-Frame-Options") != "SAMEORIGIN" || !strings.Contains(csp, "frame-ancestors 'self'") {
		t.Errorf("%d %s", preview.Code, csp)
	}
	values.Set("blocks[0].text.zh", "{nobody}")
	for path, want := range map[string]string{"/templates/marriage": `name="blocks[1].text.zh"`, "/templates/marriage/preview": "<code>blocks[1].text.zh</code>"} {
		if rec := w.form(path, values, cookie, "same-origin"); rec.Code != 422 || !strings.Contains(rec.Body.String(), want) || !strings.Contains(rec.Body.String(), "没有这个名称") {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}
