package plan

import (
	"cmp"
	"slices"

	"dangan/archive"
	"dangan/archive/match"
)

// maxSuggestions is how many names a list of "did you mean" has.
const maxSuggestions = 10

// tally is how many records bear a name spelt so, or at least that many.
type tally struct {
	n       int
	atLeast bool
}

// count notes the names of an answer. The same name may be in several, of which one
// has counted all records.
func (p *page) count(a Answer) {
	for spelling, n := range a.Names {
		have, ok := p.names[spelling]
		if !ok || have.atLeast && (!a.Sampled || n > have.n) {
			p.names[spelling] = tally{n, a.Sampled}
		}
	}
}

// neighbour is one folded name near the one asked for.
type neighbour struct {
	archive.Suggestion      // the commonest spelling, and records with any
	most               int  // records with that spelling
	said               bool // alike
	far                distance
}

// near picks the distinct names that are near from those of all records found: those
// said alike first, then those with fewer characters changed, then those with the same
// surname, then the commonest. One wrong character is no lack of hits but too many
// meanings: names with counts help where records do not.
func near(name string, names map[string]tally) []archive.Suggestion {
	if len(names) == 0 {
		return nil
	}
	readings, masked := like(name)
	found := map[string]*neighbour{}
	for _, spelling := range sortedKeys(names) {
		key := match.FoldName(spelling)
		theirs, hidden := like(key)
		said := share(readings, theirs)
		if key == name || !said && !share(masked, hidden) {
			continue
		}
		n := found[key]
		if n == nil {
			n = &neighbour{said: said, far: apart(key, name)}
			found[key] = n
		}
		t := names[spelling]
		n.Count += t.n
		n.AtLeast = n.AtLeast || t.atLeast
		if t.n > n.most {
			n.Name, n.most = spelling, t.n
		}
	}
	var list []*neighbour
	for _, key := range sortedKeys(found) {
		list = append(list, found[key])
	}
	slices.SortStableFunc(list, func(a, b *neighbour) int {
		return cmp.Or(falseLast(a.said, b.said), a.far.compare(b.far), cmp.Compare(b.Count, a.Count))
	})
	var out []archive.Suggestion
	for _, n := range list[:min(len(list), maxSuggestions)] {
		out = append(out, n.Suggestion)
	}
	return out
}

// distance is how much two names of one sound or shape differ.
type distance struct {
	changed int  // characters
	surname bool // the first of them is the same
}

func (d distance) compare(e distance) int {
	return cmp.Or(cmp.Compare(d.changed, e.changed), falseLast(d.surname, e.surname))
}

// apart compares two folded names.
func apart(a, b string) distance {
	x, y := []rune(a), []rune(b)
	common := min(len(x), len(y))
	d := distance{changed: max(len(x), len(y)) - common, surname: common > 0 && x[0] == y[0]}
	for i := range common {
		if x[i] != y[i] {
			d.changed++
		}
	}
	return d
}

func falseLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
