package desk_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"dangan/archive"
	"dangan/archive/desk"
	"dangan/archive/policy"
)

// world is every port of the desk in memory. It fails the test when a caller
// breaks an invariant, and fault decides about each write: whether it takes
// effect, and what the caller is told.
type world struct {
	t        *testing.T
	now      time.Time
	ids      int
	fault    func(op string) (apply bool, err error)
	requests map[string][]archive.Version[archive.Request]
	fenced   map[string]bool
	records  map[string]archive.Record
	accounts map[string]archive.Account
	claims   map[string]string
	marks    map[string]map[string]bool
	jobs     map[string]archive.Job
	started  []archive.Job
	hits     map[string][]string // name → records
	down     bool                // the index
	searched int
	traces   []archive.Disclosure
	noLog    error // of the access log
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
		requests: map[string][]archive.Version[archive.Request]{}, fenced: map[string]bool{},
		records: map[string]archive.Record{}, accounts: map[string]archive.Account{}, claims: map[string]string{},
		marks: map[string]map[string]bool{}, jobs: map[string]archive.Job{}, hits: map[string][]string{},
	}
	w.accounts["wife"] = archive.Account{ID: "wife", Name: "张㛃", IDNumber: archive.NewIDNumber("", wifeID)}
	w.accounts["other"] = archive.Account{ID: "other", Name: "王五", IDNumber: archive.NewIDNumber("", otherID)}
	return w
}

func (w *world) room() *desk.Room {
	schema, err := archive.DefaultSchema()
	if err != nil {
		w.t.Fatal(err)
	}
	return desk.New(desk.Config{
		Requests: chain{w}, Records: records{w}, Files: files{w}, Accounts: accounts{w}, Offices: offices{}, Claims: w, Marks: w, Index: w, Outbox: w, Door: w,
		Schema: schema, Now: func() time.Time { return w.now }, NewID: w.id, Grace: time.Hour,
	})
}

func (w *world) id() string { w.ids++; return fmt.Sprintf("%026d", w.ids) }

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

// sweep runs every planned job once, an hour and more later.
func (w *world) sweep(room *desk.Room) {
	w.t.Helper()
	w.now = w.now.Add(2 * time.Hour)
	for _, nonce := range slices.Sorted(maps.Keys(w.jobs)) {
		if w.jobs[nonce].Kind != archive.JobRequest {
			continue
		}
		if err := room.Settle(w.t.Context(), w.jobs[nonce]); err != nil {
			w.t.Fatal(err)
		}
		delete(w.jobs, nonce)
	}
}

type chain struct{ w *world }

func (c chain) Append(_ context.Context, id string, n int, r archive.Request) error {
	w := c.w
	if r.ID != id {
		w.t.Errorf("request %s under id %s", r.ID, id)
	}
	if n > len(w.requests[id])+1 {
		w.t.Errorf("entry %d after %d", n, len(w.requests[id]))
		return archive.ErrNotFound
	}
	if n <= len(w.requests[id]) || w.fenced[id] {
		return archive.ErrConflict
	}
	planned := func(kind string) bool {
		return slices.ContainsFunc(slices.Collect(maps.Values(w.jobs)), func(j archive.Job) bool { return j.Ref == r.Ref() && j.Kind == kind })
	}
	if n == 1 && !planned(archive.JobRequest) || r.State == archive.Approved && !planned(archive.JobCertificate) {
		w.t.Errorf("%s committed without a job", r.State)
	}
	if n > 1 && len(r.Events) != n {
		w.t.Errorf("entry %d with %d events", n, len(r.Events))
	}
	return w.write("append", func() {
		w.requests[id] = append(w.requests[id], archive.Version[archive.Request]{N: n, At: w.now, Value: r})
	})
}

func (c chain) Head(_ context.Context, id string) (archive.Version[archive.Request], error) {
	list := c.w.requests[id]
	if len(list) == 0 {
		return archive.Version[archive.Request]{}, archive.ErrNotFound
	}
	return list[len(list)-1], nil
}

func (c chain) Fence(_ context.Context, id string) error {
	if len(c.w.requests[id]) > 0 {
		return archive.ErrConflict
	}
	return c.w.write("fence", func() { c.w.fenced[id] = true })
}

type records struct{ w *world }

func (r records) Head(_ context.Context, id string) (archive.Version[archive.Record], error) {
	v, ok := r.w.records[id]
	if !ok {
		return archive.Version[archive.Record]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Record]{N: 1, Value: v}, nil
}

// offices are three.
type offices struct{}

func (offices) Head(_ context.Context, id string) (archive.Version[archive.Office], error) {
	if !slices.Contains([]string{"qc", "lj", "yl"}, id) {
		return archive.Version[archive.Office]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Office]{N: 1, Value: archive.Office{ID: id}}, nil
}

type accounts struct{ w *world }

func (a accounts) Head(_ context.Context, id string) (archive.Version[archive.Account], error) {
	v, ok := a.w.accounts[id]
	if !ok {
		return archive.Version[archive.Account]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Account]{N: 1, Value: v}, nil
}

