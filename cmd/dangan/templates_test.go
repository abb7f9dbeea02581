package main_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

// TestTemplates goes from a template to what is sealed: an office changes its own,
// tries it, and a letter that nothing was found and a certificate of a personnel
// file are issued, each verifiable.
func TestTemplates(t *testing.T) {
	s := embeddedSite(t, 12)
	s.tryTemplate(t)
	s.writeTemplate(t)

	letter := s.submitFor(t, s.persons["reviewer"].Office, "", archive.Wanted{Category: "military", YearFrom: 2006, YearTo: 2008,
		Persons: []archive.Person{{Name: "查无此人", Aliases: []string{"无此人"}, Role: "soldier"}}}, archive.Bilingual)
	s.move(t, 422, "reviewer", letter, archive.Move{Step: archive.StepNotFound, Note: "无记载", Searched: []archive.Search{{Names: []string{"查无此人"}}}})
	s.move(t, 200, "reviewer", letter, archive.Move{Step: archive.StepNotFound, Note: "馆藏无记载。",
		Searched: []archive.Search{{Place: "纸质案卷目录", Fonds: []string{"J052"}, YearFrom: 2005, YearTo: 2009, Names: []string{"查无此人"}}}})
	s.move(t, 200, "approver", letter, archive.Move{Step: archive.StepApprove})
	s.sealedAs(t, letter, archive.NotFound, "查无此档证明", []string{"J019、J034、J052、J061、J010", "查无此人、无此人", "2006年至2008年", "纸质案卷目录", "2005年至2009年", "馆藏无记载", "Letter of Record Not Found"})

	held := s.depositDossier(t)
	for service, words := range map[archive.Service][]string{
		archive.ServiceHolding: {"存档证明", "人事档案由本馆保管"},
		archive.ServiceYears:   {"工作经历（工龄）证明", "1985年7月参加工作", "青川机械厂", "叁拾"},
	} {
		id := s.submitFor(t, held.Office, service, archive.Wanted{Category: "dossier_item",
			Persons: []archive.Person{{Name: s.persons["citizen"].Name, Role: "subject"}}}, "zh-CN")
		s.certifyFrom(t, id, held.ID)
		s.sealedAs(t, id, archive.Issued, words[0], words[1:])
	}
	marriage := s.deposit(t, storyRecord(s), storyFiles(t)...)
	s.awaitReady(t, marriage)
	reading := s.submitFor(t, marriage.Office, archive.ServiceReading, archive.Wanted{Category: "marriage",
		Persons: []archive.Person{{Name: s.persons["citizen"].Name, Role: "husband"}}}, "zh-CN")
	s.certifyFrom(t, reading, marriage.ID)
	s.sealedAs(t, reading, archive.Issued, "档案查阅回执", []string{"在本馆查阅档案", "文件1第1页"})
	certificate := s.submitFor(t, marriage.Office, "", archive.Wanted{Category: "marriage",
		Persons: []archive.Person{{Name: s.persons["citizen"].Name, Role: "husband"}}}, "zh-CN")
	s.certifyFrom(t, certificate, marriage.ID)
	s.sealedAs(t, certificate, archive.Issued, "青川婚姻证明", []string{"办理结婚登记"})
}

func (s *site) template(t *testing.T) (view struct {
	archive.Template
	Version int
}) {
	t.Helper()
	s.must(t, 200, call{user: "head", method: "GET", path: "/api/v1/templates/marriage"}).json(t, &view)
	return view
}

