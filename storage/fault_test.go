package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/storage"
	"dangan/storage/memstore"
)

type note struct{ Text string }

var (
	mine   = archive.Ref{Kind: "note", ID: "01J00000000000000000000001"}
	theirs = archive.Ref{Kind: "note", ID: "01J00000000000000000000002"}
	job    = archive.Job{Kind: "note", Ref: mine, Nonce: "01J00000000000000000000003"}
	access = archive.Access{ID: "01J00000000000000000000004", Actor: mine.ID}
	blobID = strings.Repeat("ab", 16)
)

// world is a bucket in a store that fails on demand.
type world struct {
	ctx   context.Context
	b     *storage.Bucket
	store *memstore.Store
}

// operation is something a caller asks of the bucket.
type operation struct {
	before []step                    // what is there first
	do     step                      //
	done   func(world) (bool, error) // its effect can be seen
	again  error                     // of do when it was done already
}

type step func(world) error

func chain(w world) *storage.Chain[note] { return storage.NewChain[note](w.b, "note") }

func entry(n int) step {
	return func(w world) error { return chain(w).Append(w.ctx, mine.ID, n, note{fmt.Sprint("entry ", n)}) }
}

func headIs(n int) func(world) (bool, error) {
	return func(w world) (bool, error) {
		v, err := chain(w).Head(w.ctx, mine.ID)
		return v.N == n && v.Value.Text == fmt.Sprint("entry ", n), absent(err)
	}
}

// absent is err, unless it says that something is not there.
func absent(err error) error {
	if errors.Is(err, archive.ErrNotFound) {
		return nil
	}
	return err
}

func fence(w world) error { return chain(w).Fence(w.ctx, mine.ID) }

func fenced(w world) (bool, error) {
	return w.store.Raw("chain/"+path(mine.ID)+"/00000001") != nil, nil
}

func derive(w world) error {
	return w.b.Blobs().PutDerived(w.ctx, mine, blobID, "text", []byte("text"))
}

func derived(w world) (bool, error) {
	data, err := w.b.Blobs().Derived(w.ctx, mine, blobID, "text")
	return string(data) == "text", absent(err)
}

func claim(ref archive.Ref) step {
	return func(w world) error {
		_, err := w.b.Claims().Claim(w.ctx, "refcode", "value", ref.ID)
		return err
	}
}

func release(ref archive.Ref) step {
	return func(w world) error { return w.b.Claims().Release(w.ctx, "refcode", "value", ref.ID) }
}

func heldBy(id string) func(world) (bool, error) {
	return func(w world) (bool, error) {
		holder, err := w.b.Claims().Holder(w.ctx, "refcode", "value")
		return holder == id, absent(err)
	}
}

func mark(w world) error   { return w.b.Marks().Mark(w.ctx, "person", "value", mine.ID) }
func unmark(w world) error { return w.b.Marks().Unmark(w.ctx, "person", "value", mine.ID) }

func marked(want bool) func(world) (bool, error) {
	return func(w world) (bool, error) {
		ids, err := w.b.Marks().Marked(w.ctx, "person", "value")
		return slices.Contains(ids, mine.ID) == want, err
	}
}

func putJob(w world) error    { return w.b.Work().PutJob(w.ctx, job) }
func removeJob(w world) error { return w.b.Work().RemoveJob(w.ctx, job) }

func planned(want bool) func(world) (bool, error) {
	return func(w world) (bool, error) {
		found := false
		for j, err := range w.b.Work().Jobs(w.ctx) {
			if err != nil {
				return false, err
			}
			found = found || cmp.Equal(j, job)
		}
		return found == want, nil
	}
}

func acquire(holder string) step {
	return func(w world) error {
		_, err := w.b.Work().Acquire(w.ctx, "sweep", holder, time.Hour)
		return err
	}
}

func giveUp(w world) error {
	return w.b.Work().Release(w.ctx, archive.Lease{Name: "sweep", Holder: "them", Fence: 1})
}

