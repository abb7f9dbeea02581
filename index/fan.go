package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"dangan/archive"
	"dangan/index/plan"
)

// home is the shard that holds a fonds: what belongs together is found together, and
// a search within one fonds asks one server.
func (x *Index) home(fonds string) *shard {
	h := fnv.New32a()
	_, _ = h.Write([]byte(fonds)) // a hash never fails
	return x.shards[h.Sum32()%uint32(len(x.shards))]
}

// fan answers the questions of one search from all shards, one round at a time. One
// that failed is not asked again by those that follow: to be waited for once is enough.
type fan struct {
	x       *Index
	missing map[string]bool
}

// Ask answers questions of a plan, all of one search.
func (f *fan) Ask(ctx context.Context, asks ...plan.Ask) ([]plan.Answer, error) {
	if len(asks) == 0 || len(asks[0].Scope.Clauses) == 0 {
		return make([]plan.Answer, len(asks)), nil // no rights is no search, never no filter
	}
	shards := f.x.shards
	if fonds := asks[0].Filter.Fonds; fonds != "" {
		shards = []*shard{f.x.home(fonds)}
	}
	var answers [][]found // by shard
	var err error
	if len(f.x.shards) == 1 {
		answers = make([][]found, 1)
		answers[0], err = shards[0].ask(ctx, asks, false)
	} else {
		answers, err = f.askAll(ctx, shards, asks)
	}
	if err != nil {
		return nil, err
	}
	merged := make([]plan.Answer, len(asks))
	for i, a := range asks {
		parts := make([]found, len(answers))
		for j := range answers {
			parts[j] = answers[j][i]
		}
		merged[i] = merge(a, parts)
	}
	return merged, nil
}

// askAll fails when no shard answers, or when one says that a question is wrong.
func (f *fan) askAll(ctx context.Context, shards []*shard, asks []plan.Ask) ([][]found, error) {
	limited, cancel := context.WithTimeout(ctx, f.x.config.ShardTimeout)
	defer cancel()
	type answer struct {
		found []found
		err   error
	}
	answers := make([]chan answer, len(shards))
	for i, s := range shards {
		answers[i] = make(chan answer, 1)
		if f.missing[s.name] {
			answers[i] <- answer{err: archive.ErrUnavailable}
			continue
		}
		go func() {
			got, err := s.ask(limited, asks, true)
			answers[i] <- answer{got, err}
		}()
	}
	var all [][]found
	for i, s := range shards {
		got := <-answers[i]
		if got.err == nil {
			all = append(all, got.found)
			continue
		}
		if err := failure(ctx, s.name, got.err); !errors.Is(err, archive.ErrUnavailable) {
			return nil, err
		}
		f.missing[s.name] = true
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no shard answers: %w", archive.ErrUnavailable)
	}
	return all, nil
}

// merge makes one answer. It takes the best first hit again and again and never
// changes the order of one server, so that the pages of a search fit together.
func merge(a plan.Ask, answers []found) plan.Answer {
	out := plan.Answer{}
	lists := make([][]ranked, len(answers))
	for i, f := range answers {
		out.Total += f.Total
		out.Capped = out.Capped || f.Total >= plan.MaxHits
		out.Facets = added(out.Facets, f.Facets)
		lists[i] = f.Hits
	}
	if a.Names {
		out.Names = names(lists)
		out.Sampled = slices.ContainsFunc(answers, func(f found) bool { return f.Total > len(f.Hits) || f.Total >= plan.MaxHits })
	}
	for len(out.Shown) < a.Limit {
		lists = slices.DeleteFunc(lists, func(l []ranked) bool { return len(l) == 0 })
		if len(lists) == 0 {
			break
		}
		best := 0
		for i := range lists {
			if before(a.Sort, lists[i][0], lists[best][0]) {
				best = i
			}
		}
		out.Shown = append(out.Shown, lists[best][0].Shown)
		lists[best] = lists[best][1:]
	}
	return out
}

// names counts by how many records each spelling of a name is borne.
func names(lists [][]ranked) map[string]int {
	counts := map[string]int{}
	for _, hits := range lists {
		for _, h := range hits {
			called := h.Called
			if called == nil {
				called = h.Names
			}
			for i, name := range called {
				if !slices.Contains(called[:i], name) {
					counts[name]++
				}
			}
		}
	}
	return counts
}

func added(sum, more map[string]map[string]int) map[string]map[string]int {
	if sum == nil {
		return more
	}
	for field, counts := range more {
		if sum[field] == nil {
			sum[field] = map[string]int{}
		}
		for value, n := range counts {
			sum[field][value] += n
		}
	}
	return sum
}

// before orders hits as a server does: by the sort, where records without the field
// come last, then by score. Ids make it the same every time.
func before(s archive.Sort, a, b ranked) bool {
	order := 0
	switch s {
	case archive.SortDate:
		order = emptyLast(a.Date, b.Date, strings.Compare)
	case archive.SortDateDesc:
		order = emptyLast(a.Date, b.Date, func(a, b string) int { return strings.Compare(b, a) })
	case archive.SortRefCode:
		order = emptyLast(archive.RefKey(a.RefCode), archive.RefKey(b.RefCode), strings.Compare)
	}
	return cmp.Or(order, cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID)) < 0
}

func emptyLast(a, b string, compare func(a, b string) int) int {
	if (a == "") != (b == "") {
		return strings.Compare(b, a)
	}
	return compare(a, b)
}
