package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/api/reader"
	"dangan/archive"
)

// What a Reader does when the source fails, time runs out, or it is closed.

// brokenFile fails at the given offset and after it.
type brokenFile struct {
	*bytes.Reader
	good int64
	err  error
}

func (f brokenFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > f.good {
		return 0, f.err
	}
	return f.Reader.ReadAt(p, offset)
}

func TestFailureOfTheSourceIsAnError(t *testing.T) {
	r := newReader(t, reader.Config{})
	scan := scanPDF(jpegFile(t, 400, 566), 400, 566)
	for name, file := range map[string][]byte{"pdf": scan, "jpeg": jpegFile(t, 400, 566)} {
		for _, good := range []int64{0, 2000} {
			t.Run(fmt.Sprintf("%s after %d bytes", name, good), func(t *testing.T) {
				broken := brokenFile{bytes.NewReader(file), good, io.ErrClosedPipe}
				reading, err := r.Read(t.Context(), broken, int64(len(file)))
				if !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("Read returned %v, %v, want the error of the source", reading, err)
				}
				_, err = r.Page(t.Context(), broken, int64(len(file)), 1, 100)
				if !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("Page returned %v, want the error of the source", err)
				}
			})
		}
	}
}

func TestEndOfContextIsAnError(t *testing.T) {
	r := newReader(t, reader.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := textPDF("late")
	if _, err := r.Read(ctx, bytes.NewReader(file), int64(len(file))); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that of the context", err)
	}
}

// cancelFile ends a context when pdfium, the second parser, has come so far as
// to read the page content.
type cancelFile struct {
	*bytes.Reader
	reads  int
	cancel context.CancelFunc
}

func (f *cancelFile) ReadAt(p []byte, offset int64) (int, error) {
	if f.reads--; f.reads == 0 {
		f.cancel()
	}
	return f.Reader.ReadAt(p, offset)
}

func TestReaderWorksAfterJobsBrokenOff(t *testing.T) {
	r := newReader(t, reader.Config{Workers: 1})
	file := manyPages(10)
	ended := 0
	for reads := 1; reads < 40; reads += 3 {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := r.Read(ctx, &cancelFile{bytes.NewReader(file), reads, cancel}, int64(len(file)))
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("ended at read %d: %v", reads, err)
		}
		if err != nil {
			ended++
		}
	}
	if ended < 3 {
		t.Errorf("only %d jobs were broken off", ended)
	}
	if got := read(t, r, file); got.Pages != 10 || len(got.Findings) > 0 {
		t.Errorf("afterwards, a good file reads as %d pages, %v", got.Pages, got.Findings)
	}
}

func TestOverrunIsTheFaultOfTheFile(t *testing.T) {
	r := newReader(t, reader.Config{MaxTime: time.Nanosecond})
	want := []archive.Finding{{Code: reader.CodeTooSlow, Rejects: true}}
	if diff := cmp.Diff(want, read(t, r, textPDF("slow")).Findings); diff != "" {
		t.Error(diff)
	}
}

func TestReaderWorksAfterAnOverrun(t *testing.T) {
	var log bytes.Buffer
	r := newReader(t, reader.Config{Workers: 1, MaxTime: time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	want := []archive.Finding{{Code: reader.CodeTooSlow, Rejects: true}}
	if diff := cmp.Diff(want, read(t, r, flateBomb(t)).Findings); diff != "" {
		t.Error(diff)
	}
	if got := read(t, r, manyPages(2)); got.Pages != 2 || len(got.Findings) > 0 {
		t.Errorf("afterwards, a good file reads as %d pages, %v", got.Pages, got.Findings)
	}
	if got := strings.Count(log.String(), "PDF engine started"); got != 2 {
		t.Errorf("the engine started %d times, want 2", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	r := newReader(t, reader.Config{})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			text := fmt.Sprintf("file %d", i)
			file := textPDF(text)
			reading, err := r.Read(t.Context(), bytes.NewReader(file), int64(len(file)))
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff([]string{text}, reading.Text); diff != "" {
				t.Error(diff)
			}
		})
	}
	group.Wait()
}

func TestClosed(t *testing.T) {
	r, err := reader.New(t.Context(), reader.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(t.Context(), strings.NewReader("x"), 1); !errors.Is(err, reader.ErrClosed) {
		t.Errorf("error is %v, want ErrClosed", err)
	}
	if err := r.Close(); !errors.Is(err, reader.ErrClosed) {
		t.Errorf("second Close: error is %v, want ErrClosed", err)
	}
}

func TestCloseBreaksOffWhatRuns(t *testing.T) {
	r, err := reader.New(t.Context(), reader.Config{MaxBytes: math.MaxInt64, MaxTime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	file := &endlessFile{started: make(chan struct{})}
	failed := make(chan error)
	go func() {
		_, err := r.Read(t.Context(), file, math.MaxInt64)
		failed <- err
	}()
	<-file.started
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, reader.ErrClosed) {
		t.Errorf("error is %v, want ErrClosed", err)
	}
}

// endlessFile is a JPEG that never gets beyond the fill bytes before its
// second marker.
type endlessFile struct {
	once    sync.Once
	started chan struct{}
}

func (f *endlessFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset > 0 {
		f.once.Do(func() { close(f.started) })
	}
	for i := range p {
		p[i] = 0xFF
	}
	if offset == 0 {
		p[1] = 0xD8
	}
	return len(p), nil
}
