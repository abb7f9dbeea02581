package archive

import (
	"strings"
	"unicode/utf8"
)

// The language of templates, in which a text says what a certificate says:
//
//	text  = { character | "\" character | value | group }
//	value = "{" name [ ":" format ] "}"
//	group = "[" [ "each " name ":" ] text { "|" text } "]"
//
// A value is what its name stands for. A text with a value that is not there is
// incomplete, and says nothing. A group says the first of its texts that is
// complete, or nothing, and the text around it stays complete; "each" says that
// for every element of a list, in which the names of an element count as well.
// There are no other operations: a text ends, is no longer than what it is given
// allows, and cannot reach anything that it is not given.

// Limits of one text.
const (
	maxText  = 1000 // characters
	maxDepth = 4    // groups in groups
)

// text is a parsed text.
type text []piece

// piece is one of: literal characters, a value, a group.
type piece struct {
	at      int // its first character, counted from 1
	literal string
	name    string // of a value, or of the list of an "each"
	format  string
	options []text // of a group
}

// parseText reads a text. What is wrong with it is a problem of the field, at a
// character; the first one ends the reading.
func parseText(s, field string) (text, Problems) {
	p := textParser{rest: s, at: 1}
	switch {
	case !utf8.ValidString(s):
		p.fail("bad_encoding", 1)
	case utf8.RuneCountInString(s) > maxText:
		p.fail("too_long", maxText+1)
	}
	t := p.text(0)
	if p.code == "" && p.rest != "" { // a "]" or "|" of no group
		p.fail("bad_text", p.at)
	}
	if p.code != "" {
		return nil, Problems{{Code: p.code, Field: field, At: p.failed}}
	}
	return t, nil
}

type textParser struct {
	rest   string
	at     int // number of the character that rest begins with
	code   string
	failed int
}

func (p *textParser) fail(code string, at int) {
	if p.code == "" {
		p.code, p.failed = code, at
	}
	p.rest = ""
}

// next takes a character.
func (p *textParser) next() rune {
	r, size := utf8.DecodeRuneInString(p.rest)
	p.rest, p.at = p.rest[size:], p.at+1
	return r
}

// text reads up to the end, or to what ends a text in a group.
func (p *textParser) text(depth int) text {
	var t text
	for p.rest != "" && p.rest[0] != ']' && p.rest[0] != '|' {
		at := p.at
		switch r := p.next(); r {
		case '{':
			t = append(t, p.value(at))
		case '[':
			t = append(t, p.group(at, depth+1))
		case '}':
			p.fail("bad_text", at)
		case '\\':
			if p.rest == "" {
				p.fail("bad_text", at)
				return nil
			}
			t = t.with(at, p.next())
		default:
			t = t.with(at, r)
		}
	}
	return t
}

// with adds a character to the literal at the end.
func (t text) with(at int, r rune) text {
	if n := len(t); n > 0 && t[n-1].literal != "" {
		t[n-1].literal += string(r)
		return t
	}
	return append(t, piece{at: at, literal: string(r)})
}

func (p *textParser) value(at int) piece {
	inner, ok := p.upTo("}")
	name, format, formatted := strings.Cut(inner, ":")
	if !ok || !nameLike(name) || formatted && !nameLike(format) {
		p.fail("bad_text", at)
	}
	return piece{at: at, name: name, format: format}
}

func (p *textParser) group(at, depth int) piece {
	g := piece{at: at}
	if depth > maxDepth {
		p.fail("too_deep", at)
	}
	if strings.HasPrefix(p.rest, "each ") {
		_, _ = p.upTo(" ")
		name, ok := p.upTo(":")
		if !ok || !nameLike(name) {
			p.fail("bad_text", at)
		}
		g.name = name
	}
	for {
		g.options = append(g.options, p.text(depth))
		if p.rest == "" {
			p.fail("bad_text", at)
			return g
		}
		if p.next() == ']' {
			return g
		}
	}
}

// upTo takes what stands before the mark, and the mark.
func (p *textParser) upTo(mark string) (string, bool) {
	inner, rest, ok := strings.Cut(p.rest, mark)
	if ok {
		p.rest, p.at = rest, p.at+utf8.RuneCountInString(inner)+1
	}
	return inner, ok
}

// nameLike reports whether s may be a name: words with dots between.
func nameLike(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") == ""
}
