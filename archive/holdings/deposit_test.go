package holdings_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

var errDisk = errors.New("disk gone")

func TestDepositIsCompleteWhenItReturns(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	view, err := room.Deposit(t.Context(), clerk(), "k1", marriage(t), uploads("one", "two"))
	if err != nil {
		t.Fatal(err)
	}
	if view.Version != 1 || len(view.Files) != 2 || view.Files[1].Size != 3 || view.States[0].State != archive.Checking || len(w.started) != 1 {
		t.Errorf("%+v", view)
	}
	if got := view.Persons[0].ID.Number; got != "999999********0016" {
		t.Errorf("the answer shows %q", got)
	}
	kept := w.records[view.ID][0].Value
	if kept.By != "clerk" || !kept.At.Equal(w.now) || kept.Persons[0].ID.Number != "999999199001010016" {
		t.Errorf("%+v", kept)
	}
}

func TestDepositNamesEveryProblemAndKeepsNothing(t *testing.T) {
	tests := []struct {
		name   string
		change func(*archive.Record)
		key    string
		files  []string
		want   archive.Problems
	}{
		{"several", func(r *archive.Record) { r.Title, r.Parent, r.Retention = "", "00000000000000000000000404", "30" }, strings.Repeat("k", 201), nil, archive.Problems{
			{Code: "required", Field: "title"}, {Code: "bad_retention", Field: "retention"},
			{Code: "too_long", Field: "Idempotency-Key"}, {Code: "unknown_parent", Field: "parent"},
		}},
		{"state secret", func(r *archive.Record) { r.Secrecy = "机密" }, "", nil, archive.Problems{{Code: "state_secret_refused", Field: "secrecy"}}},
		{"empty file", func(*archive.Record) {}, "key", []string{"one", ""}, archive.Problems{{Code: "empty_file", Field: "files[1]"}}},
		{"too many files", func(*archive.Record) {}, "", strings.Split(strings.Repeat("x,", 200)+"x", ","), archive.Problems{{Code: "too_many_files", Field: "files"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			r := marriage(t)
			tt.change(&r)
			_, err := w.room().Deposit(t.Context(), clerk(), tt.key, r, uploads(tt.files...))
			var ps archive.Problems
			errors.As(err, &ps)
			if diff := cmp.Diff(tt.want, ps); diff != "" {
				t.Error(diff)
			}
			if len(w.records)+len(w.jobs)+len(w.claims) != 0 {
				t.Errorf("%d records, jobs %v, claims %v", len(w.records), w.jobs, w.claims)
			}
		})
	}
}

func TestDepositRights(t *testing.T) {
	w := newWorld(t)
	for _, a := range []archive.Actor{
		{ID: "x", Role: archive.RoleUploader, Office: "zz"}, {ID: "x", Role: archive.RoleAuditor, Office: "qc"},
		{ID: "x", Role: archive.RoleCitizen}, {},
	} {
		if _, err := w.room().Deposit(t.Context(), a, "", marriage(t), uploads("one")); !errors.Is(err, archive.ErrForbidden) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func TestParentMustBeAboveAndOfTheSameOffice(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	file := marriage(t)
	file.Level = archive.LevelFile
	file.RefCode = archive.BuildRefCode("J019", []string{"ZY", "HY", "2010", "D100"}, "001")
	above, err := room.Deposit(t.Context(), clerk(), "", file, uploads())
	if err != nil {
		t.Fatal(err)
	}
	item := marriage(t)
	item.Parent = above.ID
	child, err := room.Deposit(t.Context(), clerk(), "", item, uploads("one"))
	if err != nil {
		t.Fatal(err)
	}
	item.Parent, item.RefCode = child.ID, archive.BuildRefCode("J019", []string{"ZY"}, "9")
	if _, err := room.Deposit(t.Context(), clerk(), "", item, uploads("one")); !hasProblem(err, "parent_not_above", "parent") {
		t.Error(err)
	}
	other := clerk()
	other.Office = "zz"
	item.Office, item.Parent = "zz", above.ID
	if _, err := room.Deposit(t.Context(), other, "", item, uploads("one")); !hasProblem(err, "unknown_parent", "parent") {
		t.Error(err)
	}
}

func hasProblem(err error, code, field string) bool {
	var ps archive.Problems
	return errors.As(err, &ps) && len(ps) == 1 && ps[0] == archive.Problem{Code: code, Field: field}
}

func TestFileNames(t *testing.T) {
	for _, name := range []string{"", "..", "a/b.pdf", `a\b.pdf`, "a\x00.pdf", "\xff.pdf", strings.Repeat("长", 201)} {
		w := newWorld(t)
		files := func(yield func(archive.Upload, error) bool) {
			yield(archive.Upload{Name: name, Body: strings.NewReader("x")}, nil)
		}
		if _, err := w.room().Deposit(t.Context(), clerk(), "", marriage(t), files); !hasProblem(err, "bad_name", "files[0]") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestReferenceCodeIsUnique(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	if _, err := room.Deposit(t.Context(), clerk(), "k1", marriage(t), uploads("one")); err != nil {
		t.Fatal(err)
	}
	same := marriage(t)
	same.RefCode, _ = archive.ParseRefCode("j019—ZY.HY.2010.D100—001—0001")
	if _, err := room.Deposit(t.Context(), clerk(), "k2", same, uploads("two")); !hasProblem(err, "reference_code_taken", "reference_code") {
		t.Fatal(err)
	}
	if len(w.records) != 1 || len(w.claims) != 2 || len(w.jobs) != 1 {
		t.Error(w.records, w.claims, w.jobs)
	}
}

func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	first, err := room.Deposit(t.Context(), clerk(), "k", marriage(t), uploads("one"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := room.Deposit(t.Context(), clerk(), "k", marriage(t), uploads("one"))
	if diff := cmp.Diff(first, again); diff != "" || err != nil || len(w.records) != 1 {
		t.Error(diff, err)
	}
	other := marriage(t)
	other.Title = "另一件"
	if _, err := room.Deposit(t.Context(), clerk(), "k", other, uploads("one")); !hasProblem(err, "idempotency_key_reused", "Idempotency-Key") {
		t.Error(err)
	}
	other.RefCode = archive.BuildRefCode("J019", []string{"ZY"}, "2")
	colleague := clerk()
	colleague.ID = "colleague"
	if _, err := room.Deposit(t.Context(), colleague, "k", other, uploads("one")); err != nil {
		t.Error("a key of somebody else:", err)
	}
}

// TestDepositUnderFaults breaks a keyed deposit at every write, in four ways,
// and then repeats it as a client does, or leaves it to the sweep and deposits
// the same record anew.
func TestDepositUnderFaults(t *testing.T) {
	type outcome struct {
		apply bool // the broken write takes effect
		crash bool // and so does nothing after it
	}
	broken := 0
	for step := 0; step < 20; step++ {
		for _, o := range []outcome{{}, {apply: true}, {crash: true}, {apply: true, crash: true}} {
			for _, key := range []string{"key", ""} {
				w := newWorld(t)
				name := fmt.Sprintf("step %d %+v key %q", step, o, key)
				if !depositBroken(t, w, name, key, step, o.apply, o.crash) {
					continue
				}
				broken++
				settled(t, w, name, key)
			}
		}
	}
	if broken < 20 {
		t.Errorf("only %d deposits were broken", broken)
	}
}

// depositBroken deposits with a fault at one write, and reports whether the
// deposit has that many writes.
func depositBroken(t *testing.T, w *world, name, key string, step int, apply, crash bool) bool {
	t.Helper()
	n, hit := 0, false
	w.fault = func(string) (bool, error) {
		n++
		switch {
		case n == step+1:
			hit = true
			return apply, errDisk
		case n > step+1 && crash:
			return false, errDisk
		}
		return true, nil
	}
	view, err := w.room().Deposit(t.Context(), clerk(), key, marriage(t), uploads("one", "two"))
	w.fault = nil
	if err == nil && len(w.records[view.ID]) == 0 {
		t.Errorf("%s: acknowledged and not there", name)
	}
	if hit && err == nil {
		t.Errorf("%s: a failed write was not noticed", name)
	}
	return hit
}

func settled(t *testing.T, w *world, name, key string) {
	t.Helper()
	room := w.room()
	if key != "" {
		if _, err := room.Deposit(t.Context(), clerk(), key, marriage(t), uploads("one", "two")); err != nil {
			t.Errorf("%s: repeated: %v", name, err)
		}
	}
	if err := w.work(room); err != nil {
		t.Errorf("%s: sweep: %v", name, err)
	}
	if key == "" && len(w.records) == 0 { // the code must be free again
		if _, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("one", "two")); err != nil {
			t.Errorf("%s: anew: %v", name, err)
		}
		if err := w.work(room); err != nil {
			t.Errorf("%s: sweep: %v", name, err)
		}
	}
	if len(w.records) != 1 || len(w.jobs) != 0 || len(w.index) != 1 {
		t.Errorf("%s: %d records, %d jobs, %d documents", name, len(w.records), len(w.jobs), len(w.index))
	}
	for id, versions := range w.records {
		if len(versions) != 1 || len(versions[0].Value.Files) != 2 || w.claims[archive.ClaimRefCode+"\nJ019-ZY·HY·2010·D100-001-0001"] != id {
			t.Errorf("%s: %+v", name, versions)
		}
		if !w.marks[archive.MarkPerson+"\nresident:999999199001010016"][id] {
			t.Errorf("%s: not marked", name)
		}
	}
}

func TestAnAbandonedDepositIsFencedOnlyAfterItsGrace(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	w.fault = func(op string) (bool, error) {
		if op == "append" {
			return false, errDisk
		}
		return true, nil
	}
	if _, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("one")); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	w.fault = nil
	if len(w.jobs) != 1 {
		t.Fatal(w.jobs)
	}
	for _, job := range w.jobs {
		if err := room.Settle(t.Context(), job); !errors.Is(err, archive.ErrEarly) || len(w.fenced) != 0 {
			t.Error(err, w.fenced)
		}
	}
	if err := w.work(room); err != nil || len(w.fenced) != 1 || len(w.claims) != 0 {
		t.Error(err, w.fenced, w.claims)
	}
}

func TestFailuresOfAnUploadAreThoseOfItsSender(t *testing.T) {
	w := newWorld(t)
	files := func(yield func(archive.Upload, error) bool) { yield(archive.Upload{}, errDisk) }
	if _, err := w.room().Deposit(t.Context(), clerk(), "", marriage(t), files); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if len(w.claims)+len(w.jobs)+len(w.records) != 0 {
		t.Error(w.claims, w.jobs)
	}
}

// TestADepositThatTheSweepEndedLeavesNothing fences a repetition off while it is
// still uploading, as the job of its first attempt does after the grace period.
func TestADepositThatTheSweepEndedLeavesNothing(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	w.fault = func(op string) (bool, error) { return op != "blob", map[bool]error{true: errDisk}[op == "blob"] }
	if _, err := room.Deposit(t.Context(), clerk(), "key", marriage(t), uploads("one")); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	w.fault = nil
	var first archive.Job
	for _, first = range w.jobs {
	}
	slow := func(yield func(archive.Upload, error) bool) {
		w.now = w.now.Add(time.Hour)
		if err := room.Settle(t.Context(), first); err != nil {
			t.Error(err)
		}
		delete(w.jobs, first.Nonce)
		yield(archive.Upload{Name: "a.pdf", Body: strings.NewReader("one")}, nil)
	}
	if _, err := room.Deposit(t.Context(), clerk(), "key", marriage(t), slow); !errors.Is(err, archive.ErrConflict) {
		t.Fatal(err)
	}
	if len(w.claims)+len(w.jobs)+len(w.records) != 0 {
		t.Error(w.claims, w.jobs, w.records)
	}
	if _, err := room.Deposit(t.Context(), clerk(), "key", marriage(t), uploads("one")); err != nil {
		t.Error("the third attempt:", err)
	}
}
