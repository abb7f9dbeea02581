package holdings_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/holdings"
)

// machine reads on every page that it is one, and how many it has read. Each takes
// it a while.
type machine struct {
	w     *world
	reads []string // "file:page"
	takes time.Duration
	fail  error
}

func (m *machine) Recognize(_ context.Context, src io.ReaderAt, size int64, page int) ([]archive.TextLine, error) {
	if m.fail != nil {
		return nil, m.fail
	}
	text, err := io.ReadAll(io.NewSectionReader(src, 0, size))
	if err != nil {
		return nil, err
	}
	m.reads = append(m.reads, fmt.Sprintf("%s:%d", text, page))
	m.w.now = m.w.now.Add(m.takes)
	return []archive.TextLine{
		{{Text: "机读", Place: archive.Place{0.1, 0.1, 0.2, 0.12}}, {Text: fmt.Sprintf("第%d页", page), Place: archive.Place{0.3, 0.1, 0.4, 0.12}}},
		{{Text: "证号", Place: archive.Place{0.1, 0.2, 0.2, 0.22}}, {Text: "999999199001010016", Place: archive.Place{0.2, 0.2, 0.6, 0.22}}},
	}, nil
}

// scanned is a record of one file whose description has been settled, and the job
// that is to read its scans.
func scanned(t *testing.T, text string) (*world, *machine, *holdings.Room, archive.RecordView, archive.Job) {
	t.Helper()
	w := newWorld(t)
	m := &machine{w: w}
	w.machine = m
	room := w.room()
	view, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := room.Settle(t.Context(), w.started[0]); err != nil {
		t.Fatal(err)
	}
	return w, m, room, view, w.scanJob()
}

// scanJob is the newest job to read scans; the zero job when there is none.
func (w *world) scanJob() (job archive.Job) {
	for _, j := range w.jobs {
		if j.Kind == archive.JobScans && j.Nonce > job.Nonce {
			job = j
		}
	}
	return job
}

func (w *world) notes(room *holdings.Room, id string) (codes []string) {
	w.t.Helper()
	view, err := room.Open(w.t.Context(), clerk(), archive.Purpose{}, id)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range view.States[0].Findings {
		codes = append(codes, f.Code)
	}
	return codes
}

func TestScansAreFoundByWhatIsOnThem(t *testing.T) {
	w, m, room, view, job := scanned(t, "typed")
	if job.Ref.ID != view.ID || w.index[view.ID].Machine || len(m.reads) != 0 {
		t.Fatalf("%+v, %v", job, m.reads)
	}
	if _, err := room.Document(t.Context(), view.ID); !errors.Is(err, archive.ErrEarly) {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{archive.NoteTextWaits}, w.notes(room, view.ID)); diff != "" {
		t.Error(diff)
	}
	for range 2 { // the second time there is nothing left to do
		if err := room.Recognize(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"typed:2"}, m.reads); diff != "" {
		t.Error(diff)
	}
	doc := w.index[view.ID]
	if !doc.Machine || !strings.Contains(doc.Text, "typed") || !strings.Contains(doc.Text, "机读第2页") || strings.Contains(doc.Text, "99999919") {
		t.Errorf("%+v", doc)
	}
	if again, err := room.Document(t.Context(), view.ID); err != nil || again.Text != doc.Text {
		t.Error(again, err)
	}
	if diff := cmp.Diff([]string{archive.NoteMachineText}, w.notes(room, view.ID)); diff != "" {
		t.Error(diff)
	}
	// A new description keeps it.
	if _, err := room.Describe(t.Context(), clerk(), view.ID, 1, []byte(`{"title":"另一题名"}`)); err != nil {
		t.Fatal(err)
	}
	before := w.scanJob()
	if err := room.Settle(t.Context(), w.started[len(w.started)-1]); err != nil {
		t.Fatal(err)
	}
	if doc := w.index[view.ID]; doc.Version != 2 || !doc.Machine || !strings.Contains(doc.Text, "机读") || len(m.reads) != 1 || w.scanJob().Nonce != before.Nonce {
		t.Errorf("%+v, %v", doc, m.reads)
	}
	if log := w.logged.String(); strings.Contains(log, "机读") || strings.Contains(log, "typed") {
		t.Error(log)
	}
}

func TestTextOfPages(t *testing.T) {
	_, _, room, view, job := scanned(t, "typed 999999199001010016\f second\nline")
	read := func(page int) (archive.PageText, error) {
		return room.PageText(t.Context(), clerk(), forPension, view.ID, 1, page)
	}
	if _, err := read(3); !errors.Is(err, archive.ErrState) {
		t.Errorf("before it is read: %v", err)
	}
	if err := room.Recognize(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	want := map[int]archive.PageText{
		1: {Lines: []archive.TextLine{{{Text: "typed  \f second\nline", Place: archive.Place{0, 0, 1, 1}}}}},
		2: {Lines: []archive.TextLine{{{Text: "second"}}, {{Text: "line"}}}},
		3: {Machine: true, Lines: []archive.TextLine{
			{{Text: "机读", Place: archive.Place{0.1, 0.1, 0.2, 0.12}}, {Text: "第3页", Place: archive.Place{0.3, 0.1, 0.4, 0.12}}},
			{{Text: "证号 ", Place: archive.Place{0.1, 0.2, 0.6, 0.22}}}, // where the number stood is not told
		}},
	}
	for page, text := range want {
		got, err := read(page)
		if diff := cmp.Diff(text, got); diff != "" || err != nil {
			t.Errorf("page %d: %v %s", page, err, diff)
		}
	}
	for _, page := range []int{0, 4} {
		if _, err := read(page); !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("page %d: %v", page, err)
		}
	}
}

