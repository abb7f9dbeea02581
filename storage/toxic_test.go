package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"dangan/archive"
	"dangan/internal/testenv"
	"dangan/storage"
)

// TestFaultyWayMinIO and TestFaultyWayEmbedded reach a real store over a way on
// which every second request or connection comes to harm, in every way of
// faults: what is answered is right, what was acknowledged is there, and all else
// is an error that says that the store or the answer is to blame.
func TestFaultyWayMinIO(t *testing.T)    { takeFaultyWay(t, startMinIO(t)) }
func TestFaultyWayEmbedded(t *testing.T) { takeFaultyWay(t, startEmbedded(t)) }

func takeFaultyWay(t *testing.T, s server) {
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time somebody waits for another try
			way := newFaultyWay(t, s)
			for round := range testenv.Rounds(t, 1) {
				way.write(t, fmt.Sprint("w", round, "-"))
				way.read(t, fmt.Sprint("r", round, "-"))
			}
			if way.harmed.Load() == 0 && faults[name].spoil != nil {
				t.Error("nothing came to harm: the test has shown nothing")
			}
		})
	}
}

// pair is a bucket reached both ways.
type pair struct{ direct, faulty world }

func (f *faultyWay) pair(t *testing.T, bucket string) pair {
	t.Helper()
	open := func(cfg storage.Config) world {
		cfg.Bucket, cfg.RootKey = bucketName(t.Name()+bucket), make([]byte, 32)
		b, err := storage.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return world{ctx: t.Context(), b: b}
	}
	return pair{open(f.direct.cfg), open(f.cfg)}
}

// write does every operation of TestFaults, each in a bucket of its own.
func (f *faultyWay) write(t *testing.T, prefix string) {
	t.Helper()
	pairs := map[string]pair{}
	for name, op := range wiredOperations() {
		p := f.pair(t, prefix+name)
		for _, before := range op.before {
			if err := before(p.direct); err != nil {
				t.Fatal(err)
			}
		}
		pairs[name] = p
	}
	f.harm(t, func() {
		each(wiredOperations(), func(name string, op operation) { writeOnce(t, name, pairs[name], op) })
	})
}

// wiredOperations are those of TestFaults, on a store one cannot look into.
func wiredOperations() map[string]operation {
	all := maps.Clone(operations)
	all["fence"] = operation{nil, fence, func(w world) (bool, error) {
		for id, err := range chain(w).IDs(w.ctx) {
			if err != nil || id == mine.ID {
				return err == nil, err
			}
		}
		return false, nil
	}, nil}
	return all
}

func writeOnce(t *testing.T, name string, p pair, op operation) {
	err := op.do(p.faulty)
	done, seen := op.done(p.direct)
	switch {
	case seen != nil:
		t.Errorf("%s: look for its effect: %v", name, seen)
		return
	case err == nil && !done:
		t.Errorf("%s: acknowledged, and not there", name)
	case err != nil && !honest(err):
		t.Errorf("%s: %v", name, err)
	}
	if done {
		return
	}
	if err := op.do(p.direct); err != nil && !errors.Is(err, op.again) {
		t.Errorf("%s: again, when all is well: %v", name, err)
	}
	if done, err := op.done(p.direct); !done || err != nil {
		t.Errorf("%s: not there although it was done again: %v", name, err)
	}
}

// honest errors blame the store, or the answer.
func honest(err error) bool {
	return errors.Is(err, archive.ErrUnavailable) || errors.Is(err, archive.ErrCorrupt)
}

// question is something a reader asks; the answer is told as text.
type question func(world) (string, error)

var big = strings.Repeat("sixteen bytes...", 9<<20/16)

