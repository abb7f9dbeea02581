package stamp

import "fmt"

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
		r := laidRow{height: rowHeight}
		x, width := left, column
		if len(row) == 2 {
			width = pairCol
		}
		for _, field := range row {
			f := laidField{x: x, width: width, label: p.label(field.Label)}
			f.value = p.wrapped(style{font: p.regular, size: 12, ink: black()}, field.Value, width-labelCol-2*cellPad)
			lines := max(float64(len(f.value)-1)*valueLead, float64(len(f.label)-1)*labelLead)
			r.height = max(r.height, rowHeight+lines)
			r.fields = append(r.fields, f)
			x, width = x+width, column-width
		}
		laid = append(laid, r)
	}
	return laid
}

// label sets a label in bold. Two or three Chinese characters are spread to the width of four.
func (p *press) label(text string) []textLine {
	bold := style{font: p.bold, size: 12, ink: black()}
	const space = labelCol - 8
	lines := p.wrapped(bold, text, space)
	if n := len(lines[0].atoms); len(lines) == 1 && (n == 2 || n == 3) {
		for i := range n - 1 {
			if ideographic(lines[0].atoms[i].r) && ideographic(lines[0].atoms[i+1].r) {
				lines[0].atoms[i].width += float64(4-n) * bold.size / float64(n-1)
			}
		}
	}
	return lines
}

// drawRows draws the rows from y downwards, each with the line under it, and returns where they end.
func (p *press) drawRows(c *canvas, rows []laidRow, y float64) float64 {
	for i, row := range rows {
		c.lineWidth(0.7)
		if i > 0 {
			c.line(left, y, right, y)
		}
		for j, f := range row.fields {
			if j > 0 {
				c.line(f.x, y, f.x, y+row.height)
			}
			c.line(f.x+labelCol, y, f.x+labelCol, y+row.height)
			middle := y + row.height/2 + 4.4
			show(c, f.label, f.x, middle-float64(len(f.label)-1)*labelLead/2, labelCol, labelLead, centered)
			show(c, f.value, f.x+labelCol+cellPad, middle-float64(len(f.value)-1)*valueLead/2, 0, valueLead, toLeft)
		}
		y += row.height
	}
	return y
}

// bodyLine is a line of the body's cell with the height it takes.
type bodyLine struct {
	textLine
	height float64
	align  align
	head   bool // must not be the last line of a page
}

const bodyWidth = column - labelCol - 2*bodyPad

// bodyLines sets the paragraphs with their source numbers, the list of sources, and the closing words.
func (p *press) bodyLines() []bodyLine {
	text := style{font: p.regular, size: 13, ink: black()}
	mark := style{font: p.regular, size: 7.5, ink: grey(), rise: 4.6}
	list, number := p.sheet.sources()
	var lines []bodyLine
	for _, paragraph := range p.sheet.Body {
		var atoms []atom
		for _, sentence := range paragraph {
			atoms = append(atoms, p.set(text, sentence.Text)...)
			if sentence.Source != "" {
				atoms = append(atoms, glue(p.set(mark, fmt.Sprintf("[%d]", number[sentence.Source])))...)
			}
		}
		indent := 0.0
		if len(atoms) > 0 && ideographic(atoms[0].r) {
			indent = 2 * text.size
		}
		for _, l := range breakLines(atoms, bodyWidth, indent) {
			l.justify(bodyWidth)
			lines = append(lines, bodyLine{textLine: l, height: bodyLead})
		}
	}
	lines = append(lines, p.sourceLines(list)...)
	if p.sheet.Labels.End != "" {
		end := p.set(style{font: p.regular, size: 11.5, ink: black(), tracking: 1}, p.sheet.Labels.End)
		lines = append(lines, bodyLine{textLine: textLine{atoms: end}, height: 28, align: centered})
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
	small := style{font: p.regular, size: 8.5, ink: grey()}
	var lines []bodyLine
	for i, source := range list {
		if i == 0 {
			heading := p.set(style{font: p.bold, size: 8.5, ink: grey()}, p.sheet.Labels.Sources)
			lines = append(lines, bodyLine{textLine: textLine{atoms: heading}, height: sourceLead + 8, head: true})
		}
		for j, l := range breakLines(p.set(small, source), bodyWidth-sourceHang, 0) {
			l.indent = sourceHang
			if j == 0 {
				prefix := p.set(small, fmt.Sprintf("[%d]", i+1))
				prefix[len(prefix)-1].width += sourceHang - widthOf(prefix)
				l = textLine{atoms: append(prefix, l.atoms...)}
			}
			lines = append(lines, bodyLine{textLine: l, height: sourceLead})
		}
	}
	return lines
}

// drawBody draws the body's cell from y to bottom.
func (p *press) drawBody(c *canvas, lines []bodyLine, y, bottom float64) {
	c.stroke(black())
	c.lineWidth(1.1)
	c.line(left, y, right, y)
	c.line(left, bottom, right, bottom)
	c.lineWidth(0.7)
	c.line(left+labelCol, y, left+labelCol, bottom)
	p.bodyLabel(c, (y+bottom)/2)
	y += bodyPad - 4
	for _, l := range lines {
		y += l.height
		show(c, []textLine{l.textLine}, left+labelCol+bodyPad, y-5, bodyWidth, 0, l.align)
	}
}

// bodyLabel stands upright in the middle of its cell: Chinese downwards, anything else in lines.
func (p *press) bodyLabel(c *canvas, middle float64) {
	bold := style{font: p.bold, size: 12, ink: black()}
	const lead = 19.2
	var lines []textLine
	for _, a := range p.set(bold, p.sheet.Labels.Body) {
		if !ideographic(a.r) {
			lines = p.wrapped(bold, p.sheet.Labels.Body, labelCol-8)
			show(c, lines, left, middle-float64(len(lines)-1)*labelLead/2+4.4, labelCol, labelLead, centered)
			return
		}
		lines = append(lines, textLine{atoms: []atom{a}})
	}
	show(c, lines, left, middle-float64(len(lines)-1)*lead/2+4.4, labelCol, lead, centered)
}

// room is the height that the body has on the first and on later pages, on one that goes on and on the one
// that closes with the seal.
type room struct{ firstOpen, firstClosing, laterOpen, laterClosing float64 }

// maxPages bounds a certificate; a longer one is an extract and belongs into a copy of the file.
const maxPages = 20

// paginate deals the lines out to pages. Only the last page closes, and it carries at least two lines.
func paginate(lines []bodyLine, r room) ([][]bodyLine, error) {
	open, closing := r.firstOpen-2*bodyPad, r.firstClosing-2*bodyPad
	var pages [][]bodyLine
	for len(pages) < maxPages {
		if fit(lines, closing) == len(lines) {
			return append(pages, lines), nil
		}
		n := min(fit(lines, open), len(lines)-2)
		for n > 0 && lines[n-1].head {
			n--
		}
		if n <= 0 {
			return nil, fmt.Errorf("%w: no room for the body", ErrTooLong)
		}
		pages = append(pages, lines[:n])
		lines = lines[n:]
		open, closing = r.laterOpen-2*bodyPad, r.laterClosing-2*bodyPad
	}
	return nil, fmt.Errorf("%w: more than %d pages", ErrTooLong, maxPages)
}

// fit returns how many lines go into the height.
func fit(lines []bodyLine, height float64) int {
	for i, l := range lines {
		if height -= l.height; height < 0 {
			return i
		}
	}
	return len(lines)
}
