package certificates

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dangan/archive"
	"dangan/archive/policy"
)

// template finds what words a certificate now: the office's own template, or that
// of all offices. A built-in one is written down as entry 1 when it is first used:
// what a certificate pins must not change with the program.
func (m *Room) template(ctx context.Context, key, office string) (archive.Version[archive.Template], error) {
	v, err := m.c.Templates.Head(ctx, archive.TemplateID(key, office))
	if !errors.Is(err, archive.ErrNotFound) {
		return v, err
	}
	v, err = m.c.Templates.Head(ctx, key)
	if !errors.Is(err, archive.ErrNotFound) {
		return v, err
	}
	t, err := m.builtIn(key)
	if err != nil {
		return v, err
	}
	t.By, t.At = string(archive.RoleSystem), m.c.Now()
	if err := m.c.Templates.Append(ctx, key, 1, t); err != nil && !errors.Is(err, archive.ErrConflict) {
		return v, err
	}
	return m.c.Templates.Head(ctx, key)
}

func (m *Room) builtIn(key string) (archive.Template, error) {
	i := slices.IndexFunc(m.c.Defaults, func(t archive.Template) bool { return t.Key == key })
	if i < 0 {
		return archive.Template{}, fmt.Errorf("template: %w", archive.ErrNotFound)
	}
	return m.c.Defaults[i], nil
}

// Templates lists the templates that count for the actor's office, and for those
// it has of its own also that of all offices. Version 0 is a built-in one that was
// never used.
func (m *Room) Templates(ctx context.Context, actor archive.Actor) ([]archive.Version[archive.Template], error) {
	if err := m.passTemplate(ctx, actor, archive.ActTemplates, archive.Template{}); err != nil {
		return nil, err
	}
	var list []archive.Version[archive.Template]
	for _, d := range m.c.Defaults {
		for _, office := range slices.Compact([]string{"", actor.Office}) {
			v, err := m.newest(ctx, d.Key, office)
			if errors.Is(err, archive.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("templates: %w", err)
			}
			list = append(list, v)
		}
	}
	return list, nil
}

// newest is the template of an office, or of all, and never that of all in the
// place of an office's.
func (m *Room) newest(ctx context.Context, key, office string) (archive.Version[archive.Template], error) {
	d, err := m.builtIn(key)
	if err != nil {
		return archive.Version[archive.Template]{}, err
	}
	v, err := m.c.Templates.Head(ctx, archive.TemplateID(key, office))
	if errors.Is(err, archive.ErrNotFound) && office == "" {
		return archive.Version[archive.Template]{Value: d}, nil
	}
	return v, err
}

// Template shows entry n of a template, or the newest for 0.
func (m *Room) Template(ctx context.Context, actor archive.Actor, key, office string, n int) (archive.Version[archive.Template], error) {
	var none archive.Version[archive.Template]
	if err := m.passTemplate(ctx, actor, archive.ActTemplates, archive.Template{Key: key, Office: office}); err != nil {
		return none, err
	}
	if office != "" && office != actor.Office && !policy.Decide(actor, archive.ActWriteTemplate, archive.Target{Office: office}).Allowed {
		return none, fmt.Errorf("template: %w", archive.ErrNotFound)
	}
	v, err := m.newest(ctx, key, office)
	if err != nil || n == 0 || n == v.N {
		return v, err
	}
	entries, err := m.c.Templates.History(ctx, archive.TemplateID(key, office))
	if err != nil {
		return none, fmt.Errorf("template: %w", err)
	}
	if n < 1 || n > len(entries) {
		return none, fmt.Errorf("template: no entry %d: %w", n, archive.ErrNotFound)
	}
	return entries[n-1], nil
}

// Write makes t the next version of its template. n is the entry that the actor
// has seen, 0 for none; archive.ErrConflict when there is a newer one. What it is
// for stays what the built-in one is for.
func (m *Room) Write(ctx context.Context, actor archive.Actor, n int, t archive.Template) (archive.Version[archive.Template], error) {
	var none archive.Version[archive.Template]
	if err := m.passTemplate(ctx, actor, archive.ActWriteTemplate, t); err != nil {
		return none, err
	}
	t, err := m.proper(ctx, t)
	if err != nil {
		return none, err
	}
	t.By, t.At = actor.ID, m.c.Now()
	if err := m.c.Templates.Append(ctx, t.Ref().ID, n+1, t); err != nil {
		if errors.Is(err, archive.ErrNotFound) { // there is no entry n
			err = archive.ErrConflict
		}
		return none, fmt.Errorf("write template: %w", err)
	}
	return archive.Version[archive.Template]{N: n + 1, At: t.At, Value: t}, nil
}

// proper is a template that may be used, for what the built-in one is for.
func (m *Room) proper(ctx context.Context, t archive.Template) (archive.Template, error) {
	d, err := m.builtIn(t.Key)
	if err != nil {
		return t, archive.Problems{{Code: "unknown_template", Field: "key"}}
	}
	if t.Office != "" {
		switch _, err := m.c.Offices.Head(ctx, t.Office); {
		case errors.Is(err, archive.ErrNotFound), errors.Is(err, archive.ErrInvalid):
			return t, archive.Problems{{Code: "unknown_office", Field: "office"}}
		case err != nil:
			return t, fmt.Errorf("template: %w", err)
		}
	}
	t.Occasion, t.Category = d.Occasion, d.Category
	return t, t.Problems(m.c.Schema).Err()
}

// Preview draws what a template says, as a draft: of a record that the actor may
// read, or of a made-up case when there is none.
func (m *Room) Preview(ctx context.Context, actor archive.Actor, p archive.Purpose, t archive.Template, record, language string) ([]byte, error) {
	if err := m.passTemplate(ctx, actor, archive.ActTemplates, archive.Template{}); err != nil {
		return nil, err
	}
	t, err := m.proper(ctx, t)
	if err != nil {
		return nil, err
	}
	category, _ := m.c.Schema.Category(t.Category)
	c := archive.ExampleCase(t.Occasion, category, m.c.Now())
	if office, err := m.c.Offices.Head(ctx, actor.Office); err == nil {
		c.Office = office.Value
	} else if !errors.Is(err, archive.ErrNotFound) && !errors.Is(err, archive.ErrInvalid) {
		return nil, fmt.Errorf("preview: %w", err)
	}
	if record != "" && t.Occasion != archive.OfNotFound {
		view, err := m.c.Opener.Open(ctx, actor, p, record)
		if err != nil {
			return nil, fmt.Errorf("preview: %w", err)
		}
		if t.Category != "" && view.Category != t.Category {
			return nil, archive.Problems{{Code: "unknown_record", Field: "record"}}
		}
		c.Record = view.Record
		c.Category, _ = m.c.Schema.Category(view.Category)
	}
	sheet, statements := t.Word(c, language)
	return m.c.Stamper.Draw(ctx, archive.Certificate{Office: c.Office.ID, Issuer: c.Office.Name, Language: language,
		Title: t.Titled(c), Sheet: &sheet, Statements: statements, IssuedAt: c.Issued})
}

// passTemplate asks policy about a template.
func (m *Room) passTemplate(ctx context.Context, actor archive.Actor, act archive.Action, t archive.Template) error {
	_, err := m.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: act, Target: t.Target()})
	return err
}
