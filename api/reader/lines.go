package reader

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"dangan/archive"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// maxPieces is how many pieces of text of one page are told apart.
const maxPieces = 20_000

// Lines returns the text that a page of a PDF has, in the order of the file, and
// where it stands on the page as it is seen. Other files have none: that, and a page
// that there is not, is [ErrNoPage]. It is meant for files that Read has let pass.
func (r *Reader) Lines(ctx context.Context, src io.ReaderAt, size int64, page int) ([]archive.TextLine, error) {
	var lines []archive.TextLine
	err := r.run(ctx, src, size, func(j job) error {
		err := j.guard(func() (err error) {
			lines, err = j.lines(page)
			return err
		})
		if outside := j.outside(); err != nil && outside != nil {
			return outside
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lines of page %d: %w", page, err)
	}
	return lines, nil
}

// Lines does as [Reader.Lines] does. A page whose reader dies of it is [ErrNoPage].
func (p *Pool) Lines(ctx context.Context, src io.ReaderAt, size int64, page int) ([]archive.TextLine, error) {
	if page < 1 {
		return nil, fmt.Errorf("lines of page %d: %w", page, ErrNoPage)
	}
	a, err := p.draw(ctx, order{Size: size, Page: page, Lines: true}, src)
	if err != nil {
		return nil, fmt.Errorf("lines of page %d: %w", page, err)
	}
	return a.lines, nil
}

func (j job) lines(page int) ([]archive.TextLine, error) {
	if j.src.size > j.MaxBytes || j.mediaType != typePDF {
		return nil, ErrNoPage
	}
	document, err := j.open()
	if err != nil {
		return nil, err
	}
	defer document.close()
	if page < 1 || page > document.pages {
		return nil, ErrNoPage
	}
	return document.lines(page - 1)
}

func (d *document) lines(index int) ([]archive.TextLine, error) {
	loaded, err := d.instance.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: d.page(index)})
	if err != nil {
		return nil, err
	}
	defer d.instance.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: loaded.TextPage})
	// pdfium knows the pieces only after it was asked how many there are.
	pieces, err := d.instance.FPDFText_CountRects(&requests.FPDFText_CountRects{TextPage: loaded.TextPage, Count: -1})
	if err != nil {
		return nil, err
	}
	var lines []archive.TextLine
	for i := range min(pieces.Count, maxPieces) {
		word, err := d.piece(index, loaded.TextPage, i)
		if err != nil {
			return nil, err
		}
		switch {
		case word.Text == "":
		case len(lines) > 0 && besides(lines[len(lines)-1], word):
			last := &lines[len(lines)-1]
			*last = append(*last, word)
		default:
			lines = append(lines, archive.TextLine{word})
		}
	}
	return lines, nil
}

// piece is text of one line and one font.
func (d *document) piece(index int, page references.FPDF_TEXTPAGE, i int) (archive.Word, error) {
	r, err := d.instance.FPDFText_GetRect(&requests.FPDFText_GetRect{TextPage: page, Index: i})
	if err != nil {
		return archive.Word{}, err
	}
	text, err := d.instance.FPDFText_GetBoundedText(&requests.FPDFText_GetBoundedText{
		TextPage: page, Left: r.Left, Top: r.Top, Right: r.Right, Bottom: r.Bottom})
	if err != nil {
		return archive.Word{}, err
	}
	x0, y0, err := d.seen(index, r.Left, r.Top)
	if err != nil {
		return archive.Word{}, err
	}
	x1, y1, err := d.seen(index, r.Right, r.Bottom)
	place := archive.Place{min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)}
	return archive.Word{Text: strings.Join(strings.Fields(cleanText(text.Text)), " "), Place: place}, err
}

// seen is where a point of a page is on the page as it is seen, as fractions of it.
func (d *document) seen(index int, x, y float64) (float64, float64, error) {
	const whole = 10_000
	at, err := d.instance.FPDF_PageToDevice(&requests.FPDF_PageToDevice{Page: d.page(index), SizeX: whole, SizeY: whole, PageX: x, PageY: y})
	if err != nil {
		return 0, 0, err
	}
	part := func(n int) float64 { return float64(min(max(n, 0), whole)) / whole }
	return part(at.DeviceX), part(at.DeviceY), nil
}

// besides reports whether a word goes on with a line.
func besides(line archive.TextLine, w archive.Word) bool {
	last := line[len(line)-1].Place
	middle := (w.Place[1] + w.Place[3]) / 2
	return w.Place[0] >= last[0] && middle > last[1] && middle < last[3]
}

// parseLines believes a child what can be: places are on the page.
func parseLines(body []byte) (lines []archive.TextLine, ok bool) {
	if json.Unmarshal(body, &lines) != nil {
		return nil, false
	}
	for _, line := range lines {
		for _, w := range line {
			p := w.Place
			if !(0 <= p[0] && p[0] <= p[2] && p[2] <= 1 && 0 <= p[1] && p[1] <= p[3] && p[3] <= 1) {
				return nil, false
			}
		}
	}
	return lines, true
}
