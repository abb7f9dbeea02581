package archive

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// terms is what the names in a text stand for.
type terms map[string]term

// term is a text, a date, a number or a list. An empty one is something that is
// not recorded: the name is known and stands for nothing.
type term struct {
	kind   FieldType // FieldText, FieldDate or FieldNumber; fieldList
	text   Label
	date   Date
	number string
	list   []terms
	fact   bool // stated by a record, so that a sentence with it must name its source
}

const fieldList FieldType = "list"

func (t term) empty() bool {
	return t.text == Label{} && t.date.IsZero() && t.number == "" && len(t.list) == 0
}

func same(s string) term       { return term{kind: FieldText, text: Label{ZH: s, EN: s}} }
func worded(l Label) term      { return term{kind: FieldText, text: l} }
func dated(d Date) term        { return term{kind: FieldDate, date: d} }
func counted(n int) term       { return term{kind: FieldNumber, number: positive(n)} }
func listed(list []terms) term { return term{kind: fieldList, list: list} }

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// formats lists those of a kind of values, the usual one first.
func formats(kind FieldType) []string {
	switch kind {
	case FieldText:
		return []string{"", "masked"}
	case FieldDate:
		return []string{"", "iso", "year", "numerals"}
	case FieldNumber:
		return []string{"", "grouped", "capital"}
	}
	return nil
}

// in is the term in a language. It is empty for what is not recorded.
func (t term) in(lang, format string) string {
	english := strings.HasPrefix(lang, "en")
	switch t.kind {
	case FieldDate:
		return formatDate(t.date, format, english)
	case FieldNumber:
		return formatNumber(t.number, format, english)
	}
	s := t.text.In(lang)
	if s != "" && format == "masked" {
		s = MaskName(s)
	}
	return s
}

func formatDate(d Date, format string, english bool) string {
	switch {
	case d.IsZero():
		return ""
	case format == "iso":
		return d.ISO()
	case format == "year":
		return strconv.Itoa(d.Year)
	case english:
		return d.English()
	case format == "numerals":
		return d.Numerals()
	}
	return d.Chinese()
}

func formatNumber(s, format string, english bool) string {
	switch {
	case format == "grouped":
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
	case format == "capital" && !english:
		return capital(s)
	}
	return s
}

// capital writes a number of at most eight digits in the numerals that cannot be
// altered (大写数字), and leaves longer ones alone.
func capital(s string) string {
	if len(s) > 8 || !digits(s) {
		return s
	}
	const places = "仟佰拾"
	var b strings.Builder
	zero := false
	for i, d := range []byte(s) {
		place := (len(s) - 1 - i) % 4
		if d != '0' {
			if zero {
				b.WriteString("零")
			}
			b.WriteString(string([]rune("零壹贰叁肆伍陆柒捌玖")[d-'0']))
			if place > 0 {
				b.WriteString(string([]rune(places)[3-place]))
			}
		}
		zero = d == '0' && b.Len() > 0
		if place == 0 && len(s)-1-i == 4 && b.Len() > 0 {
			b.WriteString("万")
		}
	}
	if b.Len() == 0 && s != "" {
		return "零"
	}
	return b.String()
}

// say words a text in a language. An incomplete text is empty.
func (ts terms) say(t text, lang string) (said string, complete bool) {
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.options != nil && p.name != "":
			b.WriteString(ts.each(p, lang))
		case p.options != nil:
			b.WriteString(ts.first(p.options, lang))
		case p.name != "":
			v := ts[p.name].in(lang, p.format)
			if v == "" {
				return "", false
			}
			b.WriteString(v)
		default:
			b.WriteString(p.literal)
		}
	}
	return b.String(), true
}

func (ts terms) first(options []text, lang string) string {
	for _, o := range options {
		if said, complete := ts.say(o, lang); complete {
			return said
		}
	}
	return ""
}

func (ts terms) each(p piece, lang string) string {
	var said []string
	for _, element := range ts[p.name].list {
		if s := ts.with(element).first(p.options, lang); s != "" {
			said = append(said, s)
		}
	}
	return strings.Join(said, Label{ZH: "；", EN: "; "}.In(lang))
}

// with is ts and the names of an element, which come first.
func (ts terms) with(element terms) terms {
	both := make(terms, len(ts)+len(element))
	for name, t := range ts {
		both[name] = t
	}
	for name, t := range element {
		both[name] = t
	}
	return both
}

// check lists the names and formats in a text that ts does not have. sourced is
// whether the text may state what a record says.
func (ts terms) check(t text, field string, sourced bool) (ps Problems) {
	for _, p := range t {
		inner, known := ts[p.name], true
		if p.name != "" {
			_, known = ts[p.name]
		}
		add := func(code string) { ps = append(ps, Problem{Code: code, Field: field, At: p.at}) }
		isList := p.options != nil
		switch {
		case !known:
			add("unknown_name")
		case p.name != "" && isList != (inner.kind == fieldList):
			add("not_this_way") // a list outside of "each", or something else in it
		case p.name != "" && !isList && !slices.Contains(formats(inner.kind), p.format):
			add("unknown_format")
		case inner.fact && !sourced:
			add("unsourced")
		}
		scope := ts
		if isList && p.name != "" && known {
			scope = ts.within(inner)
		}
		for _, o := range p.options {
			ps = append(ps, scope.check(o, field, sourced)...)
		}
	}
	return ps
}

// within is what names stand for in the text for an element of a list: no list,
// so that what a text says cannot grow beyond what it is given.
func (ts terms) within(list term) terms {
	if len(list.list) == 0 {
		return ts
	}
	both := ts.with(list.list[0])
	for name, t := range both {
		if t.kind == fieldList {
			delete(both, name)
		}
	}
	return both
}

// English is 20 May 2010, or as much of it as is known.
func (d Date) English() string {
	months := strings.Fields("January February March April May June July August September October November December")
	switch {
	case d.IsZero():
		return ""
	case d.Month == 0:
		return strconv.Itoa(d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%s %d", months[d.Month-1], d.Year)
	}
	return fmt.Sprintf("%d %s %d", d.Day, months[d.Month-1], d.Year)
}

// Numerals is 二〇一〇年五月二十日, as formal papers write dates.
func (d Date) Numerals() string {
	figures := []rune("〇一二三四五六七八九")
	if d.IsZero() {
		return ""
	}
	year := strings.Map(func(r rune) rune { return figures[r-'0'] }, strconv.Itoa(d.Year)) + "年"
	small := func(n int, unit string) string { // up to 31
		if n == 0 {
			return ""
		}
		s := ""
		if n >= 20 {
			s = string(figures[n/10])
		}
		if n >= 10 {
			s += "十"
		}
		if n%10 > 0 {
			s += string(figures[n%10])
		}
		return s + unit
	}
	return year + small(d.Month, "月") + small(d.Day, "日")
}
