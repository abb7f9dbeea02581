package reader

import (
	"fmt"
	"image"
	"image/draw"
	"strings"
	"unicode"

	"dangan/archive"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// maxText is the longest text of one document, in bytes.
const maxText = 32 << 20

func (j job) readPDF(reading *archive.Reading) error {
	if err := j.inspect(reading); err != nil {
		return err
	}
	if reading.Rejected() {
		return nil
	}
	document, err := j.open()
	if err != nil {
		return err
	}
	defer document.close()
	// What two parsers see differently, two people would too.
	if document.pages != reading.Pages {
		reject(reading, CodeDamaged)
		return nil
	}
	return document.readText(reading)
}

func (j job) paintPDF(page int, s scale) (*image.RGBA, error) {
	document, err := j.open()
	if err != nil {
		return nil, err
	}
	defer document.close()
	if page > document.pages {
		return nil, ErrNoPage
	}
	return document.paint(page-1, s)
}

// document is a PDF opened in pdfium. Its pages count from 0.
type document struct {
	instance pdfium.Pdfium
	ref      references.FPDF_DOCUMENT
	pages    int
	close    func()
}

func (j job) open() (*document, error) {
	instance, release, err := j.engine.instance(j.ctx)
	if err != nil {
		return nil, err
	}
	opened, err := instance.OpenDocument(&requests.OpenDocument{FileReader: j.src.reader(), FileReaderSize: j.src.size})
	if err != nil {
		release()
		return nil, fmt.Errorf("open: %w", err)
	}
	count, err := instance.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: opened.Document})
	if err != nil {
		release()
		return nil, fmt.Errorf("count pages: %w", err)
	}
	return &document{instance: instance, ref: opened.Document, pages: count.PageCount, close: release}, nil
}

func (d *document) page(index int) requests.Page {
	return requests.Page{ByIndex: &requests.PageByIndex{Document: d.ref, Index: index}}
}

func (d *document) readText(reading *archive.Reading) error {
	total := 0
	for index := range d.pages {
		text, err := d.text(index)
		if err != nil {
			return fmt.Errorf("text of page %d: %w", index+1, err)
		}
		if total += len(text); total > maxText {
			return fmt.Errorf("text of page %d: %w", index+1, errLimit)
		}
		reading.Text = append(reading.Text, text)
	}
	return nil
}

// text does not use pdfium's GetPageText, which loses all characters beyond
// U+FFFF.
func (d *document) text(index int) (string, error) {
	page, err := d.instance.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: d.page(index)})
	if err != nil {
		return "", err
	}
	defer d.instance.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: page.TextPage})
	count, err := d.instance.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: page.TextPage})
	if err != nil {
		return "", err
	}
	if count.Count < 1 {
		return "", nil
	}
	text, err := d.instance.FPDFText_GetText(&requests.FPDFText_GetText{TextPage: page.TextPage, Count: count.Count})
	if err != nil {
		return "", err
	}
	return cleanText(text.Text), nil
}

// cleanText keeps line breaks and drops what pdfium puts in for hyphens and
// unmapped glyphs: control characters, noncharacters, replacement characters.
func cleanText(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || r == unicode.ReplacementChar || r&0xFFFE == 0xFFFE {
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}

func (d *document) paint(index int, s scale) (*image.RGBA, error) {
	size, err := d.instance.GetPageSize(&requests.GetPageSize{Page: d.page(index)})
	if err != nil {
		return nil, fmt.Errorf("page size: %w", err)
	}
	if !(min(size.Width, size.Height) >= 1 && max(size.Width, size.Height) <= 1e6) {
		return nil, ErrNoPage
	}
	perPoint := s(size.Width, size.Height)
	rendered, err := d.instance.RenderPageInPixels(&requests.RenderPageInPixels{
		Page: d.page(index), Width: dots(size.Width, perPoint), Height: dots(size.Height, perPoint),
		RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT, RenderForm: true,
	})
	if err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	defer rendered.Cleanup()
	pixels, ok := rendered.Result.RenderedImage.(*image.RGBA)
	if !ok {
		return nil, fmt.Errorf("render: unexpected %T", rendered.Result.RenderedImage)
	}
	// pdfium's colours are not premultiplied, whatever the type says, and a
	// page with transparency is drawn on nothing instead of on paper.
	drawn := image.NRGBA(*pixels)
	paper := blank(drawn.Rect.Dx(), drawn.Rect.Dy())
	draw.Draw(paper, paper.Rect, &drawn, image.Point{}, draw.Over)
	return paper, nil
}
