package certificates_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"dangan/archive"
	"dangan/archive/certificates"
	"dangan/archive/policy"
)

// world is every port of the room in memory. It fails the test when a caller
// breaks an invariant, and fault decides about each write: whether it takes
// effect, and what the caller is told. Its methods may be called concurrently.
type world struct {
	t        *testing.T
	mu       sync.Mutex
	now      time.Time
	term     time.Duration
	ids      int
	fault    func(op string) (apply bool, err error)
	certs    map[string][]archive.Version[archive.Certificate]
	requests map[string][]archive.Version[archive.Request]
	records  map[string]archive.Version[archive.Record]
	offices  map[string]archive.Office
	papers   map[string][]archive.Version[archive.Template]
	drawn    []archive.Certificate
	claims   map[string]string
	next     map[string]int
	blobs    map[string][]byte
	jobs     []archive.Job
	stamped  int
	lasts    time.Duration     // how long a renewal is good for
	renew    error             // what renewals fail with
	stamp    func(n int) error // what the n-th stamping fails with
	away     error             // what opening an original fails with
	opened   int               // originals
	traces   []archive.Disclosure
	logged   bytes.Buffer
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
		certs: map[string][]archive.Version[archive.Certificate]{}, requests: map[string][]archive.Version[archive.Request]{},
		records: map[string]archive.Version[archive.Record]{}, claims: map[string]string{}, next: map[string]int{}, blobs: map[string][]byte{},
		papers: map[string][]archive.Version[archive.Template]{},
		offices: map[string]archive.Office{
			"qc": {ID: "qc", Name: archive.Label{ZH: "青川市档案馆", EN: "Qingchuan Archives"}, Short: "青民档证", SealNumber: "5108"},
			"zz": {ID: "zz", Name: archive.Label{ZH: "周州市档案馆", EN: "Zhouzhou Archives"}, Short: "周民档证"},
		},
	}
}

func (w *world) room() *certificates.Room {
	schema, err := archive.DefaultSchema()
	if err != nil {
		w.t.Fatal(err)
	}
	defaults, err := archive.DefaultTemplates(schema)
	if err != nil {
		w.t.Fatal(err)
	}
	return certificates.New(certificates.Config{
		Certificates: certs{w}, Requests: requests{w}, Records: records{w}, Offices: offices{w},
		Numbers: w, Blobs: w, Stamper: w, Copier: copier{w}, Renewer: w, Files: files{w}, Outbox: w, Door: w,
		Templates: papers{w}, Opener: w, Defaults: defaults, Schema: schema, Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }, Rand: rand.Reader,
		Grace: time.Hour, Term: w.term, Log: slog.New(slog.NewTextHandler(&w.logged, nil)),
	})
}

// write applies a write, or not, as fault has it. The caller holds the lock.
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

func (w *world) id() string { w.ids++; return fmt.Sprintf("%026d", w.ids) }

type certs struct{ w *world }

func (c certs) Append(_ context.Context, id string, n int, v archive.Certificate) error {
	w := c.w
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.certs[id]
	switch {
	case v.ID != id:
		w.t.Errorf("certificate %s under id %s", v.ID, id)
	case n <= len(list):
		return archive.ErrConflict
	case n > len(list)+1:
		w.t.Errorf("entry %d after %d", n, len(list))
		return archive.ErrNotFound
	}
	w.check(list, v)
	return w.write("certificate "+string(v.State), func() {
		w.certs[id] = append(list, archive.Version[archive.Certificate]{N: n, At: w.now, Value: v})
	})
}

// check holds what must be true of every entry: one number and one code for
// ever, one PDF that is stored and claimed, and no way back once released.
func (w *world) check(before []archive.Version[archive.Certificate], v archive.Certificate) {
	if w.claims[archive.ClaimNumber+"\n"+v.Number] != v.ID {
		w.t.Errorf("%s without its number", v.State)
	}
	for _, old := range before {
		if old.Value.Number != v.Number || old.Value.Code != v.Code {
			w.t.Error("the number or code changed")
		}
		if old.Value.Released() && (!v.Released() || !v.Genuine(old.Value.PDF.SHA256)) {
			w.t.Errorf("%s after %s", v.State, old.Value.State)
		}
	}
	if v.Released() && (w.blobs[v.PDF.ID] == nil || w.claims[archive.ClaimPDF+"\n"+v.PDF.SHA256] != v.ID) {
		w.t.Error("sealed before its PDF was stored and claimed")
	}
}

