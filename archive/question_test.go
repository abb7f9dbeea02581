package archive_test

import (
	"slices"
	"testing"

	"dangan/archive"
)

// TestQuestionsFitTheSchema: a question that names a field, role or purpose which
// there is not would silently show nothing.
func TestQuestionsFitTheSchema(t *testing.T) {
	schema, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, k := range schema.Questions {
		if seen[k.Code] || k.Label.ZH == "" || k.Label.EN == "" || len(k.Purposes) == 0 || len(k.Sources) == 0 {
			t.Errorf("%s: twice, or not complete", k.Code)
		}
		seen[k.Code] = true
		for _, p := range k.Purposes {
			if !(archive.Purpose{Code: p}).Valid() {
				t.Errorf("%s: no purpose %s", k.Code, p)
			}
		}
		for _, s := range k.Sources {
			checkSource(t, schema, k, s)
		}
	}
	for _, code := range []string{archive.RecordExists, "marriage_status", "personnel_file_held", "work_years", "education_record"} {
		if !seen[code] {
			t.Errorf("no question %s", code)
		}
	}
}

func checkSource(t *testing.T, schema archive.Schema, k archive.QuestionKind, s archive.Source) {
	t.Helper()
	c, ok := schema.Category(s.Category)
	if !ok {
		t.Fatalf("%s: no category %s", k.Code, s.Category)
	}
	for _, role := range s.Roles {
		if !slices.ContainsFunc(c.Roles, func(r archive.Choice) bool { return r.Code == role }) || c.Official(role) {
			t.Errorf("%s: %s has no role %s that it is about", k.Code, c.Code, role)
		}
	}
	fields := []string{s.From, s.To}
	for _, shown := range s.Shows {
		fields = append(fields, shown.Fields...)
		for _, p := range shown.Purposes {
			if !slices.Contains(k.Purposes, p) {
				t.Errorf("%s shows %v for %s, for which it may not be asked", k.Code, shown.Fields, p)
			}
		}
	}
	for _, key := range fields {
		if key != "" && !slices.ContainsFunc(c.Fields, func(f archive.Field) bool { return f.Key == key }) {
			t.Errorf("%s: %s has no field %s", k.Code, c.Code, key)
		}
	}
	if (s.From == "") != (s.To == "") {
		t.Errorf("%s: a period of %s has one end", k.Code, c.Code)
	}
}
