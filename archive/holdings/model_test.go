package holdings_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dangan/archive"
	"dangan/archive/holdings"
)

// TestWhateverHappensTheEndIsConsistent deposits, describes and settles at
// random while writes fail and the index comes and goes. When the dust has
// settled, nothing acknowledged is missing, and claims, marks and index say what
// the newest versions say.
func TestWhateverHappensTheEndIsConsistent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		m := &model{w: w, room: w.room(), acked: map[string]map[int]string{}}
		rt.Repeat(map[string]func(*rapid.T){
			"deposit":  m.deposit,
			"describe": m.describe,
			"settle":   m.settle,
			"index":    func(*rapid.T) { w.down = !w.down },
			"time": func(rt *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
			},
		})
		w.down, w.fault = false, nil
		if err := w.work(m.room); err != nil {
			rt.Fatal(err)
		}
		m.check(rt)
	})
}

var (
	codes   = []string{"J019-ZY-1", "J019-ZY-2", "J020-ZY-3"}
	numbers = []string{"999999199001010016", "999999199203030013", "999999198505050017"}
)

// model remembers what the room acknowledged: titles by record and version.
type model struct {
	w      *world
	room   *holdings.Room
	acked  map[string]map[int]string
	titles int
}

// breakOne lets one write in a few fail, with or without effect.
func (m *model) breakOne(rt *rapid.T) {
	at := rapid.IntRange(0, 20).Draw(rt, "broken write")
	apply := rapid.Bool().Draw(rt, "it takes effect")
	n := 0
	m.w.fault = func(string) (bool, error) {
		if n++; n == at {
			return apply, errDisk
		}
		return true, nil
	}
}

func (m *model) title() string { m.titles++; return fmt.Sprint("title ", m.titles) }

func (m *model) ack(view archive.RecordView) {
	if m.acked[view.ID] == nil {
		m.acked[view.ID] = map[int]string{}
	}
	m.acked[view.ID][view.Version] = view.Title
}

func (m *model) deposit(rt *rapid.T) {
	r := marriage(m.w.t)
	r.RefCode, _ = archive.ParseRefCode(rapid.SampledFrom(codes).Draw(rt, "code"))
	r.Persons[0].ID.Original = rapid.SampledFrom(numbers).Draw(rt, "number")
	r.Title = "deposited"
	m.breakOne(rt)
	view, err := m.room.Deposit(m.w.t.Context(), clerk(), rapid.SampledFrom([]string{"", "k1", "k2"}).Draw(rt, "key"), r, uploads("text"))
	m.accept(rt, view, err)
}

func (m *model) describe(rt *rapid.T) {
	ids := slices.Sorted(maps.Keys(m.w.records))
	if len(ids) == 0 {
		rt.Skip("nothing to describe")
	}
	id := rapid.SampledFrom(ids).Draw(rt, "record")
	patch, err := json.Marshal(map[string]any{
		"title":          m.title(),
		"reference_code": rapid.SampledFrom(codes).Draw(rt, "code"),
		"persons": []any{
			map[string]any{"name": "张㛃", "role": "wife", "id": map[string]any{"original": rapid.SampledFrom(numbers).Draw(rt, "number")}},
			map[string]any{"name": "李𬱖", "role": "husband"},
		},
	})
	if err != nil {
		rt.Fatal(err)
	}
	n := len(m.w.records[id]) - rapid.IntRange(0, 1).Draw(rt, "versions behind")
	m.breakOne(rt)
	view, err := m.room.Describe(m.w.t.Context(), clerk(), id, n, patch)
	m.accept(rt, view, err)
}

// accept notes what was acknowledged, and lets only expected errors pass.
func (m *model) accept(rt *rapid.T, view archive.RecordView, err error) {
	m.w.fault = nil
	switch {
	case err == nil:
		m.ack(view)
	case !errors.Is(err, errDisk) && !errors.Is(err, archive.ErrConflict) && !errors.Is(err, archive.ErrInvalid):
		rt.Fatal(err)
	}
}

func (m *model) settle(rt *rapid.T) {
	nonces := slices.Sorted(maps.Keys(m.w.jobs))
	if len(nonces) == 0 {
		rt.Skip("nothing to settle")
	}
	nonce := rapid.SampledFrom(nonces).Draw(rt, "job")
	m.breakOne(rt)
	err := m.room.Settle(m.w.t.Context(), m.w.jobs[nonce])
	m.w.fault = nil
	switch {
	case err == nil:
		delete(m.w.jobs, nonce)
	case !errors.Is(err, errDisk) && !errors.Is(err, archive.ErrEarly) && !errors.Is(err, archive.ErrUnavailable):
		rt.Fatal(err)
	}
}

func (m *model) check(rt *rapid.T) {
	for id, versions := range m.acked {
		for n, title := range versions {
			if n > len(m.w.records[id]) || m.w.records[id][n-1].Value.Title != title {
				rt.Errorf("acknowledged version %d of %s is lost", n, id)
			}
		}
	}
	named := map[string]map[string]bool{}
	for id, versions := range m.w.records {
		head := versions[len(versions)-1]
		for _, v := range versions {
			if holder := m.w.claims[archive.ClaimRefCode+"\n"+v.Value.RefCode.Canonical()]; holder != id {
				rt.Errorf("a reference code of %s is held by %q", id, holder)
			}
		}
		if m.w.index[id].Version != head.N {
			rt.Errorf("the index has version %d of %d", m.w.index[id].Version, head.N)
		}
		number := head.Value.Persons[0].ID.Number
		if named[number] == nil {
			named[number] = map[string]bool{}
		}
		named[number][id] = true
	}
	for _, number := range numbers {
		if marked := m.w.marks[archive.MarkPerson+"\nresident:"+number]; !maps.Equal(marked, named[number]) {
			rt.Errorf("marked %v, named %v", marked, named[number])
		}
	}
	for claim, holder := range m.w.claims {
		if _, exists := m.w.records[holder]; !exists && claim[:7] == archive.ClaimRefCode {
			rt.Errorf("%s is held for a record that does not exist", claim)
		}
	}
	if len(m.w.index) != len(m.w.records) || len(m.w.jobs) != 0 {
		rt.Errorf("%d records, %d documents, %d jobs", len(m.w.records), len(m.w.index), len(m.w.jobs))
	}
}
