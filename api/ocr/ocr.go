// Package ocr reads the characters on pictures of pages, so that scans can be
// searched. It is the only user of the program tesseract.
//
// It owns how that program is run: with nothing but a picture, in a process that
// has little memory, little time and the lowest priority, because the picture comes
// from outside. It must not know whose page it reads, nor what the text is for; it
// never logs any of it.
package ocr

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"io"
	"log/slog"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"dangan/archive"
)

// ErrMissing means that the program or its model of Chinese is not installed.
var ErrMissing = errors.New("tesseract with its model chi_sim is not installed")

// model is that of simplified Chinese. It knows Latin letters and digits as well:
// that of English beside it takes half as long again, and finds nothing more.
const model = "chi_sim"

// Config says how to run the program. A zero limit means the default.
type Config struct {
	Program string // its name or path; "tesseract"
	Models  string // folder with chi_sim.traineddata; empty for where the program has its own
	Logger  *slog.Logger

	MaxMemory int64         // bytes it may have; 1 GiB
	MaxTime   time.Duration // of a processor that a page may take; a minute
}

// Tesseract reads pages, each in a process of its own. Its methods may be called
// concurrently.
type Tesseract struct{ config Config }

// New finds the program and its model; ErrMissing when one is not there.
func New(ctx context.Context, c Config) (*Tesseract, error) {
	if c.Program == "" {
		c.Program = "tesseract"
	}
	if c.MaxMemory == 0 {
		c.MaxMemory = 1 << 30
	}
	if c.MaxTime == 0 {
		c.MaxTime = time.Minute
	}
	path, err := exec.LookPath(c.Program)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	c.Program = path
	list := exec.CommandContext(ctx, path, c.arguments("--list-langs")...)
	list.Env = environment()
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: list models: %w", ErrMissing, err)
	}
	if !slices.Contains(strings.Fields(string(out)), model) {
		return nil, ErrMissing
	}
	return &Tesseract{c}, nil
}

func (c Config) arguments(first ...string) []string {
	if c.Models != "" {
		return append(first, "--tessdata-dir", c.Models)
	}
	return first
}

// environment keeps the program to one thread: several make it ten times slower.
func environment() []string { return []string{"OMP_THREAD_LIMIT=1"} }

// Recognize returns the lines on a picture of a page. Characters should be about 40
// pixels high, as in a scan with 200 dots per inch: fewer are misread then than in
// a larger one. A picture that takes too much, or that the program dies of, has no
// lines. The error is that of ctx, or archive.ErrUnavailable when the program
// cannot be run.
func (t *Tesseract) Recognize(ctx context.Context, page image.Image) ([]archive.TextLine, error) {
	picture := grey(page)
	for last := false; ; last = true { // the cause of a death may lie outside the picture
		lines, err := t.try(ctx, picture)
		var died *exec.ExitError
		switch {
		case err == nil:
			return lines, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("recognize page: %w", ctx.Err())
		case !errors.As(err, &died) && !errors.Is(err, errOutput) && !errors.Is(err, context.DeadlineExceeded):
			return nil, fmt.Errorf("recognize page: %w: %w", archive.ErrUnavailable, err)
		}
		t.config.Logger.WarnContext(ctx, "page not recognized", slog.Any("error", err), slog.Bool("again", !last))
		if last {
			return nil, nil
		}
	}
}

// patience is how many times its time of a processor a page may take by the clock:
// at the lowest priority it waits for everybody.
const patience = 10

// try has the program read a picture once.
func (t *Tesseract) try(ctx context.Context, picture []byte) ([]archive.TextLine, error) {
	ctx, cancel := context.WithTimeout(ctx, patience*t.config.MaxTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.config.Program, t.config.arguments("stdin", "stdout", "-l", model, "--oem", "1", "--psm", "3", "--dpi", "200", "-c", "tessedit_create_tsv=1")...)
	out := &output{}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.SysProcAttr, cmd.WaitDelay = "/", environment(), out, apart(), time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	ended := make(chan error)
	go func() { // its thread ends with it: see humble
		runtime.LockOSThread()
		ended <- t.run(cmd, in, picture)
	}()
	if err = <-ended; ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return parse(out.kept)
}

// run starts the program, takes from it what it has no use for, and only then shows
// it the picture.
func (t *Tesseract) run(cmd *exec.Cmd, in io.WriteCloser, picture []byte) error {
	if err := humble(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err := confine(cmd.Process.Pid, t.config)
	if err == nil {
		_, _ = in.Write(picture) // when the program does not want it, its end says why
	}
	_ = in.Close()
	if err != nil {
		_ = cmd.Process.Kill() // it waits for a picture
	}
	return errors.Join(err, cmd.Wait())
}

// maxOutput is more than any page has to say.
const maxOutput = 16 << 20

var errOutput = errors.New("output is not what it should be")

// output keeps what is written to it, up to a limit.
type output struct{ kept []byte }

func (o *output) Write(p []byte) (int, error) {
	if len(o.kept)+len(p) > maxOutput {
		return 0, errOutput
	}
	o.kept = append(o.kept, p...)
	return len(p), nil
}

// grey is a picture as a PGM, which costs nothing to write.
func grey(page image.Image) []byte {
	size := page.Bounds().Size()
	m := image.NewGray(image.Rectangle{Max: size})
	draw.Draw(m, m.Rect, page, page.Bounds().Min, draw.Src)
	return append(fmt.Appendf(nil, "P5\n%d %d\n255\n", size.X, size.Y), m.Pix...)
}
