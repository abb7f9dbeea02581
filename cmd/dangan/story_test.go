package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/api/stamp"
	"dangan/archive"
	"dangan/internal/testenv"
)

// Words of the story that must be found nowhere but in sealed bodies and in
// answers to those who may see them.
const (
	canaryName  = "欧阳㛃枫"
	canaryTitle = "琥珀金丝雀登记表"
	canaryText  = "canaryinthescan"
	canaryID    = "999999199003070020"
)

// TestStory drives the built binary through the main job of an archive office:
// deposit, find, request, review, approve, verify; then it takes the index away.
func TestStory(t *testing.T) {
	t.Run("embedded parts", func(t *testing.T) { story(t, embeddedSite(t, 12)) })
	t.Run("MinIO and Meilisearch", func(t *testing.T) { story(t, externalSite(t)) })
}

func story(t *testing.T, s *site) {
	record := s.deposit(t, storyRecord(s), storyFiles(t)...)
	s.awaitReady(t, record)
	s.find(t, record)
	s.readPages(t, record)
	number := s.certify(t, record)
	s.verifyEverywhere(t, number)
	s.ask(t, record)
	s.loseIndex(t, record, number)
	s.revoke(t, number)
	s.leakNothing(t)
}

// storyRecord is a marriage of the demonstration's citizen.
func storyRecord(s *site) archive.Record {
	citizen := s.persons["citizen"]
	return archive.Record{
		Category: "marriage", Office: s.persons["uploader"].Office,
		RefCode: archive.BuildRefCode("J019", []string{"ZY", "HY", "2010", "D100"}, "901", "9001"),
		Title:   canaryTitle, Responsible: "青川市民政局", Date: date("20100520"),
		Persons: []archive.Person{
			{Name: citizen.Name, Role: "husband", Birth: date("19881002"), ID: archive.IDNumber{Original: citizen.IDNumber.Original}},
			{Name: canaryName, Role: "wife", Birth: date("19900307"), ID: archive.IDNumber{Original: strings.ToLower(canaryID)}},
		},
		Fields: map[string]string{"registration_kind": "marriage", "certificate_number": "J510822-2010-903456",
			"registered_on": "20100520", "registry": "青川市民政局婚姻登记处"},
	}
}

func date(s string) archive.Date {
	d, err := archive.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

type upload struct {
	name, mediaType string
	bytes           []byte
}

// storyFiles are a PDF with text in it and a scanned page.
func storyFiles(t *testing.T) []upload {
	t.Helper()
	drafts, err := stamp.New(stamp.Config{SealName: "测试", SealPurpose: "测试", SealNumber: "1"})
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := drafts.Draw(stamp.Sheet{Language: "zh-CN", Issuer: "青川市民政局", Title: "结婚登记申请书", Number: "1",
		Body: []stamp.Paragraph{{{Text: "申请人自愿结为夫妻。" + canaryText}}}, Date: "2010年5月20日", SignedBy: "青川市民政局", Labels: stamp.Chinese()})
	if err != nil {
		t.Fatal(err)
	}
	page := image.NewGray(image.Rect(0, 0, 600, 848))
	for i := range page.Pix {
		page.Pix[i] = uint8(200 + i%50)
	}
	page.SetGray(300, 400, color.Gray{})
	var scan bytes.Buffer
	if err := jpeg.Encode(&scan, page, nil); err != nil {
		t.Fatal(err)
	}
	return []upload{{"申请书.pdf", "application/pdf", pdf}, {"登记表.jpg", "image/jpeg", scan.Bytes()}}
}

// depositForm is the multipart body of a deposit.
func depositForm(r archive.Record, files ...upload) (*bytes.Buffer, string, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	raw, err := json.Marshal(r)
	if err != nil {
		return nil, "", err
	}
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="record"`}, "Content-Type": {"application/json"}})
	if err == nil {
		_, err = part.Write(raw)
	}
	for _, f := range files {
		if err != nil {
			break
		}
		part, err = w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename=%q`, f.name)}, "Content-Type": {f.mediaType}})
		if err == nil {
			_, err = part.Write(f.bytes)
		}
	}
	if err == nil {
		err = w.Close()
	}
	return &body, w.FormDataContentType(), err
}

