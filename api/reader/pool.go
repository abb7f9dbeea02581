package reader

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"dangan/archive"
)

// PoolConfig holds how to start children, and their limits. A zero limit means
// the default.
type PoolConfig struct {
	// Config holds the limits of the [Reader] in each child. Workers is the number
	// of files read at once, one child less than there may be, and MaxTime the CPU time of a file; it may take three
	// times as long by the clock, because a machine has other things to do. The
	// cache is worth having: without a CacheDir each pool makes one of its own.
	Config
	// Exe and Args run this program such that it calls [RunChild].
	Exe  string
	Args []string
	// MaxMemory is the memory that a child may have, in bytes; 1 GiB.
	MaxMemory int64
	// MaxJobs is the number of jobs after which a child is replaced; 100.
	MaxJobs int
	// Rest is how long nobody must have waited for anything before there is time
	// for what is archive.Unhurried; 2 s.
	Rest time.Duration
}

func (c PoolConfig) withDefaults() PoolConfig {
	c.Config = c.Config.withDefaults()
	setDefault(&c.MaxMemory, 1<<30)
	setDefault(&c.MaxJobs, 100)
	setDefault(&c.Rest, 2*time.Second)
	return c
}

// Pool reads files like a [Reader], each in a child process that holds nothing
// worth having: no environment, no open file, no folder to write to, no way to
// more rights, and limits on memory, CPU, time and what it may answer. What kills
// a child is a finding on the file.
//
// Its methods may be called concurrently; callers beyond the number of children
// wait for their turn: pages before readings, which leave a child to pages, and
// whatever is archive.Unhurried last.
type Pool struct {
	config PoolConfig
	closed context.Context
	close  context.CancelFunc
	remove func() error
	turns  *turns
	// idle holds the children that have nothing to do, and unborn leave to start one
	// more for each that was never needed. Whoever has a turn finds one of them.
	idle   chan promise
	unborn chan struct{}
}

// promise is a child that is being started, so that nobody waits for a start
// unless it is needed at once.
type promise chan birth

type birth struct {
	cell *cell
	err  error
}

// NewPool returns a Pool and starts its first child in the background; another
// follows when two files are to be read at once. Its error is that of a cache
// that cannot be made; children that cannot be started are archive.ErrUnavailable
// at each job, until they can.
func NewPool(config PoolConfig) (*Pool, error) {
	p := &Pool{config: config.withDefaults(), remove: func() error { return nil }}
	if p.config.CacheDir == "" {
		dir, err := os.MkdirTemp("", "dangan-engine-")
		if err != nil {
			return nil, fmt.Errorf("make engine cache: %w", err)
		}
		p.config.CacheDir, p.remove = dir, func() error { return os.RemoveAll(dir) }
	}
	if err := os.MkdirAll(p.config.CacheDir, 0o700); err != nil {
		return nil, fmt.Errorf("make engine cache: %w", err)
	}
	p.closed, p.close = context.WithCancel(context.Background())
	children := p.config.Workers + 1
	p.turns = newTurns(children, p.config.Rest)
	p.idle, p.unborn = make(chan promise, children), make(chan struct{}, children)
	p.idle <- p.start()
	for range children - 1 {
		p.unborn <- struct{}{}
	}
	return p, nil
}

// Close breaks off running jobs and ends the children.
func (p *Pool) Close() error {
	if p.closed.Err() != nil {
		return ErrClosed
	}
	p.close()
	for range cap(p.idle) {
		select {
		case <-p.unborn:
		case next := <-p.idle:
			if born := <-next; born.cell != nil {
				born.cell.stop()
			}
		}
	}
	return p.remove()
}

// Read looks into a file, as [Reader.Read] does. The error is that of src or ctx,
// or archive.ErrUnavailable when there is no child to read it.
func (p *Pool) Read(ctx context.Context, src io.ReaderAt, size int64) (archive.Reading, error) {
	a, err := p.do(ctx, order{Size: size}, src)
	var death *deathError
	if errors.As(err, &death) {
		return p.epitaph(src, size, death.code)
	}
	if err != nil {
		return archive.Reading{}, fmt.Errorf("read file: %w", err)
	}
	return a.reading, nil
}

// epitaph is all that is said about a file whose reader died of it.
func (p *Pool) epitaph(src io.ReaderAt, size int64, code string) (archive.Reading, error) {
	file := source{ctx: p.closed, file: src, size: size}
	mediaType, err := file.mediaType()
	if err != nil {
		return archive.Reading{}, fmt.Errorf("read file: %w", err)
	}
	reading := archive.Reading{MediaType: mediaType}
	reject(&reading, code)
	return reading, nil
}

// Page draws a page, as [Reader.Page] does. A page whose reader dies of it is
// [ErrNoPage].
func (p *Pool) Page(ctx context.Context, src io.ReaderAt, size int64, page int, widths ...int) ([][]byte, error) {
	if page < 1 || len(widths) == 0 || slices.Min(widths) < 1 {
		return nil, fmt.Errorf("draw page %d, %d pixels wide: %w", page, widths, ErrNoPage)
	}
	a, err := p.draw(ctx, order{Size: size, Page: page, Widths: widths}, src)
	if err != nil {
		return nil, fmt.Errorf("draw page %d: %w", page, err)
	}
	return a.pngs, nil
}

