package certificates_test

import (
	"errors"
	"slices"
	"testing"

	"dangan/archive"
)

var (
	head  = archive.Actor{ID: "h1", Role: archive.RoleHead, Office: "qc"}
	admin = archive.Actor{ID: "s1", Role: archive.RoleAdmin}
)

// TestTheTemplateThatCounts: the office's own before that of all before the one
// that is built in, which is written down when it is first used; a certificate
// pins the entry.
func TestTheTemplateThatCounts(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	first := w.sealed(room, nil)
	if first.Template != (archive.TemplatePin{ID: "marriage", Version: 1}) || len(w.papers["marriage"]) != 1 {
		t.Fatalf("%+v", first.Template)
	}
	if first.Sheet.Title != "婚姻登记档案证明" || first.Sheet.Mark != "仅供办理公积金贷款使用" || first.Title.EN == "" {
		t.Errorf("%+v", first.Sheet)
	}
	v, err := room.Template(t.Context(), head, "marriage", "", 0)
	if err != nil || v.N != 1 {
		t.Fatal(v.N, err)
	}
	next := v.Value
	next.Title.ZH = "结婚证明"
	if _, err := room.Write(t.Context(), head, 1, next); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("a head of office changed the template of all: %v", err)
	}
	if v, err = room.Write(t.Context(), admin, 1, next); err != nil || v.N != 2 {
		t.Fatal(v.N, err)
	}
	own := next
	own.Office, own.Title.ZH = "qc", "青川市婚姻档案证明"
	if _, err := room.Write(t.Context(), head, 0, own); err != nil {
		t.Fatal(err)
	}
	if _, err := room.Write(t.Context(), head, 0, own); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("written twice: %v", err)
	}
	if c := w.sealed(room, nil); c.Template != (archive.TemplatePin{ID: "marriage--qc", Version: 1}) || c.Title.ZH != "青川市婚姻档案证明" {
		t.Errorf("%+v, %s", c.Template, c.Title.ZH)
	}
	if c := w.sealed(room, func(r *archive.Request, _ *archive.Record) { r.Office = "zz" }); c.Template != (archive.TemplatePin{ID: "marriage", Version: 2}) {
		t.Errorf("%+v", c.Template)
	}
	if old, err := room.Template(t.Context(), clerk, "marriage", "", 1); err != nil || old.Value.Title.ZH != "婚姻登记档案证明" {
		t.Errorf("%s, %v", old.Value.Title.ZH, err)
	}
	list, err := room.Templates(t.Context(), clerk)
	if err != nil || len(list) != 10 || !slices.ContainsFunc(list, func(v archive.Version[archive.Template]) bool { return v.Value.Office == "qc" }) {
		t.Errorf("%d templates, %v", len(list), err)
	}
}

