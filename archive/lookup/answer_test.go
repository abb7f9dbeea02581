package lookup_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

const someone = "999999199001010016"

// in makes the only person of a record appear in a role, and gives it fields.
func in(r archive.Record, role string, fields map[string]string) archive.Record {
	r.Persons[0].Role, r.Fields = role, fields
	return r
}

func shown(a archive.Answer) []map[string]string {
	var list []map[string]string
	for _, c := range a.Found {
		list = append(list, c.Fields)
	}
	return list
}

func TestWhatIsShownDependsOnThePurpose(t *testing.T) {
	_, r := room(t, in(record("1", "marriage", "qc", "20100520", someone), "wife", map[string]string{
		"registration_kind": "marriage", "registered_on": "20100520", "registry": "民政局", "husband_address": "secret"}))
	for purpose, want := range map[archive.PurposeCode]map[string]string{
		archive.ForPension: {"registration_kind": "marriage", "registered_on": "20100520"},
		archive.ForJustice: {"registration_kind": "marriage", "registered_on": "20100520", "registry": "民政局"},
	} {
		q := question()
		q.Kind, q.Category, q.Purpose.Code = "marriage_status", "", purpose
		a, err := r.Ask(t.Context(), agency(), q)
		if diff := cmp.Diff([]map[string]string{want}, shown(a)); diff != "" || err != nil {
			t.Error(purpose, diff, err)
		}
	}
	q := question()
	q.Kind, q.Purpose.Code = "marriage_status", archive.ForAudit
	_, err := r.Ask(t.Context(), agency(), q)
	if diff := cmp.Diff(archive.Problems{{Code: "not_answerable", Field: "purpose.code"}}, err); diff != "" {
		t.Error(diff)
	}
}

// TestTheLastRegistrationAnswers: unless it cannot be told which was the last.
func TestTheLastRegistrationAnswers(t *testing.T) {
	for dates, want := range map[string]string{
		"20100520 20150301": "20150301",
		"20150301 2010":     "20150301",
		"2015 20150301":     "2015 20150301",
		"201503 20150401":   "20150401",
		"20150301 20150301": "20150301 20150301",
	} {
		first, second, _ := strings.Cut(dates, " ")
		_, r := room(t, record("1", "marriage", "qc", first, someone), record("2", "marriage", "qc", second, someone))
		q := question()
		q.Kind = "marriage_status"
		a, err := r.Ask(t.Context(), agency(), q)
		var got []string
		for _, c := range a.Found {
			got = append(got, c.Date.String())
		}
		if strings.Join(got, " ") != want || err != nil {
			t.Errorf("of %s: %v, %v", dates, got, err)
		}
	}
}

// TestWhoIsOnlyMentionedIsNotMeant: neither the registrar of a marriage nor the relative
// in somebody's personnel file.
func TestWhoIsOnlyMentionedIsNotMeant(t *testing.T) {
	_, r := room(t,
		in(record("1", "marriage", "qc", "2010", someone), "registrar", nil),
		in(record("2", "dossier_item", "qc", "2010", someone), "relative", nil),
		in(record("3", "education", "qc", "2010", someone), "teacher", nil))
	for _, kind := range []string{archive.RecordExists, "marriage_status", "personnel_file_held", "work_years", "education_record"} {
		q := question()
		q.Kind = kind
		if kind != archive.RecordExists {
			q.Category = ""
		}
		if a, err := r.Ask(t.Context(), agency(), q); err != nil || a.Exists {
			t.Errorf("%s: %+v %v", kind, a, err)
		}
	}
}

func TestWorkIsCountedOnce(t *testing.T) {
	_, r := room(t,
		in(record("1", "social_insurance", "qc", "2001", someone), "insured", map[string]string{"from": "200101", "to": "200112", "employer": "一厂"}),
		in(record("2", "social_insurance", "qc", "2002", someone), "insured", map[string]string{"from": "200107", "to": "200206"}),
		in(record("3", "social_insurance", "qc", "1999", someone), "insured", map[string]string{"from": "1999", "to": "200012"}),
		in(record("4", "dossier_item", "qc", "2003", someone), "subject", map[string]string{"began": "200301", "until": "200303", "remark": "secret"}),
		in(record("5", "dossier_item", "qc", "2004", someone), "subject", map[string]string{"class": "8"}))
	q := question()
	q.Kind, q.Category, q.Purpose.Code = "work_years", "", archive.ForPension
	a, err := r.Ask(t.Context(), agency(), q)
	if err != nil || a.Months != 21 || len(a.Found) != 4 || a.Found[3].Fields["remark"] != "" {
		t.Errorf("%+v %v", a, err)
	}
	// For a court, what the personnel file says is neither shown nor counted, and the file not named.
	q.Purpose.Code = archive.ForJustice
	if a, err = r.Ask(t.Context(), agency(), q); err != nil || a.Months != 18 || len(a.Found) != 3 {
		t.Errorf("%+v %v", a, err)
	}
}

// TestAFileIsHeld says no more of a personnel file than one item of it for each office.
func TestAFileIsHeld(t *testing.T) {
	_, r := room(t,
		in(record("1", "dossier_item", "qc", "1999", someone), "subject", map[string]string{"class": "1"}),
		in(record("2", "dossier_item", "qc", "2004", someone), "subject", map[string]string{"class": "8"}),
		in(record("3", "dossier_item", "zz", "2010", someone), "subject", nil))
	q := question()
	q.Kind, q.Category, q.Purpose.Code = "personnel_file_held", "", archive.ForVetting
	a, err := r.Ask(t.Context(), agency(), q)
	if diff := cmp.Diff([]map[string]string{{}, {}}, shown(a)); diff != "" || err != nil || !slices.Equal(a.Years, []int{1999, 2010}) || !slices.Equal(a.Offices, []string{"qc", "zz"}) {
		t.Error(diff, a, err)
	}
}

// TestAKeyForSomeCategories is not good for an answer from others.
func TestAKeyForSomeCategories(t *testing.T) {
	_, r := room(t)
	a := agency()
	a.Grant.Categories = []string{"social_insurance"}
	q := question()
	q.Kind, q.Category = "work_years", ""
	_, err := r.Ask(t.Context(), a, q)
	if diff := cmp.Diff(archive.Problems{{Code: "not_granted", Field: "category"}}, err); diff != "" {
		t.Error(diff)
	}
	q.Category = "social_insurance"
	if _, err := r.Ask(t.Context(), a, q); err != nil {
		t.Error(err)
	}
}