func (c certs) Head(_ context.Context, id string) (archive.Version[archive.Certificate], error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return last(c.w.certs[id])
}

type requests struct{ w *world }

func (r requests) Append(_ context.Context, id string, n int, v archive.Request) error {
	w := r.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if n != len(w.requests[id])+1 {
		return archive.ErrConflict
	}
	if list := w.certs[id]; len(list) == 0 || !list[len(list)-1].Value.Released() || list[0].Value.Number != v.Certificate {
		w.t.Error("a request was closed without its certificate")
	}
	return w.write("request", func() {
		w.requests[id] = append(w.requests[id], archive.Version[archive.Request]{N: n, At: w.now, Value: v})
	})
}

func (r requests) Head(_ context.Context, id string) (archive.Version[archive.Request], error) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return last(r.w.requests[id])
}

func last[T any](list []archive.Version[T]) (archive.Version[T], error) {
	if len(list) == 0 {
		return archive.Version[T]{}, archive.ErrNotFound
	}
	return list[len(list)-1], nil
}

type records struct{ w *world }

// History has the entries before the one that counts as well; they say nothing.
func (r records) History(_ context.Context, id string) ([]archive.Version[archive.Record], error) {
	v, ok := r.w.records[id]
	if !ok {
		return nil, archive.ErrNotFound
	}
	entries := make([]archive.Version[archive.Record], v.N)
	entries[v.N-1] = v
	return entries, nil
}

type papers struct{ w *world }

func (p papers) Append(_ context.Context, id string, n int, v archive.Template) error {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	switch list := w.papers[id]; {
	case v.Ref().ID != id:
		w.t.Errorf("template %s under id %s", v.Ref().ID, id)
	case n <= len(list):
		return archive.ErrConflict
	case n > len(list)+1:
		return archive.ErrNotFound
	}
	return w.write("template", func() {
		w.papers[id] = append(w.papers[id], archive.Version[archive.Template]{N: n, At: w.now, Value: v})
	})
}

func (p papers) Head(_ context.Context, id string) (archive.Version[archive.Template], error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return last(p.w.papers[id])
}

func (p papers) History(_ context.Context, id string) ([]archive.Version[archive.Template], error) {
	return p.w.papers[id], nil
}

// Open lets nobody but the approver have a record.
func (w *world) Open(_ context.Context, a archive.Actor, _ archive.Purpose, id string) (archive.RecordView, error) {
	v, ok := w.records[id]
	if !ok || a.ID != approver.ID {
		return archive.RecordView{}, archive.ErrNotFound
	}
	return archive.RecordView{Record: v.Value, Version: v.N}, nil
}

func (w *world) Draw(_ context.Context, c archive.Certificate) ([]byte, error) {
	w.drawn = append(w.drawn, c)
	return []byte("%PDF draft"), nil
}

type offices struct{ w *world }

func (o offices) Head(_ context.Context, id string) (archive.Version[archive.Office], error) {
	v, ok := o.w.offices[id]
	if !ok {
		return archive.Version[archive.Office]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Office]{N: 1, Value: v}, nil
}

func (w *world) Next(_ context.Context, sequence string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.next[sequence] + 1
	return n, w.write("next", func() { w.next[sequence] = n })
}

func (w *world) Claim(_ context.Context, kind, value, owner string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := kind + "\n" + value
	if holder, ok := w.claims[key]; ok && holder != owner {
		return holder, archive.ErrExists
	}
	return owner, w.write("claim "+kind, func() { w.claims[key] = owner })
}

func (w *world) Holder(_ context.Context, kind, value string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	holder, ok := w.claims[kind+"\n"+value]
	if !ok {
		return "", archive.ErrNotFound
	}
	return holder, nil
}

