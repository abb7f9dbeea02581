package archive

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Family is one of the two families of archives, whose access rules are
// opposite.
type Family string

// A personnel file is closed to its subject; a livelihood file is open to the
// people it records.
const (
	Personnel  Family = "personnel"  // 人事档案
	Livelihood Family = "livelihood" // 民生档案
)

// Label is a text in the two languages of the interface.
type Label struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// In returns the text in a language tag's language, Chinese by default.
func (l Label) In(lang string) string {
	if strings.HasPrefix(lang, "en") {
		return l.EN
	}
	return l.ZH
}

// FieldType says how the value of a category's own field is checked.
type FieldType string

// Every value is text; dates are partial dates, options come from a list.
const (
	FieldText   FieldType = "text"
	FieldDate   FieldType = "date"
	FieldNumber FieldType = "number"
	FieldOption FieldType = "option"
)

// Field describes one field of a category.
type Field struct {
	Key      string    `json:"key"`
	Label    Label     `json:"label"`
	Type     FieldType `json:"type"`
	Required bool      `json:"required,omitempty"`
	Options  []Choice  `json:"options,omitempty"`
}

// Choice is a code with its label.
type Choice struct {
	Code  string `json:"code"`
	Label Label  `json:"label"`
}

// Wording is what a certificate of a category says unless a template says
// otherwise: a title, and sentences in the language of templates.
type Wording struct {
	Title     Label   `json:"title"`
	Sentences []Label `json:"sentences"`
}

// Category is a kind of record within a family, with the fields it adds to the
// common description. Kinds vary from place to place, so they are data.
type Category struct {
	Code      string   `json:"code"`
	Family    Family   `json:"family"`
	Class     string   `json:"class"` // 门类代码 of its reference codes, DA/T 13
	Label     Label    `json:"label"`
	Retention string   `json:"retention"` // usual term
	Roles     []Choice `json:"roles"`
	Officials []string `json:"officials,omitempty"` // roles whose bearers the record only mentions
	Fields    []Field  `json:"fields"`
	Wording   Wording  `json:"certificate"`
}

func (c Category) hasRole(code string) bool {
	return slices.ContainsFunc(c.Roles, func(r Choice) bool { return r.Code == code })
}

// Official reports whether a role is that of somebody who acted in office: the
// record is not about them, and gives them no right to it.
func (c Category) Official(role string) bool { return slices.Contains(c.Officials, role) }

// RoleLabel is the label of a role, or the code when the category has none such.
func (c Category) RoleLabel(code string) Label {
	for _, r := range c.Roles {
		if r.Code == code {
			return r.Label
		}
	}
	return Label{ZH: code, EN: code}
}

// Schema is the list of categories an archive office works with, and of the
// questions about them that agencies may ask.
type Schema struct {
	Categories []Category
	Questions  []QuestionKind
}

//go:embed categories.json questions.json templates.json
var data embed.FS

// DefaultSchema is the built-in list: five livelihood kinds and the personnel
// dossier item, and five questions.
func DefaultSchema() (Schema, error) {
	var s Schema
	for name, list := range map[string]any{"categories.json": &s.Categories, "questions.json": &s.Questions} {
		raw, err := data.ReadFile(name)
		if err != nil {
			return Schema{}, err
		}
		if err := json.Unmarshal(raw, list); err != nil {
			return Schema{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

// Category finds a category by its code.
func (s Schema) Category(code string) (Category, bool) {
	for _, c := range s.Categories {
		if c.Code == code {
			return c, true
		}
	}
	return Category{}, false
}

func (c Category) problems(values map[string]string) Problems {
	var ps Problems
	for _, f := range c.Fields {
		v := strings.TrimSpace(values[f.Key])
		if v == "" {
			if f.Required {
				ps.Add("required", "fields."+f.Key)
			}
			continue
		}
		f.check(&ps, v)
	}
	known := func(key string) bool {
		return slices.ContainsFunc(c.Fields, func(f Field) bool { return f.Key == key })
	}
	for _, key := range sortedKeys(values) {
		if !known(key) {
			ps.Add("unknown_field", "fields."+key)
		}
	}
	return ps
}

func (f Field) check(ps *Problems, v string) {
	name := "fields." + f.Key
	checkText(ps, v, 500, name)
	switch f.Type {
	case FieldDate:
		if _, err := ParseDate(v); err != nil {
			ps.Add("bad_date", name)
		}
	case FieldNumber:
		if !digits(v) {
			ps.Add("bad_number", name)
		}
	case FieldOption:
		if !slices.ContainsFunc(f.Options, func(c Choice) bool { return c.Code == v }) {
			ps.Add("unknown_value", name)
		}
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
