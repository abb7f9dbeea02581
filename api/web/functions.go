package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"dangan/archive"
)

// beijing is the time of the archives and their readers.
func beijing() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

// functions are what templates may call, in one language.
func functions(lang string, w words, schema archive.Schema) template.FuncMap {
	label := func(l archive.Label) string { return l.In(lang) }
	code := func(prefix string) func(string) string {
		return func(code string) string { return w.known(prefix+code, code) }
	}
	category := func(code string) string {
		c, ok := schema.Category(code)
		if !ok {
			return code
		}
		return label(c.Label)
	}
	return template.FuncMap{
		"t":        w.say,
		"label":    label,
		"category": category,
		"reason":   code("reason."),
		"known":    func(prefix, code string) string { return w.known(prefix+code, code) },
		"fault":    code("problem."),
		"finding":  code("finding."),
		"purpose": func(p archive.PurposeCode) string {
			return chosen(archive.Purposes(), string(p), lang)
		},
		"service":    func(s archive.Service) string { return chosen(archive.Services(), string(s), lang) },
		"fieldvalue": func(f archive.Field, value string) string { return fieldValue(f, value, lang) },
		"facet": func(facet, value string, offices map[string]archive.Label) string {
			switch facet {
			case "category":
				return category(value)
			case "office":
				return label(offices[value])
			}
			return w.known(facet+"."+value, value)
		},
		"retention": func(r archive.Retention) string {
			switch years, ok := r.Years(); {
			case !ok:
				return string(r)
			case years > 0:
				return w.say("retention.years", years)
			}
			return w.say("retention.permanent")
		},
		"isodate":  archive.Date.ISO,
		"at":       func(t time.Time) string { return t.In(beijing()).Format("2006-01-02 15:04") },
		"day":      func(t time.Time) string { return t.In(beijing()).Format("2006-01-02") },
		"marked":   highlight,
		"add":      func(a, b int) int { return a + b },
		"bytes":    size,
		"percent":  func(f float64) string { return fmt.Sprintf("%.0f%%", f*100) },
		"openness": func() []string { return []string{"not_reviewed", "open", "controlled", "postponed"} },
		"sorts":    func() []string { return []string{"", "date", "-date", "reference_code"} },
		"facets":   func() []string { return []string{"family", "category", "office", "fonds", "openness"} },
		"step":     func(r requestPage, step, class string) stepForm { return stepForm{r, step, class} },
	}
}

// stepForm is the form for one step of a request.
type stepForm struct {
	requestPage
	Step, Class string
}

func chosen(list []archive.Choice, code, lang string) string {
	for _, c := range list {
		if c.Code == code {
			return c.Label.In(lang)
		}
	}
	return code
}

// fieldValue is how the value of a category's field is read out.
func fieldValue(f archive.Field, value, lang string) string {
	switch f.Type {
	case archive.FieldOption:
		return chosen(f.Options, value, lang)
	case archive.FieldDate:
		if d, err := archive.ParseDate(value); err == nil {
			return d.ISO()
		}
	}
	return value
}

// highlight lets the marks of the index through and nothing else: the text is
// escaped by the index already, and any other tag in it would be a fault.
func highlight(s string) template.HTML {
	const on, off = "<mark>", "</mark>"
	plain := strings.NewReplacer(on, "", off, "").Replace(s)
	if strings.ContainsAny(plain, "<>") || strings.Count(s, on) != strings.Count(s, off) {
		return template.HTML(template.HTMLEscapeString(plain))
	}
	return template.HTML(s)
}

func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.0f KB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.2f GB", float64(n)/(1<<30))
}
