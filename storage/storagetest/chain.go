package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"dangan/archive"
	"dangan/storage"
)

func testChain(t *testing.T, objects storage.Objects) {
	ctx := t.Context()
	clock := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("CST", 8*3600))
	b := bucket(t, objects, func(c *storage.Config) { c.Now = func() time.Time { return clock } })
	chain, id := notes(b), newID()

	_, err := chain.Head(ctx, id)
	wantError(t, "head of nothing", err, archive.ErrNotFound)
	_, err = chain.History(ctx, id)
	wantError(t, "history of nothing", err, archive.ErrNotFound)
	wantError(t, "entry 2 of nothing", chain.Append(ctx, id, 2, note{"two"}), archive.ErrNotFound)
	wantError(t, "entry 0", chain.Append(ctx, id, 0, note{"zero"}), archive.ErrInvalid)
	wantError(t, "a name as id", chain.Append(ctx, "张三", 1, note{"one"}), archive.ErrInvalid)

	texts := []string{"one 壹", "two", "three"}
	for i, text := range texts {
		must(t, chain.Append(ctx, id, i+1, note{text}))
		head, err := chain.Head(ctx, id)
		must(t, err)
		want := archive.Version[note]{N: i + 1, At: clock.UTC().Truncate(time.Millisecond), Value: note{text}}
		if head != want {
			t.Errorf("head is %+v, want %+v", head, want)
		}
	}
	for n := 1; n <= 3; n++ {
		wantError(t, "append of an entry that is there", chain.Append(ctx, id, n, note{"again"}), archive.ErrConflict)
	}
	wantError(t, "append behind a gap", chain.Append(ctx, id, 5, note{"five"}), archive.ErrNotFound)

	for _, reader := range []*storage.Bucket{b, bucket(t, objects)} {
		history, err := notes(reader).History(ctx, id)
		must(t, err)
		for i, v := range history {
			if v.N != i+1 || v.Value.Text != texts[i] {
				t.Errorf("entry %d reads %+v", i+1, v)
			}
		}
		if len(history) != 3 {
			t.Errorf("%d entries in the history, want 3", len(history))
		}
	}
	// A replica that remembers nothing goes on.
	must(t, notes(bucket(t, objects)).Append(ctx, id, 4, note{"four"}))
	head, err := chain.Head(ctx, id)
	must(t, err)
	if head.N != 4 {
		t.Errorf("the head here is %d after another replica wrote entry 4", head.N)
	}
	testSameID(t, b, id)
	testIDs(t, b, id)
}

// testSameID: a certificate has the id of its request, and its own key.
func testSameID(t *testing.T, b *storage.Bucket, id string) {
	other := storage.NewChain[note](b, "other")
	must(t, other.Append(t.Context(), id, 1, note{"of another kind"}))
	head, err := other.Head(t.Context(), id)
	must(t, err)
	if head.N != 1 || head.Value.Text != "of another kind" {
		t.Errorf("a chain of another kind with the same id reads %+v", head)
	}
}

func testIDs(t *testing.T, b *storage.Bucket, ids ...string) {
	for range 3 {
		id := newID()
		must(t, notes(b).Append(t.Context(), id, 1, note{"x"}))
		ids = append(ids, id)
	}
	must(t, notes(b).Append(t.Context(), "office-1", 1, note{"an id that is no ULID"}))
	ids = append(ids, "office-1")
	var got []string
	for id, err := range notes(b).IDs(t.Context()) {
		must(t, err)
		got = append(got, id)
	}
	slices.Sort(ids)
	slices.Sort(got)
	if !slices.Equal(got, ids) {
		t.Errorf("ids %v, want %v", got, ids)
	}
}

func testChainRace(t *testing.T, objects storage.Objects) {
	ctx, id := t.Context(), newID()
	var replicas []*storage.Chain[note]
	for range 4 {
		replicas = append(replicas, notes(bucket(t, objects)))
	}
	for n := 1; n <= 4; n++ {
		errs := race(writers, func(i int) error {
			return replicas[i%len(replicas)].Append(ctx, id, n, note{fmt.Sprint(n, " by ", i)})
		})
		winner := wantOneWinner(t, errs, archive.ErrConflict)
		for _, replica := range replicas {
			head, err := replica.Head(ctx, id)
			must(t, err)
			if head.N != n || head.Value.Text != fmt.Sprint(n, " by ", winner) {
				t.Errorf("%d won entry %d, and the head is %+v", winner, n, head)
			}
		}
	}
	history, err := replicas[0].History(ctx, id)
	must(t, err)
	if len(history) != 4 {
		t.Errorf("%d entries after 4 races", len(history))
	}

	// Commit and fence race for entry 1: exactly one of the two holds.
	for range 5 {
		id := newID()
		errs := race(2, func(i int) error {
			if i == 0 {
				return replicas[0].Fence(ctx, id)
			}
			return replicas[1].Append(ctx, id, 1, note{"committed"})
		})
		committed := wantOneWinner(t, errs, archive.ErrConflict) == 1
		_, err := replicas[2].Head(ctx, id)
		if committed != (err == nil) {
			t.Errorf("committed: %v, and the head says %v", committed, err)
		}
	}
}

