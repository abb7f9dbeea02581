package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

const goodRecord = `{"category":"marriage","office":"qc","reference_code":"J019-ZY·HY·2010·D100-001-0001","title":"结婚登记审查处理表","responsible":"青川市民政局",
"date":"20100520","persons":[{"name":"` + canary + `","role":"wife","id":{"original":"999999199001010016"}}],
"fields":{"registration_kind":"marriage","certificate_number":"J510822-2010-003456","registered_on":"20100520","registry":"婚姻登记处"}}`

// part is one part of a multipart body: a file when it has a file name.
type part struct{ name, file, kind, body string }

func multi(t *testing.T, parts ...part) (body, kind string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		d := fmt.Sprintf(`form-data; name="%s"`, p.name)
		if p.file != "" {
			d += fmt.Sprintf(`; filename="%s"`, p.file)
		}
		h.Set("Content-Disposition", d)
		if p.kind != "" {
			h.Set("Content-Type", p.kind)
		}
		w, err := m.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, p.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), m.FormDataContentType()
}

func TestDeposit(t *testing.T) {
	w := newWorld(t)
	body, kind := multi(t, part{name: "record", kind: "application/json", body: goodRecord},
		part{name: "file", file: "一.pdf", kind: "application/pdf", body: "first"}, part{name: "file", file: "二.jpg", kind: "image/jpeg", body: "second"})
	rec := w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records", body: body, kind: kind, header: map[string]string{"Idempotency-Key": "k1"}})
	if rec.Code != http.StatusCreated || rec.Header().Get("ETag") != `"3"` || rec.Header().Get("Location") != "/api/v1/records/"+recordID {
		t.Fatalf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	var view archive.RecordView
	if err := json.Unmarshal(rec.Body.Bytes(), &view); err != nil || view.ID != recordID || view.Version != 3 || len(view.States) != 1 {
		t.Errorf("%v %s", err, rec.Body)
	}
	if w.key != "k1" || w.record.Title != "结婚登记审查处理表" || w.record.Date.Year != 2010 || w.record.RefCode.Fonds != "J019" {
		t.Errorf("%q %+v", w.key, w.record)
	}
	if len(w.uploads) != 2 || w.uploads[1].Name != "二.jpg" || w.uploads[1].MediaType != "image/jpeg" || string(w.bodies[0]) != "first" || string(w.bodies[1]) != "second" {
		t.Errorf("%+v %q", w.uploads, w.bodies)
	}
}

func TestBadDeposits(t *testing.T) {
	record := part{name: "record", kind: "application/json", body: goodRecord}
	tests := []struct {
		name   string
		parts  []part
		status int
		detail string
	}{
		{"nothing", nil, 422, "required record"},
		{"file first", []part{{name: "file", file: "a", body: "x"}, record}, 422, "required_first record"},
		{"no json", []part{{name: "record", body: `{"title":"` + canary}}, 400, "bad_json record"},
		{"wrong type", []part{{name: "record", body: `{"title":7}`}}, 422, "bad_value title"},
		{"problems", []part{{name: "record", body: strings.Replace(goodRecord, "20100520", canary, 1)}}, 422, "bad_date date"},
		{"unknown part", []part{record, {name: "attachment", file: "a", body: "x"}}, 422, "unknown_part parts"},
		{"large record", []part{{name: "record", body: strings.Repeat(" ", 1<<20+1)}}, 413, ""},
	}
	for _, tt := range tests {
		w := newWorld(t)
		body, kind := multi(t, tt.parts...)
		rec := w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records", body: body, kind: kind})
		p := problem(t, rec)
		detail := ""
		for _, f := range p.Problems {
			detail = f.Code + " " + f.Field
		}
		if p.Status != tt.status || detail != tt.detail {
			t.Errorf("%s: %d %q", tt.name, p.Status, detail)
		}
		if strings.Contains(rec.Body.String()+w.log.String(), canary) {
			t.Errorf("%s: the input is repeated", tt.name)
		}
	}
	w := newWorld(t)
	if p := problem(t, w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records", body: goodRecord})); p.Status != 415 {
		t.Errorf("plain JSON: %+v", p)
	}
	body, kind := multi(t, record, part{name: "file", file: "a.pdf", body: strings.Repeat("x", 10_000)})
	if p := problem(t, w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records", body: body[:len(body)-5000], kind: kind})); p.Status != 400 {
		t.Errorf("broken off: %+v", p)
	}
	if p := problem(t, w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records", body: body, kind: kind, header: map[string]string{"Idempotency-Key": "a b"}})); p.Status != 422 {
		t.Errorf("bad key: %+v", p)
	}
}

// TestDepositIsStreamed sends the next piece only after the one before it has
// arrived: nothing on the way waits for the whole file. It takes longer than
// the server's timeouts, which a stream moves on.
func TestDepositIsStreamed(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewUnstartedServer(w.handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	head, kind := multi(t, part{name: "record", body: goodRecord}, part{name: "file", file: "big.pdf", body: "HERE"})
	before, after, _ := strings.Cut(head, "HERE")
	pr, pw := io.Pipe()
	arrived := make(chan struct{})
	w.onUpload = func(u archive.Upload) ([]byte, error) {
		for range 100 {
			if _, err := io.ReadFull(u.Body, make([]byte, 64<<10)); err != nil {
				return nil, err
			}
			arrived <- struct{}{}
		}
		return io.ReadAll(u.Body)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(pw, before)
		for range 100 {
			if err == nil {
				_, err = pw.Write(make([]byte, 64<<10))
			}
			<-arrived
		}
		time.Sleep(120 * time.Millisecond)
		_, errEnd := io.WriteString(pw, after)
		sent <- errors.Join(err, errEnd, pw.Close())
	}()
	r, err := http.NewRequest("POST", server.URL+"/api/v1/records", pr)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+w.tokens[archive.RoleUploader])
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := <-sent; err != nil || answer.StatusCode != http.StatusCreated {
		t.Errorf("%v %d", err, answer.StatusCode)
	}
}

func TestDescribe(t *testing.T) {
	for _, tt := range []struct {
		match, body string
		status      int
		code        string
	}{
		{`"3"`, `{"note":null}`, 200, ""},
		{`3`, `{"note":null}`, 200, ""},
		{``, `{"note":null}`, 428, "if_match_required"},
		{`"2"`, `{"note":null}`, 412, "changed"},
		{`*`, `{}`, 400, "malformed"},
		{`"03"`, `{}`, 400, "malformed"},
		{`"3"`, `{"note"`, 400, "malformed"},
	} {
		w := newWorld(t)
		rec := w.do(call{role: archive.RoleUploader, method: "PATCH", path: "/api/v1/records/" + recordID, body: tt.body,
			kind: "application/merge-patch+json", header: map[string]string{"If-Match": tt.match}})
		if rec.Code != tt.status {
			t.Errorf("%s: %d %s", tt.match, rec.Code, rec.Body)
		}
		if tt.code != "" && problem(t, rec).Code != tt.code {
			t.Errorf("%s: %s", tt.match, rec.Body)
		}
		if tt.status == 200 && (w.patch != tt.body || rec.Header().Get("ETag") != `"3"`) {
			t.Errorf("%q %v", w.patch, rec.Header())
		}
	}
}

func TestPurposeHeader(t *testing.T) {
	w := newWorld(t)
	get := func(purpose string) *httptest.ResponseRecorder {
		return w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + askID, header: map[string]string{"Dangan-Purpose": purpose}})
	}
	if p := problem(t, get("")); p.Status != 422 || p.Problems[0].Code != "purpose_required" {
		t.Errorf("%+v", p)
	}
	for _, bad := range []string{"curiosity", "request; reason=x", "request; case", ";"} {
		if p := problem(t, get(bad)); p.Status != 422 || p.Problems[0].Code != "bad_purpose" {
			t.Errorf("%q: %+v", bad, p)
		}
	}
	for header, want := range map[string]archive.Purpose{
		"audit":                             {Code: archive.ForAudit},
		"request; case=2026-17":             {Code: archive.ForRequest, Case: "2026-17"},
		`justice; case="(2026) 12"`:         {Code: archive.ForJustice, Case: "(2026) 12"},
		"justice; case*=utf-8''%E6%B0%9112": {Code: archive.ForJustice, Case: "民12"},
	} {
		if rec := get(header); rec.Code != 200 || w.purpose != want {
			t.Errorf("%q: %d %+v", header, rec.Code, w.purpose)
		}
	}
}

