package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"time"

	"github.com/peterbourgon/ff/v4"

	"dangan/api/ocr"
	"dangan/api/reader"
	"dangan/archive"
	"dangan/archive/holdings"
	"dangan/archive/work"
)

// ocrSettings say whether scans are read, and with which model.
type ocrSettings struct{ mode, models string }

func (o *ocrSettings) flags(fs *ff.FlagSet) {
	fs.StringEnumVar(&o.mode, 0, "ocr", "read the characters on scans, for search: auto where tesseract is installed, or off", "auto", "off")
	fs.StringVar(&o.models, 0, "ocr-models", "", "folder with the model chi_sim.traineddata of tesseract; empty for where it has its own")
}

// open is nil where scans are not read. That the program is missing is an error
// only to who has named a folder for it.
func (o ocrSettings) open(ctx context.Context, pages *reader.Pool, log *slog.Logger) (holdings.Recognizer, error) {
	if o.mode != "auto" {
		return nil, nil
	}
	program, err := ocr.New(ctx, ocr.Config{Models: o.models, Logger: log})
	switch {
	case errors.Is(err, ocr.ErrMissing) && o.models == "":
		log.InfoContext(ctx, "scans are not read", slog.Any("why", err))
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("--ocr-models: %w", err)
	}
	return recognizer{pages, program}, nil
}

// recognizer has pages drawn in a child of the reader, and read in a process of its
// own.
type recognizer struct {
	pages   *reader.Pool
	program *ocr.Tesseract
}

// scanDPI makes usual type as large as the model wants it. At 300 it misreads half
// as much again, and takes longer.
const scanDPI = 200

// Recognize implements holdings.Recognizer. A page that cannot be drawn has no lines.
func (r recognizer) Recognize(ctx context.Context, src io.ReaderAt, size int64, page int) ([]archive.TextLine, error) {
	drawn, err := r.pages.Render(archive.Unhurried(ctx), src, size, page, scanDPI)
	if errors.Is(err, archive.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.program.Recognize(ctx, drawn)
}

// jobStore is what a queue works on.
type jobStore interface {
	work.Store
	work.Leases
}

// share is a part of the jobs of a bucket, with a sweep of its own: what takes hours
// must not stand in the way of what takes a moment.
type share struct {
	jobStore
	name  string // put before the names of its leases
	holds func(kind string) bool
}

// Jobs lists those of the share.
func (s share) Jobs(ctx context.Context) iter.Seq2[archive.Job, error] {
	return func(yield func(archive.Job, error) bool) {
		for job, err := range s.jobStore.Jobs(ctx) {
			if (err != nil || s.holds(job.Kind)) && !yield(job, err) {
				return
			}
		}
	}
}

// Acquire takes a lease of the share.
func (s share) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (archive.Lease, error) {
	return s.jobStore.Acquire(ctx, s.name+name, holder, ttl)
}

// scanQueue is the jobs that read scans: one at a time, in the process that sweeps
// them, so that of all replicas one is at work. Whatever takes that long is not
// started where it was planned.
func (h *house) scanQueue(all jobStore) *work.Queue {
	jobs := share{all, "ocr-", func(kind string) bool { return kind == archive.JobScans }}
	return work.New(work.Config{
		Store: jobs, Leases: jobs, Holder: h.replica, Workers: 1, Grace: time.Second, Interval: 5 * time.Second, LeaseTTL: 30 * time.Second,
		Handlers: h.metrics.handlers(map[string]func(context.Context, archive.Job) error{
			archive.JobScans: func(ctx context.Context, j archive.Job) error { return h.holdings.Recognize(ctx, j) },
		}), Now: time.Now, NewID: h.newID, Log: h.log,
	})
}

// notScans is all other jobs.
func notScans(all jobStore) share {
	return share{all, "", func(kind string) bool { return kind != archive.JobScans }}
}

// readScans works until ctx ends, if there is anybody to do so.
func (h *house) readScans(ctx context.Context) error {
	if h.recognizer == nil {
		return nil // the jobs of others wait for them
	}
	return h.scans.Run(ctx)
}
