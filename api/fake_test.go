package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dangan/api"
	"dangan/api/auth"
	"dangan/archive"
	"dangan/archive/policy"
)

// Ids of the fake world.
const (
	recordID  = "01K0000000000000000000000R"
	closedID  = "01K0000000000000000000000C" // exists, may not be seen
	askID     = "01K0000000000000000000000P" // needs a purpose
	requestID = "01K0000000000000000000000Q"
	missingID = "01K0000000000000000000000X"
	number    = "青民档证〔2026〕000123号"
	canary    = "张金丝雀"
)

// world is a fake of every room: it answers from a few values and remembers
// what it was asked.
type world struct {
	t        *testing.T
	schema   archive.Schema
	fail     error // what every room answers, when set
	key      string
	record   archive.Record
	uploads  []archive.Upload
	bodies   [][]byte
	patch    string
	purpose  archive.Purpose
	query    archive.Query
	request  archive.Request
	move     archive.Move
	paper    archive.Template
	steps    []string // "revoke 原因" …
	content  []byte
	away     error // what search alone answers, when set
	broken   error // ends the content instead of io.EOF
	onUpload func(archive.Upload) ([]byte, error)
	log      bytes.Buffer
	handler  http.Handler
	accounts map[string]archive.Account
	tokens   map[archive.Role]string
	keeper   *auth.Keeper
	states   map[string][]byte
	now      time.Time
	asked    archive.Question // the last
}