func TestFileAndRange(t *testing.T) {
	w := newWorld(t)
	whole := string(w.content)
	for _, tt := range []struct {
		rang, body string
		status     int
	}{
		{"", whole, 200},
		{"bytes=0-3", whole[:4], 206},
		{"bytes=5-", whole[5:], 206},
		{"bytes=-3", whole[len(whole)-3:], 206},
		{"bytes=4-99", whole[4:], 206},
		{"bytes=99-", "", 416},
		{"lines=1-2", "", 416},
	} {
		rec := w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + recordID + "/files/1", header: map[string]string{"Range": tt.rang}})
		if rec.Code != tt.status || tt.status < 300 && rec.Body.String() != tt.body {
			t.Errorf("%q: %d %q", tt.rang, rec.Code, rec.Body)
		}
		h := rec.Header()
		if tt.status == 200 && (h.Get("Content-Disposition") != "attachment; filename*=utf-8''%E7%BB%93%E5%A9%9A%E7%99%BB%E8%AE%B0%20%E8%A1%A8.pdf" ||
			h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox") ||
			h.Get("Cache-Control") != "no-store" || h.Get("ETag") != `"abc"` || h.Get("Content-Type") != "application/pdf") {
			t.Errorf("%v", h)
		}
	}
	for _, path := range []string{"/files/0", "/files/2", "/files/x", "/files/01", "/files/1/pages/0"} {
		if p := problem(t, w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + recordID + path})); p.Status != 404 {
			t.Errorf("%s: %d", path, p.Status)
		}
	}
	rec := w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + recordID + "/files/1/pages/2?width=300"})
	if rec.Body.String() != "PNG 1 2 300" || rec.Header().Get("Content-Type") != "image/png" {
		t.Errorf("%s", rec.Body)
	}
	if p := problem(t, w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + recordID + "/files/1/pages/2?width=9999"})); p.Status != 422 {
		t.Errorf("%+v", p)
	}
}