// leased: nobody else can have it. Who asks would have it for no time.
func leased(w world) (bool, error) {
	_, err := w.b.Work().Acquire(w.ctx, "sweep", "somebody else", time.Nanosecond)
	return errors.Is(err, archive.ErrConflict), nil
}

func record(w world) error { return w.b.Access().Record(w.ctx, access) }

func recorded(w world) (bool, error) {
	entries, err := w.b.Access().Accesses(w.ctx, "", 10)
	return slices.ContainsFunc(entries, func(a archive.Access) bool { return a.ID == access.ID }), err
}

var operations = map[string]operation{
	"append entry 1":          {nil, entry(1), headIs(1), archive.ErrConflict},
	"append entry 2":          {[]step{entry(1)}, entry(2), headIs(2), archive.ErrConflict},
	"fence":                   {nil, fence, fenced, nil},
	"derive":                  {[]step{entry(1)}, derive, derived, nil},
	"claim":                   {nil, claim(mine), heldBy(mine.ID), nil},
	"claim what was released": {[]step{claim(theirs), release(theirs)}, claim(mine), heldBy(mine.ID), nil},
	"release a claim":         {[]step{claim(mine)}, release(mine), heldBy(""), nil},
	"mark":                    {nil, mark, marked(true), nil},
	"unmark":                  {[]step{mark}, unmark, marked(false), nil},
	"put a job":               {nil, putJob, planned(true), nil},
	"remove a job":            {[]step{putJob}, removeJob, planned(false), nil},
	"acquire":                 {nil, acquire("me"), leased, nil},
	"acquire what was free":   {[]step{acquire("them"), giveUp}, acquire("me"), leased, nil},
	"record an access":        {nil, record, recorded, archive.ErrExists},
}

// TestFaults fails every single request of every operation, with and without its
// effect. What is acknowledged is there; the failure is passed on; and when the
// store is well again, a replica that remembers nothing can do it (again).
func TestFaults(t *testing.T) {
	for name, op := range operations {
		for _, apply := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/applied ", apply), func(t *testing.T) {
				for nth := 1; faultAt(t, op, nth, apply); nth++ {
				}
			})
		}
	}
}

// faultAt runs op with its nth request failing, and reports whether it had one.
func faultAt(t *testing.T, op operation, nth int, apply bool) bool {
	w := newWorld(t)
	for _, before := range op.before {
		if err := before(w); err != nil {
			t.Fatal(err)
		}
	}
	w = w.replica(t)
	lost := fmt.Errorf("request %d is lost: %w", nth, archive.ErrUnavailable)
	requests := 0
	w.store.SetFault(func(string, string) (bool, error) {
		if requests++; requests == nth {
			return apply, lost
		}
		return true, nil
	})
	err := op.do(w)
	w.store.SetFault(nil)
	if requests < nth {
		if err != nil {
			t.Errorf("without a fault: %v", err)
		}
		return false
	}
	if err != nil && !errors.Is(err, lost) {
		t.Errorf("request %d lost: error %v", nth, err)
	}
	before := mustSee(t, w, op)
	if err == nil && !before {
		t.Errorf("request %d lost: acknowledged, and not there", nth)
	}
	w = w.replica(t)
	want := error(nil)
	if before {
		want = op.again
	}
	if err := op.do(w); !errors.Is(err, want) {
		t.Errorf("request %d lost: then %v, want %v", nth, err, want)
	}
	if !mustSee(t, w, op) {
		t.Errorf("request %d lost: not there although it was done again", nth)
	}
	return true
}

