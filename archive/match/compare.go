package match

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"dangan/archive"
)

// Reason codes, as archive.Candidate carries them.
const (
	IDSame           = "id_same"
	IDConflict       = "id_conflict"
	NameSame         = "name_same"
	NameVariant      = "name_variant" // the same but for traditional characters, dots, widths
	NameFormer       = "name_former"  // a former or other name (曾用名)
	NamePinyin       = "name_pinyin"  // written otherwise, said alike
	NameOneCharacter = "name_one_character"
	RoleSame         = "role_same"
	BirthSame        = "birth_same"
	BirthNear        = "birth_near"
	BirthConflict    = "birth_conflict"
	SexConflict      = "sex_conflict"
	YearSame         = "year_same"
	YearNear         = "year_near"
	YearConflict     = "year_conflict"
	PlaceSame        = "place_same"
	CategoryConflict = "category_conflict"
)

// weights is how far each finding alone carries. A positive one is the chance that
// it points at the right record, and several add up as independent witnesses do
// (1 - Π(1-w)); a negative one takes its share away from what the others say.
var weights = map[string]float64{
	IDSame: 0.97, IDConflict: -0.80,
	NameSame: 0.60, NameVariant: 0.58, NameFormer: 0.55, NamePinyin: 0.35, NameOneCharacter: 0.20,
	RoleSame:  0.05,
	BirthSame: 0.50, BirthNear: 0.20, BirthConflict: -0.50,
	SexConflict: -0.30,
	YearSame:    0.30, YearNear: 0.10, YearConflict: -0.40,
	PlaceSame:        0.20,
	CategoryConflict: -0.50,
}

// nearYears is how far off a remembered year may be and still count as near.
const nearYears = 2

// Compare says how well a record fits what somebody remembers of it: a score from
// 0 (nobody in it fits) to 1, and the reasons, persons first in the order they were
// asked for. Persons fit whatever their roles, each person of the record once, in
// the way that fits best together.
func Compare(w archive.Wanted, r archive.Record) (score float64, reasons []string) {
	if len(w.Persons) == 0 {
		return 0, nil
	}
	found := make([][][]string, len(w.Persons))
	scores := make([][]float64, len(w.Persons))
	for i, a := range w.Persons {
		found[i], scores[i] = make([][]string, len(r.Persons)), make([]float64, len(r.Persons))
		for j, b := range r.Persons {
			found[i][j] = comparePersons(a, b)
			scores[i][j] = weigh(0, found[i][j])
		}
	}
	for i, j := range assign(scores) {
		if j < 0 {
			continue
		}
		score += scores[i][j] / float64(len(w.Persons))
		for _, reason := range found[i][j] {
			reasons = appendNew(reasons, reason)
		}
	}
	if score == 0 {
		return 0, nil
	}
	around := compareRecord(w, r)
	return min(weigh(score, around), 1), append(reasons, around...)
}

// weigh adds findings to a score.
func weigh(score float64, reasons []string) float64 {
	doubt, kept := 1-score, 1.0
	for _, reason := range reasons {
		if w := weights[reason]; w > 0 {
			doubt *= 1 - w
		} else {
			kept *= 1 + w
		}
	}
	return (1 - doubt) * kept
}

// comparePersons finds nothing for two persons with neither name nor number in
// common: a birthday alone is no trace of anybody.
func comparePersons(a, b archive.Person) []string {
	name, id := compareNames(a, b), compareIDs(a.ID, b.ID)
	if name == "" && id != IDSame {
		return nil
	}
	findings := []string{id, name, compareBirths(a.Birth, b.Birth)}
	if a.Role != "" && a.Role == b.Role {
		findings = append(findings, RoleSame)
	}
	if a.Sex != "" && b.Sex != "" && a.Sex != b.Sex {
		findings = append(findings, SexConflict)
	}
	return slices.DeleteFunc(findings, func(s string) bool { return s == "" })
}

func compareNames(a, b archive.Person) string {
	switch wanted, have := FoldName(a.Name), FoldName(b.Name); {
	case wanted == "" || have == "":
		return ""
	case written(a.Name) == written(b.Name):
		return NameSame
	case wanted == have:
		return NameVariant
	case share(foldNames(a), foldNames(b)):
		return NameFormer
	}
	wanted, _ := Pinyin(a.Name)
	have, _ := Pinyin(b.Name)
	switch {
	case share(wanted, have):
		return NamePinyin
	case share(Masked(a.Name), Masked(b.Name)):
		return NameOneCharacter
	}
	return ""
}

func written(name string) string { return strings.TrimSpace(norm.NFKC.String(name)) }

func foldNames(p archive.Person) []string {
	var names []string
	for _, n := range p.Names() {
		if key := FoldName(n); key != "" {
			names = append(names, key)
		}
	}
	return names
}

func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// compareIDs takes a number that fails its own check as no contradiction: old
// records hold such numbers.
func compareIDs(a, b archive.IDNumber) string {
	a, b = normal(a), normal(b)
	switch {
	case a.IsZero() || b.IsZero() || a.Type != b.Type:
		return ""
	case a.Number == b.Number:
		return IDSame
	case a.Flagged || b.Flagged:
		return ""
	}
	return IDConflict
}

// normal gives a number that came in from outside its comparable form.
func normal(id archive.IDNumber) archive.IDNumber {
	if id.Number == "" {
		return archive.NewIDNumber(id.Type, id.Original)
	}
	return archive.NewIDNumber(id.Type, id.Number)
}

// compareBirths compares what both dates give. A year less or more, or another
// day in the right year, is how memory and old papers err.
func compareBirths(a, b archive.Date) string {
	if a.IsZero() || b.IsZero() {
		return ""
	}
	known := func(x, y int) bool { return x == 0 || y == 0 || x == y }
	switch {
	case a.Year == b.Year && known(a.Month, b.Month) && known(a.Day, b.Day):
		return BirthSame
	case abs(a.Year-b.Year) <= 1:
		return BirthNear
	}
	return BirthConflict
}

func compareRecord(w archive.Wanted, r archive.Record) []string {
	findings := []string{compareYears(w, r.Date.Year)}
	if place := Fold(w.Place); place != "" && mentions(r, place) {
		findings = append(findings, PlaceSame)
	}
	if w.Category != "" && r.Category != w.Category {
		findings = append(findings, CategoryConflict)
	}
	return slices.DeleteFunc(findings, func(s string) bool { return s == "" })
}

func compareYears(w archive.Wanted, year int) string {
	if year == 0 || w.YearFrom == 0 && w.YearTo == 0 {
		return ""
	}
	off := max(w.YearFrom-year, 0)
	if w.YearTo != 0 {
		off = max(off, year-w.YearTo)
	}
	switch {
	case off == 0:
		return YearSame
	case off <= nearYears:
		return YearNear
	}
	return YearConflict
}

func mentions(r archive.Record, place string) bool {
	if strings.Contains(Fold(r.Responsible), place) || strings.Contains(Fold(r.Title), place) {
		return true
	}
	for _, v := range r.Fields {
		if strings.Contains(Fold(v), place) {
			return true
		}
	}
	return false
}

func abs(n int) int { return max(n, -n) }