// TestLongFilesTakeTurns: a file of many pages lets others go first now and then,
// and loses nothing when the process ends.
func TestLongFilesTakeTurns(t *testing.T) {
	w, m, room, view, job := scanned(t, "typed\f\f\f\f\f\f\f")
	m.takes = 2 * time.Minute
	for _, want := range []int{3, 6} {
		if err := room.Recognize(t.Context(), job); !errors.Is(err, archive.ErrEarly) || len(m.reads) != want {
			t.Fatalf("%d pages, %v", len(m.reads), err)
		}
		if w.index[view.ID].Machine {
			t.Error("indexed too early")
		}
	}
	m.fail = archive.ErrUnavailable
	if err := room.Recognize(t.Context(), job); !errors.Is(err, archive.ErrUnavailable) {
		t.Fatal(err)
	}
	m.fail = nil
	if err := w.room().Recognize(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if len(m.reads) != 8 || !strings.HasSuffix(m.reads[7], ":9") || !w.index[view.ID].Machine {
		t.Error(m.reads)
	}
}

// TestTextOfAnotherReadingGoes: what a machine has read of a file is void when the
// file turns out to be other than was thought.
func TestTextOfAnotherReadingGoes(t *testing.T) {
	for name, tt := range map[string]struct {
		bytes  string
		waits  bool // to be read again
		reread string
	}{
		"as it was":   {"typed", false, "机读第2页"},
		"other pages": {"typ\f\f", true, ""},
		"no scans":    {"BAD", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, room, view, job := scanned(t, "typed")
			if err := room.Recognize(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			file := w.records[view.ID][0].Value.Files[0]
			delete(w.derived, file.ID+"/reading")
			w.blobs[file.ID] = []byte(tt.bytes) // a better reader
			if err := room.Settle(t.Context(), w.started[0]); err != nil {
				t.Fatal(err)
			}
			if doc := w.index[view.ID]; strings.Contains(doc.Text, "机读") != (tt.reread != "") || doc.Machine != (tt.reread != "") {
				t.Errorf("%+v", doc)
			}
			if waits := w.scanJob().Nonce != job.Nonce; waits != tt.waits {
				t.Errorf("to be read again: %v", waits)
			}
			if tt.bytes == "BAD" && strings.Contains(string(w.derived[file.ID+"/ocr"]), "机读") {
				t.Error("the text is still there")
			}
		})
	}
}

// TestWithoutAMachine: everything else works, and says what is missing.
func TestWithoutAMachine(t *testing.T) {
	w, room, view := deposited(t, "typed")
	if w.scanJob().Kind != "" || w.index[view.ID].Machine {
		t.Error(w.jobs)
	}
	if _, err := room.Document(t.Context(), view.ID); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{archive.NoteNoText}, w.notes(room, view.ID)); diff != "" {
		t.Error(diff)
	}
	if text, err := room.PageText(t.Context(), clerk(), forPension, view.ID, 1, 2); err != nil || !text.Machine || len(text.Lines) != 0 {
		t.Error(text, err)
	}
	// Now there is one: what came before it is planned for, once.
	m := &machine{w: w}
	w.machine = m
	room = w.room()
	if waits, err := room.AwaitScans(t.Context(), view.ID); err != nil || !waits {
		t.Error(waits, err)
	}
	if err := room.Recognize(t.Context(), w.scanJob()); err != nil || len(m.reads) != 1 {
		t.Error(m.reads, err)
	}
	if waits, err := room.AwaitScans(t.Context(), view.ID); err != nil || waits {
		t.Error(waits, err)
	}
}

// TestScansOfWhatIsNotThere: the record may be gone when its turn comes.
func TestScansOfWhatIsNotThere(t *testing.T) {
	_, _, room, _, job := scanned(t, "typed")
	job.Ref.ID = "0000000000000000000000ZZZZ"
	if err := room.Recognize(t.Context(), job); err != nil {
		t.Error(err)
	}
	if _, err := room.AwaitScans(t.Context(), job.Ref.ID); !errors.Is(err, archive.ErrNotFound) {
		t.Error(err)
	}
}

// TestAFailingReaderPlansNothing: a job that is tried for hours must not leave one
// more behind each time.
func TestAFailingReaderPlansNothing(t *testing.T) {
	w := newWorld(t)
	w.machine = &machine{w: w}
	w.reader = archive.ErrUnavailable
	room := w.room()
	if _, err := room.Deposit(t.Context(), clerk(), "", marriage(t), uploads("one")); err != nil {
		t.Fatal(err)
	}
	if err := room.Settle(t.Context(), w.started[0]); !errors.Is(err, archive.ErrUnavailable) || w.scanJob().Kind != "" {
		t.Error(w.jobs, err)
	}
}
