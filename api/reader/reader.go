// Package reader looks into files that came from outside: it says what a file
// is, whether it may be kept as a readable archive file, how many pages it has
// and what text they carry, and it draws single pages for previews and copies.
//
// It owns three libraries (pdfcpu, pdfium compiled to WebAssembly, the image
// decoders) and the distrust towards their input: a bad file is an answer with
// a finding, never an error and never a panic. It must not know where files
// are kept, whose they are or what they are called; a file is an [io.ReaderAt]
// and a size, results are plain values, and nothing is shared with the caller,
// so that a Reader can move into a child process as it is.
package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"dangan/archive"

	"github.com/tetratelabs/wazero"
)

// ErrNoPage is returned by [Reader.Page] for a page the file does not have,
// and for any page of a file that has none to show.
var ErrNoPage = fmt.Errorf("page: %w", archive.ErrNotFound)

// ErrClosed is returned by calls that [Reader.Close] has cut short or preceded.
var ErrClosed = fmt.Errorf("reader is closed: %w", archive.ErrUnavailable)

// errOverrun is the cause of a job context whose own time limit ended it.
var errOverrun = errors.New("document exceeds the time limit")

// Config holds the limits of a Reader. A zero limit means the default.
type Config struct {
	// Logger receives the starts of the PDF engine and parser panics; nil
	// means silence. Nothing from inside a document is ever logged.
	Logger *slog.Logger `json:"-"`
	// CacheDir keeps compiled WebAssembly between processes: with it the PDF
	// engine starts in about 0.1 s instead of 4 s. Empty means no cache.
	CacheDir string
	// MaxBytes is the largest file that is read at all; 200 MB.
	MaxBytes int64
	// MaxPages is the largest number of pages of a PDF; 2000.
	MaxPages int
	// MaxPixels is the largest picture, alone or inside a PDF; 100 million.
	MaxPixels int64
	// MaxTime is the time one file may take once its turn has come; 20 s.
	MaxTime time.Duration
	// Workers is the number of files read at the same time; 2.
	Workers int
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&c.MaxBytes, 200<<20)
	setDefault(&c.MaxPages, 2000)
	setDefault(&c.MaxPixels, 100_000_000)
	setDefault(&c.MaxTime, 20*time.Second)
	setDefault(&c.Workers, 2)
	return c
}

func setDefault[T int | int64 | time.Duration](limit *T, value T) {
	if *limit <= 0 {
		*limit = value
	}
}

// Reader reads files, a few at a time. Its methods may be called concurrently;
// callers beyond the number of workers wait for their turn.
type Reader struct {
	config Config
	cache  wazero.CompilationCache
	closed context.Context
	close  context.CancelFunc
	// idle holds one engine per worker that has nothing to do.
	idle chan *engine
}

// New returns a Reader. It is quick: the PDF engine starts with the first PDF.
// The error is that of an unusable cache directory.
func New(_ context.Context, config Config) (*Reader, error) {
	config = config.withDefaults()
	cache := wazero.NewCompilationCache()
	if config.CacheDir != "" {
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(config.CacheDir); err != nil {
			return nil, fmt.Errorf("open compilation cache: %w", err)
		}
	}
	r := &Reader{config: config, cache: cache, idle: make(chan *engine, config.Workers)}
	// The engines outlive the call that starts them, hence not the context of New.
	r.closed, r.close = context.WithCancel(context.Background())
	for range config.Workers {
		r.idle <- &engine{cache: cache, logger: config.Logger}
	}
	return r, nil
}

// Close breaks off running jobs and releases the engines.
func (r *Reader) Close() error {
	if r.closed.Err() != nil {
		return ErrClosed
	}
	r.close()
	for range r.config.Workers {
		(<-r.idle).discard()
	}
	if err := r.cache.Close(context.Background()); err != nil {
		return fmt.Errorf("close compilation cache: %w", err)
	}
	return nil
}

// Read looks into the file of the given size. What is wrong with the file is
// in the findings; the error is that of src or ctx, or of an engine that does
// not start. When there is a finding that rejects the file, the other fields
// hold what was known until then.
func (r *Reader) Read(ctx context.Context, src io.ReaderAt, size int64) (archive.Reading, error) {
	var reading archive.Reading
	err := r.run(ctx, src, size, func(j job) (err error) {
		reading, err = j.read()
		return err
	})
	if err != nil {
		return archive.Reading{}, fmt.Errorf("read file: %w", err)
	}
	return reading, nil
}

// job is the work on one file by one worker.
type job struct {
	Config
	ctx       context.Context
	src       *source
	mediaType string
	engine    *engine
}

// run waits for a worker and runs f on it, within the time limit.
func (r *Reader) run(ctx context.Context, src io.ReaderAt, size int64, f func(job) error) error {
	var e *engine
	select {
	case <-r.closed.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case e = <-r.idle:
		defer func() { r.idle <- e }()
	}
	if r.closed.Err() != nil {
		return ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.closed, func() { cancel(ErrClosed) })()

	j := job{Config: r.config, ctx: ctx, src: &source{ctx: ctx, file: src, size: size}, engine: e}
	if err := j.prepare(); err != nil {
		return err
	}
	ctx, stop := context.WithTimeoutCause(ctx, r.config.MaxTime, errOverrun)
	defer stop()
	j.ctx, j.src.ctx = ctx, ctx
	return f(j)
}

// prepare tells the type and starts the engine for a PDF; neither may count
// against the time of a document.
func (j *job) prepare() (err error) {
	if j.mediaType, err = j.src.mediaType(); err != nil {
		return err
	}
	if j.mediaType == typePDF {
		return j.engine.start(j.ctx)
	}
	return nil
}

func (j job) read() (archive.Reading, error) {
	reading := archive.Reading{MediaType: j.mediaType}
	err := j.guard(func() error { return j.look(&reading) })
	if err == nil {
		return reading, nil
	}
	code, err := j.verdict(err)
	if err != nil {
		return archive.Reading{}, err
	}
	reject(&reading, code)
	return reading, nil
}

func (j job) look(reading *archive.Reading) error {
	if j.src.size > j.MaxBytes {
		note(reading, CodeTooLarge)
		return nil
	}
	double, err := j.src.isDouble(j.mediaType)
	if err != nil {
		return err
	}
	if double {
		reject(reading, CodePolyglot)
		return nil
	}
	switch j.mediaType {
	case typePDF:
		return j.readPDF(reading)
	case typeJPEG, typePNG, typeTIFF:
		return j.readPicture(reading)
	case typeZIP, typeOFD:
		return j.readZIP(reading)
	case typeEmpty:
		reject(reading, CodeDamaged)
	default:
		reject(reading, CodeUnsupportedType)
	}
	return nil
}

// guard runs a parser and turns its panic into errPanic.
func (j job) guard(parse func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The type only: the value may quote the document.
			j.Logger.WarnContext(j.ctx, "parser panicked", slog.String("type", fmt.Sprintf("%T", p)))
			err = errPanic
		}
	}()
	return parse()
}
