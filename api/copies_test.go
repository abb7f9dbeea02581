package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// Choice is a request whose pages are being chosen, of a record whose second file
// is encrypted.
func (w *world) Choice(_ context.Context, _ archive.Actor, id string) (archive.Version[archive.Request], archive.RecordView, error) {
	v, err := w.ask(id)
	view := w.view()
	view.Files = append(view.Files, archive.File{Name: "密.pdf"})
	view.States = append(view.States, archive.FileState{State: archive.Rejected, Findings: []archive.Finding{{Code: "encrypted", Rejects: true}}})
	v.Value.Service, v.Value.State, v.Value.Record = archive.ServiceCopy, archive.Matched, recordID
	v.Value.Copy = &archive.Copy{Pages: []archive.CopyPage{{PageRef: archive.PageRef{File: 1, Page: 2},
		Masks: []archive.Box{{X: 0.1, Y: 0.2, Width: 0.333, Height: 0.05, Reason: archive.MaskMinor}}}}}
	return v, view, err
}

// Draft is w.content, and what w.broken says after it.
func (w *world) Draft(_ context.Context, _ archive.Actor, id string, out io.Writer) error {
	if _, err := w.ask(id); err != nil {
		return err
	}
	if _, err := out.Write(w.content); err != nil {
		return err
	}
	return w.broken
}

