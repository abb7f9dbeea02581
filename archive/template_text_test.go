package archive

import "testing"

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