func questions(small, large archive.Blob) map[string]question {
	return map[string]question{
		"head": func(w world) (string, error) {
			v, err := chain(w).Head(w.ctx, mine.ID)
			return fmt.Sprint(v.N, v.Value), err
		},
		"history": func(w world) (string, error) {
			list, err := chain(w).History(w.ctx, mine.ID)
			return fmt.Sprint(len(list)), err
		},
		"ids": func(w world) (text string, err error) {
			for id, err := range chain(w).IDs(w.ctx) {
				if err != nil {
					return "", err
				}
				text += id + " "
			}
			return text, nil
		},
		"head of what is not there": func(w world) (string, error) {
			_, err := chain(w).Head(w.ctx, theirs.ID)
			if errors.Is(err, archive.ErrNotFound) {
				return "absent", nil
			}
			return "there", err
		},
		"holder": func(w world) (string, error) { return w.b.Claims().Holder(w.ctx, "refcode", "value") },
		"marked": func(w world) (string, error) {
			ids, err := w.b.Marks().Marked(w.ctx, "person", "value")
			return strings.Join(ids, " "), err
		},
		"derived": func(w world) (string, error) {
			data, err := w.b.Blobs().Derived(w.ctx, mine, blobID, "text")
			return string(data), err
		},
		"job": func(w world) (text string, err error) {
			for j, err := range w.b.Work().Jobs(w.ctx) {
				if err != nil {
					return "", err
				}
				text += j.Nonce
			}
			return text, nil
		},
		"accesses": func(w world) (string, error) {
			entries, err := w.b.Access().Accesses(w.ctx, "", 10)
			return fmt.Sprint(len(entries)), err
		},
		"small blob": readBlob(small),
		"large blob": readBlob(large),
	}
}

func readBlob(blob archive.Blob) question {
	return func(w world) (string, error) {
		content, err := w.b.Blobs().OpenBlob(w.ctx, mine, blob)
		if err != nil {
			return "", err
		}
		defer content.Close()
		body, err := content.Range(0, content.Size())
		if err != nil {
			return "", err
		}
		defer body.Close()
		text, err := io.ReadAll(body)
		return string(text), err
	}
}

// read asks every question, of buckets that remember nothing.
func (f *faultyWay) read(t *testing.T, bucket string) {
	t.Helper()
	p := f.pair(t, bucket)
	for _, do := range []step{entry(1), entry(2), entry(3), claim(mine), mark, derive, putJob, record} {
		if err := do(p.direct); err != nil {
			t.Fatal(err)
		}
	}
	var blobs []archive.Blob
	for _, text := range []string{"small", big} {
		b, err := p.direct.b.Blobs().PutBlob(t.Context(), mine, strings.NewReader(text), archive.Carry{})
		if err != nil {
			t.Fatal(err)
		}
		blobs = append(blobs, b)
	}
	var readers []world
	for range 3 {
		readers = append(readers, f.pair(t, bucket).faulty)
	}
	f.harm(t, func() {
		each(questions(blobs[0], blobs[1]), func(name string, ask question) {
			want, err := ask(p.direct)
			if err != nil {
				t.Errorf("%s, directly: %v", name, err)
			}
			for _, w := range readers {
				switch got, err := ask(w); {
				case err == nil && got != want:
					t.Errorf("%s: a wrong answer of %d bytes", name, len(got))
				case err != nil && (!honest(err) || errors.Is(err, archive.ErrNotFound)):
					t.Errorf("%s: %v", name, err)
				}
			}
		})
		uploadLarge(t, readers[0], p.direct)
		drawNumbers(t, readers)
	})
}

// uploadLarge: a blob in several parts is acknowledged only if it can be read.
func uploadLarge(t *testing.T, faulty, direct world) {
	blob, err := faulty.b.Blobs().PutBlob(faulty.ctx, mine, bytes.NewReader([]byte(big)), archive.Carry{})
	if err != nil {
		if !honest(err) {
			t.Errorf("large upload: %v", err)
		}
		return
	}
	if text, err := readBlob(blob)(direct); err != nil || text != big {
		t.Errorf("large upload: acknowledged, and came back as %d bytes, %v", len(text), err)
	}
}

// drawNumbers: whatever happens, no number is given twice.
func drawNumbers(t *testing.T, replicas []world) {
	given := map[int]bool{}
	for i := range 9 {
		n, err := replicas[i%len(replicas)].b.Numbers().Next(t.Context(), "2026")
		switch {
		case err != nil && !honest(err):
			t.Errorf("next number: %v", err)
		case err == nil && given[n]:
			t.Errorf("number %d was given twice", n)
		case err == nil:
			given[n] = true
		}
	}
}

// each does all at once.
func each[T any](all map[string]T, do func(name string, one T)) {
	var group sync.WaitGroup
	for name, one := range all {
		group.Go(func() { do(name, one) })
	}
	group.Wait()
}

// harm lets requests come to harm while do runs.
func (f *faultyWay) harm(t *testing.T, do func()) {
	t.Helper()
	f.begin(t)
	defer f.end()
	do()
}
