package lookup_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dangan/archive"
	"dangan/archive/lookup"
	"dangan/archive/policy"
)

var (
	day      = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	errTrace = errors.New("log gone")
)

// world holds records, whom they are marked for, and the traces.
type world struct {
	records map[string]archive.Record
	marked  []string // ids under the one number that is asked for
	traces  []archive.Disclosure
	broken  error
	receipt archive.Receipt // the last
	mute    error           // of signing
}

func (w *world) Head(_ context.Context, id string) (archive.Version[archive.Record], error) {
	r, ok := w.records[id]
	if !ok {
		return archive.Version[archive.Record]{}, archive.ErrNotFound
	}
	return archive.Version[archive.Record]{N: 1, Value: r}, nil
}

func (w *world) Marked(_ context.Context, kind, value string) ([]string, error) {
	if kind != archive.MarkPerson || value != "resident:999999199001010016" {
		return nil, nil
	}
	return w.marked, nil
}

func (w *world) Pass(_ context.Context, d archive.Disclosure) (archive.Decision, error) {
	decision := policy.Decide(d.Actor, d.Action, d.Target)
	if !decision.Allowed {
		return decision, archive.ErrForbidden
	}
	if w.broken != nil {
		return archive.Decision{}, w.broken
	}
	w.traces = append(w.traces, d)
	decision.Receipt = "receipt"
	return decision, nil
}

func (w *world) Sign(r archive.Receipt) (string, error) {
	w.receipt = r
	return "signed", w.mute
}

func record(id, category, office, year, number string) archive.Record {
	date, _ := archive.ParseDate(year)
	return archive.Record{ID: id, Category: category, Office: office, Date: date, RefCode: archive.RefCode{Original: "J019-" + id},
		Persons: []archive.Person{{Name: "张㛃", ID: archive.NewIDNumber("", number)}}}
}

func room(t *testing.T, list ...archive.Record) (*world, *lookup.Room) {
	t.Helper()
	schema, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{records: map[string]archive.Record{}}
	for _, r := range list {
		w.records[r.ID] = r
	}
	w.marked = append(slices.Sorted(maps.Keys(w.records)), "gone")
	return w, lookup.New(lookup.Config{Records: w, Marks: w, Door: w, Signer: w, Schema: schema, Now: func() time.Time { return day }})
}

func agency() archive.Actor { return archive.Actor{ID: "court", Role: archive.RoleAgency} }

func question() archive.Question {
	return archive.Question{
		Kind: archive.RecordExists, Category: "marriage",
		Person:  archive.Person{ID: archive.IDNumber{Original: "999999900101001"}}, // the old form
		Purpose: archive.Purpose{Code: archive.ForJustice, Case: "2026-88"},
	}
}

