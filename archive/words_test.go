package archive_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

func TestParseRefCode(t *testing.T) {
	tests := []struct {
		in        string
		fonds     string
		class     []string
		numbers   []string
		canonical string
		key       string
	}{
		{"A439-WS·2015·D30·003-005", "A439", []string{"WS", "2015", "D30", "003"}, []string{"005"}, "A439-WS·2015·D30·003-005", "a439ws2015d30003005"},
		{"J019-ZY·JC·CC·2019·D30-001-001", "J019", []string{"ZY", "JC", "CC", "2019", "D30"}, []string{"001", "001"}, "J019-ZY·JC·CC·2019·D30-001-001", "j019zyjccc2019d30001001"},
		{"A002-RS-001-002", "A002", []string{"RS"}, []string{"001", "002"}, "A002-RS-001-002", "a002rs001002"},
		{"C038-001-002-003", "C038", nil, []string{"001", "002", "003"}, "C038-001-002-003", "c038001002003"},
		{"Z109-WS•2011•Y•办公室—0001", "Z109", []string{"WS", "2011", "Y", "办公室"}, []string{"0001"}, "Z109-WS·2011·Y·办公室-0001", "z109ws2011y办公室0001"},
		{"Ｇ１７９－ｔｘ．1995．D30-0008", "G179", []string{"TX", "1995", "D30"}, []string{"0008"}, "G179-TX·1995·D30-0008", "g179tx1995d300008"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := archive.ParseRefCode(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			want := archive.RefCode{Original: tt.in, Fonds: tt.fonds, Class: tt.class, Numbers: tt.numbers}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if got.Canonical() != tt.canonical || got.Key() != tt.key {
				t.Errorf("canonical %q key %q", got.Canonical(), got.Key())
			}
		})
	}
	for _, bad := range []string{"", "A439", "-WS-1", "A439--1", "A439-WS··1-2", "A·B-1", "A439-W/S-1"} {
		if _, err := archive.ParseRefCode(bad); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	built := archive.BuildRefCode("J019", []string{"ZY", "2019", "D30"}, "001", "0001")
	if built.Original != "J019-ZY·2019·D30-001-0001" {
		t.Error(built.Original)
	}
}

func FuzzParseRefCode(f *testing.F) {
	f.Add("A439-WS·2015·D30·003-005")
	f.Fuzz(func(t *testing.T, s string) {
		code, err := archive.ParseRefCode(s)
		if err != nil {
			return
		}
		again, err := archive.ParseRefCode(code.Canonical())
		if err != nil || again.Canonical() != code.Canonical() || again.Key() != code.Key() {
			t.Errorf("%q: canonical form reads differently: %v %q", s, err, again.Canonical())
		}
	})
}

func TestParseDate(t *testing.T) {
	tests := []struct{ in, iso, text string }{
		{"19450815", "1945-08-15", "19450815"},
		{"[19450815]", "1945-08-15", "[19450815]"},
		{"1945", "1945", "1945"},
		{"1945-8", "1945-08", "194508"},
		{"2010年5月20日", "2010-05-20", "20100520"},
		{"2010.05.20", "2010-05-20", "20100520"},
	}
	for _, tt := range tests {
		d, err := archive.ParseDate(tt.in)
		if err != nil || d.ISO() != tt.iso || d.String() != tt.text || d.Original != tt.in {
			t.Errorf("%q: %+v %v", tt.in, d, err)
		}
	}
	for _, bad := range []string{"20101301", "20100230", "x", "[1945", "19450815]", "0000"} {
		if d, err := archive.ParseDate(bad); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%q: %+v %v", bad, d, err)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("[19450815]")
	f.Add("2010年5月20日")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := archive.ParseDate(s)
		if err != nil || d.IsZero() {
			return
		}
		again, err := archive.ParseDate(d.String())
		if err != nil || again.String() != d.String() || again.ISO() != d.ISO() {
			t.Errorf("%q reads back as %+v, %v", s, again, err)
		}
	})
}

func TestIDNumber(t *testing.T) {
	tests := []struct {
		in, number string
		flagged    bool
	}{
		{"11010519491231002X", "11010519491231002X", false}, // the example of GB 11643-1999
		{"11010519491231002x", "11010519491231002X", false},
		{"４４０５２４188001010014", "440524188001010014", false},
		{"999999 19900101 0016", "999999199001010016", false},
		{"999999900101001", "999999199001010016", false}, // 15 digits
		{"999999199001010017", "999999199001010017", true},
		{"999999199013010016", "999999199013010016", true},
		{"12345", "12345", true},
	}
	for _, tt := range tests {
		id := archive.NewIDNumber("", tt.in)
		if id.Number != tt.number || id.Flagged != tt.flagged || id.Original != tt.in {
			t.Errorf("%q: %+v", tt.in, id)
		}
	}
	if got := archive.NewIDNumber("", "11010519491231002X").Masked(); got != "110105********002X" {
		t.Error(got)
	}
	if id := archive.NewIDNumber(archive.IDPassport, "e12345678"); id.Flagged || id.Number != "E12345678" {
		t.Errorf("%+v", id)
	}
}

