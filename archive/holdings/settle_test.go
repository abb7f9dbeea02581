package holdings_test

import (
	"errors"
	"strings"
	"testing"

	"dangan/archive"
)

func TestMarksDoNotWaitForTheIndex(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	w.down = true
	view, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("one"))
	if err != nil {
		t.Fatal(err)
	}
	if err := room.Settle(t.Context(), w.started[0]); !errors.Is(err, archive.ErrUnavailable) {
		t.Fatal(err)
	}
	hits, err := room.Search(t.Context(), clerk(), archive.Query{Text: "999999199001010016"})
	if err != nil || hits.Total != 1 {
		t.Error(hits, err)
	}
	w.down = false
	if err := room.Settle(t.Context(), w.started[0]); err != nil {
		t.Fatal(err)
	}
	if w.reads != 1 || !strings.Contains(w.index[view.ID].Text, "one") {
		t.Errorf("read %d times, %+v", w.reads, w.index)
	}
}

func TestNothingWaitsForAReaderThatFails(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	w.reader = errors.New("child died")
	view, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("one"))
	if err != nil {
		t.Fatal(err)
	}
	if err := room.Settle(t.Context(), w.started[0]); !errors.Is(err, w.reader) {
		t.Fatal(err)
	}
	if w.index[view.ID].Version != 1 || len(w.marks[archive.MarkRefKey+"\nj019zyhy2010d1000010001"]) != 1 {
		t.Error(w.index, w.marks)
	}
	if got, err := room.Open(t.Context(), clerk(), archive.Purpose{}, view.ID); err != nil || got.States[0].State != archive.Checking {
		t.Error(got.States, err)
	}
}

func TestRejectedFilesAreNotSearched(t *testing.T) {
	w, _, view := deposited(t, "good words", "BAD words")
	if doc := w.index[view.ID]; !strings.Contains(doc.Text, "good") || strings.Contains(doc.Text, "BAD") {
		t.Error(doc.Text)
	}
}

// TestSettleOfAnOldVersionEndsWithTheNewest settles the first version while the
// second is written and settled.
func TestSettleOfAnOldVersionEndsWithTheNewest(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	view, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("one"))
	if err != nil {
		t.Fatal(err)
	}
	first := w.started[0]
	w.fault = func(op string) (bool, error) {
		if op != "index" {
			return true, nil
		}
		w.fault = nil
		patch := []byte(`{"persons":[{"name":"王五","role":"wife"},{"name":"李𬱖","role":"husband"}]}`)
		if _, err := room.Describe(t.Context(), clerk(), view.ID, 1, patch); err != nil {
			t.Error(err)
		}
		return true, room.Settle(t.Context(), w.started[1])
	}
	if err := room.Settle(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if w.marks[archive.MarkPerson+"\nresident:999999199001010016"][view.ID] || w.index[view.ID].Record.Persons[0].Name != "王五" {
		t.Error("the first version's marks or document came back")
	}
}

func TestLogsNameNobody(t *testing.T) {
	w := newWorld(t)
	w.fault = func(op string) (bool, error) { return op != "fence", map[bool]error{true: errDisk}[op == "fence"] }
	if _, err := w.room().Deposit(t.Context(), clerk(), "", marriage(t), uploads("")); !hasProblem(err, "empty_file", "files[0]") {
		t.Fatal(err)
	}
	log := w.logged.String()
	if !strings.Contains(log, "left to the sweep") || strings.Contains(log, "9999") || strings.Contains(log, "张") || strings.Contains(log, "J019") {
		t.Error(log)
	}
}