// asDeposited is the description without what the service adds.
func asDeposited(r archive.Record) archive.Record {
	r.ID, r.By, r.At, r.Files = "", "", time.Time{}, nil
	return r
}

func (s *site) tryDeposit(ctx context.Context, key string, r archive.Record, files ...upload) (answer, error) {
	body, contentType, err := depositForm(asDeposited(r), files...)
	if err != nil {
		return answer{}, err
	}
	return s.try(ctx, call{user: "uploader", method: "POST", path: "/api/v1/records", body: body, contentType: contentType,
		header: map[string]string{"Idempotency-Key": key}})
}

func (s *site) deposit(t *testing.T, r archive.Record, files ...upload) archive.RecordView {
	t.Helper()
	bad := r
	bad.Title, bad.Secrecy = "", "机密★10年"
	if a, err := s.tryDeposit(t.Context(), "bad", bad, files...); err != nil || a.status != 422 ||
		!bytes.Contains(a.body, []byte("state_secret_refused")) || !bytes.Contains(a.body, []byte(`"title"`)) {
		t.Fatalf("a bad deposit: %v, status %d\n%s", err, a.status, a.body)
	}
	var view archive.RecordView
	for range 2 { // the second is the client that did not hear the answer
		a, err := s.tryDeposit(t.Context(), "story", r, files...)
		if err != nil || a.status != 201 {
			t.Fatalf("deposit: %v, status %d\n%s", err, a.status, a.body)
		}
		first := view.ID
		a.json(t, &view)
		if first != "" && first != view.ID {
			t.Fatal("repeating a deposit made a second record")
		}
	}
	return view
}

func (s *site) awaitReady(t *testing.T, r archive.RecordView) {
	t.Helper()
	eventually(t, 60*time.Second, "reading of the files", func() bool {
		var view archive.RecordView
		s.must(t, 200, call{user: "uploader", method: "GET", path: "/api/v1/records/" + r.ID}).json(t, &view)
		for _, f := range view.States {
			if f.State == archive.Rejected {
				t.Fatalf("a good file was rejected: %+v", f)
			}
			if f.State != archive.Ready {
				return false
			}
		}
		return len(view.States) == len(r.Files)
	})
}

func (s *site) search(t *testing.T, status int, q string) archive.Hits {
	t.Helper()
	var hits archive.Hits
	a := s.must(t, status, call{user: "reviewer", method: "POST", path: "/api/v1/records/search", body: map[string]any{"q": q}})
	if status == 200 {
		a.json(t, &hits)
	}
	return hits
}

func (s *site) finds(t *testing.T, q string, r archive.RecordView) bool {
	t.Helper()
	for _, h := range s.search(t, 200, q).Hits {
		if h.ID == r.ID {
			return true
		}
	}
	return false
}

// find looks for the record in every way a clerk would.
func (s *site) find(t *testing.T, r archive.RecordView) {
	t.Helper()
	eventually(t, 30*time.Second, "the record in the index", func() bool { return s.finds(t, canaryName, r) })
	for _, q := range []string{
		canaryID, "９９９９９９１９９００３０７００２０", r.RefCode.Original, "j019.zy.hy.2010.d100-901-9001", r.ID, // exact
		"歐陽㛃楓", "ouyang", canaryTitle, "金丝雀登记", canaryText,
	} {
		if !s.finds(t, q, r) {
			t.Errorf("%q does not find the record", q)
		}
	}
	for _, user := range []string{"citizen", "agency", "auditor", ""} {
		want := map[bool]int{true: 401, false: 403}[user == ""]
		s.must(t, want, call{user: user, method: "POST", path: "/api/v1/records/search", body: map[string]any{"q": canaryName}})
	}
}

