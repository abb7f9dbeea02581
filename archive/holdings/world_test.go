package holdings_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dangan/archive"
	"dangan/archive/holdings"
	"dangan/archive/policy"
)

// world is every port of the room in memory. It fails the test when a caller
// breaks an invariant, and fault decides about each write: whether it takes
// effect, and what the caller is told.
type world struct {
	t       *testing.T
	now     time.Time
	ids     int
	fault   func(op string) (apply bool, err error)
	records map[string][]archive.Version[archive.Record]
	fenced  map[string]bool
	blobs   map[string][]byte
	derived map[string][]byte
	claims  map[string]string
	marks   map[string]map[string]bool
	jobs    map[string]archive.Job
	started []archive.Job
	index   map[string]archive.Document
	down    bool     // the index
	asked   []string // what the index was asked
	reader  error
	reads   int
	asks    atomic.Int64        // for records and for what was derived
	machine holdings.Recognizer // nil for none
	traces  []archive.Disclosure
	logged  bytes.Buffer
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
		records: map[string][]archive.Version[archive.Record]{}, fenced: map[string]bool{},
		blobs: map[string][]byte{}, derived: map[string][]byte{}, claims: map[string]string{},
		marks: map[string]map[string]bool{}, jobs: map[string]archive.Job{}, index: map[string]archive.Document{},
	}
}

func (w *world) room() *holdings.Room {
	schema, err := archive.DefaultSchema()
	if err != nil {
		w.t.Fatal(err)
	}
	return holdings.New(holdings.Config{
		Records: chain{w}, Blobs: w, Derived: w, Claims: w, Marks: w, Outbox: w, Index: finder{w}, Reader: w, Door: w,
		Schema: schema, Now: func() time.Time { return w.now }, NewID: w.id, Grace: time.Hour,
		Log: slog.New(slog.NewTextHandler(&w.logged, nil)), Recognizer: w.machine, Later: w,
	})
}

func (w *world) id() string { w.ids++; return fmt.Sprintf("%026d", w.ids) }

// write asks fault about one write, and applies it accordingly.
func (w *world) write(op string, apply func()) error {
	take, err := true, error(nil)
	if w.fault != nil {
		take, err = w.fault(op)
	}
	if take {
		apply()
	}
	return err
}

// work runs every planned job as the queue's sweep would, an hour and more later.
func (w *world) work(room *holdings.Room) error {
	w.now = w.now.Add(2 * time.Hour)
	for _, nonce := range slices.Sorted(maps.Keys(w.jobs)) {
		if err := room.Settle(w.t.Context(), w.jobs[nonce]); err != nil {
			return err
		}
		delete(w.jobs, nonce)
	}
	return nil
}

type chain struct{ w *world }

func (c chain) Append(_ context.Context, id string, n int, r archive.Record) error {
	w := c.w
	if r.ID != id {
		w.t.Errorf("record %s under id %s", r.ID, id)
	}
	if n != len(w.records[id])+1 || w.fenced[id] {
		return archive.ErrConflict
	}
	for _, f := range r.Files {
		if _, ok := w.blobs[f.ID]; !ok {
			w.t.Errorf("committed before its file %s", f.Name)
		}
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(w.jobs)), func(j archive.Job) bool { return j.Ref == r.Ref() }) {
		w.t.Error("committed without a job")
	}
	if w.claims[archive.ClaimRefCode+"\n"+r.RefCode.Canonical()] != id {
		w.t.Error("committed without its reference code")
	}
	return w.write("append", func() {
		w.records[id] = append(w.records[id], archive.Version[archive.Record]{N: n, At: w.now, Value: r})
	})
}

func (c chain) Head(_ context.Context, id string) (archive.Version[archive.Record], error) {
	c.w.asks.Add(1)
	list := c.w.records[id]
	if len(list) == 0 {
		return archive.Version[archive.Record]{}, archive.ErrNotFound
	}
	return list[len(list)-1], nil
}

func (c chain) History(_ context.Context, id string) ([]archive.Version[archive.Record], error) {
	c.w.asks.Add(1)
	return slices.Clone(c.w.records[id]), nil
}