// Render draws a page for a copy of it, as [Reader.Render] does. The pixels are
// those that the child sent: nothing is encoded, and nothing is lost. They may take
// 72 MB here; how many callers have such pages at once is for them to limit.
func (p *Pool) Render(ctx context.Context, src io.ReaderAt, size int64, page, dpi int) (*image.RGBA, error) {
	if page < 1 || dpi < 1 {
		return nil, fmt.Errorf("render page %d at %d dpi: %w", page, dpi, ErrNoPage)
	}
	a, err := p.draw(ctx, order{Size: size, Page: page, DPI: dpi}, src)
	if err != nil {
		return nil, fmt.Errorf("render page %d: %w", page, err)
	}
	return a.pixels, nil
}

func (p *Pool) draw(ctx context.Context, o order, src io.ReaderAt) (answer, error) {
	a, err := p.do(ctx, o, src)
	var death *deathError
	if errors.As(err, &death) || err == nil && a.frame == frameNoPage {
		return answer{}, ErrNoPage
	}
	return a, err
}

// patience is how many times its CPU time a file may take by the clock.
const patience = 3

// do has a child carry out an order. When a child dies the file gets a second
// chance, unless it is surely to blame; the second death counts.
func (p *Pool) do(ctx context.Context, o order, src io.ReaderAt) (answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.closed, func() { cancel(ErrClosed) })()
	l, err := p.turns.take(ctx, laneOf(ctx, o))
	if err != nil {
		return answer{}, err
	}
	defer p.turns.giveBack(l)
	for chance := 1; ; chance++ {
		c, err := p.take(ctx)
		if err != nil {
			return answer{}, err
		}
		began := time.Now()
		a, err := c.work(ctx, o, &source{file: src, size: o.Size}, patience*p.config.MaxTime)
		p.giveBack(c, err == nil && a.frame != frameFailed && !suspicious(a.reading))
		var death *deathError
		if err == nil && a.frame == frameFailed {
			err = fmt.Errorf("child failed: %w", archive.ErrUnavailable)
		}
		if !errors.As(err, &death) {
			return a, err
		}
		p.config.Logger.WarnContext(ctx, "reader child ended",
			slog.String("why", death.code), slog.Duration("after", time.Since(began)), slog.Int("chance", chance))
		if chance == 2 || death.surely {
			return answer{}, err
		}
	}
}

func laneOf(ctx context.Context, o order) lane {
	switch {
	case archive.IsUnhurried(ctx):
		return spare
	case o.Page == 0:
		return steady
	}
	return urgent
}

// take waits for a child that lives. A start that failed is tried again, once.
func (p *Pool) take(ctx context.Context) (*cell, error) {
	next, err := p.next(ctx)
	if err != nil {
		return nil, err
	}
	for last := false; ; last = true {
		var born birth
		select {
		case <-ctx.Done():
			p.idle <- next
			return nil, context.Cause(ctx)
		case born = <-next:
		}
		if born.err == nil && !born.cell.isDead() {
			return born.cell, nil
		}
		if last && born.err != nil {
			next <- born // whoever comes next tries again
			p.idle <- next
			return nil, fmt.Errorf("start reader: %w: %w", archive.ErrUnavailable, born.err)
		}
		next = p.start()
	}
}

// next finds a child that has nothing to do, and starts another if there is none.
// It waits only where Close has come first.
func (p *Pool) next(ctx context.Context) (promise, error) {
	select {
	case next := <-p.idle:
		return next, nil
	default:
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case next := <-p.idle:
		return next, nil
	case <-p.unborn:
		return p.start(), nil
	}
}

// suspicious reports whether a file did not pass that a parser has had in its
// hands. One of a type that has no parser left nothing behind.
func suspicious(r archive.Reading) bool {
	return slices.ContainsFunc(r.Findings, func(f archive.Finding) bool { return f.Rejects && f.Code != CodeUnsupportedType })
}

// giveBack lets a child wait for the next job, or replaces it: after a file that
// did not pass, of which something may be left; when it has grown; and from time
// to time.
func (p *Pool) giveBack(c *cell, good bool) {
	if good && c.jobs < p.config.MaxJobs && resident(c.cmd.Process.Pid) < p.config.MaxMemory/4 {
		next := make(promise, 1)
		next <- birth{cell: c}
		p.idle <- next
		return
	}
	c.stop()
	p.idle <- p.start()
}

func (p *Pool) start() promise {
	next := make(promise, 1)
	go func() {
		began := time.Now()
		c, err := newCell(p.closed, p.config)
		if err == nil {
			p.config.Logger.Debug("reader child started", slog.Duration("took", time.Since(began)))
		}
		next <- birth{c, err}
	}()
	return next
}
