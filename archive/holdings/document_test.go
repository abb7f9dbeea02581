package holdings_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// The document that a rebuild gets is the one that the job put, and asks no reader.
func TestDocumentIsWhatWasIndexed(t *testing.T) {
	w, room, view := deposited(t, "good words 999999199001010016", "BAD words")
	reads := w.reads
	got, err := room.Document(t.Context(), view.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.index[view.ID], got); diff != "" {
		t.Error(diff)
	}
	if w.reads != reads {
		t.Error("a file was read")
	}
	if strings.Contains(got.Text, "99999919") || slices.ContainsFunc(got.Record.Persons, func(p archive.Person) bool { return !p.ID.IsZero() }) {
		t.Errorf("an id number is in %+v", got)
	}
}

// Before its files are read a record is found by what it is described as.
func TestDocumentOfUnreadFiles(t *testing.T) {
	w := newWorld(t)
	room := w.room()
	view, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("one"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := room.Document(t.Context(), view.ID)
	if !errors.Is(err, archive.ErrEarly) || d.Version != 1 || d.Record.Title != view.Title || d.Text != "" || w.reads != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	for _, id := range []string{"01JDQ7Z0000000000000000001", "no id"} {
		if _, err := room.Document(t.Context(), id); !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
