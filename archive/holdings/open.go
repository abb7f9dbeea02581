package holdings

import (
	"context"
	"fmt"

	"dangan/archive"
	"dangan/archive/policy"
)

// Open shows the newest version of a record. One that the actor may not see
// answers like one that does not exist: archive.ErrNotFound.
func (h *Room) Open(ctx context.Context, actor archive.Actor, p archive.Purpose, id string) (archive.RecordView, error) {
	return h.show(ctx, actor, archive.ActRead, p, id)
}

func (h *Room) show(ctx context.Context, actor archive.Actor, act archive.Action, p archive.Purpose, id string) (archive.RecordView, error) {
	v, err := h.head(ctx, id)
	if err != nil {
		return archive.RecordView{}, err
	}
	decision, err := h.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: act, Target: h.target(v), Purpose: p})
	if err != nil {
		return archive.RecordView{}, hide(err)
	}
	states, err := h.states(ctx, v.Value)
	if err != nil {
		return archive.RecordView{}, err
	}
	return view(v, states, decision), nil
}

// Versions shows every version of a record, oldest first. Whoever may not see
// one of them sees none.
func (h *Room) Versions(ctx context.Context, actor archive.Actor, p archive.Purpose, id string) ([]archive.Version[archive.Record], error) {
	v, err := h.head(ctx, id)
	if err != nil {
		return nil, err
	}
	if !policy.Decide(actor, archive.ActRead, h.target(v)).Allowed { // without a further read, as if there were none
		return nil, fmt.Errorf("record: %w", archive.ErrNotFound)
	}
	list, err := h.c.Records.History(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	decision, err := h.c.Door.Pass(ctx, archive.Disclosure{
		Actor: actor, Action: archive.ActRead, Target: h.target(list...), Purpose: p, Detail: "versions",
	})
	if err != nil {
		return nil, hide(err)
	}
	for i := range list {
		list[i].Value = list[i].Value.Masked(decision.Masks)
	}
	return list, nil
}

// File gives the bytes of file n (from 1) of a record. Before the reader has
// seen it, the error is archive.ErrState; a file that it rejected does not exist.
// The media type is that of the content. The caller closes the content.
func (h *Room) File(ctx context.Context, actor archive.Actor, p archive.Purpose, id string, n int) (archive.File, archive.Content, error) {
	f, err := h.file(ctx, actor, p, id, n, fmt.Sprintf("file %d", n))
	if err != nil {
		return archive.File{}, nil, err
	}
	content, err := h.c.Blobs.OpenBlob(ctx, f.ref, f.Blob)
	if err != nil {
		return archive.File{}, nil, fmt.Errorf("file: %w", err)
	}
	f.MediaType = f.state.Kind
	return f.File, content, nil
}

// The widths in which pages are drawn, in pixels.
const (
	thumbnail = 200
	screen    = 900
	closeUp   = 1600
)

// standardWidth is the smallest of the widths that is not below what was asked for.
func standardWidth(asked int) int {
	switch {
	case asked <= thumbnail:
		return thumbnail
	case asked <= screen:
		return screen
	}
	return closeUp
}

// pageKind is the kind under which the image of a page is derived.
func pageKind(page, width int) string { return fmt.Sprintf("page-%d-%d", page, width) }

// Page draws page (from 1) of file n as a PNG. It comes in few widths, so that a
// page is drawn seldom: the next one that is not below width pixels.
func (h *Room) Page(ctx context.Context, actor archive.Actor, p archive.Purpose, id string, n, page, width int) ([]byte, error) {
	width = standardWidth(width)
	f, err := h.file(ctx, actor, p, id, n, fmt.Sprintf("file %d page %d", n, page))
	if err != nil {
		return nil, err
	}
	if page < 1 || page > f.state.Pages {
		return nil, fmt.Errorf("page: %w", archive.ErrNotFound)
	}
	if drawn, err := h.c.Derived.Derived(ctx, f.ref, f.ID, pageKind(page, width)); err == nil {
		return drawn, nil // any failure to find it means only to draw it again
	}
	src, err := h.c.Blobs.OpenBlob(ctx, f.ref, f.Blob)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	defer src.Close()
	drawn, err := h.draw(ctx, f, src, page, width)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return drawn, nil
}

// fileView is a file that may be shown, with what the reader found.
type fileView struct {
	archive.File
	ref   archive.Ref
	state archive.FileState
	found archive.Reading
}

// file finds a file and passes the door with it. Rights come before the state,
// which would tell that the record exists; the trace comes after, because a file
// that is not shown leaves none.
func (h *Room) file(ctx context.Context, actor archive.Actor, p archive.Purpose, id string, n int, detail string) (fileView, error) {
	v, err := h.head(ctx, id)
	if err != nil {
		return fileView{}, err
	}
	target := h.target(v)
	if n < 1 || n > len(v.Value.Files) || !policy.Decide(actor, archive.ActFile, target).Allowed {
		return fileView{}, fmt.Errorf("file: %w", archive.ErrNotFound)
	}
	f := fileView{File: v.Value.Masked([]archive.Mask{archive.MaskIDs}).Files[n-1], ref: v.Value.Ref()}
	if f.state, f.found, err = h.state(ctx, f.ref, f.File); err != nil {
		return fileView{}, err
	}
	switch f.state.State {
	case archive.Checking:
		return fileView{}, fmt.Errorf("file: %w", archive.ErrState)
	case archive.Rejected:
		return fileView{}, fmt.Errorf("file: %w", archive.ErrNotFound)
	}
	_, err = h.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActFile, Target: target, Purpose: p, Detail: detail})
	return f, hide(err)
}
