package holdings

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dangan/archive"
)

// scans is what has been read of the scanned pages of a file so far.
func (h *Room) scans(ctx context.Context, ref archive.Ref, f archive.File, found archive.Reading) (archive.ScanText, error) {
	raw, err := json.Marshal(found)
	if err != nil {
		return archive.ScanText{}, err
	}
	sum := sha256.Sum256(raw)
	none := archive.ScanText{Of: hex.EncodeToString(sum[:])}
	kept, err := h.keptScans(ctx, ref, f)
	if err != nil || kept.Of != none.Of || len(kept.Pages) > len(found.Text) {
		return none, err
	}
	return kept, nil
}

func (h *Room) keptScans(ctx context.Context, ref archive.Ref, f archive.File) (archive.ScanText, error) {
	var kept archive.ScanText
	raw, err := h.c.Derived.Derived(ctx, ref, f.ID, archive.DerivedScans)
	if errors.Is(err, archive.ErrNotFound) {
		return kept, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil {
		return kept, fmt.Errorf("text of scans: %w", err)
	}
	return kept, nil
}

func (h *Room) putScans(ctx context.Context, ref archive.Ref, f archive.File, scans archive.ScanText) error {
	raw, err := json.Marshal(scans)
	if err != nil {
		return err
	}
	return h.c.Derived.PutDerived(ctx, ref, f.ID, archive.DerivedScans, raw)
}

// forgetScans takes away what was read of a file that, by a new reading, has no
// scans to show.
func (h *Room) forgetScans(ctx context.Context, ref archive.Ref, f archive.File, found archive.Reading) error {
	if found.HasScans() && !found.Rejected() {
		return nil
	}
	kept, err := h.keptScans(ctx, ref, f)
	if err == nil && kept.Pages == nil || err != nil && !errors.Is(err, archive.ErrCorrupt) {
		return err
	}
	return h.putScans(ctx, ref, f, archive.ScanText{})
}

// words is what the files of a record say.
type words struct {
	text    []string
	machine bool // some of it was read by a machine
	waits   bool // there is more, on scans that have not been read
}

// add adds what the reader has found in a file, and a machine on its scans.
func (h *Room) add(ctx context.Context, w *words, ref archive.Ref, f archive.File, found archive.Reading) error {
	w.text = append(w.text, found.Text...)
	if !found.HasScans() {
		return nil
	}
	scans, err := h.scans(ctx, ref, f, found)
	if err != nil {
		return err
	}
	w.waits = w.waits || len(scans.Pages) < len(found.Text)
	for _, page := range scans.Text() {
		w.text, w.machine = append(w.text, page), w.machine || page != ""
	}
	return nil
}

// words are those of all files of a record that passed; unread is whether there are
// files that the reader has not seen.
func (h *Room) words(ctx context.Context, r archive.Record) (w words, unread bool, err error) {
	for _, f := range r.Files {
		state, found, err := h.state(ctx, r.Ref(), f)
		if err == nil && state.State == archive.Ready {
			err = h.add(ctx, &w, r.Ref(), f, found)
		}
		if err != nil {
			return w, unread, err
		}
		unread = unread || state.State == archive.Checking
	}
	return w, unread, nil
}

// later plans that scans are read, if there is anybody to do so. It may be planned
// twice: who finds nothing left to do does nothing.
func (h *Room) later(ctx context.Context, ref archive.Ref, w words) error {
	if !w.waits || h.c.Recognizer == nil {
		return nil
	}
	_, err := h.c.Later.Plan(ctx, archive.Job{Kind: archive.JobScans, Ref: ref})
	return err
}

// AwaitScans plans that the scans of a record are read which have not been: those
// of records from before there was anybody to do so. It reports whether there are.
func (h *Room) AwaitScans(ctx context.Context, id string) (bool, error) {
	v, err := h.head(ctx, id)
	if err != nil {
		return false, err
	}
	w, _, err := h.words(ctx, v.Value)
	if err != nil {
		return false, err
	}
	return w.waits, h.later(ctx, v.Value.Ref(), w)
}

// scanNote says how it stands with the scans of a file; empty without any.
func (h *Room) scanNote(ctx context.Context, ref archive.Ref, f archive.File, found archive.Reading) (string, error) {
	if found.Rejected() || !found.HasScans() {
		return "", nil
	}
	scans, err := h.scans(ctx, ref, f, found)
	switch {
	case err != nil:
		return "", err
	case slices.ContainsFunc(scans.Text(), func(page string) bool { return page != "" }):
		return archive.NoteMachineText, nil
	case len(scans.Pages) < len(found.Text) && h.c.Recognizer != nil:
		return archive.NoteTextWaits, nil
	}
	return archive.NoteNoText, nil
}

// PageText is the text of page (from 1) of file n, and where it stands: that of a
// machine for a scan, which before it has been read is archive.ErrState. Rights are
// those of the page itself. Id numbers are left out.
func (h *Room) PageText(ctx context.Context, actor archive.Actor, p archive.Purpose, id string, n, page int) (archive.PageText, error) {
	var none archive.PageText
	f, err := h.file(ctx, actor, p, id, n, fmt.Sprintf("file %d page %d text", n, page))
	if err != nil {
		return none, err
	}
	if page < 1 || page > len(f.found.Text) {
		return none, fmt.Errorf("text: %w", archive.ErrNotFound)
	}
	if !f.found.Scanned(page) {
		return h.ownText(ctx, f, page)
	}
	scans, err := h.scans(ctx, f.ref, f.File, f.found)
	switch {
	case err != nil:
		return none, err
	case page <= len(scans.Pages):
		return archive.PageText{Machine: true, Lines: scans.Pages[page-1]}.WithoutIDs(), nil
	case h.c.Recognizer != nil:
		return none, fmt.Errorf("text: %w", archive.ErrState)
	}
	return archive.PageText{Machine: true}, nil
}

// ownText is that of a page which is no scan.
func (h *Room) ownText(ctx context.Context, f fileView, page int) (archive.PageText, error) {
	src, err := h.c.Blobs.OpenBlob(ctx, f.ref, f.Blob)
	if err != nil {
		return archive.PageText{}, fmt.Errorf("text: %w", err)
	}
	defer src.Close()
	lines, err := h.c.Reader.Lines(ctx, src, f.Size, page)
	switch {
	case errors.Is(err, archive.ErrNotFound):
		return archive.PlainPage(f.found.Text[page-1]), nil
	case err != nil:
		return archive.PageText{}, fmt.Errorf("text: %w", err)
	}
	return archive.PageText{Lines: lines}.WithoutIDs(), nil
}
