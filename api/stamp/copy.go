package stamp

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"strings"
)

// Copy is a certified copy: chosen pages of one or more files behind a cover sheet that says what they are. All
// words come with it, labels included.
type Copy struct {
	Cover Sheet // with the statement; its number is the copy's
	Pages []CopyPage
	Mark  CopyMark
	// Straddle cuts the seal into upright strips, one at the edge of each page, that make it whole when the
	// pages are fanned out (骑缝章). Otherwise the whole seal stands on every page.
	Straddle bool
	// Append allows the marks to be appended to an original that is released whole and is nothing but what it
	// shows: its bytes stay as they are, its text can be searched, and the purpose mark is content, which
	// somebody who gives up the seal can take off. Otherwise the purpose mark is burnt into the picture of
	// every page.
	Append bool
}

// CopyPage is one page of a source.
type CopyPage struct {
	Source int // in the list of sources, from 0
	Page   int // in that source, from 1
	Masks  []Mask
	// Place says where in the record the page is kept (文件1第3页); empty for nothing.
	Place string
}

// Mask is a box over what must not be seen. Its numbers are fractions of the page as it is shown, from the top
// left corner, from 0 to 1. It may grow outwards by a few pixels, and is never smaller.
type Mask struct{ X, Y, W, H float64 }

// CopyMark stands on every page of a copy.
type CopyMark struct {
	Office  string // 青川市档案馆
	Agrees  string // 与馆藏原件一致
	RefCode string // 档号 J019-…
	Page    string // "{page}" and "{pages}" are replaced: 第 {page} 页 共 {pages} 页
	Request string
	Date    string
	Purpose string
	// PurposeMark is tiled over the page (仅供…使用); empty for none.
	PurposeMark string
}

// Source is a file: a PDF, JPEG, PNG or TIFF. It must not change while it is used.
type Source interface {
	io.ReaderAt
	Size() int64 // in bytes
}

// Picture is a page as it is shown: cropped, turned, on white paper.
type Picture struct {
	Image         image.Image
	Width, Height float64 // of the page, in points
}

// Raster draws pages of files that are not trusted. It may be called concurrently.
type Raster interface {
	// Render draws a page, counted from 1, with dpi pixels to an inch, or fewer when it is large.
	Render(ctx context.Context, source Source, page, dpi int) (Picture, error)
}

// maxCopyPages bounds a copy.
const maxCopyPages = 2000

// Copy makes a certified copy and seals it, every byte under one signature, as Issue does. Where Append is not
// asked for or not possible, it makes a new file (PDF/A-2b) that holds nothing of the sources but the chosen
// pages, with what is masked burnt out of their pictures. What is in w is of use only when there is no error. It
// fails with what Issue fails with, and what the sources and the raster say.
func (s *Stamper) Copy(ctx context.Context, c Copy, sources []Source, pages Raster, w io.Writer) error {
	if s.signer == nil {
		return errors.New("make copy: no signer configured")
	}
	if err := c.check(len(sources)); err != nil {
		return fmt.Errorf("make copy: %w", err)
	}
	k, err := s.newSealedCopying(c, sources, pages)
	if err != nil {
		return fmt.Errorf("make copy: %w", err)
	}
	if done, err := k.tryAppend(ctx, w); err != nil || done {
		return wrap("make copy", err)
	}
	k.seal = s.newSealing(k.doc, k.now)
	return wrap("make copy", k.rebuild(ctx, w))
}

func wrap(operation string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// DrawCopy makes the copy without any seal: a draft to look at, for which PurposeMark and the cover should say
// so. It never appends.
func (s *Stamper) DrawCopy(ctx context.Context, c Copy, sources []Source, pages Raster, w io.Writer) error {
	if err := c.check(len(sources)); err != nil {
		return fmt.Errorf("draw copy: %w", err)
	}
	return wrap("draw copy", s.newCopying(c, sources, pages).rebuild(ctx, w))
}

// check names what is missing or out of range, never the content.
func (c *Copy) check(sources int) error {
	if err := c.Cover.check(); err != nil {
		return err
	}
	var problems []string
	for name, value := range map[string]string{"Office": c.Mark.Office, "Agrees": c.Mark.Agrees, "RefCode": c.Mark.RefCode,
		"Page": c.Mark.Page, "Request": c.Mark.Request, "Date": c.Mark.Date, "Purpose": c.Mark.Purpose} {
		if strings.TrimSpace(value) == "" {
			problems = append(problems, "Mark."+name+" is empty")
		}
	}
	if len(c.Pages) == 0 {
		problems = append(problems, "there are no pages")
	}
	for i, p := range c.Pages {
		if p.Source < 0 || p.Source >= sources || p.Page < 1 {
			problems = append(problems, fmt.Sprintf("page %d is in no source", i+1))
		}
		for _, m := range p.Masks {
			if !m.ok() {
				problems = append(problems, fmt.Sprintf("page %d has a mask that is not on it", i+1))
			}
		}
	}
	switch {
	case len(c.Pages) > maxCopyPages:
		return fmt.Errorf("%w: more than %d pages", ErrTooLong, maxCopyPages)
	case len(problems) > 0:
		return fmt.Errorf("%w: %s", ErrIncomplete, strings.Join(problems, ", "))
	}
	return nil
}

func (m Mask) ok() bool {
	const edge = 1 + 1e-9 // sums of fractions are not exact
	return !math.IsNaN(m.X+m.Y+m.W+m.H) && min(m.X, m.Y) >= 0 && min(m.W, m.H) > 0 && m.X+m.W <= edge && m.Y+m.H <= edge
}
