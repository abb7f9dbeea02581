package holdings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dangan/archive"
)

// Settle does what must follow every version of a record: its files are read,
// marked, and the record indexed. It may run any number of times. A deposit that
// was not committed within Grace is fenced off and its claims are released.
func (h *Room) Settle(ctx context.Context, job archive.Job) error {
	v, err := h.head(ctx, job.Ref.ID)
	if errors.Is(err, archive.ErrNotFound) {
		if h.c.Now().Sub(job.At) < h.c.Grace {
			return fmt.Errorf("settle: %w", archive.ErrEarly)
		}
		err = archive.Abandon(ctx, h.c.Records, h.c.Claims, job)
		if !errors.Is(err, archive.ErrConflict) {
			return err
		}
		v, err = h.head(ctx, job.Ref.ID) // it was committed at the last moment
	}
	if err != nil {
		return err
	}
	return h.untilNewest(ctx, v, h.settle)
}

// untilNewest does what must follow a version, and again while there is a newer one:
// that may have been followed up before this one was, which then left marks or words
// of what is no longer so.
func (h *Room) untilNewest(ctx context.Context, v archive.Version[archive.Record], follow func(context.Context, archive.Version[archive.Record]) error) error {
	for {
		if err := follow(ctx, v); err != nil {
			return err
		}
		newest, err := h.head(ctx, v.Value.ID)
		if err != nil || newest.N == v.N {
			return err
		}
		v = newest
	}
}

// settle reads, marks and indexes one version. Marks do not wait for a reader
// that fails, and neither waits for the index: exact look-ups work without both.
func (h *Room) settle(ctx context.Context, v archive.Version[archive.Record]) error {
	said, unread := h.readAll(ctx, v.Value)
	if err := h.mark(ctx, v); err != nil {
		return errors.Join(unread, err)
	}
	err := h.c.Index.Put(ctx, h.document(v, said))
	switch {
	case err != nil:
		err = fmt.Errorf("index record: %w", err)
	case unread == nil:
		err = h.later(ctx, v.Value.Ref(), said)
	}
	return errors.Join(unread, err)
}

// readAll has every file read and returns what those say that passed.
func (h *Room) readAll(ctx context.Context, r archive.Record) (said words, _ error) {
	var failures []error
	for _, f := range r.Files {
		found, err := h.read(ctx, r.Ref(), f)
		if err == nil && !found.Rejected() {
			err = h.add(ctx, &said, r.Ref(), f, found)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("read file: %w", err))
		}
	}
	return said, errors.Join(failures...)
}

func (h *Room) read(ctx context.Context, ref archive.Ref, f archive.File) (archive.Reading, error) {
	state, found, err := h.state(ctx, ref, f)
	if err != nil || state.State != archive.Checking {
		return found, err
	}
	src, err := h.c.Blobs.OpenBlob(ctx, ref, f.Blob)
	if err != nil {
		return found, err
	}
	defer src.Close()
	if found, err = h.c.Reader.Read(ctx, src, f.Size); err != nil {
		return found, err
	}
	raw, err := json.Marshal(found)
	if err != nil {
		return found, err
	}
	if err := h.c.Derived.PutDerived(ctx, ref, f.ID, reading, raw); err != nil {
		return found, err
	}
	h.drawLater(ref, f, found)
	return found, h.forgetScans(ctx, ref, f, found)
}

// mark makes the record findable by what its newest version says, and no longer
// by persons that only earlier ones named. A reference code stays findable for
// ever, because it may have been cited.
func (h *Room) mark(ctx context.Context, v archive.Version[archive.Record]) error {
	now, id := personKeys(v.Value), v.Value.ID
	for _, key := range now {
		if err := h.c.Marks.Mark(ctx, archive.MarkPerson, key, id); err != nil {
			return fmt.Errorf("mark person: %w", err)
		}
	}
	if err := h.c.Marks.Mark(ctx, archive.MarkRefKey, v.Value.RefCode.Key(), id); err != nil {
		return fmt.Errorf("mark reference code: %w", err)
	}
	for _, f := range v.Value.Files {
		if err := h.c.Marks.Mark(ctx, archive.MarkDigest, f.SHA256, id); err != nil {
			return fmt.Errorf("mark file: %w", err)
		}
	}
	if v.N == 1 {
		return nil
	}
	history, err := h.c.Records.History(ctx, id)
	if err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	for _, old := range history {
		if err := h.remark(ctx, old.Value, now); err != nil {
			return err
		}
	}
	return nil
}

func (h *Room) remark(ctx context.Context, old archive.Record, now []string) error {
	if err := h.c.Marks.Mark(ctx, archive.MarkRefKey, old.RefCode.Key(), old.ID); err != nil {
		return fmt.Errorf("mark reference code: %w", err)
	}
	for _, key := range personKeys(old) {
		if slices.Contains(now, key) {
			continue
		}
		if err := h.c.Marks.Unmark(ctx, archive.MarkPerson, key, old.ID); err != nil {
			return fmt.Errorf("unmark person: %w", err)
		}
	}
	return nil
}
