package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/api/reader"
	"dangan/archive"
)

// childArg has the test binary play the child of a pool.
const childArg = "reader-child"

func runChild(play []string) int {
	ctx, err := context.Background(), error(nil)
	if len(play) == 0 {
		err = reader.RunChild(ctx, os.Stdin, os.Stdout)
	} else {
		err = reader.RunBadChild(ctx, play[0], os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func newPool(tb testing.TB, config reader.PoolConfig) *reader.Pool {
	tb.Helper()
	exe, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	config.CacheDir, config.Exe = cacheDir, exe
	if config.Args == nil {
		config.Args = []string{childArg}
	}
	config.Logger = slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := reader.NewPool(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

func TestPoolReadsAsAReaderDoes(t *testing.T) {
	r, p := newReader(t, reader.Config{}), newPool(t, reader.PoolConfig{})
	for name, file := range map[string][]byte{
		"text":      textPDF("Marriage register 1987"),
		"many":      manyPages(30),
		"picture":   jpegFile(t, 900, 900),
		"encrypted": encrypted(t, "user", "owner"),
		"crash":     selfReference(),
		"empty":     nil,
	} {
		t.Run(name, func(t *testing.T) {
			want := read(t, r, file)
			got, err := p.Read(t.Context(), bytes.NewReader(file), int64(len(file)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			want1, wantErr := r.Page(t.Context(), bytes.NewReader(file), int64(len(file)), 1, 100)
			got1, err := p.Page(t.Context(), bytes.NewReader(file), int64(len(file)), 1, 100)
			if !cmp.Equal(want1, got1) || (err == nil) != (wantErr == nil) {
				t.Errorf("page is %d images and %v, want %d and %v", len(got1), err, len(want1), wantErr)
			}
		})
	}
}

func TestPoolFailureOfTheSourceIsAnError(t *testing.T) {
	p := newPool(t, reader.PoolConfig{Config: reader.Config{Workers: 1}})
	file := scanPDF(jpegFile(t, 900, 1200), 900, 1200)
	broken := brokenFile{bytes.NewReader(file), 70_000, io.ErrClosedPipe}
	if _, err := p.Read(t.Context(), broken, int64(len(file))); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error is %v, want that of the source", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Read(ctx, bytes.NewReader(file), int64(len(file))); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that of the context", err)
	}
	if _, err := p.Read(t.Context(), bytes.NewReader(file), int64(len(file))); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A child that misbehaves is played by this binary; see TestMain.
func TestPoolOutlivesItsChildren(t *testing.T) {
	for play, want := range map[string]string{
		"dies": reader.CodeCrashed, "babbles": reader.CodeCrashed, "lies": reader.CodeCrashed, "floods": reader.CodeCrashed, "reaches": reader.CodeCrashed,
		"hangs": reader.CodeTooSlow, "spins": reader.CodeTooSlow, "grows": reader.CodeTooMuchMemory,
	} {
		limit := time.Minute
		if want == reader.CodeTooSlow {
			limit = time.Second / 2
		}
		t.Run(play, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, reader.PoolConfig{Args: []string{childArg, play}, Config: reader.Config{Workers: 1, MaxTime: limit}, MaxMemory: 512 << 20})
			file := textPDF("x")
			got, err := p.Read(t.Context(), bytes.NewReader(file), int64(len(file)))
			if err != nil {
				t.Fatal(err)
			}
			want := archive.Reading{MediaType: "application/pdf", Findings: []archive.Finding{{Code: want, Rejects: true}}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if _, err := p.Page(t.Context(), bytes.NewReader(file), int64(len(file)), 1, 100); !errors.Is(err, reader.ErrNoPage) {
				t.Errorf("page: %v, want ErrNoPage", err)
			}
		})
	}
}

func TestPoolWithoutChildrenIsUnavailable(t *testing.T) {
	p := newPool(t, reader.PoolConfig{Args: []string{childArg, "refuses"}})
	if _, err := p.Read(t.Context(), bytes.NewReader(textPDF("x")), 1); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("error is %v, want ErrUnavailable", err)
	}
}

func TestPoolClosed(t *testing.T) {
	p, err := reader.NewPool(reader.PoolConfig{Exe: "/nonexistent"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(t.Context(), bytes.NewReader(nil), 0); !errors.Is(err, reader.ErrClosed) {
		t.Errorf("error is %v, want ErrClosed", err)
	}
	if err := p.Close(); !errors.Is(err, reader.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
}

// head is the beginning of a file that nobody may read on in.
type head struct {
	t     *testing.T
	bytes []byte
}

func (h head) ReadAt(p []byte, offset int64) (int, error) {
	if n := offset + int64(len(p)); n > 64<<10 {
		h.t.Errorf("read on to %d", n)
	}
	clear(p)
	copy(p, h.bytes[min(offset, int64(len(h.bytes))):])
	return len(p), nil
}

// A file of 5 GB is kept for what it says it is, and only its beginning is read.
func TestPoolKeepsWhatIsTooLargeUnread(t *testing.T) {
	p := newPool(t, reader.PoolConfig{})
	for want, begins := range map[string]string{"application/pdf": "%PDF-1.7\n", "image/tiff": "II*\x00", "application/octet-stream": "film"} {
		got, err := p.Read(t.Context(), head{t, []byte(begins)}, 5<<30)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(archive.Reading{MediaType: want, Findings: []archive.Finding{{Code: reader.CodeTooLarge}}}, got); diff != "" {
			t.Error(diff)
		}
		if _, err := p.Page(t.Context(), head{t, []byte(begins)}, 5<<30, 1, 100); !errors.Is(err, reader.ErrNoPage) {
			t.Errorf("page: %v, want ErrNoPage", err)
		}
	}
}

// stuckFile has bytes only when it is let go.
type stuckFile struct {
	*bytes.Reader
	reached, free chan struct{}
}

func (f *stuckFile) ReadAt(p []byte, offset int64) (int, error) {
	f.reached <- struct{}{}
	<-f.free
	return f.Reader.ReadAt(p, offset)
}

// A page is drawn while every file that came before it is still being read.
func TestPoolDrawsPagesWhileItReads(t *testing.T) {
	p := newPool(t, reader.PoolConfig{Config: reader.Config{Workers: 1, MaxTime: time.Hour}})
	file := textPDF("slow")
	stuck := &stuckFile{bytes.NewReader(file), make(chan struct{}, 1<<10), make(chan struct{})}
	ctx, done := context.WithCancel(t.Context())
	defer done() // whatever happens
	var readings sync.WaitGroup
	for range 3 {
		readings.Go(func() {
			if r, err := p.Read(ctx, stuck, int64(len(file))); err != nil || r.Pages != 1 {
				t.Errorf("%d pages, %v", r.Pages, err)
			}
		})
	}
	<-stuck.reached
	if _, err := p.Page(t.Context(), bytes.NewReader(file), int64(len(file)), 1, 100); err != nil {
		t.Error(err)
	}
	close(stuck.free)
	readings.Wait()
}