func testFence(t *testing.T, objects storage.Objects) {
	ctx, b, id := t.Context(), bucket(t, objects), newID()
	chain := notes(b)
	must(t, chain.Fence(ctx, id))
	must(t, chain.Fence(ctx, id))
	wantError(t, "append after fence", chain.Append(ctx, id, 1, note{"late"}), archive.ErrConflict)
	wantError(t, "entry 2 after fence", chain.Append(ctx, id, 2, note{"late"}), archive.ErrNotFound)
	_, err := chain.Head(ctx, id)
	wantError(t, "head of a fenced chain", err, archive.ErrNotFound)
	_, err = chain.History(ctx, id)
	wantError(t, "history of a fenced chain", err, archive.ErrNotFound)

	live := newID()
	must(t, chain.Append(ctx, live, 1, note{"here"}))
	wantError(t, "fence of a chain that exists", chain.Fence(ctx, live), archive.ErrConflict)

	// A tombstone cannot be moved onto a chain that exists.
	tomb := Keys(t, objects, "chain/"+path(id)+"/")[0]
	target := Keys(t, objects, "chain/"+path(live)+"/")[0]
	forged := bytes.Replace(Raw(t, objects, tomb), []byte(id), []byte(live), 1)
	tamper(t, objects, target, forged)
	_, err = notes(bucket(t, objects)).Head(ctx, live)
	wantError(t, "head under a forged tombstone", err, archive.ErrCorrupt)
	wantError(t, "fence over a forged tombstone", chain.Fence(ctx, live), archive.ErrCorrupt)
}

func testChainDamage(t *testing.T, objects storage.Objects) {
	ctx, b := t.Context(), bucket(t, objects)
	chain, id, other := notes(b), newID(), newID()
	for n := 1; n <= 2; n++ {
		must(t, chain.Append(ctx, id, n, note{"mine"}))
		must(t, chain.Append(ctx, other, n, note{"theirs"}))
	}
	keys := Keys(t, objects, "chain/"+path(id)+"/")
	foreign := Keys(t, objects, "chain/"+path(other)+"/")
	entry := keys[1]
	good := Raw(t, objects, entry)
	body := bytes.IndexByte(good, '\n') + 1

	for what, bad := range map[string][]byte{
		"a flipped bit in the body":   flip(good, len(good)-20),
		"a flipped bit in the tag":    flip(good, len(good)-1),
		"a flipped bit in the nonce":  flip(good, body),
		"another time in the header":  bytes.Replace(good, []byte(`"at":"2`), []byte(`"at":"3`), 1),
		"another number":              bytes.Replace(good, []byte(`"n":2`), []byte(`"n":3`), 1),
		"a truncated body":            good[:len(good)-1],
		"no body":                     good[:body],
		"half a header":               good[:body/2],
		"nothing":                     {},
		"the entry before":            Raw(t, objects, keys[0]),
		"the entry of another chain":  Raw(t, objects, foreign[1]),
		"that one under our own name": bytes.Replace(Raw(t, objects, foreign[1]), []byte(other), []byte(id), 1),
	} {
		tamper(t, objects, entry, bad)
		_, err := notes(bucket(t, objects)).Head(ctx, id)
		wantError(t, "head: "+what, err, archive.ErrCorrupt)
		_, err = notes(bucket(t, objects)).History(ctx, id)
		wantError(t, "history: "+what, err, archive.ErrCorrupt)
	}
	tamper(t, objects, entry, good)
	if _, err := chain.History(ctx, id); err != nil {
		t.Errorf("history after repair: %v", err)
	}
	tamper(t, objects, keys[0], nil)
	_, err := chain.History(ctx, id)
	wantError(t, "history with a gap", err, archive.ErrCorrupt)
	testForkedHistory(t, objects)
}

// testForkedHistory: every entry is genuine, and entry 2 follows another entry 1.
func testForkedHistory(t *testing.T, objects storage.Objects) {
	ctx, id := t.Context(), newID()
	must(t, notes(bucket(t, objects)).Append(ctx, id, 1, note{"first"}))
	key := Keys(t, objects, "chain/"+path(id)+"/")[0]
	first := Raw(t, objects, key)
	tamper(t, objects, key, nil)

	chain := notes(bucket(t, objects))
	must(t, chain.Append(ctx, id, 1, note{"another first"}))
	must(t, chain.Append(ctx, id, 2, note{"second"}))
	tamper(t, objects, key, first)
	if _, err := chain.History(ctx, id); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("history of entries that do not follow one another: %v", err)
	}
}

func flip(data []byte, at int) []byte {
	data = slices.Clone(data)
	data[at] ^= 1
	return data
}