func (c chain) Fence(_ context.Context, id string) error {
	if len(c.w.records[id]) > 0 {
		return archive.ErrConflict
	}
	return c.w.write("fence", func() { c.w.fenced[id] = true })
}

func (w *world) PutBlob(_ context.Context, _ archive.Ref, r io.Reader, _ archive.Carry) (archive.Blob, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return archive.Blob{}, err
	}
	sum := sha256.Sum256(data)
	b := archive.Blob{ID: w.id(), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}
	return b, w.write("blob", func() { w.blobs[b.ID] = data })
}

type content struct{ *bytes.Reader }

func (content) Close() error  { return nil }
func (c content) Size() int64 { return c.Reader.Size() }
func (c content) Range(off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(c, off, n)), nil
}

func (w *world) OpenBlob(_ context.Context, _ archive.Ref, b archive.Blob) (archive.Content, error) {
	data, ok := w.blobs[b.ID]
	if !ok {
		return nil, archive.ErrNotFound
	}
	return content{bytes.NewReader(data)}, nil
}

func (w *world) PutDerived(_ context.Context, _ archive.Ref, blob, kind string, data []byte) error {
	return w.write("derived", func() { w.derived[blob+"/"+kind] = data })
}

func (w *world) Derived(_ context.Context, _ archive.Ref, blob, kind string) ([]byte, error) {
	w.asks.Add(1)
	data, ok := w.derived[blob+"/"+kind]
	if !ok {
		return nil, archive.ErrNotFound
	}
	return data, nil
}

func (w *world) Claim(_ context.Context, kind, value, owner string) (string, error) {
	key := kind + "\n" + value
	if holder, ok := w.claims[key]; ok && holder != owner {
		return holder, archive.ErrExists
	}
	return owner, w.write("claim "+kind, func() { w.claims[key] = owner })
}

func (w *world) Holder(_ context.Context, kind, value string) (string, error) {
	holder, ok := w.claims[kind+"\n"+value]
	if !ok {
		return "", archive.ErrNotFound
	}
	return holder, nil
}

func (w *world) Release(_ context.Context, kind, value, owner string) error {
	key := kind + "\n" + value
	if w.claims[key] != owner {
		return nil
	}
	return w.write("release", func() { delete(w.claims, key) })
}

func (w *world) Mark(_ context.Context, kind, value, id string) error {
	key := kind + "\n" + value
	return w.write("mark", func() {
		if w.marks[key] == nil {
			w.marks[key] = map[string]bool{}
		}
		w.marks[key][id] = true
	})
}

func (w *world) Unmark(_ context.Context, kind, value, id string) error {
	return w.write("unmark", func() { delete(w.marks[kind+"\n"+value], id) })
}

func (w *world) Marked(_ context.Context, kind, value string) ([]string, error) {
	return slices.Sorted(maps.Keys(w.marks[kind+"\n"+value])), nil
}

func (w *world) Token(kind, value string) string {
	sum := sha256.Sum256([]byte(kind + value))
	return hex.EncodeToString(sum[:8])
}

func (w *world) Plan(_ context.Context, job archive.Job) (archive.Job, error) {
	job.Nonce, job.At = w.id(), w.now
	return job, w.write("plan", func() { w.jobs[job.Nonce] = job })
}

func (w *world) Start(job archive.Job) { w.started = append(w.started, job) }

func (w *world) Drop(_ context.Context, job archive.Job) error {
	return w.write("drop", func() { delete(w.jobs, job.Nonce) })
}

// finder is an index that finds titles by a part of them, and does not know who
// a record is about.
type finder struct{ w *world }

func (f finder) Put(_ context.Context, docs ...archive.Document) error {
	if f.w.down {
		return archive.ErrUnavailable
	}
	for _, d := range docs {
		if f.w.index[d.Record.ID].Version > d.Version {
			continue
		}
		if err := f.w.write("index", func() { f.w.index[d.Record.ID] = d }); err != nil {
			return err
		}
	}
	return nil
}

