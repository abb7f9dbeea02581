package main

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"dangan/api"
	"dangan/api/auth"
	"dangan/archive"
	"dangan/archive/certificates"
	"dangan/archive/desk"
	"dangan/archive/evidence"
	"dangan/archive/holdings"
	"dangan/archive/lookup"
	"dangan/archive/people"
	"dangan/archive/work"
	indexplan "dangan/index/plan"
	"dangan/storage"
)

// searchIndex is what a house needs of an index, embedded or not.
type searchIndex interface {
	holdings.Index
	// Ready is nil when searches can be answered.
	Ready(ctx context.Context) error
	// Filled tells whether the index holds all that MarkFilled was promised it
	// does; an index that was wiped does not.
	Filled(ctx context.Context) (bool, error)
	MarkFilled(ctx context.Context) error
	// Rebuild begins to fill a fresh index beside the one that serves.
	Rebuild(ctx context.Context) (indexplan.Rebuild, error)
}

// parts is what a house is built from; everything outside the process is in it.
type parts struct {
	bucket    *storage.Bucket
	index     searchIndex
	reader    holdings.Reader
	stamper   certificates.Stamper
	copier    certificates.Copier
	rootKey   []byte
	metrics   *metrics // nil for new ones
	publicURL string
	log       *slog.Logger
	grace     time.Duration // of uncommitted deposits
	// replica names this process among those on the same bucket, the same after
	// a restart, so that it takes its leases up again at once.
	replica string
	// recognizer reads scans; nil when they are not read.
	recognizer holdings.Recognizer
}

// house is the composed service.
type house struct {
	parts
	records      *storage.Chain[archive.Record]
	accounts     *storage.Chain[archive.Account]
	offices      *storage.Chain[archive.Office]
	holdings     *holdings.Room
	desk         *desk.Room
	certificates *certificates.Room
	lookup       *lookup.Room
	evidence     *evidence.Room
	people       *people.Room
	queue        *work.Queue
	scans        *work.Queue // runs where there is a recognizer
	schema       archive.Schema
	templates    *storage.Chain[archive.Template]
	defaults     []archive.Template
	handler      http.Handler
	receipts     *archive.ReceiptKey
	newID        func() string
}

// build composes the rooms over the adapters. Nothing runs yet.
func build(p parts) (*house, error) {
	schema, err := archive.DefaultSchema()
	if err != nil {
		return nil, err
	}
	defaults, err := archive.DefaultTemplates(schema)
	if err != nil {
		return nil, err
	}
	receipts, err := receiptKey(p.bucket)
	if err != nil {
		return nil, err
	}
	if p.metrics == nil {
		p.metrics = newMetrics()
	}
	p.metrics.index(p.index)
	if seal, ok := p.stamper.(*sealer); ok {
		p.metrics.seal(seal)
	}
	h := &house{
		parts: p, schema: schema, receipts: receipts, newID: newIDs(),
		records:  storage.NewChain[archive.Record](p.bucket, archive.KindRecord),
		accounts: storage.NewChain[archive.Account](p.bucket, archive.KindAccount),
		offices:  storage.NewChain[archive.Office](p.bucket, archive.KindOffice),
		defaults: defaults, templates: storage.NewChain[archive.Template](p.bucket, archive.KindTemplate),
	}
	h.openRooms()
	return h, h.openDoor()
}

// openRooms makes the queue first, since the rooms plan into it; its handlers
// reach the rooms through h.
func (h *house) openRooms() {
	b, watched := h.bucket, h.metrics.work(h.bucket.Work())
	records, requests := h.metrics.records(h.records), h.metrics.requests(storage.NewChain[archive.Request](b, archive.KindRequest))
	jobs := notScans(watched)
	h.scans = h.scanQueue(b.Work())
	h.queue = work.New(work.Config{
		Store: jobs, Leases: jobs, Holder: h.replica, Grace: 2 * time.Second, Interval: 2 * time.Second, LeaseTTL: 10 * time.Second,
		Handlers: h.metrics.handlers(h.handlers()), Now: time.Now, NewID: h.newID, Log: h.log,
	})
	h.evidence = evidence.New(evidence.Config{Log: b.Access(), Subjects: subjects{h}, Claims: b.Claims(), Now: time.Now, NewID: h.newID})
	h.holdings = holdings.New(holdings.Config{
		Records: records, Blobs: b.Blobs(), Derived: b.Blobs(), Claims: b.Claims(), Marks: b.Marks(),
		Outbox: h.queue, Index: h.index, Reader: h.reader, Door: h.evidence, Recognizer: h.recognizer, Later: h.scans,
		Schema: h.schema, Now: time.Now, NewID: h.newID, Log: h.log, Grace: h.grace,
	})
	h.desk = desk.New(desk.Config{
		Requests: requests, Records: h.records, Files: h.holdings, Accounts: h.accounts, Offices: h.offices, Claims: b.Claims(), Marks: b.Marks(),
		Index: h.index, Outbox: h.queue, Door: h.evidence,
		Schema: h.schema, Now: time.Now, NewID: h.newID, Grace: h.grace,
	})
	h.certificates = certificates.New(certificates.Config{
		Certificates: h.metrics.certificates(storage.NewChain[archive.Certificate](b, archive.KindCertificate)),
		Requests:     requests, Records: h.records, Offices: h.offices, Numbers: b.Numbers(), Blobs: b.Blobs(),
		Templates: h.templates, Opener: h.holdings, Defaults: h.defaults,
		Stamper: h.stamper, Copier: h.copier, Renewer: renewer(h.stamper), Files: h.holdings, Outbox: h.queue, Door: h.evidence,
		Schema: h.schema, Now: time.Now, Rand: rand.Reader, Grace: h.grace, Log: h.log,
	})
	h.lookup = lookup.New(lookup.Config{Records: h.records, Marks: b.Marks(), Door: h.evidence, Signer: h.receipts, Schema: h.schema, Now: time.Now})
}

