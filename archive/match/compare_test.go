package match_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dangan/archive"
	"dangan/archive/match"
)

func person(name, role, birth, id string) archive.Person {
	d, _ := archive.ParseDate(birth)
	return archive.Person{Name: name, Role: role, Birth: d, ID: archive.NewIDNumber("", id)}
}

func marriage() archive.Record {
	wife := person("张㛃", "wife", "19900101", "999999199001010016")
	wife.Aliases = []string{"张小妹"}
	date, _ := archive.ParseDate("20100520")
	return archive.Record{
		Category: "marriage", Date: date, Title: "结婚登记审查处理表", Responsible: "青川市民政局",
		Persons: []archive.Person{person("李静", "husband", "1988", ""), wife},
		Fields:  map[string]string{"registry": "青川市民政局婚姻登记处"},
	}
}

func TestCompare(t *testing.T) {
	one := func(p archive.Person) archive.Wanted { return archive.Wanted{Persons: []archive.Person{p}} }
	tests := []struct {
		name    string
		wanted  archive.Wanted
		reasons []string
		score   float64
	}{
		{"same name", one(person("张㛃", "", "", "")), []string{"name_same"}, 0.6},
		{"traditional", one(person("張㛃", "", "", "")), []string{"name_variant"}, 0.58},
		{"former name", one(person("张小妹", "", "", "")), []string{"name_former"}, 0.55},
		{"said alike", one(person("张杰", "", "", "")), []string{"name_pinyin"}, 0.35},
		{"one character", one(person("张静", "", "", "")), []string{"name_one_character"}, 0.2},
		{"nobody", one(person("王大山", "", "19900101", "")), nil, 0},
		{"number alone", one(person("王大山", "", "", "999999199001010016")), []string{"id_same"}, 0.97},
		{"old number", one(person("张㛃", "", "", "999999900101001")), []string{"id_same", "name_same"}, 0.988},
		{"another number", one(person("张㛃", "", "", "999999199001010024")), []string{"id_conflict", "name_same"}, 0.12},
		{"a misprinted number", one(person("张㛃", "", "", "999999199001010017")), []string{"name_same"}, 0.6},
		{"birthday and role", one(person("张㛃", "wife", "1990", "")), []string{"name_same", "birth_same", "role_same"}, 0.81},
		{"a year off", one(person("张㛃", "", "19910101", "")), []string{"name_same", "birth_near"}, 0.68},
		{"another age", one(person("张㛃", "", "1960", "")), []string{"name_same", "birth_conflict"}, 0.3},
		{"couple, roles swapped, where and when",
			archive.Wanted{Category: "marriage", YearFrom: 2009, YearTo: 2010, Place: "青川市",
				Persons: []archive.Person{person("张㛃", "husband", "", ""), person("李静", "wife", "", "")}},
			[]string{"name_same", "year_same", "place_same"}, 0.776},
		{"years off", archive.Wanted{YearFrom: 2012, Persons: []archive.Person{person("张㛃", "", "", "")}},
			[]string{"name_same", "year_near"}, 0.64},
		{"another decade and kind", archive.Wanted{Category: "land", YearTo: 1990, Persons: []archive.Person{person("张㛃", "", "", "")}},
			[]string{"name_same", "year_conflict", "category_conflict"}, 0.18},
		{"half a couple", archive.Wanted{Persons: []archive.Person{person("张㛃", "", "", ""), person("王大山", "", "", "")}},
			[]string{"name_same"}, 0.3},
		{"nothing wanted", archive.Wanted{YearFrom: 2010, YearTo: 2010}, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			score, reasons := match.Compare(tt.wanted, marriage())
			if diff := cmp.Diff(tt.reasons, reasons); diff != "" {
				t.Error(diff)
			}
			if math.Abs(score-tt.score) > 0.001 {
				t.Errorf("score %.4f, want %.4f", score, tt.score)
			}
		})
	}
}