func TestCopy(t *testing.T) {
	w := newWorld(t)
	path := "/api/v1/requests/" + requestID + "/copy"
	rec := w.do(call{role: archive.RoleReviewer, method: "GET", path: path})
	var got struct {
		Record    string
		Originals []archive.FileChoice
		Pages     []archive.CopyPage
		Reasons   []archive.Choice
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 || rec.Header().Get("ETag") != `"2"` {
		t.Fatalf("%d %v %s", rec.Code, err, rec.Body)
	}
	want := []archive.FileChoice{{File: 1, Name: "结婚登记 表.pdf", Pages: 2}, {File: 2, Name: "密.pdf", Refused: "file_encrypted"}}
	if diff := cmp.Diff(want, got.Originals); diff != "" || got.Record != recordID || len(got.Pages) != 1 || len(got.Reasons) != len(archive.MaskReasons()) {
		t.Errorf("%s\n%+v", diff, got)
	}
	body := `{"step":"choose_pages","pages":[{"file":1,"page":2,"masks":[{"x":0.1,"y":0,"width":0.5,"height":0.25,"reason":"third_party"}]}]}`
	rec = w.do(call{role: archive.RoleReviewer, method: "POST", path: "/api/v1/requests/" + requestID + "/actions", body: body, header: map[string]string{"If-Match": `"2"`}})
	box := archive.Box{X: 0.1, Width: 0.5, Height: 0.25, Reason: archive.MaskThirdParty}
	if rec.Code != 200 || w.move.Step != archive.StepChoose || len(w.move.Pages) != 1 || w.move.Pages[0].Page != 2 || w.move.Pages[0].Masks[0] != box {
		t.Errorf("%d %+v", rec.Code, w.move)
	}
	body = `{"office":"qc","purpose":"办理公证","service":"copy","wanted":{"category":"marriage","persons":[{"name":"张三","role":"wife"}]}}`
	if rec := w.do(call{role: archive.RoleCitizen, method: "POST", path: "/api/v1/requests", body: body}); rec.Code != 201 || w.request.Service != archive.ServiceCopy {
		t.Errorf("%d %+v", rec.Code, w.request)
	}
}

func TestCopyDraft(t *testing.T) {
	w := newWorld(t)
	path := "/api/v1/requests/" + requestID + "/copy/draft"
	rec := w.do(call{role: archive.RoleApprover, method: "GET", path: path})
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "application/pdf" || rec.Body.String() != string(w.content) {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	w.fail = archive.ErrState
	if p := problem(t, w.do(call{role: archive.RoleApprover, method: "GET", path: path})); p.Status != 409 {
		t.Errorf("without pages: %+v", p)
	}
	w.fail, w.broken = nil, errors.New("the store went away")
	server := httptest.NewServer(w.handler)
	defer server.Close()
	r, err := http.NewRequest("GET", server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.tokens[archive.RoleApprover])
	answer, err := server.Client().Do(r)
	if err != nil {
		return // broken off before it began is as good
	}
	defer answer.Body.Close()
	if all, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("half a draft of %d bytes looks whole", len(all))
	}
}

func TestCopyPages(t *testing.T) {
	w := newWorld(t)
	reviewer := w.signIn(archive.RoleReviewer)
	base := "/requests/" + requestID + "/copy"
	overview := parsePage(t, w.get(base, reviewer))
	if overview.value("file-1") != "2" || len(overview.find("input", "name", "file-2")) != 0 {
		t.Errorf("the form begins with %q", overview.value("file-1"))
	}
	page := parsePage(t, w.get(base+"/files/1/pages/2", reviewer))
	if page.value("x") != "10" || page.value("width") != "33.3" || len(page.find("input", "name", "x")) != 5 {
		t.Errorf("the boxes begin with %q, %q", page.value("x"), page.value("width"))
	}
	for _, missing := range []string{"/files/2/pages/1", "/files/1/pages/3", "/files/0/pages/1"} {
		if rec := w.get(base+missing, reviewer); rec.Code != 404 {
			t.Errorf("%s: %d", missing, rec.Code)
		}
	}
	for _, tt := range []struct {
		path   string
		form   url.Values
		status int
		want   []archive.CopyPage
	}{
		{base, url.Values{"file-1": {"2 ，1－1"}}, 303, []archive.CopyPage{
			{PageRef: archive.PageRef{File: 1, Page: 2}, Masks: []archive.Box{{X: 0.1, Y: 0.2, Width: 0.333, Height: 0.05, Reason: archive.MaskMinor}}},
			{PageRef: archive.PageRef{File: 1, Page: 1}}}},
		{base, url.Values{"file-1": {"2-1"}}, 422, nil},
		{base, url.Values{"file-1": {"1-999999999"}}, 422, nil},
		{base + "/files/1/pages/1", url.Values{"x": {"", "5"}, "y": {"", "50"}, "width": {"", "12.5"}, "height": {"", "1e-05"}, "reason": {"minor", "closed"}}, 303, []archive.CopyPage{
			{PageRef: archive.PageRef{File: 1, Page: 1}, Masks: []archive.Box{{X: 0.05, Y: 0.5, Width: 0.125, Height: 1e-7, Reason: archive.MaskClosed}}},
			{PageRef: archive.PageRef{File: 1, Page: 2}, Masks: []archive.Box{{X: 0.1, Y: 0.2, Width: 0.333, Height: 0.05, Reason: archive.MaskMinor}}}}},
		{base + "/files/1/pages/2", url.Values{"x": {""}, "y": {""}, "width": {""}, "height": {""}, "reason": {"minor"}}, 303, []archive.CopyPage{
			{PageRef: archive.PageRef{File: 1, Page: 2}}}},
	} {
		w.move = archive.Move{}
		tt.form.Set("version", "2")
		rec := w.form(tt.path, tt.form, reviewer, "same-origin")
		near := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 })
		if diff := cmp.Diff(tt.want, w.move.Pages, near); rec.Code != tt.status || diff != "" {
			t.Errorf("%v: %d %s", tt.form, rec.Code, diff)
		}
	}
	if rec := w.get(base+"/draft", reviewer); rec.Code != 200 || rec.Header().Get("Content-Disposition") == "" {
		t.Errorf("draft: %d", rec.Code)
	}
	if rec := w.get(base, w.signIn(archive.RoleCitizen)); rec.Code != 403 {
		t.Errorf("as a citizen: %d", rec.Code)
	}
}

// TestCopyReasons: what a page may be refused for has words.
func TestCopyReasons(t *testing.T) {
	w := newWorld(t)
	reviewer := w.signIn(archive.RoleReviewer)
	text := parsePage(t, w.get("/requests/"+requestID+"/copy?lang=en", reviewer)).text
	if !strings.Contains(text, "encrypted and cannot be copied") {
		t.Errorf("the refusal is not said: %s", text)
	}
	reasons := parsePage(t, w.get("/requests/"+requestID+"/copy/files/1/pages/1", reviewer)).find("option", "value", "third_party")
	if !slices.ContainsFunc(reasons, func(element) bool { return true }) {
		t.Error("no reason can be given")
	}
}
