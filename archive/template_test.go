package archive_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

var templateDay = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func defaults(t testing.TB) (archive.Schema, map[string]archive.Template) {
	t.Helper()
	s, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	list, err := archive.DefaultTemplates(s)
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]archive.Template{}
	for _, d := range list {
		byKey[d.Key] = d
	}
	return s, byKey
}

// TestDefaultTemplates: with everything recorded they say all that they have, in
// both languages, each statement with its source.
func TestDefaultTemplates(t *testing.T) {
	schema, list := defaults(t)
	for _, key := range []string{"marriage", "social-insurance", "holding", "service-years", "not-found", "reading"} {
		if _, ok := list[key]; !ok {
			t.Errorf("no template %s", key)
		}
	}
	for key, d := range list {
		if err := d.Problems(schema).Err(); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		category, _ := schema.Category(d.Category)
		c := archive.ExampleCase(d.Occasion, category, templateDay)
		want := 0
		for _, b := range d.Blocks {
			switch {
			case b.Kind == archive.BlockStatement && b.Each != "":
				want += len(c.Request.Searched)
			case b.Kind == archive.BlockStatement:
				want++
			}
		}
		sheet, stated := d.Word(c, archive.Bilingual)
		if len(stated) != want || want == 0 {
			t.Errorf("%s: %d statements of %d", key, len(stated), want)
		}
		sources := 0
		for _, p := range append(sheet.Body, sheet.Also...) {
			for _, s := range p {
				if s.Text == "" {
					t.Errorf("%s: an empty sentence", key)
				}
				if s.Source != "" {
					sources++
				}
			}
		}
		if sources != 2*want {
			t.Errorf("%s: %d sources for %d statements in two languages", key, sources, want)
		}
	}
}

// word is what a statement says of a marriage in which everything is recorded,
// after change has spoilt it.
func word(t *testing.T, text archive.Label, language string, change func(*archive.Case)) string {
	t.Helper()
	schema, list := defaults(t)
	d := list["marriage"]
	d.Blocks = []archive.Block{{Kind: archive.BlockStatement, Text: text}}
	if err := d.Problems(schema).Err(); err != nil {
		t.Fatalf("%q: %v", text.ZH, err)
	}
	category, _ := schema.Category("marriage")
	c := archive.ExampleCase(archive.OfRecord, category, templateDay)
	if change != nil {
		change(&c)
	}
	_, stated := d.Word(c, language)
	if len(stated) == 0 {
		return ""
	}
	return stated[0].Text
}

