package indextest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"dangan/archive"
	"dangan/archive/match"
)

// RelevanceOf fills an empty index with a population, asks for its records in every
// way people ask, and fails where an engine is worse than its class demands. It logs
// the scores as a table.
func RelevanceOf(t *testing.T, x Index, p *Population) {
	started := time.Now()
	Fill(t, x, p)
	t.Logf("%d records in %.0f s", p.size, time.Since(started).Seconds())
	c := newCrowd(p)
	t.Logf("%.1f %% of homophones and %.1f %% of wrong characters make somebody else's name", c.somebodys(p, homophone), c.somebodys(p, wrong))
	table := "\n| asked by | questions | first, % | in ten, % | ceiling: first, in ten | p50, p95 ms |\n|---|---|---|---|---|---|\n"
	for i, class := range classes() {
		s := class.score(t, x, class.questions(p, c, uint64(i)))
		table += s.row(c, class)
		if s.asked < class.asked || s.first() < class.first || s.ten() < class.ten {
			t.Errorf("%s: of %d questions %.1f %% first and %.1f %% in ten; at least %.0f and %.0f are demanded; missed %q",
				class.name, s.asked, s.first(), s.ten(), class.first, class.ten, s.missed)
		}
	}
	t.Log(table)
}

// Fill puts all records, as several callers at once do.
func Fill(t testing.TB, x Index, p *Population) {
	var callers errgroup.Group
	callers.SetLimit(4)
	next := make([]archive.Document, 0, 1000)
	send := func() {
		docs := next
		next = make([]archive.Document, 0, 1000)
		callers.Go(func() error { return x.Put(t.Context(), docs...) })
	}
	for d := range p.Documents() {
		if next = append(next, d); len(next) == cap(next) {
			send()
		}
	}
	send()
	if err := callers.Wait(); err != nil {
		t.Fatalf("put: %v", err)
	}
}

// score is how the questions of one class were answered.
type score struct {
	asked, atFirst, inTen int
	texts, missed         []string
	took                  []time.Duration
}

func (s *score) first() float64 { return 100 * float64(s.atFirst) / float64(max(s.asked, 1)) }
func (s *score) ten() float64   { return 100 * float64(s.inTen) / float64(max(s.asked, 1)) }

func (c class) score(t *testing.T, x Index, questions []question) *score {
	s := &score{}
	for _, q := range questions {
		begun := time.Now()
		hits := search(t, x, archive.Query{Text: q.text, Limit: 10})
		s.took = append(s.took, time.Since(begun))
		s.note(q, hits)
	}
	return s
}

func (s *score) note(q question, hits archive.Hits) {
	rank := slices.IndexFunc(hits.Hits, q.right)
	if q.suggested {
		rank = slices.IndexFunc(hits.Suggestions, func(s archive.Suggestion) bool { return match.FoldName(s.Name) == match.FoldName(q.name) })
	}
	s.asked++
	s.texts = append(s.texts, q.text)
	if rank == 0 {
		s.atFirst++
	}
	if rank >= 0 {
		s.inTen++
	}
	if rank != 0 && len(s.missed) < 5 {
		s.missed = append(s.missed, q.text)
	}
}

func (s *score) row(all *crowd, c class) string {
	ceiling := ""
	if sound := strings.HasPrefix(c.name, "homophone"); sound || strings.HasPrefix(c.name, "one wrong") {
		first, ten := all.ceiling(s.texts, sound)
		ceiling = fmt.Sprintf("%.1f, %.1f", first, ten)
	}
	slices.Sort(s.took)
	ms := func(part int) float64 { return float64(s.took[len(s.took)*part/100].Microseconds()) / 1000 }
	return fmt.Sprintf("| %s | %d | %.1f | %.1f | %s | %.1f, %.1f |\n", c.name, s.asked, s.first(), s.ten(), ceiling, ms(50), ms(95))
}