// handlers says which room does which job.
func (h *house) handlers() map[string]func(context.Context, archive.Job) error {
	return map[string]func(context.Context, archive.Job) error{
		archive.JobRecord:      func(ctx context.Context, j archive.Job) error { return h.holdings.Settle(ctx, j) },
		archive.JobRequest:     func(ctx context.Context, j archive.Job) error { return h.desk.Settle(ctx, j) },
		archive.JobCertificate: func(ctx context.Context, j archive.Job) error { return h.certificates.Seal(ctx, j) },
	}
}

// openDoor makes the HTTP surface.
func (h *house) openDoor() error {
	key, err := hkdf.Key(sha256.New, h.rootKey, nil, "dangan user names v1", 32)
	if err != nil {
		return err
	}
	sessions, err := auth.New(auth.Config{
		Accounts: h.accounts, Claims: h.bucket.Claims(), States: h.bucket.States(), Key: key,
		Person: h.person,
		Secure: strings.HasPrefix(h.publicURL, "https://"),
		Now:    time.Now, Rand: rand.Reader,
	})
	if err != nil {
		return err
	}
	h.people = people.New(people.Config{
		Accounts: h.accounts, Claims: h.bucket.Claims(), Marks: h.bucket.Marks(), Offices: h.offices, Credentials: sessions, Door: h.evidence,
		Now: time.Now, NewID: h.newID, NewPassword: firstPassword,
	})
	h.handler, err = api.New(api.Config{
		Holdings: h.holdings, Files: h.holdings, Search: h.holdings, Desk: h.desk,
		Certificates: h.certificates, Choices: h.desk, Drafts: h.certificates, Templates: h.certificates, Verifier: h.certificates,
		Lookup: metered{h.lookup, sessions}, ReceiptKeys: []archive.JWK{h.receipts.Public()}, Evidence: h.evidence,
		Sessions: sessions, Self: sessions, People: h.people, Schema: h.schema, Offices: h.listOffices,
		Ready:   map[string]api.Check{"store": h.storeReady, "index": h.index.Ready},
		Version: version(), Metrics: h.metrics.registry, Log: h.log, Now: time.Now,
	})
	return err
}

func (h *house) storeReady(ctx context.Context) error {
	_, err := h.listOffices(ctx)
	return err
}

func (h *house) listOffices(ctx context.Context) ([]archive.Office, error) {
	var list []archive.Office
	for id, err := range h.offices.IDs(ctx) {
		if err != nil {
			return nil, err
		}
		v, err := h.offices.Head(ctx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, v.Value)
	}
	return list, nil
}

// serve answers on l, works the queue and keeps the index full until ctx ends,
// then drains for at most 20 seconds.
func (h *house) serve(ctx context.Context, l net.Listener) error {
	server := api.HTTPServer(l.Addr().String(), h.handler, h.log)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		return server.Shutdown(deadline)
	})
	group.Go(func() error { return h.run(ctx) })
	group.Go(func() error { h.holdings.DrawAhead(ctx); return nil })
	return group.Wait()
}

// run works the queue, keeps the index full, follows rotations of the keys and
// watches the seal, without serving.
func (h *house) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return h.queue.Run(ctx) })
	group.Go(func() error { return h.readScans(ctx) })
	group.Go(func() error { return h.keepFilled(ctx) })
	group.Go(func() error { return h.keepKeys(ctx) })
	group.Go(func() error { return h.keepCollected(ctx) })
	group.Go(func() error { return h.watchSeal(ctx) })
	group.Go(func() error { return h.keepRenewed(ctx) })
	return group.Wait()
}

// replicaName is where the process listens: no two can listen at one place.
func replicaName(address string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "/" + address
}

// newIDs makes sortable identifiers (ULIDs) from one entropy source.
func newIDs() func() string {
	var mu sync.Mutex
	entropy := ulid.Monotonic(rand.Reader, 0)
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return ulid.MustNew(ulid.Timestamp(time.Now()), entropy).String()
	}
}