func TestTemplateLanguage(t *testing.T) {
	unborn := func(c *archive.Case) { c.Record.Persons[0].Birth = archive.Date{} }
	alone := func(c *archive.Case) { c.Record.Persons = nil }
	for _, tt := range []struct {
		text, want string
		change     func(*archive.Case)
	}{
		{"无名", "无名", nil},
		{"{husband.name}与{wife.name}", "李某某与张某某", nil},
		{"{registered_on}", "2010年5月20日", nil},
		{"{registered_on:iso} {registered_on:year} {registered_on:numerals}", "2010-05-20 2010 二〇一〇年五月二十日", nil},
		{"{registration_kind} {husband.sex} {husband.aliases}", "结婚登记 男 小名", nil},
		{"{wife.name:masked}", "张**", nil},
		{"{wife.id}", "999999********0016", nil},
		{"男方[{husband.birth}生]。", "男方1990年1月1日生。", nil},
		{"男方[{husband.birth}生]。", "男方。", unborn},
		{"男方[{husband.birth}生|出生日期未记载]。", "男方出生日期未记载。", unborn},
		{"男方{husband.birth}生。", "", unborn},
		{"[[{husband.birth}|{husband.name}]|不详]", "李某某", unborn},
		{"[each record.persons:{person.role}{person.name}[，{person.birth}]]", "男方李某某；女方张某某，1990年1月1日；经办人王某某，1990年1月1日", unborn},
		{"当事人[each record.persons:{person.name}]", "当事人", alone},
		{`\{\}\[\]\|\\`, `{}[]|\`, nil},
	} {
		if got := word(t, archive.Label{ZH: tt.text}, "zh-CN", tt.change); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
	english := archive.Label{ZH: "{registered_on}", EN: "{registered_on:numerals}, {husband.sex}, [each record.persons:{person.role}]"}
	if got := word(t, english, "en", nil); got != "20 May 2010, male, Husband; Wife; Registrar" {
		t.Errorf("%q", got)
	}
	for name, want := range map[string]string{"1": "壹", "10": "壹拾", "105": "壹佰零伍", "1234": "壹仟贰佰叁拾肆", "20300": "贰万零叁佰", "100000": "壹拾万", "0": "零"} {
		schema, list := defaults(t)
		d := list["social-insurance"]
		d.Blocks = []archive.Block{{Kind: archive.BlockStatement, Text: archive.Label{ZH: "{months:capital}"}}}
		category, _ := schema.Category("social_insurance")
		c := archive.ExampleCase(archive.OfRecord, category, templateDay)
		c.Record.Fields["months"] = name
		if _, stated := d.Word(c, ""); stated[0].Text != want {
			t.Errorf("%s: %q", name, stated[0].Text)
		}
	}
}

// TestTemplateProblems: all of them at once, each with its place.
func TestTemplateProblems(t *testing.T) {
	schema, list := defaults(t)
	d := list["marriage"]
	d.Title = archive.Label{EN: "x"}
	d.Blocks = []archive.Block{
		{Kind: "shout", Text: archive.Label{ZH: "一"}},
		{Kind: archive.BlockSay, Text: archive.Label{ZH: "{husband.name}"}},
		{Kind: archive.BlockField, Text: archive.Label{ZH: "档案[{record.nonsense}", EN: "ab{record.fonds:iso}"}},
		{Kind: archive.BlockStatement, When: "!nobody", Each: "registry", Text: archive.Label{ZH: "甲}乙"}},
		{Kind: archive.BlockStatement, Each: "record.persons", Text: archive.Label{ZH: "{person.name}[each record.persons:{person.name}]"}},
		{Kind: archive.BlockStatement, Text: archive.Label{ZH: "[[[[[一]]]]]", EN: "{record.persons}[each registry:x]{Name}"}},
		{Kind: archive.BlockStatement, Text: archive.Label{ZH: strings.Repeat("长", 1001), EN: "\xff"}},
	}
	var got []string
	for _, p := range d.Problems(schema) {
		got = append(got, strings.TrimSpace(p.Field+" "+p.Code))
		if strings.HasPrefix(p.Field, "blocks[2].text.en") && p.At != 3 {
			t.Errorf("%+v", p)
		}
	}
	want := []string{
		"title.zh required", "blocks[0].kind unknown_value", "blocks[1].text.zh unsourced",
		"blocks[2].label.zh required", "blocks[2].text.zh bad_text", "blocks[2].text.en unknown_format",
		"blocks[3].when unknown_name", "blocks[3].each not_this_way", "blocks[3].text.zh bad_text",
		"blocks[4].text.zh unknown_name", "blocks[5].text.zh too_deep", "blocks[5].text.en bad_text",
		"blocks[6].text.zh too_long", "blocks[6].text.en bad_encoding",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	d.Key, d.Occasion, d.Category = "A--b", "wedding", "none"
	if ps := d.Problems(schema); len(ps) != 3 {
		t.Error(ps)
	}
	d = list["marriage"]
	d.Blocks = d.Blocks[:3]
	if ps := d.Problems(schema); !slices.Contains(ps, archive.Problem{Code: "states_nothing", Field: "blocks"}) {
		t.Error(ps)
	}
}

// TestBilingualSheet: both languages on one sheet, each statement with one source
// for both.
func TestBilingualSheet(t *testing.T) {
	schema, list := defaults(t)
	category, _ := schema.Category("marriage")
	c := archive.ExampleCase(archive.OfRecord, category, templateDay)
	sheet, stated := list["marriage"].Word(c, archive.Bilingual)
	if sheet.Title != "婚姻登记档案证明\nCertificate of Marriage Registration Record" || sheet.Rows[0][0].Label != "申请人\nApplicant" || sheet.Rows[0][0].Value != "张某某" {
		t.Errorf("%+v", sheet)
	}
	if len(sheet.Body) != 3 || len(sheet.Also) != 3 || sheet.Body[1][0].Source != sheet.Also[1][0].Source || sheet.Body[1][1].Source == sheet.Body[1][0].Source {
		t.Errorf("%+v, %+v", sheet.Body, sheet.Also)
	}
	if got := sheet.Also[1][1].Text; got != " The certificate of registration bears the number 某某结婚证字号." {
		t.Errorf("%q", got)
	}
	if stated[1].Source != (archive.Citation{RefCode: c.Record.RefCode.Original, File: 1, Page: 4, Date: c.Record.Date}) {
		t.Errorf("%+v", stated[1])
	}
}

// TestNotFoundLetter says where and under which names and years it was sought.
func TestNotFoundLetter(t *testing.T) {
	schema, list := defaults(t)
	category, _ := schema.Category("military")
	c := archive.ExampleCase(archive.OfNotFound, category, templateDay)
	c.Request.Searched[1].YearFrom, c.Request.Searched[1].ByID = 0, false
	_, stated := list["not-found"].Word(c, "zh-CN")
	var got []string
	for _, s := range stated {
		got = append(got, s.Text)
	}
	want := []string{
		"2026年11月24日在机读目录（全宗J019、J023）中，按姓名“张某某、张某”及公民身份号码，年份2008年至2012年查找，未查到相关档案。",
		"2026年11月24日在库房案卷目录（全宗J019）中，按姓名“张某某”，年份2011年止查找，未查到相关档案。",
		"查找结论：馆藏全宗内均无记载",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if stated[0].Source.Register == "" {
		t.Error("no register")
	}
}

// FuzzTemplate: whatever is accepted says the same when it is said again, and not
// much more than it was given.
func FuzzTemplate(f *testing.F) {
	schema, list := defaults(f)
	for _, d := range list {
		for _, b := range d.Blocks {
			f.Add(b.Text.ZH, string(b.Kind))
			f.Add(b.Text.EN, string(b.Kind))
		}
	}
	f.Add("[each record.persons:[{person.name}|{person.id:masked}]]{registered_on:numerals}", "statement")
	category, _ := schema.Category("marriage")
	c := archive.ExampleCase(archive.OfRecord, category, templateDay)
	f.Fuzz(func(t *testing.T, text, kind string) {
		d := list["marriage"]
		d.Blocks = []archive.Block{{Kind: archive.BlockKind(kind), Label: archive.Label{ZH: "甲"}, Text: archive.Label{ZH: text}}, {Kind: archive.BlockStatement, Text: archive.Label{ZH: "乙"}}}
		accepted := d.Problems(schema).Err() == nil
		sheet, _ := d.Word(c, "zh-CN")
		again, _ := d.Word(c, "zh-CN")
		if diff := cmp.Diff(sheet, again); diff != "" {
			t.Error(diff)
		}
		for _, p := range sheet.Body {
			for _, s := range p {
				if accepted && len(s.Text) > 64*(len(text)+8)*3 {
					t.Errorf("%d bytes of %d", len(s.Text), len(text))
				}
			}
		}
	})
}