func (s *site) readPages(t *testing.T, r archive.RecordView) {
	t.Helper()
	path := "/api/v1/records/" + r.ID + "/files/1"
	s.must(t, 422, call{user: "reviewer", method: "GET", path: path}) // no purpose
	purpose := map[string]string{"Dangan-Purpose": "consultation; case=STORY-1"}
	whole := s.must(t, 200, call{user: "reviewer", method: "GET", path: path, header: purpose})
	if !bytes.HasPrefix(whole.body, []byte("%PDF-")) || int64(len(whole.body)) != r.Files[0].Size {
		t.Errorf("the file came back with %d bytes", len(whole.body))
	}
	part := s.must(t, 206, call{user: "reviewer", method: "GET", path: path,
		header: map[string]string{"Dangan-Purpose": purpose["Dangan-Purpose"], "Range": "bytes=100-199"}})
	if !bytes.Equal(part.body, whole.body[100:200]) {
		t.Error("a range is not that part of the file")
	}
	for n := 1; n <= 2; n++ {
		a := s.must(t, 200, call{user: "reviewer", method: "GET", path: fmt.Sprintf("/api/v1/records/%s/files/%d/pages/1", r.ID, n), header: purpose})
		if _, _, err := image.Decode(bytes.NewReader(a.body)); err != nil && !bytes.HasPrefix(a.body, []byte("\x89PNG")) {
			t.Errorf("page of file %d: %v", n, err)
		}
	}
	for _, user := range []string{"citizen", "agency", "auditor"} {
		s.must(t, 403, call{user: user, method: "GET", path: "/api/v1/records/" + r.ID})
	}
	s.must(t, 404, call{user: "reviewer", method: "GET", path: "/api/v1/records/01ARZ3NDEKTSV4RRFFQ69G5FAV"})
}

type requestView struct {
	archive.Request
	Version int `json:"version"`
}

func (s *site) request(t *testing.T, user, id string) requestView {
	t.Helper()
	var v requestView
	s.must(t, 200, call{user: user, method: "GET", path: "/api/v1/requests/" + id}).json(t, &v)
	return v
}

func (s *site) move(t *testing.T, status int, user, id string, m archive.Move) {
	t.Helper()
	v := s.request(t, "reviewer", id)
	s.must(t, status, call{user: user, method: "POST", path: "/api/v1/requests/" + id + "/actions", body: m,
		header: map[string]string{"If-Match": fmt.Sprintf("%q", fmt.Sprint(v.Version))}})
}

// submit is the citizen's request for a certificate of the record.
func (s *site) submit(t *testing.T, r archive.RecordView) string {
	t.Helper()
	var v requestView
	s.must(t, 201, call{user: "citizen", method: "POST", path: "/api/v1/requests", body: map[string]any{
		"office": r.Office, "purpose": "办理公积金贷款",
		"wanted": archive.Wanted{Category: "marriage", YearFrom: 2009, YearTo: 2011,
			Persons: []archive.Person{{Name: s.persons["citizen"].Name, Role: "husband"}, {Name: canaryName, Role: "wife"}}},
	}}).json(t, &v)
	return v.ID
}

// certify takes a request through the desk and returns the certificate's number.
func (s *site) certify(t *testing.T, r archive.RecordView) string {
	t.Helper()
	id := s.submit(t, r)
	var list struct{ Candidates []archive.Candidate }
	s.must(t, 200, call{user: "reviewer", method: "GET", path: "/api/v1/requests/" + id + "/candidates"}).json(t, &list)
	if len(list.Candidates) == 0 || list.Candidates[0].Record != r.ID || len(list.Candidates[0].Reasons) == 0 {
		t.Fatalf("the first candidate is not the record: %+v", list.Candidates)
	}
	s.move(t, 403, "citizen", id, archive.Move{Step: archive.StepMatch, Record: r.ID})
	s.move(t, 200, "reviewer", id, archive.Move{Step: archive.StepMatch, Record: r.ID})
	s.move(t, 409, "approver", id, archive.Move{Step: archive.StepApprove})
	s.move(t, 200, "reviewer", id, archive.Move{Step: archive.StepReview, Sources: []archive.PageRef{{File: 1, Page: 1}, {File: 2, Page: 1}}})
	s.move(t, 403, "reviewer", id, archive.Move{Step: archive.StepApprove})
	s.move(t, 200, "approver", id, archive.Move{Step: archive.StepApprove})
	eventually(t, 30*time.Second, "the certificate", func() bool { return s.request(t, "citizen", id).State == archive.Issued })
	return s.request(t, "citizen", id).Certificate
}

type certificateView struct {
	archive.Certificate
	Version int `json:"version"`
}

func (s *site) certificate(t *testing.T, number string) (certificateView, []byte) {
	t.Helper()
	path := "/api/v1/certificates/" + url.PathEscape(number)
	var c certificateView
	s.must(t, 200, call{user: "citizen", method: "GET", path: path}).json(t, &c)
	return c, s.must(t, 200, call{user: "citizen", method: "GET", path: path + "/pdf"}).body
}

