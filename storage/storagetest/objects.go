package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"dangan/archive"
	"dangan/storage"
)

func testObjects(t *testing.T, objects storage.Objects) {
	ctx := t.Context()
	_, err := objects.Get(ctx, "mark/a/b", 0, -1)
	wantError(t, "get of nothing", err, archive.ErrNotFound)
	_, err = objects.Get(ctx, "mark/a/b", 3, 4)
	wantError(t, "get of a range of nothing", err, archive.ErrNotFound)
	must(t, objects.Delete(ctx, "mark/a/b"))

	for _, data := range [][]byte{[]byte("one"), {}, []byte("another one"), randomBytes(1 << 20)} {
		must(t, objects.Put(ctx, "mark/a/b", data))
		if got := Raw(t, objects, "mark/a/b"); !bytes.Equal(got, data) {
			t.Errorf("%d bytes put, %d others got", len(data), len(got))
		}
	}
	must(t, objects.Delete(ctx, "mark/a/b"))
	_, err = objects.Get(ctx, "mark/a/b", 0, -1)
	wantError(t, "get after delete", err, archive.ErrNotFound)
	must(t, objects.Put(ctx, "mark/a/b", []byte("back")))
	if got := Raw(t, objects, "mark/a/b"); string(got) != "back" {
		t.Errorf("got %q after it was put back", got)
	}
}

func testConditions(t *testing.T, objects storage.Objects) {
	ctx, key := t.Context(), "lease/conditions"
	const etag = "0123456789abcdef0123456789abcdef"
	wantError(t, "swap of nothing", objects.PutIfMatch(ctx, key, etag, []byte("x")), archive.ErrConflict)
	must(t, objects.PutIfAbsent(ctx, key, []byte("first")))
	wantError(t, "second create", objects.PutIfAbsent(ctx, key, []byte("second")), archive.ErrExists)
	wantError(t, "second create of the same", objects.PutIfAbsent(ctx, key, []byte("first")), archive.ErrExists)
	if got := Raw(t, objects, key); string(got) != "first" {
		t.Errorf("a refused create left %q", got)
	}
	first, err := objects.Get(ctx, key, 0, -1)
	must(t, err)
	must(t, first.Body.Close())
	must(t, objects.PutIfMatch(ctx, key, first.ETag, []byte("third")))
	wantError(t, "stale swap", objects.PutIfMatch(ctx, key, first.ETag, []byte("fourth")), archive.ErrConflict)
	if got := Raw(t, objects, key); string(got) != "third" {
		t.Errorf("a refused swap left %q", got)
	}
}

func testRaces(t *testing.T, objects storage.Objects) {
	ctx := t.Context()
	for round := range 10 {
		key := fmt.Sprintf("access/race/%d", round)
		errs := race(writers, func(i int) error {
			return objects.PutIfAbsent(ctx, key, []byte(strconv.Itoa(i)))
		})
		winner := wantOneWinner(t, errs, archive.ErrExists)
		if got := Raw(t, objects, key); string(got) != strconv.Itoa(winner) {
			t.Errorf("%d was told it had won, and %q is stored", winner, got)
		}
	}

	// A counter and who moved it last: every move that was acknowledged counts.
	const moves = 5
	key := "lease/counter"
	must(t, objects.PutIfAbsent(ctx, key, []byte("0 nobody")))
	var refused atomic.Int64
	for _, err := range race(8, func(i int) error {
		for done := 0; done < moves; {
			err := step(ctx, objects, key, i)
			if errors.Is(err, archive.ErrConflict) {
				refused.Add(1)
				continue
			}
			if err != nil {
				return err
			}
			done++
		}
		return nil
	}) {
		must(t, err)
	}
	count, _, _ := bytes.Cut(Raw(t, objects, key), []byte(" "))
	if string(count) != strconv.Itoa(8*moves) {
		t.Errorf("%d moves were acknowledged (%d refused) and %s counted", 8*moves, refused.Load(), count)
	}
}

func step(ctx context.Context, objects storage.Objects, key string, who int) error {
	o, err := objects.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer func() { _ = o.Body.Close() }()
	data, err := io.ReadAll(o.Body)
	if err != nil {
		return err
	}
	count, _, _ := bytes.Cut(data, []byte(" "))
	n, err := strconv.Atoi(string(count))
	if err != nil {
		return err
	}
	return objects.PutIfMatch(ctx, key, o.ETag, fmt.Appendf(nil, "%d %d", n+1, who))
}

