package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/holdings"
	"dangan/cmd/dangan/demo"
	"dangan/storage"
	"dangan/storage/memstore"
)

var update = flag.Bool("update", false, "make the frozen bucket anew: only while no archive has its format")

// The frozen bucket: every object on a line of its own, and what is in them. Both
// were written once, and every later version must read them.
var (
	frozenObjects  = filepath.Join("testdata", "frozen", "format-1.txt")
	frozenContents = filepath.Join("testdata", "frozen", "format-1.json")
)

const frozenSize = 300_000 // bytes, at most: it is cloned by everybody

// contents is all that a bucket holds, as package storage reads it.
type contents struct {
	RootKey      string                                            `json:"root_key"`
	Offices      map[string][]archive.Version[archive.Office]      `json:"offices"`
	Accounts     map[string][]archive.Version[archive.Account]     `json:"accounts"`
	Records      map[string][]archive.Version[archive.Record]      `json:"records"`
	Requests     map[string][]archive.Version[archive.Request]     `json:"requests"`
	Certificates map[string][]archive.Version[archive.Certificate] `json:"certificates"`
	Fenced       []string                                          `json:"fenced"`
	Accesses     []archive.Access                                  `json:"accesses"`
	Jobs         []archive.Job                                     `json:"jobs"`
}

// TestFrozenBucket reads the bucket of format 1 that was committed, and goes on
// working in it. The same is asked of one that is written now, so that the two
// cannot part unnoticed.
func TestFrozenBucket(t *testing.T) {
	pages, stamper := newReader(t), newTestSealer(t)
	written := newRig(t, pages, stamper)
	written.live(t)
	if *update {
		written.freeze(t)
	}
	frozen := &rig{t: t, store: memstore.New(t), index: &memoryIndex{docs: map[string]archive.Document{}}, reader: pages, stamper: stamper}
	want := frozen.thaw(t)
	t.Run("committed", func(t *testing.T) { frozen.checkAll(t, want) })
	now := written.contents(t)
	t.Run("written now", func(t *testing.T) { written.checkAll(t, now) })
}

// live makes a bit of everything, as people do.
func (r *rig) live(t *testing.T) {
	t.Helper()
	request := r.reviewed(t)
	if err := r.approve(r.actor("approver"), request); err != nil {
		t.Fatal(err)
	}
	deposits := slices.Collect(demo.Records(demo.Seed, 20))
	deposits = slices.DeleteFunc(deposits, func(d demo.Deposit) bool { return d.By != "uploader" })
	r.keep(t, r.withoutCarrying(), deposits[0], noise(t))
	described := r.keep(t, r.house.holdings, deposits[1], page(t))
	r.settle()
	if _, err := r.house.holdings.Describe(t.Context(), r.actor("reviewer"), described.ID, 1, []byte(`{"note":"经复核"}`)); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.rotate(t) // what follows is under other keys
	r.keep(t, r.house.holdings, deposits[2], page(t))
	r.settle()
	r.abandon(t, deposits[3])
	if _, content, err := r.house.holdings.File(t.Context(), r.actor("reviewer"), archive.Purpose{Code: archive.ForConsultation}, described.ID, 1); err != nil {
		t.Fatal(err)
	} else if !bytes.Equal(readAll(t, content), page(t)) {
		t.Error("a file came back differently")
	}
	if _, err := r.house.bucket.Work().Acquire(t.Context(), "sweep", "frozen", time.Millisecond); err != nil {
		t.Fatal(err)
	}
	r.keep(t, r.house.holdings, deposits[3], page(t)) // its job is left to whoever comes next
}

