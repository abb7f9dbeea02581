// Package storagetest is the contract of the bucket and of the store below it,
// as tests that memstore, the embedded store and real servers all pass.
//
// It owns the promises that the comments of package storage and FORMAT.md make.
// It must not know which store it runs on, beyond what Objects shows.
package storagetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"dangan/archive"
	"dangan/storage"
)

// Run holds the store that open makes, empty, to the whole contract.
func Run(t *testing.T, open func(t *testing.T) storage.Objects) {
	tests := []struct {
		name string
		test func(*testing.T, storage.Objects)
	}{
		{"objects", testObjects},
		{"conditions", testConditions},
		{"races", testRaces},
		{"ranges", testRanges},
		{"listing", testListing},
		{"streams", testStreams},
		{"cancelled", testCancelled},
		{"chain", testChain},
		{"chain race", testChainRace},
		{"chain damage", testChainDamage},
		{"fence", testFence},
		{"carried blobs", testCarried},
		{"blob", testBlob},
		{"blob damage", testBlobDamage},
		{"derived", testDerived},
		{"claims", testClaims},
		{"marks", testMarks},
		{"jobs", testJobs},
		{"plans", testPlans},
		{"plans of rivals", testPlanRivals},
		{"leases", testLeases},
		{"packs", testPacks},
		{"sequences", testSequences},
		{"states", testStates},
		{"access log", testAccess},
		{"access paging", testAccessPaging},
		{"first start", testFirstStart},
		{"keys lost", testKeysLost},
		{"keys", testKeys},
		{"secrecy", testSecrecy},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.test(t, open(t)) })
	}
}

// writers is how many race for one key.
const writers = 32

// tamperer is a store that lets a test break the rules; others are written to.
type tamperer interface{ Tamper(key string, data []byte) }

// tamper puts data in place of an object, or takes it away when data is nil.
func tamper(t *testing.T, objects storage.Objects, key string, data []byte) {
	t.Helper()
	var err error
	switch store, ok := objects.(tamperer); {
	case ok:
		store.Tamper(key, data)
	case data == nil:
		err = objects.Delete(t.Context(), key)
	default:
		err = objects.Put(t.Context(), key, data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Raw is a whole object as stored.
func Raw(t testing.TB, objects storage.Objects, key string) []byte {
	t.Helper()
	data, err := get(t.Context(), objects, key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// path is where the objects of a note are: FORMAT.md section 1.
func path(id string) string {
	segment := strings.ToLower(id)
	return fmt.Sprintf("note/%02x/%s", sha256.Sum256([]byte(segment))[0], segment)
}

// Keys lists every key of the store that starts with prefix.
func Keys(t testing.TB, objects storage.Objects, prefix string) []string {
	t.Helper()
	var keys []string
	for o, err := range objects.List(t.Context(), prefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// Grep fails the test when any of the words is in a key or an object of the
// store, as it is, in upper or in lower case.
func Grep(t testing.TB, objects storage.Objects, words ...string) {
	t.Helper()
	for _, key := range Keys(t, objects, "") {
		raw := Raw(t, objects, key)
		for _, word := range words {
			for _, form := range [][]byte{[]byte(word), bytes.ToUpper([]byte(word)), bytes.ToLower([]byte(word))} {
				if bytes.Contains(raw, form) || bytes.Contains([]byte(key), form) {
					t.Errorf("%q is readable in %s", word, key)
				}
			}
		}
	}
}

func get(ctx context.Context, objects storage.Objects, key string, offset, length int64) ([]byte, error) {
	o, err := objects.Get(ctx, key, offset, length)
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.Body.Close() }()
	return io.ReadAll(o.Body)
}

// rootKey is the same for all buckets of one test.
func rootKey() []byte { return bytes.Repeat([]byte{7}, 32) }

func bucket(t *testing.T, objects storage.Objects, change ...func(*storage.Config)) *storage.Bucket {
	t.Helper()
	cfg := storage.Config{RootKey: rootKey()}
	for _, c := range change {
		c(&cfg)
	}
	b, err := storage.New(t.Context(), objects, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// note is a value with a history, for tests.
type note struct {
	Text string `json:"text"`
}

const kindNote archive.Kind = "note"

func notes(b *storage.Bucket) *storage.Chain[note] { return storage.NewChain[note](b, kindNote) }

func noteRef(id string) archive.Ref { return archive.Ref{Kind: kindNote, ID: id} }

func newID() string { return ulid.Make().String() }

// idAt is an id made at a time.
func idAt(at time.Time) string {
	return ulid.MustNew(ulid.Timestamp(at), rand.Reader).String()
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return data
}

// race runs f as many times at once and returns what each said.
func race(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// wantOneWinner fails unless one of errs is nil and all others are the loss.
func wantOneWinner(t *testing.T, errs []error, loss error) (winner int) {
	t.Helper()
	winner = slices.Index(errs, nil)
	if winner < 0 {
		t.Fatalf("nobody won: %v", errs[0])
	}
	for i, err := range errs {
		if i != winner && !errors.Is(err, loss) {
			t.Errorf("%d won, and %d got %v, want %v", winner, i, err, loss)
		}
	}
	return winner
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