// words is what may be changed in a template.
func words(t *testing.T, d archive.Template, more map[string]any) json.RawMessage {
	t.Helper()
	body := map[string]any{"title": d.Title, "mark": d.Mark, "source": d.Source, "blocks": d.Blocks}
	for k, v := range more {
		body[k] = v
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// tryTemplate draws a draft, which is neither sealed nor numbered.
func (s *site) tryTemplate(t *testing.T) {
	t.Helper()
	d := s.template(t).Template
	const path = "/api/v1/templates/marriage/preview"
	draft := s.must(t, 200, call{user: "head", method: "POST", path: path, body: words(t, d, map[string]any{"language": archive.Bilingual})}).body
	text := strings.Join(strings.Fields(textOf(t, draft)), "")
	for _, want := range []string{"草稿，无编号", "登记证件字号为", "Thecertificateofregistrationbears"} {
		if !strings.Contains(text, want) {
			t.Errorf("the draft lacks %q", want)
		}
	}
	if strings.Contains(text, "核验码") || s.verify(t, verifyPDF(draft)).Verdict != archive.Unknown {
		t.Error("the draft may be taken for a certificate")
	}
	s.must(t, 403, call{user: "citizen", method: "POST", path: path, body: words(t, d, nil)})
}

func (s *site) writeTemplate(t *testing.T) {
	t.Helper()
	v := s.template(t)
	const path = "/api/v1/templates/marriage"
	own := map[string]any{"office": s.persons["head"].Office}
	v.Title.ZH = "青川婚姻证明"
	s.must(t, 201, call{user: "head", method: "POST", path: path, body: words(t, v.Template, own)})
	s.must(t, 412, call{user: "head", method: "POST", path: path, body: words(t, v.Template, own)})
	s.must(t, 403, call{user: "reviewer", method: "POST", path: path, body: words(t, v.Template, own)})
	s.must(t, 403, call{user: "head", method: "POST", path: path, body: words(t, v.Template, nil)})
}

func (s *site) submitFor(t *testing.T, office string, service archive.Service, w archive.Wanted, language string) string {
	t.Helper()
	var v requestView
	body := map[string]any{"office": office, "purpose": "办理公证", "wanted": w, "language": language}
	if service != "" {
		body["service"] = service
	}
	s.must(t, 201, call{user: "citizen", method: "POST", path: "/api/v1/requests", body: body}).json(t, &v)
	return v.ID
}

// certifyFrom takes a request through the desk with a record.
func (s *site) certifyFrom(t *testing.T, id, record string) {
	t.Helper()
	s.move(t, 200, "reviewer", id, archive.Move{Step: archive.StepMatch, Record: record, Sources: []archive.PageRef{{File: 1, Page: 1}}})
	s.move(t, 200, "reviewer", id, archive.Move{Step: archive.StepReview})
	s.move(t, 200, "approver", id, archive.Move{Step: archive.StepApprove})
}

// sealedAs waits for what a request ends in, and reads it.
func (s *site) sealedAs(t *testing.T, id string, state archive.RequestState, title string, words []string) {
	t.Helper()
	eventually(t, time.Minute, title, func() bool { return s.request(t, "citizen", id).State == state })
	c, pdf := s.certificate(t, s.request(t, "citizen", id).Certificate)
	if c.Title.ZH != title || c.Template.Version != 1 {
		t.Errorf("%s by %+v, want %s", c.Title.ZH, c.Template, title)
	}
	text := strings.Join(strings.Fields(textOf(t, pdf)), "")
	for _, w := range words {
		if !strings.Contains(text, strings.Join(strings.Fields(w), "")) {
			t.Errorf("%s does not say %q", title, w)
		}
	}
	checkSignature(t, pdf)
	if v := s.verify(t, call{body: map[string]string{"number": c.Number, "code": c.Code}}); v.Verdict != archive.Valid || v.Title.ZH != title {
		t.Errorf("%s: %+v", title, v)
	}
	if v := s.verify(t, verifyPDF(pdf)); v.Verdict != archive.Valid {
		t.Errorf("%s by its PDF: %+v", title, v)
	}
}

// depositDossier deposits a personnel file of the demonstration's citizen.
func (s *site) depositDossier(t *testing.T) archive.RecordView {
	t.Helper()
	citizen := s.persons["citizen"]
	a, err := s.tryDeposit(t.Context(), "dossier", archive.Record{
		Category: "dossier_item", Office: s.persons["uploader"].Office, Title: "履历表", Responsible: "青川机械厂", Date: date("19850701"),
		RefCode: archive.BuildRefCode("J019", []string{"RS"}, "901", "9002"),
		Persons: []archive.Person{{Name: citizen.Name, Role: "subject", ID: archive.IDNumber{Original: citizen.IDNumber.Original}}},
		Fields:  map[string]string{"class": "1", "item": "1", "began": "198507", "employer": "青川机械厂", "recorded_years": "30"},
	}, storyFiles(t)...)
	if err != nil || a.status != 201 {
		t.Fatalf("%d %s, %v", a.status, a.body, err)
	}
	var v archive.RecordView
	a.json(t, &v)
	return v
}
