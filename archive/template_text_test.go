package archive

import (
	"strings"
	"testing"
)

// FuzzText: what is accepted is written as it was read.
func FuzzText(f *testing.F) {
	f.Add(`{husband.name}（男[，{birth:iso}出生|\[]）[each record.persons:{a}|b\\]`)
	f.Add("[[[[x]]]]|]}")
	f.Fuzz(func(t *testing.T, s string) {
		read, ps := parseText(s, "text")
		if len(ps) > 0 {
			if read != nil || len(ps) != 1 || ps[0].At < 1 || ps[0].At > len(s)+1 {
				t.Errorf("%q: %v %v", s, read, ps)
			}
			return
		}
		written := read.String()
		again, ps := parseText(written, "text")
		if len(ps) > 0 {
			if ps[0].Code == "too_long" { // by what is escaped
				return
			}
			t.Fatalf("%q is not read again: %v", written, ps)
		}
		if second := again.String(); second != written {
			t.Errorf("%q, and then %q", written, second)
		}
	})
}

// String writes the text as parseText reads it.
func (t text) String() string {
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.options != nil:
			b.WriteByte('[')
			if p.name != "" {
				b.WriteString("each " + p.name + ":")
			}
			for i, o := range p.options {
				if i > 0 {
					b.WriteByte('|')
				}
				b.WriteString(o.String())
			}
			b.WriteByte(']')
		case p.name != "":
			b.WriteString("{" + p.name)
			if p.format != "" {
				b.WriteString(":" + p.format)
			}
			b.WriteByte('}')
		default:
			b.WriteString(escapes().Replace(p.literal))
		}
	}
	return b.String()
}

func escapes() *strings.Replacer {
	return strings.NewReplacer(`\`, `\\`, "{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`, "|", `\|`)
}