func (s *site) verify(t *testing.T, c call) archive.Verification {
	t.Helper()
	c.method, c.path = "POST", "/api/v1/verify"
	var v archive.Verification
	s.must(t, 200, c).json(t, &v)
	return v
}

func verifyPDF(pdf []byte) call {
	return call{body: bytes.NewReader(pdf), contentType: "application/pdf"}
}

// verifyEverywhere has strangers check the certificate, online and offline.
func (s *site) verifyEverywhere(t *testing.T, number string) {
	t.Helper()
	c, pdf := s.certificate(t, number)
	if len(c.Statements) == 0 || c.Statements[0].Source.RefCode == "" || c.Statements[0].Source.Page != 1 {
		t.Errorf("the certificate does not cite its source: %+v", c.Statements)
	}
	v := s.verify(t, call{body: map[string]string{"number": number, "code": strings.ToLower(strings.ReplaceAll(c.Code, "-", " "))}})
	if v.Verdict != archive.Valid || v.Holder == c.Holder || v.Holder == "" {
		t.Errorf("by number and code: %+v", v)
	}
	if v := s.verify(t, call{body: map[string]string{"number": number, "code": "0000-0000-0000"}}); v.Verdict != archive.Unknown || v.Number != "" {
		t.Errorf("by a wrong code: %+v", v)
	}
	if v := s.verify(t, verifyPDF(pdf)); v.Verdict != archive.Valid {
		t.Errorf("by the PDF: %+v", v)
	}
	changed := bytes.Clone(pdf)
	changed[len(changed)/3] ^= 1
	longer := append(bytes.Clone(pdf), "\n% more\n"...)
	for name, forged := range map[string][]byte{"changed": changed, "longer": longer} {
		if v := s.verify(t, verifyPDF(forged)); v.Verdict != archive.Tampered || v.Holder != "" {
			t.Errorf("%s PDF: %+v", name, v)
		}
	}
	if v := s.verify(t, verifyPDF(storyFiles(t)[0].bytes)); v.Verdict != archive.Unknown {
		t.Errorf("a strange PDF: %+v", v)
	}
	s.verifyOffline(t, pdf, changed)
	if !strings.Contains(strings.ReplaceAll(textOf(t, pdf), "\n", ""), canaryName) {
		t.Error("pdftotext does not read the name back")
	}
	s.must(t, 404, call{user: "citizen2", method: "GET", path: "/api/v1/certificates/" + url.PathEscape(number)})
	s.must(t, 403, call{user: "agency", method: "GET", path: "/api/v1/certificates/" + url.PathEscape(number)})
}

func (s *site) verifyOffline(t *testing.T, pdf, changed []byte) {
	t.Helper()
	dir := t.TempDir()
	for name, want := range map[string]struct {
		bytes []byte
		word  string
		exit  int
	}{"good.pdf": {pdf, "VALID", 0}, "changed.pdf": {changed, "TAMPERED", 3}, "other.pdf": {[]byte("hello"), "UNKNOWN", 4}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, want.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, code := dangan(t, "verify", "--trust", s.trust, path); code != want.exit || !strings.HasPrefix(out, want.word+"\n") {
			t.Errorf("dangan verify %s: exit %d\n%s", name, code, out)
		}
	}
	if out, err := exec.Command(testenv.Path(t, "qpdf"), "--check", filepath.Join(dir, "good.pdf")).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
}

// ask is the agency's question, and the auditor who sees that it was asked.
func (s *site) ask(t *testing.T, r archive.RecordView) {
	t.Helper()
	question := archive.Question{Kind: archive.RecordExists, Category: "marriage",
		Person:  archive.Person{Name: canaryName, ID: archive.IDNumber{Original: canaryID}},
		Purpose: archive.Purpose{Code: archive.ForJustice, Case: "（2026）川01民初1号"}}
	var a archive.Answer
	s.must(t, 200, call{user: "agency", method: "POST", path: "/api/v1/lookups", body: question}).json(t, &a)
	if !a.Exists || a.Receipt == "" || len(a.Years) != 1 || a.Years[0] != 2010 {
		t.Errorf("answer: %+v", a)
	}
	question.Purpose = archive.Purpose{}
	s.must(t, 422, call{user: "agency", method: "POST", path: "/api/v1/lookups", body: question})
	s.must(t, 403, call{user: "citizen", method: "POST", path: "/api/v1/lookups", body: question})
	var log struct{ Accesses []archive.Access }
	s.must(t, 200, call{user: "auditor", method: "GET", path: "/api/v1/accesses?limit=500"}).json(t, &log)
	seen := map[archive.Action]bool{}
	for _, entry := range log.Accesses {
		seen[entry.Action] = seen[entry.Action] || entry.Ref.ID == r.ID || entry.ID == a.Receipt
	}
	for _, act := range []archive.Action{archive.ActRead, archive.ActFile, archive.ActLookup} {
		if !seen[act] {
			t.Errorf("the log has no trace of %s", act)
		}
	}
}

