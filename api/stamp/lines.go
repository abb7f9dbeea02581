package stamp

import (
	"strings"
	"unicode"
)

// atom is one glyph on its way to the page. Widths are in points.
type atom struct {
	r       rune
	font    *usedFont
	cid     uint16
	size    float64
	rise    float64
	ink     color
	natural float64 // the font's advance
	width   float64 // how far the line moves on: natural, less squeezed punctuation, plus tracking and stretch
	shift   float64 // where the glyph stands relative to its place in the line
	glued   bool    // belongs to the atom before it: no line may start here
}

// style is how a text is set.
type style struct {
	font     *usedFont
	size     float64
	ink      color
	tracking float64 // extra space after each glyph
	rise     float64
}

// Line-start and line-end prohibition (避头尾, GB/T 15834-2011, 5.1) and the full-width marks whose blank
// half may be squeezed.
const (
	neverFirst  = "、。，．：；！？）〕］｝〉》」』】’”·‧～％%‰℃°々ー…—,.;:!?)]}"
	neverLast   = "（〔［｛〈《「『【‘“([{￥¥№"
	blankAfter  = "、。，）〕〉》」』】"
	blankBefore = "（〔〈《「『【"
)

// set turns text into atoms. It fails with a MissingGlyphError.
func (st style) set(text string) ([]atom, error) {
	atoms := make([]atom, 0, len(text))
	for _, r := range text {
		cid, advance, err := st.font.cid(r)
		if err != nil {
			return nil, err
		}
		natural := float64(advance) * st.size / 1000
		a := atom{r: r, font: st.font, cid: cid, size: st.size, rise: st.rise, ink: st.ink, natural: natural, width: natural + st.tracking}
		if n := len(atoms); n > 0 {
			squeeze(&atoms[n-1], &a)
		}
		atoms = append(atoms, a)
	}
	return atoms, nil
}

// squeeze takes out the blank half em between two full-width marks that meet (标点挤压).
func squeeze(before, a *atom) {
	half := a.size / 2
	switch {
	case strings.ContainsRune(blankAfter, before.r) && strings.ContainsRune(blankAfter+blankBefore, a.r):
		before.width -= half
	case strings.ContainsRune(blankBefore, before.r) && strings.ContainsRune(blankBefore, a.r):
		a.shift, a.width = -half, a.width-half
	}
}

// endWidth is what an atom needs at the end of a line: a closing mark may leave its blank half outside.
func (a atom) endWidth() float64 {
	if strings.ContainsRune(blankAfter, a.r) {
		return min(a.width, a.size/2)
	}
	return a.width
}

// ideographic reports whether a line may be broken beside r without a space.
func ideographic(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x30FF || r >= 0xFF00 && r <= 0xFFEF
}

func mayBreak(a, b atom) bool {
	switch {
	case b.glued, b.r == ' ':
		return false
	case a.r == ' ':
		return true
	case strings.ContainsRune(neverFirst, b.r), strings.ContainsRune(neverLast, a.r):
		return false
	}
	return ideographic(a.r) || ideographic(b.r)
}

// textLine is one line of a paragraph.
type textLine struct {
	atoms  []atom
	indent float64
	last   bool // of its paragraph
}

func (l textLine) width() float64 { return widthOf(l.atoms) }

func widthOf(atoms []atom) float64 {
	var w float64
	for i, a := range atoms {
		if i == len(atoms)-1 {
			return w + a.endWidth()
		}
		w += a.width
	}
	return w
}

// breakLines fills lines of the given width. A word that is wider than a line is broken anywhere.
func breakLines(atoms []atom, width, indent float64) []textLine {
	var lines []textLine
	start, opportunity, used := 0, 0, indent
	for i := 0; i < len(atoms); i++ {
		if i > start && mayBreak(atoms[i-1], atoms[i]) {
			opportunity = i
		}
		if used+atoms[i].endWidth() <= width || i == start || atoms[i].r == ' ' {
			used += atoms[i].width
			continue
		}
		end := opportunity
		if end <= start {
			end = i
		}
		lines = append(lines, textLine{atoms: trimSpace(atoms[start:end]), indent: indent})
		start, opportunity, used, indent = end, end, 0, 0
		i = end - 1
	}
	return append(lines, textLine{atoms: trimSpace(atoms[start:]), indent: indent, last: true})
}

func trimSpace(atoms []atom) []atom {
	for len(atoms) > 0 && atoms[len(atoms)-1].r == ' ' {
		atoms = atoms[:len(atoms)-1]
	}
	return atoms
}

// Readers take a gap of a tenth of an em for a space, so Chinese may be stretched by less only; the spaces
// between words take five times that.
const (
	maxStretch  = 0.09
	spaceWeight = 5
)

// justify spreads the rest of the line over its gaps. A line that would need too much stays ragged.
func (l textLine) justify(width float64) {
	if l.last || len(l.atoms) < 2 {
		return
	}
	weights := 0.0
	weight := func(i int) float64 {
		switch a, b := l.atoms[i], l.atoms[i+1]; {
		case a.r == ' ':
			return spaceWeight
		case b.glued || !ideographic(a.r) && !ideographic(b.r):
			return 0
		}
		return 1
	}
	for i := range len(l.atoms) - 1 {
		weights += weight(i)
	}
	rest := width - l.indent - l.width()
	if weights == 0 || rest <= 0 || rest/weights > maxStretch*l.atoms[0].size {
		return
	}
	for i := range len(l.atoms) - 1 {
		l.atoms[i].width += weight(i) * rest / weights
	}
}
