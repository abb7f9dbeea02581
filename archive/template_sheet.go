package archive

import "strings"

// Bilingual is the language of a sheet with both languages on it, Chinese first.
const Bilingual = "bilingual"

// Sheet is what a certificate says, in words, before it has a number and is
// drawn. A text in both languages has the English one on a line of its own.
type Sheet struct {
	Language string    `json:"language"` // zh-CN, en or bilingual
	Issuer   string    `json:"issuer"`
	Title    string    `json:"title"`
	Rows     [][]Cell  `json:"rows"` // above the text, one or two cells in each
	Body     []Passage `json:"body"`
	Also     []Passage `json:"also,omitempty"` // the body in the second language
	After    []Cell    `json:"after,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
	Mark     string    `json:"mark,omitempty"`
	Date     string    `json:"date"`
}

// Cell is a labelled value of the table.
type Cell struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Passage is a paragraph.
type Passage []Sentence

// Sentence is a text with where it is recorded; the source is empty when it states
// nothing.
type Sentence struct {
	Text   string `json:"text"`
	Source string `json:"source,omitempty"`
}

// Word puts the case into the words of a template, in a language. The statements
// are those of the sheet, in its first language. The i-th one rests on the i-th
// page that the reviewer has named, or the last; it says nothing that is not
// recorded.
func (t Template) Word(c Case, language string) (Sheet, []Statement) {
	w := wording{names: c.terms(), template: t, c: c, main: "zh-CN"}
	switch language {
	case "en":
		w.main = "en"
	case Bilingual:
		w.second = "en"
	default:
		language = "zh-CN"
	}
	w.sheet = Sheet{Language: language, Issuer: w.both(c.Office.Name, "\n"), Title: w.text(w.names, t.Title, "\n"),
		Mark: w.first(w.names, t.Mark), Date: w.both(Label{ZH: dayOf(c.Issued).Chinese(), EN: dayOf(c.Issued).English()}, "\n")}
	for _, b := range t.Blocks {
		w.block(b)
	}
	return w.sheet, w.statements
}

// Titled is the title in both languages.
func (t Template) Titled(c Case) Label {
	names := c.terms()
	title := Label{ZH: say(names, t.Title.ZH, "zh-CN"), EN: say(names, t.Title.EN, "en")}
	if title.EN == "" {
		title.EN = title.ZH
	}
	return title
}

// wording is a sheet while it is written.
type wording struct {
	names      terms
	template   Template
	c          Case
	main       string
	second     string // empty for none
	sheet      Sheet
	pair       bool // the last row has room for another cell
	open       bool // the last passage goes on with statements
	statements []Statement
}

// both puts a label into the language, or both languages, of the sheet. What is
// the same in both stands once.
func (w *wording) both(l Label, between string) string {
	first := l.In(w.main)
	if first == "" {
		first = l.ZH
	}
	if w.second == "" || first == "" || l.EN == "" || l.EN == first {
		return first
	}
	return first + between + l.EN
}

// text says a text of a template; where English is missing, Chinese stands in.
func (w *wording) text(names terms, l Label, between string) string {
	return w.both(Label{ZH: say(names, l.ZH, "zh-CN"), EN: say(names, l.EN, "en")}, between)
}

// sharedPrefix is how many bytes two texts have in common at their beginning.
func sharedPrefix(a, b string) int {
	for i, r := range b {
		if !strings.HasPrefix(a[min(i, len(a)):], string(r)) {
			return i
		}
	}
	return len(b)
}

// first says a text in the main language.
func (w *wording) first(names terms, l Label) string {
	if en := say(names, l.EN, "en"); w.main == "en" && en != "" {
		return en
	}
	return say(names, l.ZH, "zh-CN")
}

// say words a text of a template that was checked; one with a fault says nothing.
func say(names terms, s, lang string) string {
	t, ps := parseText(s, "")
	if len(ps) > 0 {
		return ""
	}
	said, _ := names.say(t, lang)
	return said
}

func (w *wording) block(b Block) {
	name, negative := strings.CutPrefix(b.When, "!")
	if b.When != "" && w.names[name].empty() != negative {
		return
	}
	if b.Each == "" {
		w.put(b, w.names)
		return
	}
	for _, element := range w.names[b.Each].list {
		w.put(b, w.names.with(element))
	}
}

func (w *wording) put(b Block, names terms) {
	if b.Kind == BlockStatement {
		w.state(b, names)
		return
	}
	text := w.text(names, b.Text, "\n")
	if text == "" {
		return
	}
	cell := Cell{Label: w.text(names, b.Label, "\n"), Value: text}
	switch b.Kind {
	case BlockField:
		w.sheet.Rows, w.pair = append(w.sheet.Rows, []Cell{cell}), false
	case BlockPair:
		if w.pair {
			last := len(w.sheet.Rows) - 1
			w.sheet.Rows[last] = append(w.sheet.Rows[last], cell)
		} else {
			w.sheet.Rows = append(w.sheet.Rows, []Cell{cell})
		}
		w.pair = !w.pair
	case BlockAfter:
		w.sheet.After = append(w.sheet.After, cell)
	case BlockNote:
		w.sheet.Notes = append(w.sheet.Notes, text)
	case BlockSay: // in the first language it says something, or text would be empty
		w.open = false
		w.passage(names, b, "")
	}
}

// passage adds what a block says to the body, once for each language.
func (w *wording) passage(names terms, b Block, source string) {
	add := func(body []Passage, lang, text string) []Passage {
		s := Sentence{Text: text, Source: source}
		if !w.open || len(body) == 0 {
			return append(body, Passage{s})
		}
		if lang == "en" { // whose sentences stand apart
			s.Text = " " + text
		}
		last := len(body) - 1
		body[last] = append(body[last], s)
		return body
	}
	w.sheet.Body = add(w.sheet.Body, w.main, w.first(names, b.Text))
	if en := say(names, b.Text.EN, "en"); w.second != "" && en != "" {
		w.sheet.Also = add(w.sheet.Also, w.second, en)
	}
}

// state adds a statement with its source.
func (w *wording) state(b Block, names terms) {
	first := w.first(names, b.Text)
	if first == "" {
		return
	}
	var page PageRef
	if pages := w.c.Request.Sources; len(pages) > 0 {
		page = pages[min(len(w.statements), len(pages)-1)]
	}
	names = names.with(terms{"source.file": counted(page.File), "source.page": counted(page.Page)})
	where := b.Source
	if where.ZH == "" {
		where = w.template.Source
	}
	source := w.first(names, where)
	if en := say(names, where.EN, "en"); w.second != "" && en != "" { // a reference code need not stand twice
		source += " / " + strings.TrimLeft(en[sharedPrefix(source, en):], ", ")
	}
	w.passage(names, b, source)
	w.open = true
	citation := Citation{RefCode: w.c.Record.RefCode.Original, File: page.File, Page: page.Page, Date: w.c.Record.Date}
	if w.c.Occasion == OfNotFound {
		citation = Citation{Register: source}
	}
	w.statements = append(w.statements, Statement{Text: first, Source: citation})
}