// loseIndex takes the index away: exact look-ups answer, ranked search says so,
// and when an empty index comes back all is found again without help.
func (s *site) loseIndex(t *testing.T, r archive.RecordView, number string) {
	t.Helper()
	s.wipeIndex(t, func() {
		for _, q := range []string{canaryID, r.RefCode.Original, r.ID} {
			if !s.finds(t, q, r) {
				t.Errorf("%q does not find the record while the index is away", q)
			}
		}
		s.search(t, 503, canaryName)
		s.certificate(t, number)
		s.must(t, 503, call{method: "GET", path: "/readyz"})
		late := storyRecord(s)
		late.RefCode = archive.BuildRefCode("J019", []string{"ZY", "HY", "2010", "D100"}, "901", "9002")
		if a, err := s.tryDeposit(t.Context(), "late", late, storyFiles(t)...); err != nil || a.status != 201 {
			t.Errorf("deposit without an index: %v, status %d", err, a.status)
		}
	})
	eventually(t, 90*time.Second, "the record in the new index", func() bool {
		a, err := s.try(t.Context(), call{user: "reviewer", method: "POST", path: "/api/v1/records/search", body: map[string]any{"q": canaryName}})
		return err == nil && a.status == http.StatusOK && bytes.Contains(a.body, []byte(r.ID))
	})
}

func (s *site) revoke(t *testing.T, number string) {
	t.Helper()
	c, pdf := s.certificate(t, number)
	path := "/api/v1/certificates/" + url.PathEscape(number) + "/revoke"
	s.must(t, 403, call{user: "citizen", method: "POST", path: path, body: map[string]string{"reason": "x"}})
	s.must(t, 422, call{user: "approver", method: "POST", path: path, body: map[string]string{"reason": " "}})
	s.must(t, 200, call{user: "approver", method: "POST", path: path, body: map[string]string{"reason": "登记信息有误"}})
	for name, v := range map[string]archive.Verification{
		"code": s.verify(t, call{body: map[string]string{"number": number, "code": c.Code}}),
		"PDF":  s.verify(t, verifyPDF(pdf)),
	} {
		if v.Verdict != archive.Revoked || v.Reason == "" {
			t.Errorf("a revoked certificate by its %s: %+v", name, v)
		}
	}
}

// leakNothing greps everything that lies outside: the objects and their names,
// and what the processes logged.
func (s *site) leakNothing(t *testing.T) {
	t.Helper()
	secrets := []string{canaryName, "欧阳", canaryTitle, canaryText, canaryID, canaryID[6:14], s.persons["citizen"].IDNumber.Original,
		s.persons["citizen"].Name, "J019-ZY", "公积金贷款"}
	for _, token := range s.tokens {
		secrets = append(secrets, token)
	}
	look := func(where string, text []byte) {
		for i, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(url.QueryEscape(secret))) {
				t.Errorf("secret %d is in %s", i, where)
			}
		}
	}
	files := 0
	err := filepath.WalkDir(s.objects, func(path string, entry os.DirEntry, err error) error {
		var raw []byte
		if err == nil && !entry.IsDir() {
			files++
			look("the name of an object", []byte(path[len(s.objects):]))
			raw, err = os.ReadFile(path)
			look("an object", raw)
		}
		if errors.Is(err, fs.ErrNotExist) { // a job was done meanwhile
			return nil
		}
		return err
	})
	if err != nil || files < 20 {
		t.Errorf("walked %d objects: %v", files, err)
	}
	look("the log", []byte(s.logs()))
}
