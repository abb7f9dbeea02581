package archive

import (
	"regexp"
	"slices"
	"strings"
)

var (
	placeholder = regexp.MustCompile(`\{([a-z_.]+)\}`)
	optional    = regexp.MustCompile(`\[([^\]]*)\]`)
)

// Placeholders lists the names a wording asks for, in order, without repeats.
func (w Wording) Placeholders() []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(strings.Join(w.Sentences, ""), -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// Names reports whether the category can fill the placeholder: a field's key,
// or role.name, role.sex or role.birth.
func (c Category) Names(name string) bool {
	if role, part, ok := strings.Cut(name, "."); ok {
		return c.hasRole(role) && slices.Contains([]string{"name", "sex", "birth"}, part)
	}
	return slices.ContainsFunc(c.Fields, func(f Field) bool { return f.Key == name })
}

// Sentences words what the record says, in Chinese, the language of the
// archives. A part in [brackets], or else the whole sentence, that asks for
// something the record does not give is left out: a certificate states only
// what is recorded.
func (c Category) Sentences(r Record) []string {
	var out []string
	for _, pattern := range c.Wording.Sentences {
		pattern = optional.ReplaceAllStringFunc(pattern, func(part string) string {
			text, _ := c.fill(r, part[1:len(part)-1])
			return text
		})
		if text, complete := c.fill(r, pattern); complete {
			out = append(out, text)
		}
	}
	return out
}

// fill replaces the placeholders of a text, or returns nothing when one is empty.
func (c Category) fill(r Record, pattern string) (text string, complete bool) {
	complete = true
	text = placeholder.ReplaceAllStringFunc(pattern, func(m string) string {
		v := c.value(r, m[1:len(m)-1])
		complete = complete && v != ""
		return v
	})
	if !complete {
		return "", false
	}
	return text, true
}

func (c Category) value(r Record, name string) string {
	if role, part, ok := strings.Cut(name, "."); ok {
		return personValue(r, role, part)
	}
	v := strings.TrimSpace(r.Fields[name])
	for _, f := range c.Fields {
		if f.Key != name {
			continue
		}
		switch f.Type {
		case FieldDate:
			d, _ := ParseDate(v) // validated on deposit; an unreadable date is an empty one
			return d.Chinese()
		case FieldOption:
			for _, o := range f.Options {
				if o.Code == v {
					return o.Label.ZH
				}
			}
		}
	}
	return v
}

func personValue(r Record, role, part string) string {
	i := slices.IndexFunc(r.Persons, func(p Person) bool { return p.Role == role })
	if i < 0 {
		return ""
	}
	p := r.Persons[i]
	switch part {
	case "name":
		return p.Name
	case "birth":
		return p.Birth.Chinese()
	case "sex":
		return map[Sex]string{Male: "男", Female: "女"}[p.Sex]
	}
	return ""
}