// One person of the record may fit both wanted ones; taking the best pair first
// would then leave the second with nobody.
func TestCompareFindsTheBestPairsTogether(t *testing.T) {
	r := archive.Record{Persons: []archive.Person{person("刘静", "", "1990", ""), person("刘婧", "", "", "")}}
	w := archive.Wanted{Persons: []archive.Person{person("刘静", "", "", ""), person("劉靜", "", "1990", "")}}
	score, _ := match.Compare(w, r)
	// 刘静 - 刘婧 by sound 0.35, 劉靜 - 刘静 variant and birthday 0.79; the other way
	// 0.60 and 0.35 are less.
	if want := (0.35 + 0.79) / 2; math.Abs(score-want) > 0.001 {
		t.Errorf("score %.4f, want %.4f", score, want)
	}
}

func someone(t *rapid.T) archive.Person {
	name := rapid.StringOfN(rapid.SampledFrom([]rune("刘劉静靜婧佩买·李𬱖㛃")), 1, 4, -1)
	birth := rapid.SampledFrom([]string{"", "1989", "1990", "19900101", "[1960]"})
	id := rapid.SampledFrom([]string{"", "999999199001010016", "999999900101001", "999999199001010024", "12"})
	p := person(name.Draw(t, "name"), rapid.SampledFrom([]string{"", "wife", "husband"}).Draw(t, "role"), birth.Draw(t, "birth"), id.Draw(t, "id"))
	p.Aliases = rapid.SliceOfN(name, 0, 2).Draw(t, "aliases")
	return p
}

func TestCompareStaysBetweenNothingAndCertainty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := archive.Wanted{
			Persons: rapid.SliceOfN(rapid.Custom(someone), 0, 4).Draw(t, "wanted"),
			YearTo:  rapid.SampledFrom([]int{0, 1990, 2011}).Draw(t, "year"),
			Place:   rapid.SampledFrom([]string{"", "青川"}).Draw(t, "place"),
		}
		r := marriage()
		r.Persons = rapid.SliceOfN(rapid.Custom(someone), 0, 4).Draw(t, "persons")
		score, reasons := match.Compare(w, r)
		if score < 0 || score > 1 || math.IsNaN(score) {
			t.Fatalf("score %v", score)
		}
		if (score > 0) != (len(reasons) > 0) {
			t.Fatalf("score %v with reasons %v", score, reasons)
		}
	})
}

func TestComparePrefersTheSamePerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := person("劉靜佩", "wife", "19900101", "")
		same := archive.Record{Persons: []archive.Person{p}}
		other := p
		other.Name = rapid.SampledFrom([]string{"刘静佩", "刘静沛", "刘静", "刘靖佩", "王静佩", "劉靜·佩"}).Draw(t, "other name")
		w := archive.Wanted{Persons: []archive.Person{p}}
		best, _ := match.Compare(w, same)
		less, _ := match.Compare(w, archive.Record{Persons: []archive.Person{other}})
		if best <= less {
			t.Fatalf("the same name scores %v, another %v", best, less)
		}
	})
}

// The assignment must beat every other way to pair up.
func TestCompareAssignsNoWorseThanAnyPairing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.SliceOfN(rapid.Custom(someone), 1, 3).Draw(t, "wanted")
		persons := rapid.SliceOfN(rapid.Custom(someone), 0, 3).Draw(t, "persons")
		score, _ := match.Compare(archive.Wanted{Persons: wanted}, archive.Record{Persons: persons})
		if best := bestPairing(wanted, persons) / float64(len(wanted)); math.Abs(score-best) > 1e-9 {
			t.Fatalf("score %v, best pairing %v", score, best)
		}
	})
}

func bestPairing(wanted, persons []archive.Person) float64 {
	if len(wanted) == 0 {
		return 0
	}
	best := bestPairing(wanted[1:], persons)
	for j, p := range persons {
		one, _ := match.Compare(archive.Wanted{Persons: wanted[:1]}, archive.Record{Persons: []archive.Person{p}})
		rest := append(append([]archive.Person{}, persons[:j]...), persons[j+1:]...)
		best = max(best, one+bestPairing(wanted[1:], rest))
	}
	return best
}

func BenchmarkFold(b *testing.B) {
	for b.Loop() {
		match.Fold("劉靜珮同志退休審批表（G179-TX·1995）")
	}
}

func BenchmarkCompare(b *testing.B) {
	r := marriage()
	w := archive.Wanted{Persons: []archive.Person{person("張㛃", "", "", ""), person("李婧", "", "", "")}, YearFrom: 2010}
	for b.Loop() {
		match.Compare(w, r)
	}
}
