package stamp

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The page, in points from the top left of an A4 sheet.
const (
	frameOuter = 33.5 // the red double frame
	frameInner = 39.5

	left   = 69.5 // the column everything stands in
	right  = pageWidth - left
	column = right - left

	openBottom = 766.0 // where the table ends on a page that goes on
	laterTitle = 76.0
	laterTop   = 128.0 // where it begins on later pages
	footerLine = 790.0
	leastBody  = 150.0 // so that the body's label has room

	qrTop, qrSize          = 664.0, 84.0
	sealX, sealY           = 436.0, 674.0 // centre of the seal
	nameLine, dateLine     = 660.0, 690.0
	cellPad                = 8.0
	bodyPad                = 12.0
	sourceLead, sourceHang = 13.5, 20.0
)

func black() color { return color{0, 0, 0} }
func grey() color  { return color{0.36, 0.36, 0.36} }
func faint() color { return color{0.895, 0.895, 0.895} }
func red() color   { return color{0.76, 0.07, 0.09} }

// proportions differ between Chinese and alphabetic sheets: letters run wider and need less air.
type proportions struct {
	label float64   // width of a label's cell
	pair  float64   // width of the first of two fields, label included
	row   float64   // least height of a row
	lead  float64   // distance of lines in cells
	cell  float64   // type size in cells
	text  float64   // type size of the body
	leads []float64 // distances of the body's lines, the best first

	indent float64 // of a paragraph, in characters
	source float64 // type size of the sources
	end    float64 // height of the closing words
	bottom float64 // where the table ends on the page that carries the seal
}

func proportionsFor(s Sheet) proportions {
	r, _ := utf8.DecodeRuneInString(s.Labels.Body)
	switch {
	case ideographic(r) && s.Also.Language != "": // two languages need room
		return proportions{label: 70, pair: 226, row: 22, lead: 13, cell: 10.5, text: 12, leads: []float64{21, 19, 17.5, 16.5}, indent: 2, source: 8, end: 22, bottom: 634}
	case ideographic(r):
		return proportions{label: 76, pair: 214, row: 32, lead: 17.5, cell: 12, text: 13, leads: []float64{25, 23, 21, 19.5}, indent: 2, source: 8.5, end: 28, bottom: 592}
	}
	return proportions{label: 97, pair: column / 2, row: 28, lead: 14.5, cell: 11, text: 11.5, leads: []float64{20, 18, 16.5}, source: 8.5, end: 28, bottom: 592}
}

func (m proportions) bodyWidth() float64 { return column - m.label - 2*bodyPad }

// press sets one document.
type press struct {
	proportions
	doc           *document
	sheet         Sheet
	regular, bold *usedFont
	watermark     *watermark
	claim         claim
	structure     *structure
	pages         []ref
	more          func(tree ref) // draws pages behind those of the sheet; nil for none
	below         int            // pages that are not in pages themselves, but below one of them
	err           error          // the first thing that could not be set
}

// canvasPage is a page under way.
type canvasPage struct {
	canvas
	annotations string
}

func newPress(d *document, sheet Sheet, regular, bold *face) *press {
	p := &press{doc: d, sheet: sheet, structure: newStructure(), claim: certificateClaim(), proportions: proportionsFor(sheet)}
	p.regular, p.bold = newUsedFont(regular, d, "R"), newUsedFont(bold, d, "B")
	return p
}

func (p *press) set(st style, text string) []atom {
	atoms, err := st.set(text)
	if err != nil && p.err == nil {
		p.err = err
	}
	return atoms
}

// wrapped breaks text at its own newlines and at the width.
func (p *press) wrapped(st style, text string, width float64) []textLine {
	var lines []textLine
	for _, part := range strings.Split(text, "\n") {
		lines = append(lines, breakLines(p.set(st, part), width, 0)...)
	}
	return lines
}

// align is where a line stands in its space.
type align float64

const (
	toLeft   align = 0
	centered align = 0.5
	toRight  align = 1
)

// show puts lines into the space that begins at x; y is the first baseline. It returns the next baseline.
func show(c *canvas, lines []textLine, x, y, width, lead float64, a align) float64 {
	for _, l := range lines {
		c.glyphs(x+l.indent+float64(a)*(width-l.indent-l.width()), y, l.atoms)
		y += lead
	}
	return y
}

