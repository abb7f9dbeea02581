package stamp

import (
	"fmt"
	"slices"
)

// laidField is a field broken into lines.
type laidField struct {
	label, value []textLine
	x, width     float64 // of the label's cell and the value's together
}

type laidRow struct {
	fields []laidField
	height float64
}

func heightOf(rows []laidRow) (sum float64) {
	for _, r := range rows {
		sum += r.height
	}
	return sum
}

func (p *press) layRows(rows []Row) []laidRow {
	laid := make([]laidRow, 0, len(rows))
	for _, row := range rows {
		r := laidRow{height: p.row}
		x, width := left, column
		if len(row) == 2 {
			width = p.pair
		}
		for _, field := range row {
			f := laidField{x: x, width: width, label: p.setLabel(field.Label)}
			f.value = p.wrapped(style{font: p.regular, size: p.cell, ink: black()}, field.Value, width-p.label-2*cellPad)
			lines := max(len(f.value), len(f.label))
			r.height = max(r.height, p.row+float64(lines-1)*p.lead)
			r.fields = append(r.fields, f)
			x, width = x+width, column-width
		}
		laid = append(laid, r)
	}
	return laid
}

// setLabel sets a label in bold. Two or three Chinese characters are spread to the width of four.
func (p *press) setLabel(text string) []textLine {
	bold := style{font: p.bold, size: p.cell, ink: black()}
	lines := p.wrapped(bold, text, p.label-8)
	if n := len(lines[0].atoms); len(lines) == 1 && (n == 2 || n == 3) {
		for i := range n - 1 {
			if ideographic(lines[0].atoms[i].r) && ideographic(lines[0].atoms[i+1].r) {
				lines[0].atoms[i].width += float64(4-n) * bold.size / float64(n-1)
			}
		}
	}
	return lines
}

// drawRows draws the rows from y downwards, with lines between them, and returns where they end.
func (p *press) drawRows(c *canvas, rows []laidRow, y float64) float64 {
	if len(rows) > 0 {
		c.group("Table", func() { p.rowsTexts(c, rows, y) })
	}
	for i, row := range rows {
		c.lineWidth(0.7)
		if i > 0 {
			c.line(left, y, right, y)
		}
		for j, f := range row.fields {
			if j > 0 {
				c.line(f.x, y, f.x, y+row.height)
			}
			c.line(f.x+p.label, y, f.x+p.label, y+row.height)
		}
		y += row.height
	}
	return y
}

// rowsTexts draws what stands in the cells of rows that begin at y. A field alone in its row spans as many
// columns as two fields take elsewhere in the table.
func (p *press) rowsTexts(c *canvas, rows []laidRow, y float64) {
	wide := slices.ContainsFunc(rows, func(r laidRow) bool { return len(r.fields) > 1 })
	for _, row := range rows {
		span := ""
		if wide && len(row.fields) == 1 {
			span = "/A<</O/Table/ColSpan 3>>"
		}
		middle := y + row.height/2 + 4.4
		c.group("TR", func() {
			for _, f := range row.fields {
				c.tag("TH", "/A<</O/Table/Scope/Row>>", func() {
					show(c, f.label, f.x, middle-float64(len(f.label)-1)*p.lead/2, p.label, p.lead, centered)
				})
				c.tag("TD", span, func() {
					show(c, f.value, f.x+p.label+cellPad, middle-float64(len(f.value)-1)*p.lead/2, 0, p.lead, toLeft)
				})
			}
		})
		y += row.height
	}
}

// bodyLine is a line of the body's cell with the height it takes.
type bodyLine struct {
	textLine
	height float64
	align  align
	text   bool // of a paragraph, so that its height may be reduced
	head   bool // must not be the last line of a page

	translated bool // in the second language
}

// bodyLines sets the paragraphs with their source numbers, the list of sources, and the closing words.
func (p *press) bodyLines() []bodyLine {
	text := style{font: p.regular, size: p.text, ink: black()}
	list, number := p.sheet.sources()
	var lines []bodyLine
	for _, paragraph := range p.sheet.Body {
		lines = append(lines, p.paragraph(paragraph, number, text, p.indent*text.size, bodyLine{height: p.leads[0], text: true})...)
	}
	text.size = translatedSize
	for i, paragraph := range p.sheet.Also.Body {
		translated := p.paragraph(paragraph, number, text, 0, bodyLine{height: translatedLead, translated: true})
		if i == 0 && len(translated) > 0 {
			translated[0].height += 4
		}
		lines = append(lines, translated...)
	}
	lines = append(lines, p.sourceLines(list)...)
	if p.sheet.Labels.End != "" {
		end := p.heading(style{font: p.regular, size: 11.5, ink: black(), tracking: 1}, p.sheet.Labels.End, p.bodyWidth())
		lines = append(lines, bodyLine{textLine: end[0], height: p.end, align: centered})
	}
	return lines
}

