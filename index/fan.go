package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"

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

// fan answers the questions of one search from all shards. One that failed is not
// asked again by the questions that follow: to be waited for once is enough.
type fan struct {
	x *Index

	mu      sync.Mutex
	missing map[string]bool
}

func (f *fan) isMissing(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.missing[name]
}

func (f *fan) miss(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.missing[name] = true
}

// Ask answers one question of a plan.
func (f *fan) Ask(ctx context.Context, a plan.Ask) (plan.Answer, error) {
	if len(a.Scope.Clauses) == 0 {
		return plan.Answer{}, nil // no rights is no search, never no filter
	}
	shards := f.x.shards
	if a.Filter.Fonds != "" {
		shards = []*shard{f.x.home(a.Filter.Fonds)}
	}
	if len(f.x.shards) == 1 {
		one, err := shards[0].ask(ctx, a, false)
		return merge(a, []found{one}), err
	}
	answers, err := f.askAll(ctx, shards, a)
	return merge(a, answers), err
}

// askAll fails when no shard answers, or when one says that the question is wrong.
func (f *fan) askAll(ctx context.Context, shards []*shard, a plan.Ask) ([]found, error) {
	limited, cancel := context.WithTimeout(ctx, f.x.config.ShardTimeout)
	defer cancel()
	type answer struct {
		found
		err error
	}
	answers := make([]chan answer, len(shards))
	for i, s := range shards {
		answers[i] = make(chan answer, 1)
		if f.isMissing(s.name) {
			answers[i] <- answer{err: archive.ErrUnavailable}
			continue
		}
		go func() {
			got, err := s.ask(limited, a, true)
			answers[i] <- answer{got, err}
		}()
	}
	var all []found
	for i, s := range shards {
		got := <-answers[i]
		if got.err == nil {
			all = append(all, got.found)
			continue
		}
		if err := failure(ctx, s.name, got.err); !errors.Is(err, archive.ErrUnavailable) {
			return nil, err
		}
		f.miss(s.name)
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