// heading sets text that should stand on one line: spread out when it is all Chinese and short, smaller
// when it is long, and on several lines when it is very long.
func (p *press) heading(st style, text string, width float64) []textLine {
	if strings.ContainsFunc(text, func(r rune) bool { return !ideographic(r) }) {
		st.tracking = 0
	}
	size := st.size
	for i, scale := range []float64{1, 1, 0.85, 0.72} {
		if i > 0 {
			st.tracking = 0
		}
		st.size = size * scale
		if widthOf(p.set(st, text)) <= width {
			break
		}
	}
	lines := breakLines(p.set(st, text), width, 0)
	for i := range lines { // what follows the last glyph is not part of the line
		if n := len(lines[i].atoms); n > 0 {
			lines[i].atoms[n-1].width -= st.tracking
		}
	}
	return lines
}

// run sets the whole sheet and returns the page tree's root. seal, unless nil, gets the last page.
func (p *press) run(seal func(*canvasPage)) (ref, error) {
	if err := p.prepareMarks(); err != nil {
		return 0, err
	}
	body := p.bodyLines()
	rows, after := p.layRows(p.sheet.Rows), p.layRows(p.sheet.After)
	if p.err != nil {
		return 0, p.err
	}
	top := p.tableTop() + heightOf(rows)
	r := room{
		firstOpen: openBottom - top, firstClosing: p.bottom - top - heightOf(after),
		laterOpen: openBottom - laterTop, laterClosing: p.bottom - laterTop - heightOf(after),
	}
	tighten(body, p.leads, r.firstClosing)
	pages, err := paginate(body, r)
	if err != nil {
		return 0, err
	}
	return p.drawPages(pages, rows, after, seal)
}

func (p *press) drawPages(pages [][]bodyLine, rows, after []laidRow, seal func(*canvasPage)) (ref, error) {
	tree := p.doc.reserve()
	for i, lines := range pages {
		page := &canvasPage{canvas: canvas{height: pageHeight, structure: p.structure, page: p.doc.reserve()}}
		p.structure.newPage()
		c, last := &page.canvas, i == len(pages)-1
		p.ground(c)
		tableTop := p.head(c, i)
		c.stroke(black())
		y, bottom := tableTop, openBottom
		if i == 0 {
			y = p.drawRows(c, rows, y)
			c.line(left, y, right, y)
		}
		if last {
			bottom = p.bottom - heightOf(after)
		}
		if last && i > 0 { // the rest of a text needs no more than its own height
			bottom = min(bottom, max(y+leastBody, y+total(lines)+2*bodyPad))
		}
		p.drawBody(c, lines, y, bottom)
		if last {
			c.line(left, bottom, right, bottom)
			bottom = p.drawRows(c, after, bottom)
			if err := p.closing(page, seal); err != nil {
				return 0, err
			}
		}
		c.stroke(black())
		c.frame(left, tableTop, column, bottom-tableTop, 1.5)
		p.foot(c, i+1, len(pages))
		if p.err != nil {
			return 0, p.err
		}
		p.addPage(page, tree)
	}
	if p.more != nil {
		p.more(tree)
	}
	p.finishPages(tree)
	return tree, p.err
}

func (p *press) addPage(page *canvasPage, tree ref) {
	content := p.doc.addStream("", page.buf.Bytes())
	marks := ""
	if p.watermark != nil {
		marks = fmt.Sprintf("/XObject<</W %s>>", p.watermark.object)
	}
	annotations := ""
	if page.annotations != "" {
		annotations = "/Annots[" + page.annotations + "]"
	}
	p.doc.put(page.page, fmt.Sprintf("<</Type/Page/Parent %s/StructParents %d/Tabs/S/MediaBox[0 0 %g %g]/Resources<</Font<</R %s/B %s>>%s>>/Contents %s%s>>",
		tree, len(p.pages), pageWidth, pageHeight, p.regular.object, p.bold.object, marks, content, annotations))
	p.pages = append(p.pages, page.page)
}

func (p *press) finishPages(tree ref) {
	kids := strings.Trim(fmt.Sprint(p.pages), "[]")
	p.doc.put(tree, fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(p.pages)+p.below, kids))
	p.regular.write(p.doc)
	p.bold.write(p.doc)
}

