package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	"image/jpeg"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"dangan/api/stamp"
	"dangan/archive"
	"dangan/cmd/dangan/demo"
	"dangan/internal/testenv"
)

// sheet is a JPEG of half a sheet of A4, at 200 dots per inch, with lines of 16
// points on it.
func sheet(t *testing.T, lines ...string) []byte {
	t.Helper()
	parsed, err := opentype.Parse(stamp.RegularTTF())
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 16, DPI: 200})
	if err != nil {
		t.Fatal(err)
	}
	paper := image.NewGray(image.Rect(0, 0, 1654, 1169))
	draw.Draw(paper, paper.Rect, image.White, image.Point{}, draw.Src)
	pen := font.Drawer{Dst: paper, Src: image.Black, Face: face}
	for i, line := range lines {
		pen.Dot = fixed.P(150, 200+90*i)
		pen.DrawString(line)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, paper, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// bringIn deposits the description of one of the demonstration's records with a file.
func bringIn(t *testing.T, h *house, number int, file []byte) archive.RecordView {
	t.Helper()
	deposits := slices.DeleteFunc(slices.Collect(demo.Records(demo.Seed, 40)), func(d demo.Deposit) bool {
		return d.Record.Office != archivist().Office || d.Record.Family != archive.Livelihood || d.Record.Parent != ""
	})
	r := deposits[number].Record
	view, err := h.holdings.Deposit(t.Context(), archivist(), "", r, one(archive.Upload{Name: "扫描件.jpg", MediaType: "image/jpeg", Body: bytes.NewReader(file)}))
	if err != nil {
		t.Fatal(err)
	}
	return view
}

func one(up archive.Upload) iter.Seq2[archive.Upload, error] {
	return func(yield func(archive.Upload, error) bool) { yield(up, nil) }
}

func archivist() archive.Actor {
	return archive.Actor{ID: "clerk", Role: archive.RoleUploader, Office: "01K00000000000000000QNGCHN"}
}

// searched tells whether a search finds the record, and whether its hit says that a
// machine has read it.
func searched(t *testing.T, h *house, text, id string) (there, machine bool) {
	t.Helper()
	hits, err := h.holdings.Search(t.Context(), archivist(), archive.Query{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range hits.Hits {
		there, machine = there || hit.ID == id, machine || hit.ID == id && hit.Machine
	}
	return there, machine
}

// runs has a house work until the test ends, or until stop is called.
func runs(t *testing.T, h *house) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx) }()
	stop = func() {
		cancel()
		if err, first := <-ended; first && err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(cancel)
	return stop
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within three minutes", what)
		}
	}
}

func noJobs(t *testing.T, h *house) bool {
	t.Helper()
	for _, err := range h.bucket.Work().Jobs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	return true
}

// TestScans takes a scan from its deposit to the search that finds it, with the
// reader's children, tesseract and the search engine as they are.
func TestScans(t *testing.T) {
	testenv.Path(t, "tesseract")
	var log bytes.Buffer
	dir, logger := t.TempDir(), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	e, err := openEmbedded(t.Context(), dir, "http://127.0.0.1", logger, ocrSettings{mode: "auto", models: testenv.Models(t)})
	if err != nil {
		t.Fatal(err)
	}
	stop := runs(t, e.house)
	const phrase = "月工资四十二元五角"
	view := bringIn(t, e.house, 0, sheet(t, "工资级别由二级调整为三级，", phrase+"，自一九八五年十月起执行。", "证件号码999999199001010016"))
	until(t, "the scan is found", func() bool { there, _ := searched(t, e.house, phrase, view.ID); return there })
	if _, machine := searched(t, e.house, phrase, view.ID); !machine {
		t.Error("the hit does not say that a machine has read it")
	}
	until(t, "the work is done", func() bool { return noJobs(t, e.house) })
	text, err := e.house.holdings.PageText(t.Context(), archivist(), archive.Purpose{Code: archive.ForArrangement}, view.ID, 1, 1)
	if err != nil || !text.Machine || len(text.Lines) != 3 {
		t.Fatalf("%d lines, %v", len(text.Lines), err)
	}
	// The second line stands from 150 to 290-50 of 1654 by 1169 pixels, more or less.
	if p := text.Lines[1].Place(); p[0] < 0.08 || p[0] > 0.1 || p[1] < 0.2 || p[1] > 0.22 || p[3] < 0.24 || p[3] > 0.27 {
		t.Error(p)
	}
	if said := text.Lines[2].String(); strings.Contains(said, "9999") {
		t.Error("an id number is shown")
	}
	stop()
	e.close()
	if said := log.String(); strings.Contains(said, "工资") || strings.Contains(said, "99999919") {
		t.Error("the log quotes the page")
	}

	// Without tesseract what was read stays, also in an index made anew.
	if e, err = openEmbedded(t.Context(), dir, "http://127.0.0.1", logger); err != nil {
		t.Fatal(err)
	}
	defer e.close()
	if _, err := (&reindexing{house: e.house, holder: "test", fresh: true}).run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if there, machine := searched(t, e.house, phrase, view.ID); !there || !machine {
		t.Error("lost by a reindex")
	}
}

