package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"strings"

	"dangan/api/reader"
	"dangan/api/stamp"
	"dangan/archive"
)

// renderer draws pages of files that are not trusted.
type renderer interface {
	Render(ctx context.Context, src io.ReaderAt, size int64, page, dpi int) (*image.RGBA, error)
}

var _ renderer = (*reader.Pool)(nil)

// copier puts certified copies into words and pages, and has them stamped: the
// reader's children draw the pages, the sealer's stampers do the rest.
type copier struct {
	seal  *sealer
	pages renderer
	// A page of a copy takes much memory, so few are drawn at once. Copies do not
	// wait for drafts, which wait for whoever looks at them.
	copies, drafts chan struct{}
}

func newCopier(seal *sealer, pages renderer) copier {
	return copier{seal, pages, make(chan struct{}, 2), make(chan struct{}, 2)}
}

// Copy draws and seals a copy.
func (c copier) Copy(ctx context.Context, cert archive.Certificate, originals []archive.Content, w io.Writer) error {
	return c.inTurn(ctx, c.copies, cert, func(s *stamp.Stamper) error {
		return s.Copy(ctx, c.copy(cert), sources(cert, originals), raster{c.pages}, w)
	})
}

// DrawCopy draws the same pages as a draft: no seal, no number, no code, and
// words across every page that say so.
func (c copier) DrawCopy(ctx context.Context, cert archive.Certificate, originals []archive.Content, w io.Writer) error {
	draft := c.copy(cert)
	draft.Cover = asDraft(draft.Cover, cert.Language)
	draft.Mark.Agrees, draft.Mark.PurposeMark = draft.Cover.Draft, draft.Cover.Draft
	return c.inTurn(ctx, c.drafts, cert, func(s *stamp.Stamper) error {
		return s.DrawCopy(ctx, draft, sources(cert, originals), raster{c.pages}, w)
	})
}

// inTurn draws with the stamper of the certificate's office, when it may.
func (c copier) inTurn(ctx context.Context, turns chan struct{}, cert archive.Certificate, draw func(*stamp.Stamper) error) error {
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	stamper, err := c.seal.stamper(cert)
	if err == nil {
		err = draw(stamper)
	}
	if errors.Is(err, reader.ErrNoPage) {
		return coded{err, "page_unreadable"}
	}
	return stampError(err)
}

// copy is the copy in the words of the stamper.
func (c copier) copy(cert archive.Certificate) stamp.Copy {
	say := func(zh, en string) string { return archive.Label{ZH: zh, EN: en}.In(cert.Language) }
	cover := c.cover(cert, say)
	pages := make([]stamp.CopyPage, len(cert.Copy.Pages))
	place := map[int]int{}
	for i, o := range cert.Copy.Originals {
		place[o.File] = i
	}
	for i, p := range cert.Copy.Pages {
		pages[i] = stamp.CopyPage{Source: place[p.File], Page: p.Page,
			Place: fmt.Sprintf(say("文件%d第%d页", "file %d page %d"), p.File, p.Page)}
		for _, b := range p.Masks {
			pages[i].Masks = append(pages[i].Masks, stamp.Mask{X: b.X, Y: b.Y, W: b.Width, H: b.Height})
		}
	}
	return stamp.Copy{
		Cover: cover, Pages: pages, Straddle: len(pages) > 1, Append: cert.Copy.Append,
		Mark: stamp.CopyMark{
			Office: cover.Issuer, Agrees: say("与馆藏原件一致", "Agrees with the original held"), RefCode: cert.Statements[0].Source.RefCode,
			Page: cover.Labels.Page, Request: cert.ID, Date: cover.Date, Purpose: cert.Purpose, PurposeMark: cover.PurposeMark,
		},
	}
}

// cover words the sheet in front of the pages.
func (c copier) cover(cert archive.Certificate, say func(zh, en string) string) stamp.Sheet {
	sheet := c.seal.sheet(cert)
	sheet.Labels.Body = say("副本说明", "About this copy")
	sheet.Notes = []string{say("本核证副本由电子签章系统签发，与各页一并使用，拆分、涂改无效。",
		"Issued under an electronic seal; valid only with all its pages and unaltered.")}
	return sheet
}

// scan is an original with the pages of the copy that are of it, by number.
type scan struct {
	archive.Content
	kind  string
	pages map[int]archive.CopyPage
}

func sources(cert archive.Certificate, originals []archive.Content) []stamp.Source {
	list := make([]stamp.Source, len(originals))
	for i, content := range originals {
		s := scan{content, cert.Copy.Originals[i].Kind, map[int]archive.CopyPage{}}
		for _, p := range cert.Copy.Pages {
			if p.File == cert.Copy.Originals[i].File {
				s.pages[p.Page] = p
			}
		}
		list[i] = s
	}
	return list
}

// raster has pages drawn for the stamper.
type raster struct{ pages renderer }

// Render draws a page of a scan, as large as it was found to be.
func (r raster) Render(ctx context.Context, source stamp.Source, page, dpi int) (stamp.Picture, error) {
	s, ok := source.(scan)
	if !ok {
		return stamp.Picture{}, fmt.Errorf("render a strange source: %w", archive.ErrInvalid)
	}
	drawn, err := r.pages.Render(ctx, s, s.Size(), page, dpi)
	if err != nil {
		return stamp.Picture{}, err
	}
	width, height := s.pages[page].Seen()
	if strings.HasPrefix(s.kind, "image/") && float64(drawn.Rect.Dx()) <= math.Ceil(width) {
		// It does not say how large it is, and then has as many points as pixels.
		width, height = onPaper(width, height)
	}
	return stamp.Picture{Image: drawn, Width: width, Height: height}, nil
}

// onPaper is the size in points of a picture that fills a sheet of A4, which lies
// or stands as the picture does.
func onPaper(width, height float64) (float64, float64) {
	const short, long = 595.28, 841.89
	scale := min(long/max(width, height), short/min(width, height))
	return width * scale, height * scale
}
