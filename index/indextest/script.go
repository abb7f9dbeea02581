package indextest

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dangan/archive"
)

//go:embed testdata/*.txt
var scripts embed.FS

// Records reads the shared sample records.
func Records() ([]archive.Document, error) {
	lines, err := lines("testdata/records.txt")
	if err != nil {
		return nil, err
	}
	schema, err := archive.DefaultSchema()
	if err != nil {
		return nil, err
	}
	var docs []archive.Document
	for _, line := range lines {
		cells := strings.Split(line, "|")
		if len(cells) != 9 {
			return nil, fmt.Errorf("records.txt: %d cells in %q", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		d, err := sample(schema, cells)
		if err != nil {
			return nil, fmt.Errorf("records.txt: %q: %w", line, err)
		}
		docs = append(docs, d)
	}
	return docs, nil
}

func sample(schema archive.Schema, cells []string) (archive.Document, error) {
	code, codeErr := archive.ParseRefCode(cells[1])
	date, dateErr := archive.ParseDate(cells[2])
	if err := errors.Join(codeErr, dateErr); err != nil {
		return archive.Document{}, err
	}
	d := archive.Document{Version: 1, Text: cells[8], Record: archive.Record{
		ID: cells[0], RefCode: code, Date: date, Category: cells[3], Office: cells[4],
		Openness: archive.Openness(cells[5]), Title: cells[6],
	}}
	for p := range strings.SplitSeq(cells[7], ",") {
		name, hash, hashed := strings.Cut(p, "#")
		names := strings.Split(strings.TrimSpace(name), "/")
		d.Record.Persons = append(d.Record.Persons, archive.Person{Name: names[0], Aliases: names[1:]})
		if hashed {
			d.Persons = append(d.Persons, token(hash))
		}
	}
	d.Record = d.Record.Complete(schema)
	return d, nil
}

// token stands for the keyed hash that storage makes of an id number.
func token(word string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.TrimSpace(word))))
}

// lines are those of a file that say something.
func lines(name string) ([]string, error) {
	b, err := scripts.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "# ") && line != "#" {
			list = append(list, line)
		}
	}
	return list, nil
}

// check is one line of a script: a query and what must come of it.
type check struct {
	query archive.Query
	order [][]string // groups of ids; the order within a group is free
	more  bool       // others may follow
	hits  bool       // order is to be checked

	suggestions string // "name count, …"
	facet       string // "field value count, …"
	highlight   string // "field text", of the first hit
}

// parse reads "[filters] query => ids ~> suggestions", or "#> facet" or "!> highlight"
// in the place of the last.
func parse(line string) (check, error) {
	c := check{query: archive.Query{Limit: 20}}
	text := line
	for _, part := range []struct {
		arrow string
		to    *string
	}{{" ~> ", &c.suggestions}, {" #> ", &c.facet}, {" !> ", &c.highlight}} {
		if before, after, ok := strings.Cut(text, part.arrow); ok {
			text, *part.to = before, strings.TrimSpace(after)
		}
	}
	text, expected, hits := strings.Cut(text+" ", "=> ")
	c.hits = hits
	if err := c.expect(strings.TrimSpace(expected)); err != nil {
		return c, fmt.Errorf("%q: %w", line, err)
	}
	if rest, ok := strings.CutPrefix(text, "["); ok {
		settings, query, _ := strings.Cut(rest, "]")
		if err := c.set(strings.Fields(settings)); err != nil {
			return c, fmt.Errorf("%q: %w", line, err)
		}
		text = query
	}
	c.query.Text = strings.TrimSpace(text)
	if word, ok := strings.CutPrefix(c.query.Text, "#"); ok {
		c.query.Text = token(word)
	}
	return c, nil
}

// expect reads "a {b c} d ...": a, then b and c in any order, then d, then anything.
func (c *check) expect(s string) error {
	s, c.more = strings.CutSuffix(s, "...")
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		group, rest, _ := strings.Cut(s+" ", " ")
		if strings.HasPrefix(s, "{") {
			var closed bool
			if group, rest, closed = strings.Cut(s[1:], "}"); !closed {
				return fmt.Errorf("a brace is open")
			}
		}
		if ids := strings.Fields(group); len(ids) > 0 {
			slices.Sort(ids)
			c.order = append(c.order, ids)
		}
		s = rest
	}
	return nil
}

func (c *check) set(settings []string) error {
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		var err error
		f := &c.query.Filter
		switch key {
		case "family":
			f.Family = archive.Family(value)
		case "category":
			f.Category = value
		case "office":
			f.Office = value
		case "fonds":
			f.Fonds = value
		case "openness":
			f.Openness = archive.Openness(value)
		case "from":
			f.YearFrom, err = strconv.Atoi(value)
		case "to":
			f.YearTo, err = strconv.Atoi(value)
		case "sort":
			c.query.Sort = archive.Sort(value)
		default:
			err = fmt.Errorf("unknown setting %s", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
