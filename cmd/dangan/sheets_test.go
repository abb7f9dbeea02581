package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

var updateSheets = flag.Bool("update-sheets", false, "rewrite the sheets of the built-in templates, of which package stamp has golden pictures")

// TestSheetsOfTemplates keeps what the built-in templates say, as it is printed: in
// each language, with as little recorded as there may be, and with very much.
func TestSheetsOfTemplates(t *testing.T) {
	schema, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	list, err := archive.DefaultTemplates(schema)
	if err != nil {
		t.Fatal(err)
	}
	seal := newSealer(nil, nil, "https://da.example.gov.cn")
	for _, d := range list {
		if d.Occasion == archive.OfRecord && d.Key != "marriage" && d.Key != "social-insurance" {
			continue // these two stand for all records
		}
		category, _ := schema.Category(d.Category)
		if d.Occasion == archive.OfNotFound {
			category, _ = schema.Category("military")
		}
		for name, language := range map[string]string{"zh": "zh-CN", "en": "en", "both": archive.Bilingual} {
			keepSheet(t, seal, d, goldenCase(d, category), language, d.Key+"-"+name)
		}
		keepSheet(t, seal, d, bare(goldenCase(d, category)), "zh-CN", d.Key+"-bare")
		keepSheet(t, seal, d, crowded(goldenCase(d, category)), archive.Bilingual, d.Key+"-long")
	}
}

func goldenCase(d archive.Template, category archive.Category) archive.Case {
	return archive.ExampleCase(d.Occasion, category, time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
}

// bare leaves out of the record what need not be in it.
func bare(c archive.Case) archive.Case {
	for i := range c.Record.Persons {
		p := c.Record.Persons[i]
		c.Record.Persons[i] = archive.Person{Name: p.Name, Role: p.Role, ID: p.ID}
	}
	for _, f := range c.Category.Fields {
		if !f.Required && f.Key != "began" {
			delete(c.Record.Fields, f.Key)
		}
	}
	c.Until, c.Request.IDNumber = time.Time{}, archive.IDNumber{}
	c.Request.Searched = c.Request.Searched[:1]
	c.Request.Searched[0] = archive.Search{At: c.Issued, Place: "馆藏机读目录", Names: []string{"张某某"}}
	return c
}

// crowded has long names, rare characters and many searches and pages.
func crowded(c archive.Case) archive.Case {
	name := "阿卜杜热依木·买买提吐尔逊·阿不都热合曼"
	c.Request.Name, c.Request.Purpose = name, strings.Repeat("办理涉外公证并补缴社会保险", 3)
	c.Office.Name = archive.Label{ZH: "青川市某某自治区综合档案馆与城建档案馆联合服务中心", EN: "Joint Service Centre of the General and the Urban Construction Archives of Qingchuan"}
	for i := range c.Record.Persons {
		c.Record.Persons[i].Name = name + "㛃𬱖龘"
	}
	for _, f := range c.Category.Fields {
		if f.Type == archive.FieldText {
			c.Record.Fields[f.Key] = strings.Repeat("青川市某某有限责任公司驻外办事处", 4)
		}
	}
	for range 4 {
		c.Request.Searched = append(c.Request.Searched, c.Request.Searched...)
	}
	for i := range 120 {
		c.Request.Sources = append(c.Request.Sources, archive.PageRef{File: 2, Page: i + 1})
	}
	return c
}

func keepSheet(t *testing.T, seal *sealer, d archive.Template, c archive.Case, language, name string) {
	t.Helper()
	words, statements := d.Word(c, language)
	if len(statements) == 0 {
		t.Errorf("%s states nothing", name)
	}
	sheet := seal.sheet(archive.Certificate{Number: "青民档证〔2026〕000123号", Code: "7F3K-9QX2-M5TB", Language: language,
		Issuer: c.Office.Name, Title: d.Titled(c), Sheet: &words, Statements: statements, IssuedAt: c.Issued})
	got, err := json.MarshalIndent(sheet, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "api", "stamp", "testdata", "sheets", name+".json")
	if *updateSheets {
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}
