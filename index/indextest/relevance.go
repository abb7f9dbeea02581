package indextest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// Relevance runs the scripts of testdata against an empty index, which it fills
// with the sample records.
func Relevance(t *testing.T, x Index) {
	docs, err := Records()
	if err != nil {
		t.Fatal(err)
	}
	put(t, x, docs...)
	entries, err := scripts.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "records.txt" {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			checks, err := lines("testdata/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range checks {
				c, err := parse(line)
				if err != nil {
					t.Fatal(err)
				}
				for _, problem := range c.problems(search(t, x, c.query)) {
					t.Errorf("%s\n\t%s", line, problem)
				}
			}
		})
	}
}

func (c check) problems(hits archive.Hits) []string {
	var problems []string
	if c.hits && !c.admits(ids(hits)) {
		problems = append(problems, fmt.Sprintf("found %v", ids(hits)))
	}
	if c.suggestions != "" {
		var names []string
		for _, s := range hits.Suggestions {
			names = append(names, s.Name+" "+strconv.Itoa(s.Count))
		}
		if got := strings.Join(names, ", "); got != c.suggestions {
			problems = append(problems, "suggests "+got)
		}
	}
	if field, values, ok := strings.Cut(c.facet, " "); ok {
		var counts []string
		for value, n := range hits.Facets[field] {
			counts = append(counts, value+" "+strconv.Itoa(n))
		}
		want := strings.Split(values, ", ")
		slices.Sort(counts)
		slices.Sort(want)
		if diff := cmp.Diff(want, counts); diff != "" {
			problems = append(problems, "counts "+diff)
		}
	}
	if field, want, ok := strings.Cut(c.highlight, " "); ok {
		if len(hits.Hits) == 0 {
			return append(problems, "found nothing to mark")
		}
		if got := hits.Hits[0].Highlights[field]; got != want {
			problems = append(problems, "marks "+got)
		}
	}
	return problems
}

// admits reports whether ids are the groups one after the other.
func (c check) admits(ids []string) bool {
	for _, group := range c.order {
		if len(ids) < len(group) {
			return false
		}
		got := slices.Clone(ids[:len(group)])
		slices.Sort(got)
		if !slices.Equal(got, group) {
			return false
		}
		ids = ids[len(group):]
	}
	return c.more || len(ids) == 0
}
