package archive

import (
	"strings"
	"unicode/utf8"
)

// Sex follows GB/T 2261.1.
type Sex string

// The codes of GB/T 2261.1 as words.
const (
	Male      Sex = "male"
	Female    Sex = "female"
	SexUnsaid Sex = ""
)

// Person is somebody a record is about or names (人名), as the record gives them.
// Old records often have no id number.
type Person struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"` // 曾用名, 别名
	Role    string   `json:"role"`              // a role of the category, e.g. "husband"
	Sex     Sex      `json:"sex,omitempty"`
	Birth   Date     `json:"birth,omitzero"`
	ID      IDNumber `json:"id,omitzero"`
}

// Names is the name followed by the aliases.
func (p Person) Names() []string { return append([]string{p.Name}, p.Aliases...) }

func (p Person) problems(c Category, field string) Problems {
	var ps Problems
	if strings.TrimSpace(p.Name) == "" {
		ps.Add("required", field+".name")
	}
	checkText(&ps, p.Name, 100, field+".name")
	for i, a := range p.Aliases {
		checkText(&ps, a, 100, index(field+".aliases", i))
	}
	if !c.hasRole(p.Role) {
		ps.Add("unknown_role", field+".role")
	}
	if p.Sex != Male && p.Sex != Female && p.Sex != SexUnsaid {
		ps.Add("unknown_value", field+".sex")
	}
	if p.Birth.Bad() {
		ps.Add("bad_date", field+".birth")
	}
	checkText(&ps, p.ID.Number, 40, field+".id")
	return ps
}

// MaskName keeps the first character: 张*, 欧阳** keeps one as well, because a
// verify page must not tell strangers more than they already hold.
func MaskName(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	if size == 0 {
		return ""
	}
	rest := utf8.RuneCountInString(name[size:])
	return string(r) + strings.Repeat("*", max(rest, 1))
}

// checkText notes text that is too long (in characters), not UTF-8, or has
// control characters in it.
func checkText(ps *Problems, s string, limit int, field string) {
	switch {
	case !utf8.ValidString(s):
		ps.Add("bad_encoding", field)
	case utf8.RuneCountInString(s) > limit:
		ps.Add("too_long", field)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7F }):
		ps.Add("control_character", field)
	}
}
