package holdings

import (
	"context"
	"log/slog"

	"dangan/archive"
)

const (
	// maxAhead is how many files wait to be drawn. Where more come in at once, the
	// pages of the others are drawn when somebody asks for them.
	maxAhead = 256
	// maxStrip is of how many pages of a file there is a thumbnail before anybody
	// asks.
	maxStrip = 12
)

// drawLater has a file that was just read drawn when there is time.
func (h *Room) drawLater(ref archive.Ref, f archive.File, found archive.Reading) {
	if found.Rejected() || found.Pages == 0 {
		return
	}
	select {
	case h.ahead <- fileView{File: f, ref: ref, state: archive.FileState{Pages: found.Pages}}:
	default:
	}
}

// DrawAhead draws, until ctx ends, what will be asked for first of each file that
// this process has read: the first page and the thumbnails. Nothing depends on it.
func (h *Room) DrawAhead(ctx context.Context) {
	ctx = archive.Unhurried(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-h.ahead:
			if err := h.drawAhead(ctx, f); err != nil && ctx.Err() == nil {
				h.c.Log.WarnContext(ctx, "file not drawn ahead", slog.String("ref", f.ref.String()), slog.Any("error", err))
			}
		}
	}
}

func (h *Room) drawAhead(ctx context.Context, f fileView) error {
	src, err := h.c.Blobs.OpenBlob(ctx, f.ref, f.Blob)
	if err != nil {
		return err
	}
	defer src.Close()
	for page := 1; page <= min(f.state.Pages, maxStrip); page++ {
		width := thumbnail
		if page == 1 {
			width = closeUp
		}
		if _, err := h.draw(ctx, f, src, page, width); err != nil {
			return err
		}
	}
	return nil
}

// draw draws a page, with its thumbnail, and keeps both.
func (h *Room) draw(ctx context.Context, f fileView, src archive.Content, page, width int) ([]byte, error) {
	widths := []int{width}
	if width != thumbnail {
		widths = append(widths, thumbnail)
	}
	drawn, err := h.c.Reader.Page(ctx, src, f.Size, page, widths...)
	if err != nil {
		return nil, err
	}
	for i, width := range widths {
		if err := h.c.Derived.PutDerived(ctx, f.ref, f.ID, pageKind(page, width), drawn[i]); err != nil {
			h.c.Log.WarnContext(ctx, "page not cached", "ref", f.ref.String(), "error", err)
		}
	}
	return drawn[0], nil
}