// stuck is a recognizer that takes as long as it is let.
type stuck struct{ began, release chan struct{} }

func (s stuck) Recognize(ctx context.Context, _ io.ReaderAt, _ int64, _ int) ([]archive.TextLine, error) {
	s.began <- struct{}{}
	select {
	case <-s.release:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return []archive.TextLine{{{Text: "承包耕地六亩二分"}}}, nil
}

// TestScansDelayNothing: while the recognizer is at a page, for as long as it may be,
// other records are read, marked and found.
func TestScansDelayNothing(t *testing.T) {
	e, err := openEmbedded(t.Context(), t.TempDir(), "http://127.0.0.1", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	p, machine := e.house.parts, stuck{make(chan struct{}, 9), make(chan struct{})}
	old := bringIn(t, e.house, 0, sheet(t)) // from before there was a recognizer
	p.metrics, p.recognizer = nil, nil
	before, err := build(p)
	if err != nil {
		t.Fatal(err)
	}
	stop := runs(t, before)
	until(t, "the first record is settled", func() bool { return noJobs(t, before) })
	stop()

	p.metrics, p.recognizer = nil, machine
	h, err := build(p)
	if err != nil {
		t.Fatal(err)
	}
	defer runs(t, h)()
	if n, err := h.awaitScans(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d records with scans to be read, %v", n, err)
	}
	<-machine.began
	for number := 1; number <= 3; number++ {
		view := bringIn(t, h, number, sheet(t))
		until(t, "another record is found", func() bool { there, _ := searched(t, h, view.Title, view.ID); return there })
		if state, err := h.holdings.Open(t.Context(), archivist(), archive.Purpose{}, view.ID); err != nil || state.States[0].State != archive.Ready {
			t.Errorf("%v, %v", state.States, err)
		}
	}
	if len(machine.began) > 0 {
		t.Error("two pages are read at once")
	}
	close(machine.release)
	until(t, "all scans are read", func() bool { return noJobs(t, h) })
	if there, read := searched(t, h, "耕地六亩二分", old.ID); !there || !read {
		t.Error("the first record is not found by its scan")
	}
}

// TestOCRSettings: what is not installed is no error, unless somebody has said where
// it is.
func TestOCRSettings(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	t.Setenv("PATH", t.TempDir())
	for _, s := range []ocrSettings{{}, {mode: "off", models: "/nowhere"}, {mode: "auto"}} {
		if r, err := s.open(t.Context(), nil, log); err != nil || r != nil {
			t.Errorf("%+v: %v, %v", s, r, err)
		}
	}
	if _, err := (ocrSettings{mode: "auto", models: "/nowhere"}).open(t.Context(), nil, log); err == nil || errors.Is(err, archive.ErrUnavailable) {
		t.Error(err)
	}
}
