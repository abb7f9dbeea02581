package plan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/match"
	"dangan/index/plan"
)

// engine answers the n-th question with the n-th answer, and with nothing after that.
type engine struct {
	answers []plan.Answer
	asked   []plan.Ask
	rounds  int
}

func (e *engine) Ask(_ context.Context, asks ...plan.Ask) ([]plan.Answer, error) {
	e.rounds++
	answers := make([]plan.Answer, len(asks))
	for i, a := range asks {
		if n := len(e.asked); n < len(e.answers) {
			answers[i] = e.answers[n]
			answers[i].Shown = answers[i].Shown[:min(len(answers[i].Shown), a.Limit)]
		}
		e.asked = append(e.asked, a)
	}
	return answers, nil
}

func shown(prefix string, n int) []plan.Shown {
	list := make([]plan.Shown, n)
	for i := range list {
		list[i] = plan.Shown{ID: fmt.Sprintf("%s%d", prefix, i), Office: "qc", Names: []string{}}
	}
	return list
}

func TestSearchCountsHonestly(t *testing.T) {
	a := func(total int, s []plan.Shown) plan.Answer { return plan.Answer{Shown: s, Total: total} }
	tests := []struct {
		name    string
		query   archive.Query
		answers []plan.Answer
		hits    int
		total   int
		atLeast bool
		rounds  int
	}{
		{"one tier, all on the page", archive.Query{Limit: 10}, []plan.Answer{a(3, shown("a", 3))}, 3, 3, false, 1},
		{"one tier, more than the page", archive.Query{Limit: 10}, []plan.Answer{a(30, shown("a", 30))}, 10, 30, false, 1},
		{"capped", archive.Query{Limit: 10}, []plan.Answer{{Shown: shown("a", 10), Total: 1000, Capped: true}}, 10, 1000, true, 1},
		{"tiers overlap", archive.Query{Text: "liu", Limit: 10}, []plan.Answer{a(2, shown("a", 2)), a(5, shown("a", 5))}, 5, 5, false, 1},
		{"full before the last tier", archive.Query{Text: "刘静佩", Limit: 4}, []plan.Answer{a(2, shown("a", 2)), a(5, shown("a", 5))}, 4, 5, true, 1},
		{"full, and only guesses are left", archive.Query{Text: "G179", Limit: 4}, []plan.Answer{{}, a(5, shown("a", 5))}, 4, 5, false, 1},
		{"guesses only when nothing was found", archive.Query{Text: "G179", Limit: 10}, []plan.Answer{a(1, shown("a", 1))}, 1, 1, false, 1},
		{"sorted: the first tier that finds", archive.Query{Text: "liu", Limit: 2, Sort: archive.SortDate}, []plan.Answer{{}, a(5, shown("a", 5)), a(9, shown("b", 9))}, 2, 5, false, 1},
		{"second page", archive.Query{Limit: 2, Offset: 2}, []plan.Answer{a(3, shown("a", 3))}, 1, 3, false, 1},
		{"beyond the last page", archive.Query{Limit: 2, Offset: 5000}, []plan.Answer{a(3, shown("a", 3))}, 0, 3, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &engine{answers: tt.answers}
			hits, err := plan.Search(t.Context(), e, true, tt.query, archive.Scope{Clauses: []archive.Clause{{Office: "qc"}}})
			if err != nil {
				t.Fatal(err)
			}
			if len(hits.Hits) != tt.hits || hits.Total != tt.total || hits.AtLeast != tt.atLeast || e.rounds != tt.rounds {
				t.Errorf("%d hits of %d, at least %v, after %d rounds", len(hits.Hits), hits.Total, hits.AtLeast, e.rounds)
			}
		})
	}
}

// Even an engine that ignores scope and filter leaks nothing.
func TestSearchFencesTheEngine(t *testing.T) {
	e := &engine{answers: []plan.Answer{{Shown: append(shown("a", 2), plan.Shown{ID: "b", Office: "QC"}), Total: 3}}}
	hits, err := plan.Search(t.Context(), e, true, archive.Query{Limit: 10}, archive.Scope{Clauses: []archive.Clause{{Office: "QC"}}})
	if err != nil || len(hits.Hits) != 1 || hits.Hits[0].ID != "b" {
		t.Errorf("%+v, %v", hits.Hits, err)
	}
}

func TestSearchAsksNothing(t *testing.T) {
	for _, tt := range []struct {
		text  string
		scope archive.Scope
	}{
		{"刘静佩", archive.Scope{}},
		{"", archive.Scope{}},
		{"999999199001010016", archive.Scope{Clauses: []archive.Clause{{}}}},
		{"刘静佩 ９９９９９９１９９００１０１００１６", archive.Scope{Clauses: []archive.Clause{{}}}},
		{"999999900101001", archive.Scope{Clauses: []archive.Clause{{}}}},
	} {
		e := &engine{}
		hits, err := plan.Search(t.Context(), e, true, archive.Query{Text: tt.text, Limit: 10}, tt.scope)
		if err != nil || len(e.asked) != 0 || hits.Hits == nil || len(hits.Facets) != 5 {
			t.Errorf("%d questions, %+v, %v", len(e.asked), hits, err)
		}
	}
}