func mustSee(t *testing.T, w world, op operation) bool {
	t.Helper()
	done, err := op.done(w)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func newWorld(t *testing.T) world {
	return world{ctx: t.Context(), store: memstore.New(t)}.replica(t)
}

// replica is the same store seen by a process that has just started.
func (w world) replica(t *testing.T) world {
	t.Helper()
	b, err := storage.New(w.ctx, w.store, storage.Config{RootKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return world{w.ctx, b, w.store}
}

// TestOwnWrite: a client that repeats a request whose answer was lost is refused
// by its own first write. That is success, for every conditional write.
func TestOwnWrite(t *testing.T) {
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, before := range op.before {
				if err := before(w); err != nil {
					t.Fatal(err)
				}
			}
			w.store.SetFault(func(op, _ string) (bool, error) {
				switch op {
				case memstore.Create:
					return true, archive.ErrExists
				case memstore.Replace:
					return true, archive.ErrConflict
				}
				return true, nil
			})
			err := op.do(w)
			w.store.SetFault(nil)
			if err != nil || !mustSee(t, w, op) {
				t.Errorf("refused by our own write: %v", err)
			}
		})
	}
}

// TestNumberAfterFault: whatever is lost, no number is given twice.
func TestNumberAfterFault(t *testing.T) {
	for _, apply := range []bool{false, true} {
		w := newWorld(t)
		lost := fmt.Errorf("lost: %w", archive.ErrUnavailable)
		given := map[int]bool{}
		for i := range 40 {
			requests := 0
			w.store.SetFault(func(string, string) (bool, error) {
				if requests++; requests == i%4 {
					return apply, lost
				}
				return true, nil
			})
			n, err := w.b.Numbers().Next(w.ctx, "2026")
			if err != nil {
				if !errors.Is(err, lost) {
					t.Errorf("next: %v", err)
				}
				continue
			}
			if given[n] {
				t.Errorf("number %d was given twice", n)
			}
			given[n] = true
		}
		if len(given) < 20 {
			t.Errorf("only %d numbers given in 40 attempts", len(given))
		}
	}
}

// TestBlobAfterFault: a blob is acknowledged only if it can be read.
func TestBlobAfterFault(t *testing.T) {
	const text = "the bytes"
	for _, apply := range []bool{false, true} {
		for nth := 1; nth <= 2; nth++ { // the data key, the bytes
			w, requests := newWorld(t), 0
			lost := fmt.Errorf("lost: %w", archive.ErrUnavailable)
			w.store.SetFault(func(string, string) (bool, error) {
				if requests++; requests == nth {
					return apply, lost
				}
				return true, nil
			})
			_, err := w.b.Blobs().PutBlob(w.ctx, mine, strings.NewReader(text), archive.Carry{})
			w.store.SetFault(nil)
			if !errors.Is(err, lost) {
				t.Errorf("request %d lost, applied %v: %v", nth, apply, err)
			}
			w = w.replica(t)
			blob, err := w.b.Blobs().PutBlob(w.ctx, mine, strings.NewReader(text), archive.Carry{})
			if err != nil {
				t.Fatal(err)
			}
			content, err := w.b.Blobs().OpenBlob(w.ctx, mine, blob)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(io.NewSectionReader(content, 0, content.Size()))
			if err != nil || string(got) != text {
				t.Errorf("after that: %q, error %v", got, err)
			}
		}
	}
}

// TestFirstStartAfterFault: a first start that fails anywhere is finished by the
// next one, and what was sealed stays readable.
func TestFirstStartAfterFault(t *testing.T) {
	cfg := storage.Config{RootKey: make([]byte, 32)}
	for _, apply := range []bool{false, true} {
		for nth := 1; ; nth++ {
			store, requests := memstore.New(t), 0
			store.SetFault(func(string, string) (bool, error) {
				if requests++; requests == nth {
					return apply, fmt.Errorf("lost: %w", archive.ErrUnavailable)
				}
				return true, nil
			})
			_, err := storage.New(t.Context(), store, cfg)
			store.SetFault(nil)
			if requests < nth {
				if err != nil {
					t.Errorf("start without a fault: %v", err)
				}
				break
			}
			w := world{ctx: t.Context(), store: store}.replica(t)
			if err := entry(1)(w); err != nil {
				t.Fatal(err)
			}
			if ok, err := headIs(1)(w.replica(t)); !ok || err != nil {
				t.Errorf("request %d lost, applied %v: then %v, %v", nth, apply, ok, err)
			}
		}
	}
}