// TestDamagedFileNeverLooksComplete: the checksum fails only at the very end,
// and even then the client must not get all the bytes it was promised.
func TestDamagedFileNeverLooksComplete(t *testing.T) {
	w := newWorld(t)
	w.broken = fmt.Errorf("checksum: %w", archive.ErrCorrupt)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	r, err := http.NewRequest("GET", server.URL+"/api/v1/records/"+recordID+"/files/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.tokens[archive.RoleUploader])
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return // the connection was cut before the head was sent: as good
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("a damaged file looks complete: %q", body)
	}
}

func TestSearch(t *testing.T) {
	w := newWorld(t)
	rec := w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records/search", body: `{"q":"张","category":"marriage","year_from":2000,"limit":1}`})
	var answer struct {
		Hits []archive.Hit
		Next string
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || len(answer.Hits) != 1 || answer.Next == "" {
		t.Fatalf("%v %s", err, rec.Body)
	}
	want := archive.Query{Text: "张", Limit: 1, Filter: archive.Filter{Category: "marriage", YearFrom: 2000}}
	if w.query != want {
		t.Errorf("%+v", w.query)
	}
	w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records/search", body: `{"q":"张","limit":1,"page":"` + answer.Next + `"}`})
	if w.query.Offset != 1 {
		t.Errorf("the second page starts at %d", w.query.Offset)
	}
}
