package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dangan/api/reader"
	"dangan/api/stamp"
	"dangan/archive"
	"dangan/archive/certificates"
	"dangan/archive/holdings"
	"dangan/cmd/dangan/demo"
	indexplan "dangan/index/plan"
	"dangan/storage"
	"dangan/storage/memstore"
)

// The tests of this file go through the whole product over a store in memory and
// let every single write fail in turn, in four ways: failed or failed but
// persisted, and the process goes on or dies with it.

var errFault = errors.New("injected fault")

// fault fails the n-th write of a phase.
type fault struct {
	n       int
	applied bool // the effect happened all the same
	dead    bool // and nothing after it gets through
}

func (f fault) String() string {
	return fmt.Sprintf("write %d applied=%t dead=%t", f.n, f.applied, f.dead)
}

// arm installs the fault and returns how many writes were seen.
func (f fault) arm(s *memstore.Store) (writes func() int) {
	var mu sync.Mutex
	seen := 0
	s.SetFault(func(op, _ string) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if op == memstore.Get || op == memstore.List {
			if f.dead && seen > f.n {
				return false, errFault
			}
			return true, nil
		}
		seen++
		switch {
		case seen-1 == f.n:
			return f.applied, errFault
		case f.dead && seen-1 > f.n:
			return false, errFault
		}
		return true, nil
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

// memoryIndex is an index that never fails.
type memoryIndex struct {
	mu   sync.Mutex
	docs map[string]archive.Document
}

func (x *memoryIndex) Put(_ context.Context, docs ...archive.Document) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, d := range docs {
		if d.Version >= x.docs[d.Record.ID].Version {
			x.docs[d.Record.ID] = d
		}
	}
	return nil
}

func (x *memoryIndex) Search(context.Context, archive.Query, archive.Scope) (archive.Hits, error) {
	return archive.Hits{}, nil
}
func (x *memoryIndex) Ready(context.Context) error          { return nil }
func (x *memoryIndex) Filled(context.Context) (bool, error) { return true, nil }
func (x *memoryIndex) MarkFilled(context.Context) error     { return nil }
func (x *memoryIndex) Rebuild(context.Context) (indexplan.Rebuild, error) {
	return nil, archive.ErrUnavailable
}

// rig is a house that can be torn down and built again on what it left.
type rig struct {
	t       *testing.T
	store   *memstore.Store
	index   *memoryIndex
	reader  holdings.Reader
	stamper certificates.Stamper
	copier  certificates.Copier // of tests that make copies
	root    []byte
	house   *house
}

func newRig(t *testing.T, pages holdings.Reader, stamper certificates.Stamper) *rig {
	t.Helper()
	r := &rig{t: t, store: memstore.New(t), index: &memoryIndex{docs: map[string]archive.Document{}}, reader: pages, stamper: stamper, root: make([]byte, 32)}
	r.restart()
	p := plan{Offices: demo.Offices()}
	for _, a := range demo.Accounts() {
		p.Accounts = append(p.Accounts, newcomer{Account: a, Password: "not a secret"})
	}
	p.Accounts = slices.DeleteFunc(p.Accounts, func(n newcomer) bool {
		return !slices.Contains([]string{"uploader", "reviewer", "approver", "citizen"}, n.User)
	})
	if err := p.apply(t.Context(), r.house.bucket, r.house.newID, func(newcomer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return r
}

// restart is a new process: nothing survives but the store and the index.
func (r *rig) restart() {
	r.t.Helper()
	r.store.SetFault(nil)
	bucket, err := storage.New(r.t.Context(), r.store, storage.Config{RootKey: r.root})
	if err != nil {
		r.t.Fatal(err)
	}
	r.house, err = build(parts{bucket: bucket, index: r.index, reader: r.reader, stamper: r.stamper, copier: r.copier, rootKey: r.root,
		publicURL: "http://example.test", log: slog.New(slog.DiscardHandler), replica: "test"})
	if err != nil {
		r.t.Fatal(err)
	}
}

// drain runs every job once, as the sweep does.
func (r *rig) drain() error {
	var errs []error
	for job, err := range r.house.bucket.Work().Jobs(r.t.Context()) {
		if err != nil {
			return err
		}
		err = r.house.handlers()[job.Kind](r.t.Context(), job)
		if err == nil {
			err = r.house.bucket.Work().RemoveJob(r.t.Context(), job)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// settle drains until nothing is left.
func (r *rig) settle() {
	r.t.Helper()
	for range 5 {
		if err := r.drain(); err != nil && !errors.Is(err, archive.ErrEarly) && !errors.Is(err, archive.ErrConflict) {
			r.t.Fatalf("drain: %v", err)
		}
	}
	for _, key := range r.store.Keys() {
		if strings.HasPrefix(key, "work/") {
			r.t.Errorf("a job is left: %s", key)
		}
	}
}

func (r *rig) actor(user string) archive.Actor {
	r.t.Helper()
	a, err := r.house.actor(r.t.Context(), user)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func page(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 50, 70))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (r *rig) deposit(by archive.Actor) (archive.RecordView, error) {
	citizen := demo.Accounts()[slices.IndexFunc(demo.Accounts(), func(a archive.Account) bool { return a.User == "citizen" })]
	parse := func(s string) archive.Date { d, _ := archive.ParseDate(s); return d }
	desc := archive.Record{Category: "marriage", Office: by.Office, Title: "结婚登记", Responsible: "民政局", Date: parse("2010"),
		RefCode: archive.BuildRefCode("J019", []string{"ZY", "2010", "D100"}, "001", "0001"),
		Persons: []archive.Person{{Name: citizen.Name, Role: "husband", ID: archive.IDNumber{Original: citizen.IDNumber.Original}}, {Name: "李𬱖", Role: "wife"}},
		Fields:  map[string]string{"registration_kind": "marriage", "certificate_number": "1", "registered_on": "2010", "registry": "民政局"}}
	content := page(r.t)
	files := func(yield func(archive.Upload, error) bool) {
		_ = yield(archive.Upload{Name: "一.png", Body: bytes.NewReader(content)}, nil) && yield(archive.Upload{Name: "二.png", Body: bytes.NewReader(content)}, nil)
	}
	return r.house.holdings.Deposit(r.t.Context(), by, "key", desc, iter.Seq2[archive.Upload, error](files))
}

// eachFault calls run with every fault until a phase has no such write any more.
func eachFault(t *testing.T, run func(t *testing.T, f fault) (writes int)) {
	for _, applied := range []bool{false, true} {
		for _, dead := range []bool{false, true} {
			for n := 0; ; n++ {
				f, writes := fault{n, applied, dead}, 0
				t.Run(f.String(), func(t *testing.T) { writes = run(t, f) })
				if n >= writes || t.Failed() {
					break
				}
			}
		}
	}
}

func newReader(t *testing.T) *reader.Reader {
	t.Helper()
	pages, err := reader.New(t.Context(), reader.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pages.Close() })
	return pages
}

func newTestSealer(t *testing.T) *sealer {
	t.Helper()
	_, chain, signer, err := stamp.NewDemoAuthority(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newSealer(signer, chain, "http://example.test")
}

func TestDepositWithEveryWriteFailing(t *testing.T) {
	pages, stamper := newReader(t), newTestSealer(t)
	eachFault(t, func(t *testing.T, f fault) int {
		r := newRig(t, pages, stamper)
		by := r.actor("uploader")
		writes := f.arm(r.store)
		acked, err := r.deposit(by)
		_ = r.drain() // it may fail: that is what the fault is for
		seen := writes()

		r.restart()
		r.settle()
		if err == nil {
			r.checkRecord(t, acked.ID)
		}
		var again archive.RecordView
		for range 3 { // a deposit that was fenced is refused once
			if again, err = r.deposit(by); err == nil {
				break
			}
		}
		if err != nil {
			t.Fatalf("repeat: %v", err)
		}
		if acked.ID != "" && acked.ID != again.ID {
			t.Errorf("acknowledged %s, then %s", acked.ID, again.ID)
		}
		r.settle()
		r.checkRecord(t, again.ID)
		return seen
	})
}

// checkRecord holds that there is exactly this record, whole and findable.
func (r *rig) checkRecord(t *testing.T, id string) {
	t.Helper()
	ctx, reviewer := t.Context(), r.actor("reviewer")
	var ids []string
	for id, err := range r.house.records.IDs(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.house.records.Head(ctx, id); err == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) != 1 || ids[0] != id {
		t.Fatalf("records %v, acknowledged %s", ids, id)
	}
	hits, err := r.house.holdings.Search(ctx, reviewer, archive.Query{Text: "J019ZY2010D1000010001", Limit: 10})
	if err != nil || len(hits.Hits) != 1 {
		t.Errorf("exact look-up: %d hits, %v", len(hits.Hits), err)
	}
	for n := 1; n <= 2; n++ {
		_, content, err := r.house.holdings.File(ctx, reviewer, archive.Purpose{Code: archive.ForConsultation}, id, n)
		if err != nil {
			t.Errorf("file %d: %v", n, err)
			continue
		}
		if got := readAll(t, content); !bytes.Equal(got, page(t)) {
			t.Errorf("file %d came back differently", n)
		}
	}
	if got := slices.Collect(maps.Keys(r.index.docs)); len(got) != 1 || got[0] != id {
		t.Errorf("the index has %v", got)
	}
}

func readAll(t *testing.T, c archive.Content) []byte {
	t.Helper()
	defer c.Close()
	body, err := c.Range(0, c.Size())
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestIssueWithEveryWriteFailing(t *testing.T) {
	pages, stamper := newReader(t), newTestSealer(t)
	eachFault(t, func(t *testing.T, f fault) int {
		r := newRig(t, pages, stamper)
		id := r.reviewed(t)
		approver := r.actor("approver")
		writes := f.arm(r.store)
		acked := r.approve(approver, id)
		_ = r.drain() // it may fail: that is what the fault is for
		seen := writes()

		r.restart()
		r.settle()
		if acked == nil {
			r.checkIssued(t, id)
		}
		if err := r.approve(approver, id); err != nil && !errors.Is(err, archive.ErrState) {
			t.Fatalf("repeat: %v", err)
		}
		r.settle()
		r.checkIssued(t, id)
		return seen
	})
}

// reviewed brings a request to where only the approval is missing.
func (r *rig) reviewed(t *testing.T) (id string) {
	t.Helper()
	record, err := r.deposit(r.actor("uploader"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := r.house.desk.Submit(t.Context(), r.actor("citizen"), "", archive.Request{Office: record.Office, Purpose: "办理公积金贷款",
		Wanted: archive.Wanted{Category: "marriage", Persons: []archive.Person{{Name: "李𬱖", Role: "wife"}}}})
	if err != nil {
		t.Fatal(err)
	}
	r.settle()
	for _, m := range []archive.Move{{Step: archive.StepMatch, Record: record.ID}, {Step: archive.StepReview, Sources: []archive.PageRef{{File: 1, Page: 1}}}} {
		if request, err = r.house.desk.Move(t.Context(), r.actor("reviewer"), request.Value.ID, request.N, m); err != nil {
			t.Fatal(err)
		}
	}
	return request.Value.ID
}

func (r *rig) approve(by archive.Actor, id string) error {
	v, err := r.house.desk.Request(r.t.Context(), by, id)
	if err == nil {
		_, err = r.house.desk.Move(r.t.Context(), by, id, v.N, archive.Move{Step: archive.StepApprove})
	}
	return err
}

// checkIssued holds that the request has exactly one certificate, and that it
// verifies.
func (r *rig) checkIssued(t *testing.T, id string) {
	t.Helper()
	ctx, citizen := t.Context(), r.actor("citizen")
	v, err := r.house.desk.Request(ctx, citizen, id)
	if err != nil || v.Value.State != archive.Issued {
		t.Fatalf("request is %s, %v", v.Value.State, err)
	}
	chains := map[string]bool{}
	for _, key := range r.store.Keys() {
		if rest, ok := strings.CutPrefix(key, "chain/certificate/"); ok {
			chains[strings.Split(rest, "/")[1]] = true
		}
	}
	if len(chains) != 1 {
		t.Errorf("%d certificates", len(chains))
	}
	content, err := r.house.certificates.PDF(ctx, citizen, v.Value.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.house.certificates.VerifyPDF(ctx, readAll(t, content))
	if err != nil || answer.Verdict != archive.Valid || answer.Number != v.Value.Certificate {
		t.Errorf("verifies as %s, %v", answer.Verdict, err)
	}
}
