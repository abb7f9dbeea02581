package indextest

import (
	"math/rand/v2"
	"slices"
	"strings"

	"dangan/archive"
	"dangan/archive/match"
)

// crowd is all names of a population, which say what can be expected of a question.
type crowd struct {
	names     *names
	bearers   map[string]bearer // by folded name
	mentioned map[string]bool   // in titles only
}

// bearer tells of a name how many records have somebody with it.
type bearer struct {
	records   int
	syllables []string
}

func newCrowd(p *Population) *crowd {
	c := &crowd{names: p.names, bearers: map[string]bearer{}, mentioned: map[string]bool{}}
	for i := range p.size {
		s := p.specimen(i)
		for j, h := range s.persons {
			if j > 0 && h.name == s.persons[0].name {
				continue
			}
			key := match.FoldName(h.name)
			c.bearers[key] = bearer{c.bearers[key].records + 1, h.syllables}
		}
		c.mentioned[s.passing.name] = true
	}
	return c
}

// saidAlike reports whether the letters spell somebody of the record, in full or by
// initials, as the tables say or as the name may be said too.
func (c *crowd) saidAlike(hit archive.Hit, letters string) bool {
	letters = strings.ReplaceAll(letters, " ", "")
	return slices.ContainsFunc(hit.Names, func(name string) bool {
		full, initials := match.Pinyin(name)
		if known := c.bearers[match.FoldName(name)].syllables; known != nil {
			first := ""
			for _, s := range known {
				first += s[:1]
			}
			full, initials = append(full, strings.Join(known, "")), append(initials, first)
		}
		return slices.Contains(full, letters) || slices.Contains(initials, letters)
	})
}

// Whose name a wrong spelling is. Where it is somebody's, that person rightly comes
// first, and only a suggestion can help.
const (
	nobodys   = false
	somebodys = true
)

// mistyped asks for a name of three or four characters with one of the last two
// written wrong.
func mistyped(write func(*crowd, *rand.Rand, human, int) string, borne bool) asker {
	return func(c *crowd, r *rand.Rand, s specimen) (question, bool) {
		h, n := s.persons[0], runes(s.persons[0])
		if h.kind != plain || n < 3 || n > 4 {
			return question{}, false
		}
		at := n - 1 - r.IntN(2)
		other := write(c, r, h, at)
		name := []rune(h.name)
		text := string(name[:at]) + other + string(name[at+1:])
		known := c.bearers[text].records > 0 || c.mentioned[text]
		q := question{text: text, right: func(hit archive.Hit) bool { return bears(hit, h.name) }, name: h.name}
		return q, other != "" && text != h.name && known == borne
	}
}

// suggested asks for the name among the suggestions instead.
func suggested(ask asker) asker {
	return func(c *crowd, r *rand.Rand, s specimen) (question, bool) {
		q, ok := ask(c, r, s)
		q.suggested = true
		return q, ok
	}
}

// somebodys is how many in a hundred wrong spellings are somebody's name.
func (c *crowd) somebodys(p *Population, write func(*crowd, *rand.Rand, human, int) string) float64 {
	r := rand.New(rand.NewPCG(p.seed, 0))
	found := map[bool]int{}
	for range 5000 {
		s := p.specimen(r.IntN(p.size))
		for _, borne := range []bool{nobodys, somebodys} {
			if _, ok := mistyped(write, borne)(c, r, s); ok {
				found[borne]++
			}
		}
	}
	return 100 * float64(found[somebodys]) / float64(found[nobodys]+found[somebodys])
}

func homophone(c *crowd, r *rand.Rand, h human, at int) string {
	if h.syllables == nil {
		return ""
	}
	return pick(r, c.names.alike[h.syllables[at]])
}

func wrong(c *crowd, r *rand.Rand, _ human, _ int) string { return string(pick(r, c.names.common)) }

// ceiling is what the best order by frequency could score for questions of a weak
// class: of the records whose names are in reach, the share of the commonest name,
// and of the ten commonest. In reach are names said alike or one character apart;
// with sound, those that are both.
func (c *crowd) ceiling(asked []string, sound bool) (first, ten float64) {
	reach := map[string][]int{} // what names share → questions
	for i, text := range asked {
		for _, key := range shared(text, sound) {
			reach[key] = append(reach[key], i)
		}
	}
	near := make([][]int, len(asked))
	for name, b := range c.bearers {
		counted := map[int]bool{}
		for _, key := range shared(name, sound) {
			for _, i := range reach[key] {
				if !counted[i] && name != asked[i] {
					counted[i] = true
					near[i] = append(near[i], b.records)
				}
			}
		}
	}
	for _, records := range near {
		all := 0
		for _, n := range records {
			all += n
		}
		slices.SortFunc(records, func(a, b int) int { return b - a })
		for rank, n := range records[:min(len(records), 10)] {
			ten += float64(n) / float64(all)
			if rank == 0 {
				first += float64(n) / float64(all)
			}
		}
	}
	return 100 * first / float64(len(asked)), 100 * ten / float64(len(asked))
}

// shared is what names in reach of each other have in common.
func shared(name string, sound bool) []string {
	readings, _ := match.Pinyin(name)
	masked := match.Masked(name)
	if !sound {
		return slices.Concat(readings, masked)
	}
	var both []string
	for _, r := range readings {
		for _, m := range masked {
			both = append(both, r+m)
		}
	}
	return both
}
