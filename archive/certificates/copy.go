package certificates

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"dangan/archive"
)

// copied makes a certificate one of pages instead of words: its statements say
// that the pages agree with the original, which they are, and what is withheld.
func copied(c *archive.Certificate, pages archive.Copy, of archive.Case) {
	pages.Append = of.Office.AppendCopies
	c.Copy, c.Title = &pages, archive.Label{ZH: "档案核证副本", EN: "Certified Copy of Records"}
	languages := []string{c.Language}
	if c.Language == archive.Bilingual {
		languages = []string{"zh-CN", "en"}
	}
	for _, language := range languages {
		c.Statements = append(c.Statements, aboutCopy(pages, of.Record, language)...)
	}
}

func aboutCopy(pages archive.Copy, r archive.Record, language string) []archive.Statement {
	var list []archive.Statement
	say := func(p archive.CopyPage, zh, en string, args ...any) {
		text := fmt.Sprintf(archive.Label{ZH: zh, EN: en}.In(language), args...)
		list = append(list, archive.Statement{Text: text, Source: archive.Citation{
			RefCode: r.RefCode.Original, File: p.File, Page: p.Page, Date: r.Date}})
	}
	say(pages.Pages[0], "本核证副本共%d页，由本馆馆藏档案复制，经核对与馆藏原件一致。",
		"This copy of %d page(s) was made from records held by these archives and agrees with the original.", len(pages.Pages))
	for _, run := range pages.Runs() {
		say(pages.Pages[run.At-1], "副本第%s页为文件%d第%s页。", "Page %s of the copy: file %d, page %s.",
			archive.Span(run.At, run.Pages), run.File, archive.Span(run.Page, run.Pages))
	}
	for _, reason := range archive.MaskReasons() {
		if on, boxes := masked(pages, archive.MaskReason(reason.Code)); boxes > 0 {
			say(pages.Pages[on[0]-1], "因含%s，副本第%s页共遮盖%d处。", "Withheld, %s: on page %s of the copy, %d place(s).",
				reason.Label.In(language), join(on, archive.Label{ZH: "、", EN: ", "}.In(language)), boxes)
		}
	}
	return list
}

// masked counts the boxes with a reason, and names the pages of the copy that
// they are on.
func masked(c archive.Copy, reason archive.MaskReason) (on []int, boxes int) {
	for i, p := range c.Pages {
		before := boxes
		for _, b := range p.Masks {
			if b.Reason == reason {
				boxes++
			}
		}
		if boxes > before {
			on = append(on, i+1)
		}
	}
	return on, boxes
}

// join writes rising numbers, those that follow one another as a span.
func join(numbers []int, separator string) string {
	var spans []string
	for i := 0; i < len(numbers); {
		n := 1
		for i+n < len(numbers) && numbers[i+n] == numbers[i]+n {
			n++
		}
		spans = append(spans, archive.Span(numbers[i], n))
		i += n
	}
	return strings.Join(spans, separator)
}

// Draft writes the copy that a request asks for as it would be issued now, with
// neither seal nor number: what the reviewer and the approver look at. It is
// archive.ErrState while no pages are chosen, and when the request is closed.
func (m *Room) Draft(ctx context.Context, actor archive.Actor, request string, w io.Writer) error {
	r, err := m.c.Requests.Head(ctx, request)
	if err != nil {
		return fmt.Errorf("draft: %w", err)
	}
	_, err = m.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActReview, Target: r.Value.Target(),
		Purpose: archive.Purpose{Code: archive.ForRequest, Case: request}, Detail: "draft of a copy"})
	if errors.Is(err, archive.ErrForbidden) {
		return fmt.Errorf("draft: %w", archive.ErrNotFound)
	}
	if err != nil {
		return err
	}
	if r.Value.Copy == nil || r.Value.State.Closed() {
		return fmt.Errorf("draft of a copy from %s: %w", r.Value.State, archive.ErrState)
	}
	c, err := m.word(ctx, r.Value, m.c.Now())
	if err != nil {
		return err
	}
	return m.draw(ctx, actor, c, m.c.Copier.DrawCopy, w)
}

// draw has a copy drawn, once the door has let the actor have its originals and
// they are those that were looked at.
func (m *Room) draw(ctx context.Context, actor archive.Actor, c archive.Certificate, by drawing, w io.Writer) (err error) {
	purpose := archive.Purpose{Code: archive.ForRequest, Case: c.ID}
	originals := make([]archive.Content, 0, len(c.Copy.Originals))
	defer func() {
		for _, o := range originals {
			err = errors.Join(err, o.Close())
		}
	}()
	for _, o := range c.Copy.Originals {
		f, content, err := m.c.Files.File(ctx, actor, purpose, c.Record, o.File)
		if err != nil {
			return lose(fmt.Errorf("original %d: %w", o.File, err))
		}
		originals = append(originals, original{content})
		if f.ID != o.ID || f.SHA256 != o.SHA256 {
			return lose(fmt.Errorf("original %d is another: %w", o.File, archive.ErrCorrupt))
		}
	}
	return by(ctx, c, originals, w)
}

// drawing is one of the ways in which a Copier draws.
type drawing func(ctx context.Context, c archive.Certificate, originals []archive.Content, w io.Writer) error

// lost is the failure to get at an original, as against that to draw or seal.
type lost struct{ error }

// lose tells one that is damaged or gone from all that may pass: a store or a log
// that is away, a reading that is being made again.
func lose(err error) error {
	if !errors.Is(err, archive.ErrCorrupt) && !errors.Is(err, archive.ErrNotFound) {
		err = fmt.Errorf("%w: %w", archive.ErrUnavailable, err)
	}
	return lost{err}
}

func (lost) Code() string    { return failedLost }
func (l lost) Unwrap() error { return l.error }

// original is a file whose failures are known for its own.
type original struct{ archive.Content }

func (o original) ReadAt(p []byte, off int64) (int, error) {
	n, err := o.Content.ReadAt(p, off)
	if err != nil && err != io.EOF {
		err = lose(err)
	}
	return n, err
}

// undrawn is a PDF that did not come to be, as against one that was not stored.
type undrawn struct{ error }

func (u undrawn) Unwrap() error { return u.error }

// storeCopy draws and seals a copy straight into the store: it may be large.
func (m *Room) storeCopy(ctx context.Context, c archive.Certificate, carry archive.Carry) (archive.Blob, error) {
	out, in := io.Pipe()
	drawn := make(chan error, 1)
	go func() {
		service := archive.Actor{ID: string(archive.RoleSystem), Role: archive.RoleSystem}
		err := m.draw(ctx, service, c, m.c.Copier.Copy, in)
		in.CloseWithError(cmp.Or(err, io.EOF))
		drawn <- err
	}()
	blob, err := m.c.Blobs.PutBlob(ctx, c.Ref(), out, carry)
	out.CloseWithError(cmp.Or(err, io.ErrClosedPipe)) // who still draws need not
	if failed := <-drawn; failed != nil && (err == nil || errors.Is(err, failed)) {
		err = undrawn{failed}
	}
	return blob, err
}