func TestRetention(t *testing.T) {
	for r, want := range map[archive.Retention]bool{"Y": true, "D30": true, "D100": true, "": false, "D": false, "D0": false, "D030": false, "y": false, "30": false} {
		if r.Valid() != want {
			t.Errorf("%q: %v", r, !want)
		}
	}
}

func marriage(t *testing.T) (archive.Record, archive.Schema) {
	t.Helper()
	schema, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	in := `{"category":"marriage","office":"qc","reference_code":"J019-ZY·HY·2010·D100-001-0001","title":"结婚登记审查处理表","responsible":"青川市民政局",
	"date":"20100520","persons":[{"name":"张㛃","role":"wife","id":{"original":"999999199001010016"}},{"name":"李𬱖","role":"husband"}],
	"fields":{"registration_kind":"marriage","certificate_number":"J510822-2010-003456","registered_on":"20100520","registry":"青川市民政局婚姻登记处"}}`
	var r archive.Record
	if err := json.Unmarshal([]byte(in), &r); err != nil {
		t.Fatal(err)
	}
	return r.Complete(schema), schema
}

func TestRecordComplete(t *testing.T) {
	r, schema := marriage(t)
	if err := r.Problems(schema).Err(); err != nil {
		t.Fatal(err)
	}
	if r.Openness != archive.NotReviewed || r.Fonds != "J019" || r.Family != archive.Livelihood || r.Retention != "D100" || r.Level != archive.LevelItem {
		t.Errorf("%+v", r)
	}
	if r.Persons[0].ID.Key() != "resident:999999199001010016" {
		t.Error(r.Persons[0].ID.Key())
	}
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again archive.Record
	if err := json.Unmarshal(out, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again); diff != "" {
		t.Error(diff)
	}
}

func TestRecordProblemsComeAllAtOnce(t *testing.T) {
	r, schema := marriage(t)
	r.Title, r.Responsible, r.Date = "", "x\x00", archive.Date{Original: "soon"}
	r.Secrecy, r.Retention, r.Openness = "机密★10年", "30", "ajar"
	r.RefCode = archive.RefCode{Original: "nonsense"}
	r.Persons[0].Role, r.Persons[1].Name = "aunt", " "
	r.Fields = map[string]string{"registration_kind": "elopement", "registered_on": "20101399", "shoe_size": "43"}
	got := r.Problems(schema)
	want := archive.Problems{
		{Code: "bad_reference_code", Field: "reference_code"},
		{Code: "required", Field: "title"},
		{Code: "control_character", Field: "responsible"},
		{Code: "bad_date", Field: "date"},
		{Code: "bad_retention", Field: "retention"},
		{Code: "unknown_value", Field: "openness"},
		{Code: "state_secret_refused", Field: "secrecy"},
		{Code: "unknown_role", Field: "persons[0].role"},
		{Code: "required", Field: "persons[1].name"},
		{Code: "unknown_value", Field: "fields.registration_kind"},
		{Code: "required", Field: "fields.certificate_number"},
		{Code: "bad_date", Field: "fields.registered_on"},
		{Code: "required", Field: "fields.registry"},
		{Code: "unknown_field", Field: "fields.shoe_size"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(got.Err(), archive.ErrInvalid) {
		t.Error("Problems must match ErrInvalid")
	}
}

func TestScopeWithoutClausesAdmitsNothing(t *testing.T) {
	if (archive.Scope{}).Admits(archive.Target{Openness: archive.Open}) {
		t.Error("an empty scope admitted a record")
	}
	s := archive.Scope{Clauses: []archive.Clause{{Office: "a"}, {Openness: archive.Open, Family: archive.Livelihood}}}
	for _, tt := range []struct {
		t    archive.Target
		want bool
	}{
		{archive.Target{Office: "a", Openness: archive.Controlled}, true},
		{archive.Target{Office: "b", Openness: archive.Controlled, Family: archive.Livelihood}, false},
		{archive.Target{Office: "b", Openness: archive.Open, Family: archive.Livelihood}, true},
		{archive.Target{Office: "b", Openness: archive.Open, Family: archive.Personnel}, false},
	} {
		if s.Admits(tt.t) != tt.want {
			t.Errorf("%+v", tt.t)
		}
	}
}

func TestDefaultSchemaIsLabelled(t *testing.T) {
	schema, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	livelihood := 0
	for _, c := range schema.Categories {
		if c.Family == archive.Livelihood {
			livelihood++
		}
		if c.Label.ZH == "" || c.Label.EN == "" || c.Wording.Title.EN == "" {
			t.Errorf("%s: a label is missing", c.Code)
		}
	}
	if livelihood != 5 {
		t.Errorf("%d livelihood categories", livelihood)
	}
}

func TestSentencesStateOnlyWhatIsRecorded(t *testing.T) {
	r, schema := marriage(t)
	c, _ := schema.Category("marriage")
	r.Persons[1].Birth, _ = archive.ParseDate("19881002")
	want := []string{
		"李𬱖（男，1988年10月2日出生）与张㛃（女）于2010年5月20日在青川市民政局婚姻登记处办理结婚登记。",
		"登记证件字号为J510822-2010-003456。",
	}
	if diff := cmp.Diff(want, c.Sentences(r)); diff != "" {
		t.Error(diff)
	}
}
