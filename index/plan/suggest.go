package plan

import (
	"cmp"
	"context"
	"slices"

	"dangan/archive"
	"dangan/archive/match"
)

// maxSuggestions is how many names a list of "did you mean" has.
const maxSuggestions = 10

// suggest lists the distinct names in scope that are said like the one asked for or
// differ from it in one character. One wrong character is no lack of hits but too
// many meanings: names with counts help where records do not. Only a first page has
// such a list.
func (p *page) suggest(ctx context.Context, e Engine) ([]archive.Suggestion, error) {
	if p.query.Offset > 0 || p.typed.Kind != match.Hanzi || len(p.typed.Words) != 1 {
		return nil, nil
	}
	name := match.FoldName(p.typed.Text)
	readings, masked := like(name)
	if len(masked) == 0 {
		return nil, nil
	}
	// Two questions: names said alike are few, and would be lost among the others
	// where an engine counts the commonest names only.
	counts := map[string]int{}
	for _, keys := range [][]string{readings, masked} {
		if len(keys) == 0 {
			continue
		}
		answer, err := e.Ask(ctx, Ask{
			Terms:  is(FieldNameLike, keys...),
			Filter: p.query.Filter, Scope: p.scope, Limit: 1, Facets: []string{FieldCalled},
		})
		if err != nil {
			return nil, err
		}
		for called, n := range answer.Facets[FieldCalled] {
			counts[called] = max(counts[called], n)
		}
	}
	return near(name, counts), nil
}

// neighbour is one folded name near the one asked for.
type neighbour struct {
	spelling  string // the commonest
	most, all int    // records with that spelling, and with any
	said      bool   // alike
	far       distance
}

// near picks the names that are near from the counts of all names of the records
// found: those said alike first, then those with fewer characters changed, then
// those with the same surname, then the commonest.
func near(name string, counts map[string]int) []archive.Suggestion {
	readings, masked := like(name)
	found := map[string]*neighbour{}
	for _, spelling := range sortedKeys(counts) {
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
		n.all += counts[spelling]
		if counts[spelling] > n.most {
			n.spelling, n.most = spelling, counts[spelling]
		}
	}
	var list []*neighbour
	for _, key := range sortedKeys(found) {
		list = append(list, found[key])
	}
	slices.SortStableFunc(list, func(a, b *neighbour) int {
		return cmp.Or(falseLast(a.said, b.said), a.far.compare(b.far), cmp.Compare(b.all, a.all))
	})
	var out []archive.Suggestion
	for _, n := range list[:min(len(list), maxSuggestions)] {
		out = append(out, archive.Suggestion{Name: n.spelling, Count: n.all})
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
