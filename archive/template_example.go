package archive

import (
	"slices"
	"strings"
	"time"
)

// ExampleCase is a made-up case in which every name that a template of the
// occasion and category may use stands for something: for drafts, and to know the
// names. The id numbers are of a region that there is not.
func ExampleCase(o Occasion, category Category, at time.Time) Case {
	birth := Date{Year: 1990, Month: 1, Day: 1}
	formed := Date{Year: 2010, Month: 5, Day: 20}
	c := Case{
		Occasion: o, Category: category, Issued: at, Until: at.AddDate(0, 6, 0),
		Office: Office{Name: Label{"青川市档案馆", "Qingchuan City Archives"}, Short: "青民档证", Phone: "010-00000000"},
		Request: Request{
			ID: "01JEXAMP1E0000000000000000", Name: "张某某", IDNumber: NewIDNumber(IDResident, "999999199001010016"),
			Purpose: "办理公积金贷款", Reason: "馆藏全宗内均无记载", Sources: []PageRef{{1, 3}, {1, 4}},
			Events: []Event{{At: at, Step: StepSubmit}, {At: at, Step: StepReview}, {At: at, Step: StepNotFound}},
			Searched: []Search{
				{At: at, Place: "机读目录", Fonds: []string{"J019", "J023"}, YearFrom: 2008, YearTo: 2012, Names: []string{"张某某", "张某"}, ByID: true},
				{At: at, Place: "库房案卷目录", Fonds: []string{"J019"}, YearFrom: 2009, YearTo: 2011, Names: []string{"张某某"}},
			},
		},
		Record: Record{
			Title: "张某某档案材料", Responsible: "青川市某某局", Date: formed, Fonds: "J019", At: at,
			RefCode: RefCode{Original: "J019-ZY·HY·2010·D100-001-0001"}, Fields: map[string]string{},
		},
	}
	for i, role := range category.Roles {
		sex := []Sex{Male, Female}[i%2]
		c.Record.Persons = append(c.Record.Persons, Person{Name: []string{"李某某", "张某某", "王某某"}[i%3], Aliases: []string{"小名"}, Role: role.Code,
			Sex: sex, Birth: birth, ID: NewIDNumber(IDResident, "999999199001010016")})
	}
	for _, f := range category.Fields {
		c.Record.Fields[f.Key] = f.example()
	}
	return c
}

func (f Field) example() string {
	switch f.Type {
	case FieldDate:
		return "20100520"
	case FieldNumber:
		return "1234"
	case FieldOption:
		if len(f.Options) > 0 {
			return f.Options[0].Code
		}
	}
	return "某某" + f.Label.ZH
}

// TemplateName is a name that a template may use.
type TemplateName struct {
	Name    string    `json:"name"`
	Kind    FieldType `json:"kind" enum:"text,date,number,list"`
	Formats []string  `json:"formats,omitempty" doc:"What may follow the name after a colon."`
	Example string    `json:"example,omitempty"`
	List    string    `json:"list,omitempty" doc:"The list that the name is of an element of."`
	// Stated is that a record or register states it: only statements may.
	Stated bool `json:"stated,omitempty"`
}

// Names lists the names that the template may use, in order.
func (t Template) Names(s Schema, at time.Time) []TemplateName {
	category, _ := s.Category(t.Category)
	return ExampleCase(t.Occasion, category, at).terms().list("")
}

func (ts terms) list(of string) []TemplateName {
	var names []TemplateName
	for name, t := range ts {
		n := TemplateName{Name: name, Kind: t.kind, Example: t.in("zh-CN", ""), List: of, Stated: t.fact}
		if usual := formats(t.kind); len(usual) > 0 {
			n.Formats = usual[1:]
		}
		names = append(names, n)
		if len(t.list) > 0 {
			names = append(names, t.list[0].list(name)...)
		}
	}
	slices.SortFunc(names, func(a, b TemplateName) int { return strings.Compare(a.List+" "+a.Name, b.List+" "+b.Name) })
	return names
}
