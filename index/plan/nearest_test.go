package plan_test

import (
	"context"
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
	hits, err := plan.Search(t.Context(), n, archive.Query{Text: "刘静文", Limit: 10}, archive.Scope{Clauses: []archive.Clause{{Office: "qc"}}})
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