func testRanges(t *testing.T, objects storage.Objects) {
	ctx, key, data := t.Context(), "mark/ranges/a", []byte("0123456789")
	must(t, objects.Put(ctx, key, data))
	for _, r := range []struct {
		offset, length int64
		want           string
		err            error
	}{
		{0, -1, "0123456789", nil},
		{0, 10, "0123456789", nil},
		{0, 1, "0", nil},
		{3, 4, "3456", nil},
		{9, 1, "9", nil},
		{4, -1, "456789", nil},
		{0, 11, "0123456789", nil},
		{9, 2, "9", nil},
		{10, 1, "", archive.ErrCorrupt},
		{50, 10, "", archive.ErrCorrupt},
	} {
		what := fmt.Sprintf("%d bytes from %d", r.length, r.offset)
		o, err := objects.Get(ctx, key, r.offset, r.length)
		wantError(t, what, err, r.err)
		if err != nil {
			continue
		}
		got, err := io.ReadAll(o.Body)
		must(t, err)
		must(t, o.Body.Close())
		if string(got) != r.want || o.Size != 10 {
			t.Errorf("%s: %q of %d bytes", what, got, o.Size)
		}
	}
}

func testListing(t *testing.T, objects storage.Objects) {
	const many = 1100 // more than a page of S3
	var want []string
	for i := range many {
		want = append(want, fmt.Sprintf("mark/list/%04d/x", i))
	}
	for _, err := range race(8, func(i int) error {
		for j := i; j < many; j += 8 {
			if err := objects.Put(t.Context(), want[j], nil); err != nil {
				return err
			}
		}
		return nil
	}) {
		must(t, err)
	}
	must(t, objects.Put(t.Context(), "mark/list-not/x", nil))
	if got := Keys(t, objects, "mark/list/"); !slices.Equal(got, want) {
		t.Errorf("%d keys listed, want %d in order", len(got), len(want))
	}
	if got := Keys(t, objects, "mark/list/00"); !slices.Equal(got, want[:100]) {
		t.Errorf("%d keys listed under a prefix that ends within a segment, want 100", len(got))
	}
	if got := Keys(t, objects, "mark/none/"); len(got) != 0 {
		t.Errorf("%d keys listed where there is nothing", len(got))
	}
	var after []string
	for o, err := range objects.List(t.Context(), "mark/list/", want[700]) {
		must(t, err)
		if after = append(after, o.Key); len(after) == 3 {
			break
		}
	}
	if !slices.Equal(after, want[701:704]) {
		t.Errorf("after %s come %v", want[700], after)
	}
}

func testStreams(t *testing.T, objects storage.Objects) {
	ctx := t.Context()
	const mib = 1 << 20
	for _, size := range []int{0, 1, 16*mib - 1, 16 * mib, 16*mib + 1, 37 * mib} {
		key, data := fmt.Sprintf("blob/aa/size-%d", size), randomBytes(size)
		must(t, objects.PutStream(ctx, key, bytes.NewReader(data)))
		if got := Raw(t, objects, key); !bytes.Equal(got, data) {
			t.Errorf("a stream of %d bytes came back as %d others", size, len(got))
		}
	}
	for _, size := range []int{0, 100, 5 * mib, 20 * mib} {
		key, failure := fmt.Sprintf("blob/bb/size-%d", size), errors.New("the source is gone")
		broken := io.MultiReader(bytes.NewReader(randomBytes(size)), failing{failure})
		wantError(t, fmt.Sprintf("source that fails after %d bytes", size), objects.PutStream(ctx, key, broken), failure)
		_, err := objects.Get(ctx, key, 0, -1)
		wantError(t, "what a failed source leaves", err, archive.ErrNotFound)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func testCancelled(t *testing.T, objects storage.Objects) {
	must(t, objects.Put(t.Context(), "mark/cancelled/a", nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := objects.Get(ctx, "mark/cancelled/a", 0, -1)
	wantError(t, "get", err, context.Canceled)
	wantError(t, "put", objects.Put(ctx, "mark/cancelled/a", nil), context.Canceled)
	wantError(t, "create", objects.PutIfAbsent(ctx, "lease/cancelled", nil), context.Canceled)
	wantError(t, "stream", objects.PutStream(ctx, "blob/cc/cancelled", bytes.NewReader(nil)), context.Canceled)
	wantError(t, "delete", objects.Delete(ctx, "mark/cancelled/a"), context.Canceled)
	var listed []error
	for _, err := range objects.List(ctx, "mark/", "") {
		listed = append(listed, err)
	}
	if len(listed) != 1 || !errors.Is(listed[0], context.Canceled) {
		t.Errorf("list: %v, want one error: a listing that is cut short is not complete", listed)
	}

	// Nor is one that is cut short after it has begun.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	must(t, objects.Put(t.Context(), "mark/cancelled/b", nil))
	var last error
	for _, err := range objects.List(ctx, "mark/cancelled/", "") {
		cancel()
		last = err
	}
	wantError(t, "list that is cancelled on the way", last, context.Canceled)
}
