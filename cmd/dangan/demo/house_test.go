package demo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"dangan/archive"
	"dangan/archive/certificates"
	"dangan/archive/desk"
	"dangan/archive/evidence"
	"dangan/archive/holdings"
	"dangan/archive/work"
	"dangan/cmd/dangan/demo"
	"dangan/index/embedded"
	"dangan/storage"
	"dangan/storage/memstore"
)

// house is the real rooms over the store in memory, with a reader and a stamper
// that look at nothing.
type house struct {
	t      *testing.T
	bucket *storage.Bucket
	people map[string]archive.Actor
	queue  *work.Queue
	rooms  demo.Rooms
}

func newID() string { return ulid.MustNew(ulid.Now(), rand.Reader).String() }

func newHouse(t *testing.T) *house {
	t.Helper()
	bucket, err := storage.New(t.Context(), memstore.New(t), storage.Config{RootKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, bucket: bucket, people: map[string]archive.Actor{}}
	accounts, offices := storage.NewChain[archive.Account](bucket, archive.KindAccount), storage.NewChain[archive.Office](bucket, archive.KindOffice)
	for _, o := range demo.Offices() {
		if err := offices.Append(t.Context(), o.ID, 1, o); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range demo.Accounts() {
		a.ID = newID()
		if err := accounts.Append(t.Context(), a.ID, 1, a); err != nil {
			t.Fatal(err)
		}
		h.people[a.User] = a.Actor(func(id archive.IDNumber) string { return bucket.Marks().Token(archive.MarkPerson, id.Key()) })
	}
	h.open(accounts, offices)
	return h
}

func (h *house) open(accounts *storage.Chain[archive.Account], offices *storage.Chain[archive.Office]) {
	h.t.Helper()
	search, err := embedded.New(h.t.Context(), embedded.Config{Path: h.t.TempDir() + "/index"})
	if err != nil {
		h.t.Fatal(err)
	}
	schema, err := archive.DefaultSchema()
	if err != nil {
		h.t.Fatal(err)
	}
	b, log := h.bucket, slog.New(slog.DiscardHandler)
	records, requests := storage.NewChain[archive.Record](b, archive.KindRecord), storage.NewChain[archive.Request](b, archive.KindRequest)
	defaults, err := archive.DefaultTemplates(schema)
	if err != nil {
		h.t.Fatal(err)
	}
	door := evidence.New(evidence.Config{Log: b.Access(), Now: time.Now, NewID: newID})
	h.queue = work.New(work.Config{Store: b.Work(), Leases: b.Work(), Holder: "test", Grace: time.Second, Interval: time.Second, LeaseTTL: 10 * time.Second,
		Now: time.Now, NewID: newID, Log: log, Handlers: map[string]func(context.Context, archive.Job) error{
			archive.JobRecord:      func(ctx context.Context, j archive.Job) error { return h.rooms.Holdings.Settle(ctx, j) },
			archive.JobRequest:     func(ctx context.Context, j archive.Job) error { return h.rooms.Desk.Settle(ctx, j) },
			archive.JobCertificate: func(ctx context.Context, j archive.Job) error { return h.rooms.Certificates.Seal(ctx, j) },
		}})
	held := holdings.New(holdings.Config{Records: records, Blobs: b.Blobs(), Derived: b.Blobs(), Claims: b.Claims(), Marks: b.Marks(),
		Outbox: h.queue, Index: search, Reader: reader{}, Door: door, Schema: schema, Now: time.Now, NewID: newID, Log: log, Grace: time.Minute})
	h.rooms = demo.Rooms{
		Holdings: held,
		Desk: desk.New(desk.Config{Requests: requests, Records: records, Files: held, Accounts: accounts, Offices: offices, Claims: b.Claims(), Marks: b.Marks(),
			Index: search, Outbox: h.queue, Door: door, Schema: schema, Now: time.Now, NewID: newID, Grace: time.Minute}),
		Certificates: certificates.New(certificates.Config{Certificates: storage.NewChain[archive.Certificate](b, archive.KindCertificate),
			Templates: storage.NewChain[archive.Template](b, archive.KindTemplate), Opener: held, Defaults: defaults,
			Requests: requests, Records: records, Offices: offices, Numbers: b.Numbers(), Blobs: b.Blobs(), Stamper: stamper{}, Copier: stamper{}, Files: held, Outbox: h.queue,
			Door: door, Schema: schema, Now: time.Now, Rand: rand.Reader, Grace: time.Minute, Log: log}),
		Actor: func(_ context.Context, user string) (archive.Actor, error) {
			a, ok := h.people[user]
			if !ok {
				return a, fmt.Errorf("%s: %w", user, archive.ErrNotFound)
			}
			return a, nil
		},
		Wait: h.wait, Now: time.Now,
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.queue.Run(ctx) }()
	h.t.Cleanup(func() {
		stop()
		<-ended
		_ = search.Close()
	})
}

// wait returns when no job is left.
func (h *house) wait(ctx context.Context) error {
	for {
		left := 0
		for _, err := range h.bucket.Work().Jobs(ctx) {
			if err != nil {
				return err
			}
			left++
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// heads are the newest entries of all chains of a kind.
func heads[T any](h *house, kind archive.Kind) map[string]archive.Version[T] {
	h.t.Helper()
	chain, found := storage.NewChain[T](h.bucket, kind), map[string]archive.Version[T]{}
	for id, err := range chain.IDs(h.t.Context()) {
		if err == nil {
			found[id], err = chain.Head(h.t.Context(), id)
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return found
}

type reader struct{}

func (reader) Read(context.Context, io.ReaderAt, int64) (archive.Reading, error) {
	return archive.Reading{MediaType: "image/jpeg", Pages: 1}, nil
}

func (reader) Lines(context.Context, io.ReaderAt, int64, int) ([]archive.TextLine, error) {
	return nil, archive.ErrNotFound
}

func (reader) Page(context.Context, io.ReaderAt, int64, int, ...int) ([][]byte, error) {
	return [][]byte{[]byte("a page")}, nil
}

type stamper struct{}

func (stamper) Stamp(_ context.Context, c archive.Certificate) ([]byte, error) {
	return fmt.Appendf(nil, "%%PDF %s", c.Number), nil
}

func (stamper) Copy(_ context.Context, c archive.Certificate, _ []archive.Content, w io.Writer) error {
	_, err := fmt.Fprintf(w, "%%PDF %s", c.Number)
	return err
}

func (s stamper) DrawCopy(ctx context.Context, c archive.Certificate, originals []archive.Content, w io.Writer) error {
	return s.Copy(ctx, c, originals, w)
}

func (s stamper) Draw(ctx context.Context, c archive.Certificate) ([]byte, error) {
	return s.Stamp(ctx, c)
}

func (stamper) Number(pdf []byte) (string, error) {
	text, ok := bytes.CutPrefix(pdf, []byte("%PDF "))
	if !ok {
		return "", archive.ErrNotFound
	}
	return strings.TrimSpace(string(text)), nil
}
