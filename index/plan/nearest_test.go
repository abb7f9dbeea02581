package plan_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/index/plan"
)

// namesakes answers with the same records and counts to every question by sound or
// shape, and with nothing to others.
type namesakes struct {
	shown  []plan.Shown
	counts map[string]int
}

func (n namesakes) Ask(_ context.Context, asks ...plan.Ask) ([]plan.Answer, error) {
	answers := make([]plan.Answer, len(asks))
	for i, a := range asks {
		if a.Names {
			answers[i] = plan.Answer{Shown: n.shown[:min(a.Limit, len(n.shown))], Total: len(n.shown), Names: n.counts}
		}
	}
	return answers, nil
}

// Names said alike: fewest other characters first, then the same surname, then the
// commonest. In suggestions those that differ in one character follow.
func TestNearestNamesFirst(t *testing.T) {
	var n namesakes
	for _, name := range []string{"柳敬雯", "刘敬雯", "柳静文", "刘敬文", "刘竞文", "劉競文"} {
		n.shown = append(n.shown, plan.Shown{ID: name, Names: []string{"王伟", name}, Office: "qc"})
	}
	n.counts = map[string]int{
		"柳敬雯": 9, "刘敬雯": 8, "柳静文": 7, "刘敬文": 2, "刘竞文": 2, "劉競文": 1,
		"王静文": 50, "刘小文": 3, "刘大文": 4, "刘静文": 1, "王伟": 100,
	}
	hits, err := plan.Search(t.Context(), n, true, archive.Query{Text: "刘静文", Limit: 10}, archive.Scope{Clauses: []archive.Clause{{Office: "qc"}}})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, h := range hits.Hits {
		found = append(found, h.ID)
	}
	if diff := cmp.Diff([]string{"刘竞文", "劉競文", "刘敬文", "柳静文", "刘敬雯", "柳敬雯"}, found); diff != "" {
		t.Error(diff)
	}
	want := []archive.Suggestion{
		{Name: "刘竞文", Count: 3}, {Name: "刘敬文", Count: 2}, {Name: "柳静文", Count: 7}, {Name: "刘敬雯", Count: 8}, {Name: "柳敬雯", Count: 9},
		{Name: "刘大文", Count: 4}, {Name: "刘小文", Count: 3}, {Name: "王静文", Count: 50},
	}
	if diff := cmp.Diff(want, hits.Suggestions); diff != "" {
		t.Error(diff)
	}
}

// A name that is counted in a sample of the records is counted at least so often; one
// that an answer counted whole is not.
func TestSuggestionsSayWhatWasCounted(t *testing.T) {
	e := &engine{answers: []plan.Answer{
		{}, {}, {}, // the name, longer ones, titles
		{Names: map[string]int{"刘竞文": 3}, Total: 3},
		{Names: map[string]int{"刘竞文": 2, "刘大文": 4, "刘小文": 5}, Total: 1000, Sampled: true},
	}}
	hits, err := plan.Search(t.Context(), e, true, archive.Query{Text: "刘静文", Limit: 10}, archive.Scope{Clauses: []archive.Clause{{Office: "qc"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []archive.Suggestion{{Name: "刘竞文", Count: 3}, {Name: "刘小文", Count: 5, AtLeast: true}, {Name: "刘大文", Count: 4, AtLeast: true}}
	if diff := cmp.Diff(want, hits.Suggestions); diff != "" {
		t.Error(diff)
	}
}

// Names that look alike are asked for while the page is not full, without their
// records when there are others; of two characters, only when nobody bears the name.
func TestNamesAreAskedForWhenTheyHelp(t *testing.T) {
	const none = -1
	for _, tt := range []struct {
		name    string
		query   archive.Query
		answers []plan.Answer
		limit   int // of the question for names that look alike
	}{
		{"nothing found", archive.Query{Text: "刘静文", Limit: 10}, nil, 300},
		{"few found", archive.Query{Text: "刘静文", Limit: 10}, []plan.Answer{{Shown: shown("a", 2), Total: 2}}, 0},
		{"few found, sorted", archive.Query{Text: "刘静文", Limit: 10, Sort: archive.SortDate}, []plan.Answer{{Shown: shown("a", 2), Total: 2}}, 0},
		{"full page", archive.Query{Text: "刘静文", Limit: 2}, []plan.Answer{{Shown: shown("a", 2), Total: 2}}, none},
		{"second page", archive.Query{Text: "刘静文", Limit: 2, Offset: 2}, []plan.Answer{{Shown: shown("a", 3), Total: 3}}, none},
		{"two characters", archive.Query{Text: "刘静", Limit: 10}, nil, 0},
		{"two characters, said alike", archive.Query{Text: "刘静", Limit: 10}, []plan.Answer{{}, {}, {}, {Shown: shown("a", 2), Total: 2}}, 0},
		{"two characters, found", archive.Query{Text: "刘静", Limit: 10}, []plan.Answer{{Shown: shown("a", 2), Total: 2}}, none},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &engine{answers: tt.answers}
			if _, err := plan.Search(t.Context(), e, true, tt.query, archive.Scope{Clauses: []archive.Clause{{Office: "qc"}}}); err != nil {
				t.Fatal(err)
			}
			limit := none
			for _, a := range e.asked {
				if a.Names && slices.ContainsFunc(a.Terms, func(t plan.Term) bool {
					return slices.Contains(t.Values, "刘?") || slices.Contains(t.Values, "刘?文")
				}) {
					limit = a.Limit
				}
			}
			if limit != tt.limit {
				t.Errorf("asked with limit %d, not %d", limit, tt.limit)
			}
		})
	}
}