func TestWritingATemplate(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	good := must(room.Template(t.Context(), head, "holding", "", 0)).Value
	for name, tt := range map[string]struct {
		actor  archive.Actor
		change func(*archive.Template)
		want   error
		field  string
	}{
		"clerk":          {clerk, nil, archive.ErrForbidden, ""},
		"citizen":        {wife, nil, archive.ErrForbidden, ""},
		"another office": {head, func(d *archive.Template) { d.Office = "zz" }, archive.ErrForbidden, ""},
		"no such office": {admin, func(d *archive.Template) { d.Office = "nowhere" }, archive.ErrInvalid, "office"},
		"no such key":    {head, func(d *archive.Template) { d.Key = "diploma" }, archive.ErrInvalid, "key"},
		"a fault":        {head, func(d *archive.Template) { d.Blocks[0].Text.ZH = "{nobody}" }, archive.ErrInvalid, "blocks[0].text.zh"},
		"another matter": {head, func(d *archive.Template) { d.Occasion, d.Category = archive.OfReading, "marriage" }, nil, ""},
	} {
		d := good
		d.Office, d.Blocks = "qc", slices.Clone(good.Blocks)
		if tt.change != nil {
			tt.change(&d)
		}
		v, err := room.Write(t.Context(), tt.actor, 0, d)
		var ps archive.Problems
		if !errors.Is(err, tt.want) || errors.As(err, &ps) && ps[0].Field != tt.field {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (v.Value.Occasion != archive.OfHolding || v.Value.Category != "dossier_item" || v.Value.By != head.ID) {
			t.Errorf("%s: %+v", name, v.Value)
		}
	}
	if _, err := room.Template(t.Context(), clerk, "holding", "zz", 0); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("the template of another office: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestNotFoundEndsInALetter with a number and a code, that verifies.
func TestNotFoundEndsInALetter(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	c := w.sealed(room, func(r *archive.Request, _ *archive.Record) {
		r.Record, r.RecordVersion, r.Sources, r.Reason = "", 0, nil, "馆藏无此档案"
		r.Wanted.Category = "military"
		r.Searched = []archive.Search{{At: w.now, Place: "馆藏机读目录", Fonds: []string{"J019"}, YearFrom: 2006, YearTo: 2008, Names: []string{"张㛃"}}}
	})
	if c.Template.ID != "not-found" || len(c.Statements) != 2 || c.Record != "" || !c.ValidUntil.IsZero() {
		t.Errorf("%+v", c)
	}
	request := must(requests{w}.Head(t.Context(), c.ID)).Value
	if request.State != archive.NotFound || request.Certificate != c.Number {
		t.Errorf("%s, %s", request.State, request.Certificate)
	}
	if v, err := room.Verify(t.Context(), c.Number, c.Code); err != nil || v.Verdict != archive.Valid || v.Title.ZH != "查无此档证明" {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestServices: each service has the template of its own.
func TestServices(t *testing.T) {
	day := newWorld(t).now
	personnel := func(s archive.Service) func(*archive.Request, *archive.Record) {
		return func(r *archive.Request, rec *archive.Record) {
			r.Service, rec.Category, rec.Family = s, "dossier_item", archive.Personnel
			rec.Persons[0].Role = "subject"
			rec.Persons[0].ID = archive.NewIDNumber("", wifeID)
			rec.At, rec.Fields = day, map[string]string{"began": "198507", "employer": "青川机械厂"}
		}
	}
	for key, change := range map[string]func(*archive.Request, *archive.Record){
		"holding":       personnel(archive.ServiceHolding),
		"service-years": personnel(archive.ServiceYears),
		"reading": func(r *archive.Request, _ *archive.Record) {
			r.Service = archive.ServiceReading
			r.Events = append(r.Events, archive.Event{At: day, Step: archive.StepReview})
		},
	} {
		w := newWorld(t)
		c := w.sealed(w.room(), change)
		if c.Template.ID != key || c.State != archive.CertSealed || len(c.Statements) == 0 {
			t.Errorf("%s: %+v %s", key, c.Template, c.State)
		}
	}
}

// TestCertificateOfEarlierTimesGetsWords: one that was begun before there were
// templates is sealed with the words that count now.
func TestCertificateOfEarlierTimesGetsWords(t *testing.T) {
	w := newWorld(t)
	room, job := w.room(), w.approved(nil)
	w.stamp = func(n int) error {
		if n == 1 {
			return archive.ErrUnavailable
		}
		return nil
	}
	if err := room.Seal(t.Context(), job); !errors.Is(err, archive.ErrUnavailable) {
		t.Fatal(err)
	}
	for i := range w.certs[job.Ref.ID] {
		v := &w.certs[job.Ref.ID][i].Value
		v.Template, v.Sheet = archive.TemplatePin{}, nil
	}
	if err := room.Seal(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if c := w.head(job.Ref.ID); c.State != archive.CertSealed || c.Sheet == nil || c.Template.Version != 1 {
		t.Errorf("%+v", c)
	}
}

func TestPreviewIsADraft(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	job := w.approved(nil)
	record := w.requests[job.Ref.ID][0].Value.Record
	d := must(room.Template(t.Context(), head, "marriage", "", 0)).Value
	if _, err := room.Preview(t.Context(), clerk, archive.Purpose{}, d, "", archive.Bilingual); err != nil {
		t.Fatal(err)
	}
	if c := w.drawn[0]; c.Number != "" || c.Code != "" || c.Sheet.Language != archive.Bilingual || len(c.Statements) != 3 {
		t.Errorf("%+v", c)
	}
	if _, err := room.Preview(t.Context(), approver, archive.Purpose{}, d, record, ""); err != nil || w.drawn[1].Statements[0].Text != "李𬱖（男）与张㛃（女）于2010年5月20日在青川市民政局婚姻登记处办理结婚登记。" {
		t.Errorf("%v", err)
	}
	if _, err := room.Preview(t.Context(), clerk, archive.Purpose{}, d, record, ""); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("a record that one may not read: %v", err)
	}
	d.Blocks = nil
	if _, err := room.Preview(t.Context(), clerk, archive.Purpose{}, d, "", ""); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("a template that says nothing: %v", err)
	}
	if _, err := room.Preview(t.Context(), wife, archive.Purpose{}, d, "", ""); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("a citizen: %v", err)
	}
	if w.stamped != 0 || len(w.next) != 0 || len(w.certs) != 0 {
		t.Error("a draft left something behind")
	}
}
