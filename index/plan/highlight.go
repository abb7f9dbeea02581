package plan

import (
	"html"
	"slices"
	"strings"
	"unicode"

	"dangan/archive"
	"dangan/archive/match"
)

// marker marks what was asked for where a hit shows it, as escaped HTML with <mark>
// around it. Both engines get theirs here: they know tokens, not what a reader sees as
// a match.
type marker struct {
	keys             []string // folded letters and digits
	spelt            string   // the beginning of a name in Latin letters
	readings, masked []string // what names that sound or look alike have
}

func newMarker(q match.Typed) marker {
	m := marker{keys: []string{q.Key}}
	if q.Kind == match.Hanzi || q.Kind == match.Latin {
		for _, w := range q.Words[:min(len(q.Words), maxWords)] {
			m.keys = append(m.keys, archive.RefKey(w))
		}
	}
	switch q.Kind {
	case match.Latin:
		m.spelt = strings.ReplaceAll(q.Key, "ü", "v")
	case match.Hanzi:
		m.readings, m.masked = like(match.FoldName(q.Text))
	}
	return m
}

// highlights leaves out fields without any mark.
func (m marker) highlights(s Shown) map[string]string {
	out := map[string]string{}
	note := func(field, marked string) {
		if strings.Contains(marked, "<mark>") {
			out[field] = marked
		}
	}
	note("title", mark(s.Title, m.keys))
	note("reference_code", mark(s.RefCode, m.keys[:1]))
	names := make([]string, len(s.Names))
	for i, name := range s.Names {
		names[i] = m.name(name)
	}
	note("names", strings.Join(names, "、"))
	if len(out) == 0 {
		return nil
	}
	return out
}

// name marks a whole name that was found by its sound or for one character, and
// otherwise the part that was typed.
func (m marker) name(name string) string {
	whole := share(match.Masked(name), m.masked)
	if !whole && (m.spelt != "" || len(m.readings) > 0) {
		full, initials := match.Pinyin(name)
		whole = share(full, m.readings) || m.spelt != "" && slices.ContainsFunc(slices.Concat(full, initials), func(s string) bool { return strings.HasPrefix(s, m.spelt) })
	}
	if whole {
		return "<mark>" + html.EscapeString(name) + "</mark>"
	}
	return mark(name, m.keys)
}

// mark finds the keys among the folded letters and digits of a text, whatever
// stands between them, and marks them in the text itself.
func mark(text string, keys []string) string {
	signs := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	whole := strings.Join(strings.FieldsFunc(match.Fold(text), signs), "")
	if !slices.ContainsFunc(keys, func(key string) bool { return key != "" && strings.Contains(whole, key) }) {
		return html.EscapeString(text) // as most are; the rest is for where the keys stand
	}
	source := []rune(text)
	var folded []rune
	var origin []int // of folded, in source
	for i, r := range source {
		for _, f := range match.Fold(string(r)) {
			if !signs(f) {
				folded, origin = append(folded, f), append(origin, i)
			}
		}
	}
	marked := make([]bool, len(source))
	for _, key := range keys {
		k := []rune(key)
		for at := 0; len(k) > 0 && at+len(k) <= len(folded); at++ {
			if slices.Equal(folded[at:at+len(k)], k) {
				for i := origin[at]; i <= origin[at+len(k)-1]; i++ {
					marked[i] = true
				}
			}
		}
	}
	return withMarks(source, marked)
}

func withMarks(source []rune, marked []bool) string {
	var b strings.Builder
	for start := 0; start < len(source); {
		end := start + 1
		for end < len(source) && marked[end] == marked[start] {
			end++
		}
		piece := html.EscapeString(string(source[start:end]))
		if marked[start] {
			piece = "<mark>" + piece + "</mark>"
		}
		b.WriteString(piece)
		start = end
	}
	return b.String()
}