// translatedSize and translatedLead are smaller than those of the body that counts.
const translatedSize, translatedLead = 10.0, 13.5

// paragraph breaks a paragraph into lines like the given one.
func (p *press) paragraph(paragraph Paragraph, number map[string]int, text style, indent float64, like bodyLine) []bodyLine {
	mark := style{font: p.regular, size: 7.5, ink: grey(), rise: 4.6}
	var atoms []atom
	for _, sentence := range paragraph {
		atoms = append(atoms, p.set(text, sentence.Text)...)
		if sentence.Source != "" {
			atoms = append(atoms, glue(p.set(mark, fmt.Sprintf("[%d]", number[sentence.Source])))...)
		}
	}
	var lines []bodyLine
	broken := breakLines(atoms, p.bodyWidth(), indent)
	for i, l := range broken {
		if p.indent > 0 && !like.translated { // words of letters read better ragged than torn apart
			l.justify(p.bodyWidth())
		}
		like.textLine = l
		like.head = (i == 0 || i == len(broken)-2) && !l.last
		lines = append(lines, like)
	}
	return lines
}

func glue(atoms []atom) []atom {
	for i := range atoms {
		atoms[i].glued = true
	}
	return atoms
}

func (p *press) sourceLines(list []string) []bodyLine {
	small := style{font: p.regular, size: p.source, ink: grey()}
	var lines []bodyLine
	for i, source := range list {
		if i == 0 {
			heading := p.set(style{font: p.bold, size: p.source, ink: grey()}, p.sheet.Labels.Sources)
			lines = append(lines, bodyLine{textLine: textLine{atoms: heading, last: true}, height: sourceLead + 8, head: true})
		}
		for j, l := range breakLines(p.set(small, source), p.bodyWidth()-sourceHang, 0) {
			l.indent = sourceHang
			if j == 0 {
				prefix := p.set(small, fmt.Sprintf("[%d]", i+1))
				prefix[len(prefix)-1].width += sourceHang - widthOf(prefix)
				l = textLine{atoms: append(prefix, l.atoms...), last: l.last}
			}
			lines = append(lines, bodyLine{textLine: l, height: sourceLead, head: !l.last})
		}
	}
	return lines
}

// drawBody draws the body's cell from y to bottom.
func (p *press) drawBody(c *canvas, lines []bodyLine, y, bottom float64) {
	c.stroke(black())
	c.lineWidth(0.7)
	c.line(left+p.label, y, left+p.label, bottom)
	c.tag("H2", "", func() { p.bodyLabel(c, (y+bottom)/2) })
	y += bodyPad - 4
	for len(lines) > 0 {
		n := 1 // lines of one paragraph
		for n < len(lines) && !lines[n-1].last {
			n++
		}
		entries := ""
		if lines[0].translated {
			entries = fmt.Sprintf("/Lang(%s)", p.sheet.Also.Language)
		}
		c.tag("P", entries, func() {
			for _, l := range lines[:n] {
				y += l.height
				show(c, []textLine{l.textLine}, left+p.label+bodyPad, y-5, p.bodyWidth(), 0, l.align)
			}
		})
		lines = lines[n:]
	}
}

// bodyLabel stands upright in the middle of its cell: Chinese downwards, anything else in lines.
func (p *press) bodyLabel(c *canvas, middle float64) {
	bold := style{font: p.bold, size: p.cell, ink: black()}
	const lead = 19.2
	var lines []textLine
	for _, a := range p.set(bold, p.sheet.Labels.Body) {
		if !ideographic(a.r) {
			lines = p.wrapped(bold, p.sheet.Labels.Body, p.label-8)
			show(c, lines, left, middle-float64(len(lines)-1)*p.lead/2+4.4, p.label, p.lead, centered)
			return
		}
		lines = append(lines, textLine{atoms: []atom{a}})
	}
	show(c, lines, left, middle-float64(len(lines)-1)*lead/2+4.4, p.label, lead, centered)
}