func (r *rig) keep(t *testing.T, room *holdings.Room, d demo.Deposit, files ...[]byte) archive.RecordView {
	t.Helper()
	v, err := room.Deposit(t.Context(), r.actor(d.By), d.Key, d.Record, pngs(files...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func pngs(files ...[]byte) iter.Seq2[archive.Upload, error] {
	return func(yield func(archive.Upload, error) bool) {
		for i, file := range files {
			if !yield(archive.Upload{Name: fmt.Sprintf("%d.png", i+1), Body: bytes.NewReader(file)}, nil) {
				return
			}
		}
	}
}

// noise is a page of several sealed packages: it cannot be compressed.
func noise(t *testing.T) []byte {
	t.Helper()
	page, random := image.NewGray(image.Rect(0, 0, 300, 240)), rand.NewPCG(1, 1)
	for i := range page.Pix {
		page.Pix[i] = uint8(random.Uint64())
	}
	var b bytes.Buffer
	if err := png.Encode(&b, page); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// loose keeps every blob in an object of its own, as it does great ones.
type loose struct{ *storage.Blobs }

func (l loose) PutBlob(ctx context.Context, owner archive.Ref, r io.Reader, _ archive.Carry) (archive.Blob, error) {
	return l.Blobs.PutBlob(ctx, owner, r, archive.Carry{})
}

func (r *rig) withoutCarrying() *holdings.Room {
	h, b := r.house, r.house.bucket
	return holdings.New(holdings.Config{Records: h.records, Blobs: loose{b.Blobs()}, Derived: b.Blobs(), Claims: b.Claims(), Marks: b.Marks(),
		Outbox: h.queue, Index: h.index, Reader: h.reader, Door: h.evidence, Schema: h.schema, Now: time.Now, NewID: h.newID, Log: h.log})
}

// rotate begins a second version of the key ring, and leaves what there is under
// the first.
func (r *rig) rotate(t *testing.T) {
	t.Helper()
	b, err := storage.New(t.Context(), r.store, storage.Config{RootKey: r.root, RingAge: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	version, err := b.Keys().Rotate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(version.From))
	r.restart()
}

// abandon dies in the middle of a deposit, and lets the sweep fence it off.
func (r *rig) abandon(t *testing.T, d demo.Deposit) {
	t.Helper()
	dead := false
	r.store.SetFault(func(op, key string) (bool, error) {
		if dead = dead || op == memstore.Create && strings.HasPrefix(key, "chain/record/"); dead {
			return false, errFault
		}
		return true, nil
	})
	if _, err := r.house.holdings.Deposit(t.Context(), r.actor(d.By), "", d.Record, pngs(page(t))); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	r.restart()
	r.settle()
}

// freeze commits to what the bucket holds.
func (r *rig) freeze(t *testing.T) {
	t.Helper()
	var objects bytes.Buffer
	for _, key := range r.store.Keys() {
		fmt.Fprintf(&objects, "%s %s\n", key, base64.StdEncoding.EncodeToString(r.store.Raw(key)))
	}
	list, err := json.MarshalIndent(r.contents(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if size := objects.Len() + len(list); size > frozenSize {
		t.Fatalf("%d bytes are too many", size)
	}
	if err := cmp.Or(os.MkdirAll(filepath.Dir(frozenObjects), 0o755), os.WriteFile(frozenObjects, objects.Bytes(), 0o644),
		os.WriteFile(frozenContents, append(list, '\n'), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// thaw loads what was frozen and opens it with the code of today.
func (r *rig) thaw(t *testing.T) (want contents) {
	t.Helper()
	list, err := os.ReadFile(frozenContents)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(list, &want); err != nil {
		t.Fatal(err)
	}
	if r.root, err = hex.DecodeString(want.RootKey); err != nil {
		t.Fatal(err)
	}
	objects, err := os.ReadFile(frozenObjects)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(objects))
	lines.Buffer(nil, frozenSize)
	for lines.Scan() {
		key, text, _ := strings.Cut(lines.Text(), " ")
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		r.store.Tamper(key, append([]byte{}, raw...))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	r.restart()
	return want
}

// contents reads everything, each file to its end, and holds that reading
// changes nothing.
func (r *rig) contents(t *testing.T) contents {
	t.Helper()
	before := r.objects()
	c := contents{RootKey: hex.EncodeToString(r.root)}
	c.Offices = histories[archive.Office](r, archive.KindOffice, &c.Fenced)
	c.Accounts = histories[archive.Account](r, archive.KindAccount, &c.Fenced)
	c.Records = histories[archive.Record](r, archive.KindRecord, &c.Fenced)
	c.Requests = histories[archive.Request](r, archive.KindRequest, &c.Fenced)
	c.Certificates = histories[archive.Certificate](r, archive.KindCertificate, &c.Fenced)
	var err error
	if c.Accesses, err = r.house.bucket.Access().Accesses(t.Context(), "", 100); err != nil {
		t.Fatal(err)
	}
	for job, err := range r.house.bucket.Work().Jobs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		c.Jobs = append(c.Jobs, job)
	}
	if diff := gocmp.Diff(before, r.objects()); diff != "" {
		t.Error("reading has changed the bucket:", diff)
	}
	return c
}

func (r *rig) objects() map[string][]byte {
	all := map[string][]byte{}
	for _, key := range r.store.Keys() {
		all[key] = r.store.Raw(key)
	}
	return all
}

// histories reads all entries of all chains of a kind, with the files they name.
func histories[T any](r *rig, kind archive.Kind, fenced *[]string) map[string][]archive.Version[T] {
	r.t.Helper()
	chain, all := storage.NewChain[T](r.house.bucket, kind), map[string][]archive.Version[T]{}
	for id, err := range chain.IDs(r.t.Context()) {
		if err != nil {
			r.t.Fatal(err)
		}
		history, err := chain.History(r.t.Context(), id)
		if errors.Is(err, archive.ErrNotFound) {
			*fenced = append(*fenced, id)
			continue
		}
		if err != nil {
			r.t.Fatal(err)
		}
		all[id] = history
		if value, ok := any(history[len(history)-1].Value).(archive.Carrier); ok {
			for _, blob := range value.Blobs() {
				content, err := r.house.bucket.Blobs().OpenBlob(r.t.Context(), archive.Ref{Kind: kind, ID: id}, blob)
				if err != nil {
					r.t.Fatal(err)
				}
				readAll(r.t, content) // which checks the SHA-256
			}
		}
	}
	return all
}
