package archive

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RefCode is the reference code (档号, DA/T 13-2022): 全宗号-类别号-…-件号, where
// "-" joins levels and "·" joins the parts of the class (类别号). Original is kept
// verbatim; everything else is read from it.
type RefCode struct {
	Original string
	Fonds    string   // 全宗号
	Class    []string // the parts of 类别号: 门类, then as the office chose
	Numbers  []string // 案卷号, 件号, 页号 …
}

// ParseRefCode reads a reference code with any of the separators seen in the
// field: dashes of all widths, and · • ‧ ∙ ⋅ ● . between the parts of the class.
// DA/T 22-2015 codes, which write "-" between year and term, and codes without
// a class (C038-001-002-003) are accepted.
func ParseRefCode(s string) (RefCode, error) {
	levels := strings.Split(canonicalRefCode(s), "-")
	if len(levels) < 2 || utf8.RuneCountInString(s) > 100 {
		return RefCode{}, fmt.Errorf("reference code: %w", ErrInvalid)
	}
	code := RefCode{Original: s, Fonds: levels[0]}
	for i, level := range levels {
		parts := strings.Split(level, "·")
		for _, p := range parts {
			if p == "" || strings.ContainsFunc(p, notCodeRune) {
				return RefCode{}, fmt.Errorf("reference code: %w", ErrInvalid)
			}
		}
		switch {
		case i == 0 && len(parts) > 1:
			return RefCode{}, fmt.Errorf("reference code: %w", ErrInvalid)
		case i == 0:
		case len(code.Numbers) == 0 && i < len(levels)-1 && !digits(level):
			code.Class = append(code.Class, parts...)
		default:
			code.Numbers = append(code.Numbers, level)
		}
	}
	return code, nil
}

func notCodeRune(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// canonicalRefCode folds widths, case and separators, and nothing else.
func canonicalRefCode(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '‐', '‑', '‒', '–', '—', '―', '−', '﹣', '-':
			return '-'
		case '•', '‧', '∙', '⋅', '●', '.', '．', '・':
			return '·'
		}
		return r
	}, plain(s))
}

// BuildRefCode writes a code from its levels.
func BuildRefCode(fonds string, class []string, numbers ...string) RefCode {
	levels := append([]string{fonds}, strings.Join(class, "·"))
	if len(class) == 0 {
		levels = levels[:1]
	}
	code, err := ParseRefCode(strings.Join(append(levels, numbers...), "-"))
	if err != nil {
		return RefCode{Original: strings.Join(append(levels, numbers...), "-")}
	}
	return code
}

// IsZero reports whether there is no code.
func (c RefCode) IsZero() bool { return c.Original == "" }

// String is the code as written.
func (c RefCode) String() string { return c.Original }

// Canonical is the form under which a code is unique: separators and case made
// equal, structure kept.
func (c RefCode) Canonical() string { return canonicalRefCode(c.Original) }

// Key is the form for look-up: letters and digits only, lower case. Codes that
// differ in separators share a Key, so a Key may name several records.
func (c RefCode) Key() string { return RefKey(c.Original) }

// RefKey folds any text the way RefCode.Key does.
func RefKey(s string) string {
	return strings.Map(func(r rune) rune {
		if notCodeRune(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, plain(s))
}

// MarshalJSON writes the original.
func (c RefCode) MarshalJSON() ([]byte, error) { return json.Marshal(c.Original) }

// UnmarshalJSON reads a code; a text that is none is kept as Original with no
// Fonds, so that validation can name the field.
func (c *RefCode) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	parsed, err := ParseRefCode(s)
	if err != nil {
		parsed = RefCode{Original: s}
	}
	*c = parsed
	return nil
}

// Bad reports whether there is a text that is not a reference code.
func (c RefCode) Bad() bool { return c.Original != "" && c.Fonds == "" }