// ground draws what lies under the text: the purpose mark inside the frame, and the frame.
func (p *press) ground(c *canvas) {
	if p.watermark != nil {
		c.artifact(func() { p.watermark.draw(c) })
	}
	if p.sheet.Draft != "" {
		c.artifact(func() { p.draft(c) })
	}
	c.stroke(red())
	c.frame(frameOuter, frameOuter, pageWidth-2*frameOuter, pageHeight-2*frameOuter, 2.2)
	c.frame(frameInner, frameInner, pageWidth-2*frameInner, pageHeight-2*frameInner, 0.6)
}

// headings are a heading, and smaller under it the same in another language.
type headings struct {
	lines, also []textLine
	lead        float64 // of lines
}

func (p *press) issuer() headings {
	return p.headings(style{font: p.bold, size: 21, ink: red(), tracking: 6}, p.sheet.Issuer, issuerLead)
}

func (p *press) title() headings {
	return p.headings(style{font: p.bold, size: 27, ink: black(), tracking: 5}, p.sheet.Title, titleLead)
}

func (p *press) headings(st style, text string, lead float64) headings {
	first, rest, more := strings.Cut(text, "\n")
	h := headings{lines: p.heading(st, first, column), lead: lead}
	if more {
		h.also = p.heading(style{font: p.regular, size: 13, ink: st.ink}, rest, column)
	}
	return h
}

// height is how far the last baseline is below the first.
func (h headings) height() float64 {
	return h.lead*float64(len(h.lines)-1) + alsoLead*float64(len(h.also))
}

// show draws the lines, the first at y, and returns the last baseline.
func (h headings) show(c *canvas, y float64) float64 {
	next := show(c, h.lines, left, y, column, h.lead, centered)
	show(c, h.also, left, next-h.lead+alsoLead, column, alsoLead, centered)
	return y + h.height()
}

// oneLine is a heading where there is room for its first line alone.
func oneLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}

// The first baseline of the head, and how far its parts stand apart.
const (
	issuerLine, issuerLead = 91.0, 27.0
	titleDrop, titleLead   = 50.0, 36.0
	alsoLead               = 21.0
	numberDrop, tableDrop  = 28.0, 13.5
)

func (p *press) tableTop() float64 {
	return issuerLine + p.issuer().height() + 17 + titleDrop + p.title().height() + numberDrop + tableDrop
}

// head draws the head of page i and returns where its table begins.
func (p *press) head(c *canvas, i int) float64 {
	number := p.heading(style{font: p.regular, size: 12.5, ink: black()}, p.sheet.Labels.Number+p.sheet.Number, column)
	if i > 0 {
		title := p.heading(style{font: p.bold, size: 12.5, ink: black()}, oneLine(p.sheet.Title)+p.sheet.Labels.Continued, column)
		c.artifact(func() {
			show(c, title, left, laterTitle-float64(len(title)-1)*15, column, 15, centered)
			p.doubleRule(c, laterTitle+10)
			show(c, number, left, laterTop-tableDrop, column, 0, toRight)
		})
		return laterTop
	}
	y := 0.0
	c.tag("P", "", func() { y = p.issuer().show(c, issuerLine) + 17 })
	p.doubleRule(c, y)
	c.tag("H1", "", func() { y = p.title().show(c, y+titleDrop) + numberDrop })
	c.tag("P", "", func() { show(c, number, left, y, column, 0, toRight) })
	return y + tableDrop
}

func (p *press) doubleRule(c *canvas, y float64) {
	c.stroke(red())
	c.lineWidth(1.2)
	c.line(left, y, right, y)
	c.lineWidth(0.5)
	c.line(left, y+3.4, right, y+3.4)
}

func (p *press) foot(c *canvas, page, pages int) {
	small := style{font: p.regular, size: 8.5, ink: grey()}
	text := p.sheet.Labels.page(page, pages)
	if p.sheet.Footer != "" {
		text += "    " + p.sheet.Footer
	}
	lines := p.heading(small, text, column)
	c.artifact(func() { show(c, lines, left, footerLine-float64(len(lines)-1)*10, column, 10, centered) })
}
