package match

import (
	_ "embed" // the character table
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//go:embed simplified.txt
var simplifiedPairs string

// simplified maps traditional and variant characters to the simplified ones.
var simplified = sync.OnceValue(func() map[rune]rune {
	table := make(map[rune]rune, 4200)
	for line := range strings.Lines(simplifiedPairs) {
		pair := []rune(strings.TrimSpace(line))
		if len(pair) == 3 && pair[0] != '#' {
			table[pair[0]] = pair[2]
		}
	}
	return table
})

// Fold brings a text to the form in which texts are compared: NFKC, one dot (·)
// and one dash (-), simplified characters, lower case, no blanks at the ends.
// Folding twice changes nothing.
func Fold(s string) string {
	if inert(s) {
		return strings.TrimSpace(strings.Map(foldRune, s))
	}
	folded := strings.Map(foldRune, norm.NFKC.String(s))
	return strings.TrimSpace(norm.NFKC.String(folded))
}

// inert reports whether s has nothing but characters that no normal form changes,
// whatever stands beside them, as most names do: Hanzi, ASCII and the dot.
func inert(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r >= utf8.RuneSelf && r != '·' && (r < 0x4E00 || r > 0x9FFF)
	})
}

func foldRune(r rune) rune {
	switch r {
	case '•', '・', '‧', '∙', '⋅', '●':
		return '·'
	case '‐', '‑', '‒', '–', '—', '―', '−', '﹣':
		return '-'
	}
	if r > unicode.MaxLatin1 {
		if s, ok := simplified()[r]; ok {
			return s
		}
	}
	return unicode.ToLower(r)
}

// FoldName is the folded name with nothing but its letters: 阿依古丽·买买提 and
// 阿依古丽 买买提 are both 阿依古丽买买提.
func FoldName(s string) string { return letters(Fold(s)) }

// letters composes again, because what it takes away may have kept an accent from
// its letter.
func letters(folded string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) {
			return r
		}
		return -1
	}, folded)
	if inert(kept) {
		return kept
	}
	return norm.NFC.String(kept)
}
