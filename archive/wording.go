package archive

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Sentences words what the record says, in Chinese, the language of the
// archives, as certificates of its category do unless an office has a template of
// its own. What the record does not give is left out: a certificate states only
// what is recorded.
func (c Category) Sentences(r Record) []string {
	names := Case{Occasion: OfRecord, Category: c, Record: r}.terms()
	var out []string
	for _, pattern := range c.Wording.Sentences {
		if said := say(names, pattern.ZH, "zh-CN"); said != "" {
			out = append(out, said)
		}
	}
	return out
}

// DefaultTemplates are the built-in templates: one for the records of each
// livelihood category, made of a frame and the category's sentences, and those
// for every other occasion.
func DefaultTemplates(s Schema) ([]Template, error) {
	raw, err := data.ReadFile("templates.json")
	if err != nil {
		return nil, err
	}
	var list, all []Template
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("templates.json: %w", err)
	}
	for _, t := range list {
		if t.Occasion != OfRecord {
			all = append(all, t)
			continue
		}
		for _, c := range s.Categories {
			if c.Family == Livelihood {
				all = append(all, t.about(c))
			}
		}
	}
	return all, nil
}

// about is the frame with the title and the sentences of a category in it.
func (t Template) about(c Category) Template {
	t.Key, t.Category, t.Title = TemplateKey(OfRecord, c.Code), c.Code, c.Wording.Title
	at := slices.IndexFunc(t.Blocks, func(b Block) bool { return b.Kind == blockFacts })
	var facts []Block
	for _, sentence := range c.Wording.Sentences {
		facts = append(facts, Block{Kind: BlockStatement, Text: sentence})
	}
	t.Blocks = slices.Replace(slices.Clone(t.Blocks), at, at+1, facts...)
	return t
}
