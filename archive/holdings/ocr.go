package holdings

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"dangan/archive"
)

// Recognizer reads the characters on scans.
type Recognizer interface {
	// Recognize returns the lines of a page (from 1) of a file. One that cannot be
	// read has none; an error means that it could not be tried.
	Recognize(ctx context.Context, src io.ReaderAt, size int64, page int) ([]archive.TextLine, error)
}

// Planner keeps jobs that nobody waits for.
type Planner interface {
	// Plan is durable on return.
	Plan(ctx context.Context, job archive.Job) (archive.Job, error)
}

// How long scans are read before others have their turn, and how much of that a
// process that is killed may lose.
const (
	scanTurn = 5 * time.Minute
	scanSave = 30 * time.Second
)

// Recognize has the scanned pages of a record's files read, and then the record
// found by what is on them. After a while it lets others have their turn: the error
// is archive.ErrEarly, and the next run goes on where it stood.
func (h *Room) Recognize(ctx context.Context, job archive.Job) error {
	v, err := h.head(ctx, job.Ref.ID)
	if errors.Is(err, archive.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	end := h.c.Now().Add(scanTurn)
	for _, f := range v.Value.Files {
		if err := h.recognize(ctx, v.Value.Ref(), f, end); err != nil {
			return fmt.Errorf("recognize: %w", err)
		}
	}
	return h.untilNewest(ctx, v, h.index)
}

// recognize goes on with one file.
func (h *Room) recognize(ctx context.Context, ref archive.Ref, f archive.File, end time.Time) error {
	state, found, err := h.state(ctx, ref, f)
	if err != nil || state.State != archive.Ready || !found.HasScans() {
		return err
	}
	scans, err := h.scans(ctx, ref, f, found)
	if err != nil || len(scans.Pages) >= len(found.Text) {
		return err
	}
	src, err := h.c.Blobs.OpenBlob(ctx, ref, f.Blob)
	if err != nil {
		return err
	}
	defer src.Close()
	for saved := h.c.Now(); len(scans.Pages) < len(found.Text); {
		var lines []archive.TextLine
		if page := len(scans.Pages) + 1; found.Scanned(page) {
			if lines, err = h.c.Recognizer.Recognize(ctx, src, f.Size, page); err != nil {
				return err
			}
		}
		scans.Pages = append(scans.Pages, lines)
		now, last := h.c.Now(), len(scans.Pages) == len(found.Text)
		if !last && now.Before(end) && now.Sub(saved) < scanSave {
			continue
		}
		if err := h.putScans(ctx, ref, f, scans); err != nil {
			return err
		}
		if !last && !now.Before(end) {
			return archive.ErrEarly
		}
		saved = now
	}
	return nil
}