func newWorld(t *testing.T) *world {
	t.Helper()
	schema, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, schema: schema, content: []byte("%PDF-1.7 the quick brown fox"), accounts: map[string]archive.Account{},
		tokens: map[archive.Role]string{}, states: map[string][]byte{}, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	hash, err := auth.HashPassword(zeros{}, "正确的密码")
	if err != nil {
		t.Fatal(err)
	}
	for i, role := range w.roles() {
		token := fmt.Sprintf("dgt_%s", role)
		id := fmt.Sprintf("01K000000000000000000000A%d", i)
		w.tokens[role] = token
		office := map[bool]string{true: "qc"}[archive.Actor{Role: role}.Staff()]
		w.accounts[id] = archive.Account{ID: id, Office: office, User: string(role), Name: canary, Role: role, Password: hash, Token: auth.TokenHash(token), Assurance: archive.RealName}
	}
	w.keeper, err = auth.New(auth.Config{Accounts: w, Claims: w, States: w, Person: func(archive.IDNumber) string { return "token" },
		Key: make([]byte, 32), Now: func() time.Time { return w.now }, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	w.onUpload = func(u archive.Upload) ([]byte, error) { return io.ReadAll(u.Body) }
	w.rebuild(w.config())
	return w
}

func (w *world) rebuild(c api.Config) {
	w.t.Helper()
	var err error
	if w.handler, err = api.New(c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) config() api.Config {
	return api.Config{
		Holdings: w, Files: w, Search: w, Desk: w, Certificates: w, Choices: w, Drafts: w, Templates: w, Verifier: w, Lookup: w, Evidence: w,
		Sessions: w.keeper, Self: w.keeper, People: people{w},
		Schema: w.schema,
		Offices: func(context.Context) ([]archive.Office, error) {
			return []archive.Office{{ID: "qc", Name: archive.Label{ZH: "青川市档案馆", EN: "Qingchuan Archives"}}}, w.fail
		},
		Ready:   map[string]api.Check{"store": func(context.Context) error { return w.fail }},
		Version: "test",
		Log:     slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:     time.Now,
	}
}

// zeros is a source of randomness for tests in which none is needed.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (w *world) Head(_ context.Context, id string) (archive.Version[archive.Account], error) {
	a, ok := w.accounts[id]
	if !ok {
		return archive.Version[archive.Account]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Account]{N: 1, Value: a}, nil
}

func (w *world) Holder(_ context.Context, kind, value string) (string, error) {
	for id, a := range w.accounts {
		if kind == archive.ClaimUser && a.User == value || kind == archive.ClaimToken && a.Token == value {
			return id, nil
		}
	}
	return "", archive.ErrNotFound
}

func (w *world) view() archive.RecordView {
	code, _ := archive.ParseRefCode("J019-ZY·HY·2010·D100-001-0001")
	date, _ := archive.ParseDate("20100520")
	r := archive.Record{ID: recordID, Title: canary + "结婚登记审查处理表", Category: "marriage", Family: archive.Livelihood, Office: "qc", RefCode: code, Date: date, Openness: archive.NotReviewed, Retention: "D100",
		Persons: []archive.Person{{Name: canary, Role: "wife", ID: archive.NewIDNumber("", "999999199001010016")}},
		Files:   []archive.File{{Name: "结婚登记 表.pdf", MediaType: "application/pdf", Blob: archive.Blob{SHA256: "abc", Size: int64(len(w.content))}}}}
	return archive.RecordView{Record: r, Version: 3, States: []archive.FileState{w.signed()}}
}

func (w *world) see(id string, p archive.Purpose) error {
	w.purpose = p
	switch {
	case w.fail != nil:
		return w.fail
	case id == closedID:
		return fmt.Errorf("open: %w", archive.ErrForbidden)
	case id == askID && p.Code == "":
		return archive.Problems{{Code: "purpose_required", Field: "Dangan-Purpose"}}
	case id != recordID && id != askID:
		return archive.ErrNotFound
	}
	return nil
}

func (w *world) Deposit(_ context.Context, _ archive.Actor, key string, r archive.Record, files iter.Seq2[archive.Upload, error]) (archive.RecordView, error) {
	w.key, w.record, w.uploads, w.bodies = key, r, nil, nil
	if w.fail != nil {
		return archive.RecordView{}, w.fail
	}
	if err := r.Complete(w.schema).Problems(w.schema).Err(); err != nil {
		return archive.RecordView{}, err
	}
	for u, err := range files {
		if err != nil {
			return archive.RecordView{}, err
		}
		body, err := w.onUpload(u)
		if err != nil {
			return archive.RecordView{}, err
		}
		w.uploads, w.bodies = append(w.uploads, u), append(w.bodies, body)
	}
	return w.view(), nil
}

func (w *world) Describe(_ context.Context, _ archive.Actor, id string, n int, patch []byte) (archive.RecordView, error) {
	w.patch = string(patch)
	if n != 3 {
		return archive.RecordView{}, archive.ErrConflict
	}
	return w.view(), w.see(id, archive.Purpose{})
}

func (w *world) Open(_ context.Context, _ archive.Actor, p archive.Purpose, id string) (archive.RecordView, error) {
	return w.view(), w.see(id, p)
}

func (w *world) Versions(_ context.Context, _ archive.Actor, p archive.Purpose, id string) ([]archive.Version[archive.Record], error) {
	return []archive.Version[archive.Record]{{N: 1, At: w.now, Value: w.view().Record}}, w.see(id, p)
}

func (w *world) File(_ context.Context, _ archive.Actor, p archive.Purpose, id string, n int) (archive.File, archive.Content, error) {
	if err := w.see(id, p); err != nil {
		return archive.File{}, nil, err
	}
	if n != 1 {
		return archive.File{}, nil, archive.ErrNotFound
	}
	return w.view().Files[0], &content{w: w}, nil
}

func (w *world) Page(_ context.Context, _ archive.Actor, p archive.Purpose, id string, n, page, width int) ([]byte, error) {
	return fmt.Appendf(nil, "PNG %d %d %d", n, page, width), w.see(id, p)
}

func (w *world) Search(_ context.Context, a archive.Actor, q archive.Query) (archive.Hits, error) {
	w.query = q
	if len(policy.Scope(a).Clauses) == 0 && a.Office != "" {
		w.t.Error("a search without scope")
	}
	return archive.Hits{Total: 41, Hits: []archive.Hit{{ID: recordID, Title: "题名", Names: []string{canary}, Office: "qc", Openness: archive.Open, Category: "marriage", RefCode: "J019-ZY·HY·2010·D100-001-0001", Date: "2010-05-20", Machine: true,
		Highlights: map[string]string{"title": "<mark>题</mark>名"}}}, Facets: map[string]map[string]int{"category": {"marriage": 41}},
		Suggestions: []archive.Suggestion{{Name: "张金丝", Count: 2}}, Missing: []string{"shard-2"}}, errors.Join(w.fail, w.away)
}

func (w *world) ask(id string) (archive.Version[archive.Request], error) {
	v := archive.Version[archive.Request]{N: 2, At: w.now, Value: archive.Request{ID: requestID, Office: "qc", Name: canary, State: archive.Submitted,
		IDNumber: archive.NewIDNumber("", "999999199001010016"), Purpose: "办理公积金贷款",
		Wanted: archive.Wanted{Category: "marriage", Persons: []archive.Person{{Name: canary, Role: "wife"}}},
		Events: []archive.Event{{At: w.now, Step: archive.StepSubmit, State: archive.Submitted}}}}
	switch {
	case w.fail != nil:
		return v, w.fail
	case id != requestID:
		return v, archive.ErrNotFound
	}
	return v, nil
}

func (w *world) Submit(_ context.Context, _ archive.Actor, key string, r archive.Request) (archive.Version[archive.Request], error) {
	w.key, w.request = key, r
	if err := r.Problems(w.schema).Err(); err != nil {
		return archive.Version[archive.Request]{}, err
	}
	return w.ask(requestID)
}

func (w *world) Request(_ context.Context, _ archive.Actor, id string) (archive.Version[archive.Request], error) {
	return w.ask(id)
}

func (w *world) Requests(context.Context, archive.Actor, archive.RequestFilter) ([]archive.Version[archive.Request], error) {
	v, err := w.ask(requestID)
	return []archive.Version[archive.Request]{v}, err
}

func (w *world) Move(_ context.Context, _ archive.Actor, id string, n int, m archive.Move) (archive.Version[archive.Request], error) {
	w.move = m
	v, err := w.ask(id)
	if err == nil && n != v.N {
		err = archive.ErrConflict
	}
	return v, err
}

func (w *world) Candidates(_ context.Context, _ archive.Actor, id string) ([]archive.Candidate, bool, error) {
	_, err := w.ask(id)
	return []archive.Candidate{{Record: recordID, Title: "题名", RefCode: "J019-ZY·HY·2010·D100-001-0001", Date: "2010-05-20", Names: []string{canary}, Score: 0.92, Reasons: []string{"name_same"}}}, false, err
}

func (w *world) Certificate(_ context.Context, _ archive.Actor, n string) (archive.Version[archive.Certificate], error) {
	if n != number {
		return archive.Version[archive.Certificate]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Certificate]{N: 4, Value: archive.Certificate{ID: requestID, Number: number, Code: "ABCD-EFGH-JKMN", Office: "qc", State: archive.CertSealed, IssuedAt: w.now,
		Title: archive.Label{ZH: "婚姻登记档案证明", EN: "Certificate"}, Holder: canary}}, w.fail
}

func (w *world) PDF(_ context.Context, _ archive.Actor, n string) (archive.Content, error) {
	if n != number {
		return nil, archive.ErrForbidden
	}
	return &content{w: w}, w.fail
}

func (w *world) step(n, what string) error {
	w.steps = append(w.steps, what)
	if n != number {
		return archive.ErrForbidden
	}
	return w.fail
}

func (w *world) Revoke(_ context.Context, _ archive.Actor, n, reason string) error {
	if reason == "" {
		return archive.Problems{{Code: "required", Field: "reason"}}
	}
	return w.step(n, "revoke "+reason)
}

func (w *world) Supersede(_ context.Context, _ archive.Actor, n, successor, reason string) error {
	return w.step(n, "supersede "+successor+" "+reason)
}

func (w *world) Reseal(_ context.Context, _ archive.Actor, n string) error {
	return w.step(n, "reseal")
}

func (w *world) Verify(_ context.Context, n, code string) (archive.Verification, error) {
	v := archive.Verification{Verdict: archive.Unknown, AsOf: w.now}
	if n == number && code == "ABCD-EFGH-JKMN" {
		v = archive.Verification{Verdict: archive.Valid, AsOf: w.now, Number: number, Holder: "张**", IssuedAt: w.now}
	}
	return v, w.fail
}

func (w *world) VerifyPDF(_ context.Context, pdf []byte) (archive.Verification, error) {
	if !bytes.HasPrefix(pdf, []byte("%PDF")) {
		return archive.Verification{}, archive.Problems{{Code: "not_a_pdf", Field: "file"}}
	}
	return archive.Verification{Verdict: archive.Tampered, AsOf: w.now}, w.fail
}

func (w *world) Ask(_ context.Context, _ archive.Actor, q archive.Question) (archive.Answer, error) {
	w.asked = q
	if !q.Purpose.Valid() {
		return archive.Answer{}, archive.Problems{{Code: "required", Field: "purpose"}}
	}
	return archive.Answer{Exists: q.Person.ID.Number == "999999199001010016", Receipt: missingID, At: w.now}, w.fail
}

func (w *world) Accesses(context.Context, archive.Actor, string, int) ([]archive.Access, error) {
	return []archive.Access{{ID: missingID, At: w.now, Action: archive.ActRead, Ref: archive.Ref{Kind: archive.KindRecord, ID: recordID}}}, w.fail
}

// content is w.content, ending in w.broken.
type content struct{ w *world }

func (c *content) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(c.w.content).ReadAt(p, off)
}
func (c *content) Close() error { return nil }
func (c *content) Size() int64  { return int64(len(c.w.content)) }
func (c *content) Range(offset, length int64) (io.ReadCloser, error) {
	end := io.Reader(strings.NewReader(""))
	if c.w.broken != nil {
		end = failing{c.w.broken}
	}
	return io.NopCloser(io.MultiReader(io.NewSectionReader(c, offset, length), end)), nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// call is one request to the fake world.
type call struct {
	role         archive.Role // whose bearer token is sent; none when empty
	method, path string
	body         string
	kind         string // content type; JSON when empty and there is a body
	header       map[string]string
}

func (w *world) do(c call) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.kind != "" {
		r.Header.Set("Content-Type", c.kind)
	}
	if c.role != "" {
		r.Header.Set("Authorization", "Bearer "+w.tokens[c.role])
	}
	for k, v := range c.header {
		r.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

// problem reads the answer as a problem.
func problem(t *testing.T, rec *httptest.ResponseRecorder) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d is no problem: %v: %s", rec.Code, err, rec.Body)
	}
	if got := rec.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("a problem of type %q", got)
	}
	if p.Status != rec.Code || p.Request == "" || p.Request != rec.Header().Get("Request-Id") {
		t.Errorf("%d: problem %+v", rec.Code, p)
	}
	return p
}

var errOdd = errors.New("secret cause " + canary)