func (w *world) PutBlob(_ context.Context, _ archive.Ref, r io.Reader, _ archive.Carry) (archive.Blob, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return archive.Blob{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	b := archive.Blob{ID: w.id(), SHA256: digest(data), Size: int64(len(data))}
	return b, w.write("blob", func() { w.blobs[b.ID] = data })
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
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

// Stamp makes another PDF at every call, as a seal with a time in it does.
func (w *world) Stamp(_ context.Context, c archive.Certificate) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stamped++
	if w.stamp != nil {
		if err := w.stamp(w.stamped); err != nil {
			return nil, err
		}
	}
	return fmt.Appendf(nil, "%%PDF seal %d\n%s\n", w.stamped, c.Number), nil
}

func (w *world) Number(pdf []byte) (string, error) {
	if !bytes.HasPrefix(pdf, []byte("%PDF")) {
		return "", archive.ErrInvalid
	}
	lines := strings.Split(string(pdf), "\n")
	if len(lines) < 2 {
		return "", archive.ErrNotFound
	}
	return lines[1], nil
}

func (w *world) Plan(_ context.Context, job archive.Job) (archive.Job, error) {
	job.At = w.now
	return job, nil
}

func (w *world) Start(job archive.Job) { w.jobs = append(w.jobs, job) }

func (w *world) Pass(_ context.Context, d archive.Disclosure) (archive.Decision, error) {
	decision := policy.Decide(d.Actor, d.Action, d.Target)
	if !decision.Allowed {
		return archive.Decision{}, archive.ErrForbidden
	}
	if decision.Trace {
		w.traces = append(w.traces, d)
	}
	return decision, nil
}

const wifeID = "999999199001010016"

// approved puts an approved request for a marriage into the world, and returns
// the job that seals its certificate.
func (w *world) approved(change func(*archive.Request, *archive.Record)) archive.Job {
	w.t.Helper()
	code, err := archive.ParseRefCode("J019-ZY·HY·2010·D100-001-0001")
	if err != nil {
		w.t.Fatal(err)
	}
	date, err := archive.ParseDate("20100520")
	if err != nil {
		w.t.Fatal(err)
	}
	record := archive.Record{
		ID: w.id(), Category: "marriage", Family: archive.Livelihood, Office: "qc", RefCode: code, Date: date,
		Persons: []archive.Person{{Name: "张㛃", Role: "wife"}, {Name: "李𬱖", Role: "husband"}},
		Fields: map[string]string{"registration_kind": "marriage", "certificate_number": "J510822-2010-003456",
			"registered_on": "20100520", "registry": "青川市民政局婚姻登记处"},
	}
	r := archive.Request{
		ID: w.id(), Office: "qc", Applicant: "wife", Name: "张㛃", IDNumber: archive.NewIDNumber("", wifeID),
		Purpose: "办理公积金贷款", State: archive.Approved, Record: record.ID, RecordVersion: 2, Approver: "a1",
		Sources: []archive.PageRef{{File: 1, Page: 3}}, Events: []archive.Event{{Step: archive.StepApprove, State: archive.Approved}},
	}
	if change != nil {
		change(&r, &record)
	}
	w.records[record.ID] = archive.Version[archive.Record]{N: 2, Value: record}
	w.requests[r.ID] = []archive.Version[archive.Request]{{N: 1, Value: r}}
	return archive.Job{Kind: archive.JobCertificate, Ref: r.Ref(), At: w.now}
}

// sealed is a certificate that went out.
func (w *world) sealed(room *certificates.Room, change func(*archive.Request, *archive.Record)) archive.Certificate {
	w.t.Helper()
	job := w.approved(change)
	if err := room.Seal(w.t.Context(), job); err != nil {
		w.t.Fatal(err)
	}
	return w.head(job.Ref.ID)
}

func (w *world) head(id string) archive.Certificate {
	w.t.Helper()
	v, err := certs{w}.Head(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Value
}

func (w *world) pdf(c archive.Certificate) []byte { return bytes.Clone(w.blobs[c.PDF.ID]) }

var (
	wife     = archive.Actor{ID: "wife", Role: archive.RoleCitizen}
	clerk    = archive.Actor{ID: "u1", Role: archive.RoleUploader, Office: "qc"}
	approver = archive.Actor{ID: "a1", Role: archive.RoleApprover, Office: "qc"}
)