func (f finder) Search(_ context.Context, q archive.Query, s archive.Scope) (archive.Hits, error) {
	f.w.asked = append(f.w.asked, q.Text)
	if f.w.down {
		return archive.Hits{}, archive.ErrUnavailable
	}
	var hits archive.Hits
	for _, d := range f.w.index {
		if s.Admits(d.Record.Target()) && q.Filter.Admits(d.Record) && strings.Contains(d.Record.Title+d.Text, q.Text) {
			hits.Hits = append(hits.Hits, archive.Hit{ID: d.Record.ID, Title: d.Record.Title, Office: d.Record.Office})
			hits.Total++
		}
	}
	return hits, nil
}

// Read takes the bytes for the text, page by page between form feeds, with a scanned
// page after them, and rejects what begins with BAD.
func (w *world) Read(_ context.Context, src io.ReaderAt, size int64) (archive.Reading, error) {
	if w.reader != nil {
		return archive.Reading{}, w.reader
	}
	w.reads++
	text, err := io.ReadAll(io.NewSectionReader(src, 0, size))
	if err != nil {
		return archive.Reading{}, err
	}
	if bytes.HasPrefix(text, []byte("BAD")) {
		return archive.Reading{Findings: []archive.Finding{{Code: "not_readable", Rejects: true}}}, nil
	}
	pages := append(strings.Split(string(text), "\f"), "")
	return archive.Reading{MediaType: "application/pdf", Pages: len(pages), Text: pages}, nil
}

func (w *world) Page(_ context.Context, _ io.ReaderAt, _ int64, page int, widths ...int) ([][]byte, error) {
	w.reads++
	var drawn [][]byte
	for _, width := range widths {
		drawn = append(drawn, fmt.Appendf(nil, "page %d at %d", page, width))
	}
	return drawn, nil
}

// Lines tells where something stands on page 1 alone.
func (w *world) Lines(_ context.Context, src io.ReaderAt, size int64, page int) ([]archive.TextLine, error) {
	text, err := io.ReadAll(io.NewSectionReader(src, 0, size))
	if page != 1 {
		return nil, archive.ErrNotFound
	}
	return []archive.TextLine{{{Text: string(text), Place: archive.Place{0, 0, 1, 1}}}}, err
}

func (w *world) Pass(_ context.Context, d archive.Disclosure) (archive.Decision, error) {
	decision := policy.Decide(d.Actor, d.Action, d.Target)
	switch {
	case !decision.Allowed:
		return decision, archive.ErrForbidden
	case decision.Purpose && !d.Purpose.Valid():
		return archive.Decision{}, archive.Problems{{Code: "purpose_required", Field: "purpose"}}
	case decision.Trace:
		w.traces = append(w.traces, d)
		decision.Receipt = w.id()
	}
	return decision, nil
}

func clerk() archive.Actor {
	return archive.Actor{ID: "clerk", Role: archive.RoleUploader, Office: "qc"}
}

// marriage is a good description, as a client sends it.
func marriage(t *testing.T) archive.Record {
	t.Helper()
	code, err := archive.ParseRefCode("J019-ZY·HY·2010·D100-001-0001")
	if err != nil {
		t.Fatal(err)
	}
	date, err := archive.ParseDate("20100520")
	if err != nil {
		t.Fatal(err)
	}
	return archive.Record{
		Category: "marriage", Office: "qc", RefCode: code, Title: "结婚登记审查处理表", Responsible: "青川市民政局", Date: date,
		Persons: []archive.Person{
			{Name: "张㛃", Role: "wife", ID: archive.IDNumber{Original: "999999199001010016"}},
			{Name: "李𬱖", Role: "husband"},
		},
		Fields: map[string]string{
			"registration_kind": "marriage", "certificate_number": "J510822-2010-003456",
			"registered_on": "20100520", "registry": "青川市民政局婚姻登记处",
		},
	}
}

// uploads are files file1.pdf, file2.pdf, … with the given contents.
func uploads(contents ...string) iter.Seq2[archive.Upload, error] {
	return func(yield func(archive.Upload, error) bool) {
		for i, c := range contents {
			up := archive.Upload{Name: fmt.Sprintf("file%d.pdf", i+1), MediaType: "application/pdf", Body: strings.NewReader(c)}
			if !yield(up, nil) {
				return
			}
		}
	}
}
