package plan

import (
	"html"
	"slices"
	"strings"
	"unicode"

	"dangan/archive"
	"dangan/archive/match"
)

// highlights marks what was asked for where a hit shows it, as escaped HTML with
// <mark> around it. Fields without any mark are left out. Both engines get theirs
// here: they know tokens, not what a reader sees as a match.
func highlights(s Shown, q match.Typed) map[string]string {
	keys := []string{q.Key}
	if q.Kind == match.Hanzi || q.Kind == match.Latin {
		for _, w := range q.Words[:min(len(q.Words), maxWords)] {
			keys = append(keys, archive.RefKey(w))
		}
	}
	out := map[string]string{}
	note := func(field, marked string) {
		if strings.Contains(marked, "<mark>") {
			out[field] = marked
		}
	}
	note("title", mark(s.Title, keys))
	note("reference_code", mark(s.RefCode, keys[:1]))
	names := make([]string, len(s.Names))
	for i, name := range s.Names {
		names[i] = markName(name, q, keys)
	}
	note("names", strings.Join(names, "、"))
	if len(out) == 0 {
		return nil
	}
	return out
}

// markName marks a whole name that was found by its sound or for one character, and
// otherwise the part that was typed.
func markName(name string, q match.Typed, keys []string) string {
	full, initials := match.Pinyin(name)
	whole := false
	switch q.Kind {
	case match.Latin:
		spelt := strings.ReplaceAll(q.Key, "ü", "v")
		whole = slices.ContainsFunc(slices.Concat(full, initials), func(s string) bool { return strings.HasPrefix(s, spelt) })
	case match.Hanzi:
		readings, masked := like(match.FoldName(q.Text))
		whole = share(full, readings) || share(match.Masked(name), masked)
	}
	if whole {
		return "<mark>" + html.EscapeString(name) + "</mark>"
	}
	return mark(name, keys)
}

// mark finds the keys among the folded letters and digits of a text, whatever
// stands between them, and marks them in the text itself.
func mark(text string, keys []string) string {
	source := []rune(text)
	var folded []rune
	var origin []int // of folded, in source
	for i, r := range source {
		for _, f := range match.Fold(string(r)) {
			if unicode.IsLetter(f) || unicode.IsDigit(f) {
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
