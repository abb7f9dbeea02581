package storagetest

import (
	"fmt"
	"slices"
	"testing"

	"dangan/archive"
	"dangan/storage"
)

func testClaims(t *testing.T, objects storage.Objects) {
	ctx, b := t.Context(), bucket(t, objects)
	claims, mine, theirs := b.Claims(), newID(), newID()
	const kind, value = archive.ClaimRefCode, "Q001-WS·2003-D30-0017"

	_, err := claims.Holder(ctx, kind, value)
	wantError(t, "holder of what nobody claimed", err, archive.ErrNotFound)
	must(t, claims.Release(ctx, kind, value, mine))
	for range 2 {
		holder, err := claims.Claim(ctx, kind, value, mine)
		if err != nil || holder != mine {
			t.Errorf("claim: held by %q, error %v", holder, err)
		}
	}
	holder, err := bucket(t, objects).Claims().Claim(ctx, kind, value, theirs)
	wantError(t, "claim of what is held", err, archive.ErrExists)
	if holder != mine {
		t.Errorf("a refused claim names holder %q, want %q", holder, mine)
	}
	if _, err := claims.Claim(ctx, archive.ClaimNumber, value, theirs); err != nil {
		t.Errorf("the same value of another kind: %v", err)
	}
	must(t, claims.Release(ctx, kind, value, theirs)) // not theirs to release
	if holder, err = b.Numbers().Holder(ctx, kind, value); err != nil || holder != mine {
		t.Errorf("after a release by a stranger: held by %q, error %v", holder, err)
	}
	must(t, claims.Release(ctx, kind, value, mine))
	must(t, claims.Release(ctx, kind, value, mine))
	_, err = claims.Holder(ctx, kind, value)
	wantError(t, "holder after release", err, archive.ErrNotFound)
	_, err = claims.Claim(ctx, kind, value, "")
	wantError(t, "claim by nobody", err, archive.ErrInvalid)

	// The released value, and one that never was claimed, go to one of many.
	for _, value := range []string{value, "another"} {
		errs := race(writers, func(i int) error {
			_, err := claims.Claim(ctx, kind, value, fmt.Sprint("owner-", i))
			return err
		})
		winner := wantOneWinner(t, errs, archive.ErrExists)
		if holder, err := claims.Holder(ctx, kind, value); err != nil || holder != fmt.Sprint("owner-", winner) {
			t.Errorf("%d won %q, and %q holds it, error %v", winner, value, holder, err)
		}
	}
	key := Keys(t, objects, "claim/refcode/")
	tamper(t, objects, key[0], Raw(t, objects, key[1]))
	failed := 0
	for _, value := range []string{value, "another"} {
		if _, err := claims.Holder(ctx, kind, value); err != nil {
			wantError(t, "a claim moved to another value", err, archive.ErrCorrupt)
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d of 2 claims fail after one was overwritten by the other", failed)
	}
}

func testMarks(t *testing.T, objects storage.Objects) {
	ctx, b := t.Context(), bucket(t, objects)
	marks, first, second := b.Marks(), newID(), newID()
	const kind, value = archive.MarkPerson, "CN:999999199001010016"

	want := func(what string, ids ...string) {
		t.Helper()
		slices.Sort(ids)
		for _, m := range []*storage.Marks{marks, bucket(t, objects).Marks()} {
			if got, err := m.Marked(ctx, kind, value); err != nil || !slices.Equal(got, ids) {
				t.Errorf("%s: marked %v, want %v, error %v", what, got, ids, err)
			}
		}
	}
	want("nothing")
	must(t, marks.Mark(ctx, kind, value, first))
	must(t, marks.Mark(ctx, kind, value, first))
	want("one, twice", first)
	must(t, marks.Mark(ctx, kind, value, second))
	must(t, marks.Mark(ctx, kind, value, "office-1"))
	must(t, marks.Mark(ctx, kind, value+"1", newID()))
	must(t, marks.Mark(ctx, archive.MarkDesk, value, newID()))
	want("three, and others of other values and kinds", first, second, "office-1")
	must(t, marks.Unmark(ctx, kind, value, second))
	must(t, marks.Unmark(ctx, kind, value, second))
	want("one was taken away", first, "office-1")
	must(t, marks.Mark(ctx, kind, value, second))
	want("and put back", first, second, "office-1")
	wantError(t, "mark without a value", marks.Mark(ctx, kind, "", first), archive.ErrInvalid)
	wantError(t, "mark with a name as id", marks.Mark(ctx, kind, value, "../x"), archive.ErrInvalid)

	token := marks.Token(kind, value)
	if again := bucket(t, objects).Marks().Token(kind, value); token != again || len(token) != 64 {
		t.Errorf("tokens %q and %q", token, again)
	}
	if other := marks.Token(archive.MarkRefKey, value); token == other {
		t.Error("one token for two kinds")
	}
}