func TestAnAnswerSaysOnlyWhetherWhenAndWhere(t *testing.T) {
	w, r := room(t,
		record("1", "marriage", "zz", "2015", "999999199001010016"),
		record("2", "marriage", "qc", "2010", "999999199001010016"),
		record("3", "marriage", "qc", "2010", "999999199001010016"),
		record("4", "personnel_item", "qc", "1999", "999999199001010016"),
		record("5", "marriage", "qc", "1988", "999999199203030013"), // a mark that is behind
	)
	got, err := r.Ask(t.Context(), agency(), question())
	if err != nil {
		t.Fatal(err)
	}
	want := archive.Answer{Exists: true, Years: []int{2010, 2015}, Offices: []string{"qc", "zz"}, Receipt: "receipt", At: day, Signed: "signed"}
	for _, id := range []string{"1", "2", "3"} {
		rec := w.records[id]
		want.Found = append(want.Found, archive.Cited{Category: "marriage", Office: rec.Office, RefCode: "J019-" + id, Entry: 1, Date: rec.Date})
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	trace := archive.Disclosure{
		Actor: agency(), Action: archive.ActLookup, Purpose: question().Purpose, Detail: "record_exists marriage",
		Target: archive.Target{Ref: archive.Ref{Kind: archive.KindRecord, ID: "1"}}, Also: []string{"2", "3"},
	}
	if diff := cmp.Diff([]archive.Disclosure{trace}, w.traces); diff != "" {
		t.Error(diff)
	}
}

func TestNoIsAnAnswerWithAReceipt(t *testing.T) {
	w, r := room(t)
	got, err := r.Ask(t.Context(), agency(), question())
	if diff := cmp.Diff(archive.Answer{Receipt: "receipt", At: day, Signed: "signed"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if len(w.traces) != 1 || w.traces[0].Target.Ref != (archive.Ref{}) {
		t.Error(w.traces)
	}
}

func TestNoAnswerWithoutItsTrace(t *testing.T) {
	w, r := room(t, record("1", "marriage", "zz", "2015", "999999199001010016"))
	w.broken = errTrace
	got, err := r.Ask(t.Context(), agency(), question())
	if !errors.Is(err, errTrace) || got.Exists {
		t.Error(got, err)
	}
}

func TestOnlyAgenciesAsk(t *testing.T) {
	_, r := room(t)
	for _, role := range []archive.Role{archive.RoleUploader, archive.RoleApprover, archive.RoleAuditor, archive.RoleCitizen, archive.RoleAnonymous, ""} {
		if _, err := r.Ask(t.Context(), archive.Actor{ID: "x", Role: role, Office: "qc"}, question()); !errors.Is(err, archive.ErrForbidden) {
			t.Errorf("%q: %v", role, err)
		}
	}
}

func TestQuestionProblems(t *testing.T) {
	w, r := room(t)
	schema, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(schema.Categories, func(c archive.Category) bool { return c.Family == archive.Personnel })
	for _, tt := range []struct {
		q    archive.Question
		want archive.Problems
	}{
		{archive.Question{Kind: "who_is"}, archive.Problems{
			{Code: "unknown_question", Field: "question"}, {Code: "required", Field: "category"}, {Code: "required", Field: "person.id"},
			{Code: "required", Field: "purpose.code"}, {Code: "required", Field: "purpose.case"},
		}},
		{archive.Question{Kind: archive.RecordExists, Category: schema.Categories[i].Code, Person: archive.Person{ID: archive.IDNumber{Original: "999999199001010017"}},
			Purpose: archive.Purpose{Code: "curiosity", Case: "1"}}, archive.Problems{
			{Code: "not_answerable", Field: "category"}, {Code: "bad_id_number", Field: "person.id"}, {Code: "bad_purpose", Field: "purpose"},
		}},
	} {
		_, err := r.Ask(t.Context(), agency(), tt.q)
		if diff := cmp.Diff(tt.want, err); diff != "" {
			t.Error(diff)
		}
	}
	if len(w.traces) != 0 {
		t.Error(w.traces)
	}
}

// TestAKeyIsForWhatItWasGranted names all that a key is not for.
func TestAKeyIsForWhatItWasGranted(t *testing.T) {
	w, r := room(t)
	a := agency()
	a.Grant = archive.Grant{Questions: []string{"another"}, Categories: []string{"land"}, Purposes: []archive.PurposeCode{archive.ForPension}}
	_, err := r.Ask(t.Context(), a, question())
	want := archive.Problems{{Code: "not_granted", Field: "question"}, {Code: "not_granted", Field: "category"}, {Code: "not_granted", Field: "purpose.code"}}
	if diff := cmp.Diff(want, err); diff != "" || len(w.traces) != 0 {
		t.Error(diff, w.traces)
	}
	a.Grant = archive.Grant{Questions: []string{archive.RecordExists}, Categories: []string{"land", "marriage"}, Purposes: []archive.PurposeCode{archive.ForJustice}}
	if _, err := r.Ask(t.Context(), a, question()); err != nil {
		t.Error(err)
	}
}
