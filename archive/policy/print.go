package policy

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"dangan/archive"
)

// Print writes the table as a page of Markdown: the rows as they are read, and who
// may do what at all.
func Print(w io.Writer) error {
	var page strings.Builder
	page.WriteString(intro)
	page.WriteString("| # | who | may | records of | if it is | then |\n|---|---|---|---|---|---|\n")
	rows := Rows()
	for i, r := range rows {
		fmt.Fprintf(&page, "| %d | %s | %s | %s | %s | %s |\n", i+1, whole(r.Who), list(r.May), list(r.Families), relation(r.Where), then(r))
	}
	page.WriteString(matrixIntro)
	roles := everybody()
	fmt.Fprintf(&page, "| action | %s |\n|---%s|\n", strings.Join(texts(roles), " | "), strings.Repeat("|---", len(roles)))
	for _, act := range actions(rows) {
		fmt.Fprintf(&page, "| `%s` |", act)
		for _, role := range roles {
			page.WriteString(map[bool]string{true: " ● |", false: "  |"}[Permits(role, act)])
		}
		page.WriteByte('\n')
	}
	_, err := io.WriteString(w, page.String())
	return err
}

const intro = `# Who may do what

Printed by ` + "`dangan policy`" + ` from archive/policy/table.go; a test keeps this page equal to it (` + "`go test ./archive/policy -update`" + `).
The first row that holds decides, and what no row names is refused. The rows for reading are also the filter of every search. What is refused looks like what does not exist.

`

const matrixIntro = `
*Own office*: the record or request belongs to the actor's office (and so to one of its fonds). *Concerned*: it is about the actor or a declared relative (回避).
*Purpose*, *case*: must be given, and are written down. *Traced*: who looked at what is durable before the answer leaves. *Masked*: shown shortened.
*Then*: takes effect when another person has done that.

The three administrators (三员分立) are system_admin, who proposes accounts and posts, security_admin, who confirms them, and auditor, who sees what all did. One person has one
account of staff, so that nobody holds two of them. An agency's key may narrow its row to questions, categories and purposes, and ends on a day. Whom a record is about hears of each access. Of one for
a court or police case he hears half a year later, of one for vetting three months later, where an agency looked, or the head of the office has sealed the case and did not look himself.

## Who may do an action to anything at all

`

func then(r Row) string {
	if r.Refused {
		return "**refused**"
	}
	var words []string
	add := func(is bool, word string) {
		if is {
			words = append(words, word)
		}
	}
	add(r.Purpose && !r.Case, "purpose")
	add(r.Case, "purpose and case")
	add(r.Trace, "traced")
	add(len(r.Masks) > 0, "masked: "+strings.Join(texts(r.Masks), ", "))
	add(r.Second != "", "then "+string(r.Second))
	return strings.Join(words, "; ")
}

func relation(where Relation) string {
	if where == Anyone {
		return ""
	}
	return strings.ReplaceAll(string(where), "_", " ")
}

// whole shortens what would fill a line to what it is.
func whole(roles []archive.Role) string {
	switch {
	case len(roles) == len(everybody()):
		return "everybody"
	case slices.Equal(roles, named()):
		return "everybody with an account"
	}
	return list(roles)
}

func list[T ~string](values []T) string { return strings.Join(texts(values), ", ") }

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// actions are all that the rows name, in their order.
func actions(rows []Row) []archive.Action {
	var all []archive.Action
	for _, r := range rows {
		for _, act := range r.May {
			if !slices.Contains(all, act) {
				all = append(all, act)
			}
		}
	}
	return all
}