func (w *world) Claim(_ context.Context, kind, value, owner string) (string, error) {
	key := kind + "\n" + value
	if holder, ok := w.claims[key]; ok && holder != owner {
		return holder, archive.ErrExists
	}
	return owner, w.write("claim", func() { w.claims[key] = owner })
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

func (w *world) Marked(_ context.Context, kind, value string) ([]string, error) {
	return slices.Sorted(maps.Keys(w.marks[kind+"\n"+value])), nil
}

func (w *world) Token(kind, value string) string { return token(kind, value) }

func token(kind, value string) string {
	sum := sha256.Sum256([]byte(kind + value))
	return hex.EncodeToString(sum[:8])
}

func (w *world) Search(_ context.Context, q archive.Query, s archive.Scope) (archive.Hits, error) {
	w.searched++
	if len(s.Clauses) == 0 {
		w.t.Error("searched without rights")
	}
	if w.down {
		return archive.Hits{}, archive.ErrUnavailable
	}
	var hits archive.Hits
	for _, id := range w.hits[q.Text] {
		hits.Hits = append(hits.Hits, archive.Hit{ID: id})
	}
	return hits, nil
}

func (w *world) Plan(_ context.Context, job archive.Job) (archive.Job, error) {
	job.Nonce, job.At = w.id(), w.now
	return job, w.write("plan", func() { w.jobs[job.Nonce] = job })
}

func (w *world) Start(job archive.Job) {
	if _, ok := w.jobs[job.Nonce]; !ok {
		w.t.Error("started a job that is not planned")
	}
	w.started = append(w.started, job)
}

func (w *world) Drop(_ context.Context, job archive.Job) error {
	return w.write("drop", func() { delete(w.jobs, job.Nonce) })
}

func (w *world) Pass(_ context.Context, d archive.Disclosure) (archive.Decision, error) {
	decision := policy.Decide(d.Actor, d.Action, d.Target)
	switch {
	case !decision.Allowed:
		return archive.Decision{}, archive.ErrForbidden
	case decision.Purpose && !d.Purpose.Valid():
		return archive.Decision{}, archive.Problems{{Code: "purpose_required", Field: "purpose"}}
	case decision.Trace && w.noLog != nil:
		return archive.Decision{}, w.noLog
	case decision.Trace:
		w.traces = append(w.traces, d)
	}
	return decision, nil
}

const (
	wifeID  = "999999199001010016"
	otherID = "999999198505050017"
)

func citizen(id string) archive.Actor {
	return archive.Actor{ID: id, Role: archive.RoleCitizen, Assurance: archive.RealName}
}

func staff(id string, role archive.Role) archive.Actor {
	return archive.Actor{ID: id, Role: role, Office: "qc"}
}

var (
	wife     = citizen("wife")
	reviewer = staff("r1", archive.RoleReviewer)
	approver = staff("a1", archive.RoleApprover)
)

func date(t *testing.T, s string) archive.Date {
	t.Helper()
	d, err := archive.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// marriage puts a marriage of the applicant into the holdings.
func (w *world) marriage(change func(*archive.Record)) string {
	w.t.Helper()
	code, err := archive.ParseRefCode("J019-ZY·HY·2010·D100-001-0001")
	if err != nil {
		w.t.Fatal(err)
	}
	r := archive.Record{
		ID: w.id(), Category: "marriage", Family: archive.Livelihood, Office: "qc", RefCode: code, Title: "结婚登记审查处理表",
		Date: date(w.t, "20100520"), Files: []archive.File{{Name: "a.pdf"}, {Name: "b.pdf"}},
		Persons: []archive.Person{
			{Name: "张㛃", Role: "wife", ID: archive.NewIDNumber("", wifeID)},
			{Name: "李𬱖", Role: "husband"},
		},
		Fields: map[string]string{"registration_kind": "marriage", "certificate_number": "J510822-2010-003456",
			"registered_on": "20100520", "registry": "青川市民政局婚姻登记处"},
	}
	if change != nil {
		change(&r)
	}
	w.records[r.ID] = r
	for _, p := range r.Persons {
		if !p.ID.IsZero() {
			key := archive.MarkPerson + "\n" + p.ID.Key()
			if w.marks[key] == nil {
				w.marks[key] = map[string]bool{}
			}
			w.marks[key][r.ID] = true
		}
	}
	return r.ID
}

func asked() archive.Request {
	return archive.Request{Office: "qc", Purpose: "办理公积金贷款", Wanted: archive.Wanted{Category: "marriage",
		Persons: []archive.Person{{Name: "张㛃", Role: "wife"}, {Name: "李𬱖", Role: "husband"}}, YearFrom: 2009, YearTo: 2011}}
}

// at brings a fresh request into a state by writing it, as if it had got there.
func (w *world) at(state archive.RequestState, change func(*archive.Request)) archive.Version[archive.Request] {
	r := asked()
	r.ID, r.Applicant, r.Name, r.IDNumber, r.State = w.id(), "wife", "张㛃", archive.NewIDNumber("", wifeID), state
	r.Events = []archive.Event{{At: w.now, Actor: "wife", Step: archive.StepSubmit, State: state}}
	switch state {
	case archive.Matched, archive.Reviewed, archive.Approved, archive.Issued:
		r.Record, r.RecordVersion, r.Matcher, r.Sources = w.marriage(nil), 1, "m", []archive.PageRef{{File: 1, Page: 1}}
	}
	if change != nil {
		change(&r)
	}
	v := archive.Version[archive.Request]{N: 1, At: w.now, Value: r}
	w.requests[r.ID] = []archive.Version[archive.Request]{v}
	return v
}