func TestNewDocument(t *testing.T) {
	date, _ := archive.ParseDate("199503")
	code, _ := archive.ParseRefCode("G179-TX·1995-D30-0008")
	d := plan.NewDocument(archive.Document{
		Version: 3, Text: "第一页\x00\n第二頁", Persons: []string{"token"},
		Record: archive.Record{
			ID: "a", Title: "劉靜（退休）", RefCode: code, Date: date, Responsible: "纺织厂", Note: "注",
			Office: "qc", Fonds: "G179", Category: "dossier_item", Family: archive.Personnel, Openness: archive.Open,
			Fields:  map[string]string{"b": "乙", "a": "甲"},
			Persons: []archive.Person{{Name: "劉靜", Aliases: []string{"刘静"}, ID: archive.NewIDNumber("", "999999199001010016")}, {Name: strings.Repeat("長", 160)}},
		},
	})
	if n := len(d.NameKey); n != 1 || d.NameKey[0] != "刘静" { // the endless name is no key
		t.Errorf("name keys %v", d.NameKey)
	}
	d.Names, d.Called = d.Names[:1], d.Called[:2]
	want := plan.Document{
		Shown: plan.Shown{
			ID: "a", Title: "劉靜（退休）", Names: []string{"劉靜"}, RefCode: "G179-TX·1995-D30-0008", Date: "1995-03", Year: 1995,
			Family: "personnel", Category: "dossier_item", Office: "qc", Fonds: "G179", Openness: "open", Version: 3,
		},
		Called: []string{"劉靜", "刘静"}, NameKey: []string{"刘静"}, NameLike: []string{"liujing", "lj", "?静", "刘?"},
		Tokens: []string{"token"}, RefKey: "g179tx1995d300008", TitleNG: "刘 静 退 休", TitleKey: "刘静(退休)",
		Text: "纺织厂 注 1995 甲 乙 第一页  第二页",
	}
	d.NameLike = d.NameLike[:4]
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	wire, err := json.Marshal(d)
	if err != nil || strings.Contains(string(wire), "9999991990") {
		t.Errorf("an id number is in the document, or %v", err)
	}
}

func TestNewDocumentCutsEndlessText(t *testing.T) {
	d := plan.NewDocument(archive.Document{Text: strings.Repeat("档", 1<<20)})
	if n := len(d.Text); n > 1<<18 || n < 1<<18-8 || strings.ContainsRune(d.Text, '\uFFFD') {
		t.Errorf("%d bytes of text", n)
	}
}

// Whatever stands in a title, without the marks it is the title, escaped; and no
// question of any plan holds an id number.
func FuzzSearch(f *testing.F) {
	f.Add("刘静 退休", `关于<b>劉靜</b>"退休"的批复`)
	f.Add("刘静 999999199001010016", "刘静")
	f.Add(`"a" -b`, "<mark>a</mark>")
	f.Fuzz(func(t *testing.T, text, title string) {
		title = strings.ToValidUTF8(title, "")
		e := &engine{answers: []plan.Answer{{Shown: []plan.Shown{{ID: "a", Title: title, Names: []string{title}}}, Total: 1}}}
		hits, err := plan.Search(t.Context(), e, true, archive.Query{Text: text, Limit: 1}, archive.Scope{Clauses: []archive.Clause{{}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range hits.Hits {
			for _, field := range []string{"title", "names"} {
				marked, ok := hit.Highlights[field]
				plain := strings.NewReplacer("<mark>", "", "</mark>", "").Replace(marked)
				if ok && (html.UnescapeString(plain) != title || strings.ContainsAny(plain, `<>"'`)) {
					t.Errorf("%q is shown as %q", title, marked)
				}
			}
		}
		for _, a := range e.asked {
			for _, term := range a.Terms {
				for _, v := range term.Values {
					if kind := match.Classify(v).Kind; kind == match.IDNumber {
						t.Errorf("%q asks with an id number", text)
					}
				}
			}
		}
	})
}

func BenchmarkNewDocument(b *testing.B) {
	d := archive.Document{Record: archive.Record{Title: "刘静佩同志退休审批表", Persons: []archive.Person{{Name: "刘静佩"}}}, Text: strings.Repeat("勞動模範登記表", 100)}
	for b.Loop() {
		plan.NewDocument(d)
	}
}

// What follows a full page is not asked of an engine that is near, but for the names
// that are said alike; one that is far is asked at once.
func TestNearEnginesAreSparedQuestions(t *testing.T) {
	for far, want := range map[bool][]int{true: {2, 2, 2, 300}, false: {2, 0}} {
		e := &engine{answers: []plan.Answer{{Shown: shown("a", 2), Total: 2}}}
		hits, err := plan.Search(t.Context(), e, far, archive.Query{Text: "刘静佩", Limit: 2}, archive.Scope{Clauses: []archive.Clause{{Office: "qc"}}})
		if err != nil {
			t.Fatal(err)
		}
		var limits []int
		for _, a := range e.asked {
			limits = append(limits, a.Limit)
		}
		if diff := cmp.Diff(want, limits); diff != "" || !hits.AtLeast {
			t.Errorf("far %v: %s", far, diff)
		}
	}
}
