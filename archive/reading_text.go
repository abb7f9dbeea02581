package archive

import (
	"strings"
	"unicode"
)

// Place is where something is on a page as it is shown: left, top, right and bottom,
// as fractions of its width and height, from the upper left corner.
type Place [4]float64

// Word is letters that stand together, and where. In Chinese that may be a phrase.
type Word struct {
	Text  string `json:"text"`
	Place Place  `json:"place,omitzero"`
}

// TextLine is a line of a page, in the order in which it is read.
type TextLine []Word

// String is the line as it is searched: blanks are between words of letters, and
// not beside Chinese characters, wherever a machine has seen them.
func (l TextLine) String() string {
	var b strings.Builder
	last := ' '
	for _, w := range l {
		for i, r := range w.Text {
			if i == 0 && b.Len() > 0 && !ideograph(last) && !ideograph(r) {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
			last = r
		}
	}
	return b.String()
}

// ideograph reports whether a character is one that no blank stands beside: of
// Chinese, or of its punctuation.
func ideograph(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r < 0x3040 || r >= 0xFF00 && r < 0xFF40
}

// Place is around the whole line.
func (l TextLine) Place() Place {
	var p Place
	for i, w := range l {
		if i == 0 {
			p = w.Place
		}
		p = Place{min(p[0], w.Place[0]), min(p[1], w.Place[1]), max(p[2], w.Place[2]), max(p[3], w.Place[3])}
	}
	return p
}

// ScanText is what a machine has read on the scanned pages of a file. It is for
// search alone: it errs, and rare names are what it errs about most.
type ScanText struct {
	// Of is the SHA-256 of the reading by which pages were chosen, in hex: when
	// the file is read anew and found to be other, what was read of it is void.
	Of string `json:"of"`
	// Pages are those that are done, from the first; those that have text of
	// their own have no lines. The machine is through when it has all.
	Pages [][]TextLine `json:"pages"`
}

// Text is what can be searched, page by page.
func (s ScanText) Text() []string {
	pages := make([]string, len(s.Pages))
	for i, lines := range s.Pages {
		text := make([]string, len(lines))
		for k, line := range lines {
			text[k] = line.String()
		}
		pages[i] = strings.Join(text, "\n")
	}
	return pages
}

// Scanned reports whether page (from 1) has no text of its own, as a scan has none.
func (r Reading) Scanned(page int) bool {
	return page >= 1 && page <= len(r.Text) && strings.TrimSpace(r.Text[page-1]) == ""
}

// HasScans reports whether any page has no text of its own.
func (r Reading) HasScans() bool {
	for page := range r.Text {
		if r.Scanned(page + 1) {
			return true
		}
	}
	return false
}

// Notes on a file with scanned pages: whether a machine has read them, is about to,
// or is not there.
const (
	NoteMachineText = "machine_text"
	NoteTextWaits   = "machine_text_waits"
	NoteNoText      = "no_machine_text"
)

// PageText is the text of one page, for highlights on its picture.
type PageText struct {
	// Machine means that it was read by a machine: no evidence, and not complete.
	Machine bool       `json:"machine"`
	Lines   []TextLine `json:"lines"`
}

// PlainPage is text of which nobody knows where it stands.
func PlainPage(text string) PageText {
	var p PageText
	for line := range strings.Lines(text) {
		p.Lines = append(p.Lines, TextLine{{Text: strings.TrimSpace(line)}})
	}
	return p.WithoutIDs()
}

// WithoutIDs is the page without what may be an id number: of a line with one, the
// words have no places of their own.
func (p PageText) WithoutIDs() PageText {
	lines := make([]TextLine, len(p.Lines))
	for i, l := range p.Lines {
		lines[i] = l
		if text := l.String(); WithoutIDs(text) != text {
			lines[i] = TextLine{{Text: WithoutIDs(text), Place: l.Place()}}
		}
	}
	p.Lines = lines
	return p
}
