// Package policy is the one table of who may do what to which record, and under
// which conditions. It owns decisions, masks and search scopes. It must not know
// how anything is stored or asked for: it is pure, and whatever the table does
// not name is refused.
package policy

import (
	"slices"

	"dangan/archive"
)

// Relation is how the actor must stand to the target for a row to hold.
type Relation string

// The relations of the table.
const (
	Anyone    Relation = "anyone"
	OwnOffice Relation = "own_office" // the target belongs to the actor's office
	Applicant Relation = "applicant"  // the target was asked for by the actor
	Open      Relation = "open"       // the record is open to the public
	Concerned Relation = "concerned"  // it is about the actor or a declared relative
)

func (r Relation) holds(a archive.Actor, t archive.Target) bool {
	switch r {
	case Anyone:
		return true
	case OwnOffice:
		return a.Office != "" && t.Office == a.Office
	case Applicant:
		return a.ID != "" && t.Applicant == a.ID
	case Open:
		return t.Openness == archive.Open
	case Concerned:
		return slices.ContainsFunc(a.Concerned(), func(p string) bool { return slices.Contains(t.Subjects, p) })
	}
	return false
}

// Row is one line of the table.
type Row struct {
	Who      []archive.Role
	May      []archive.Action
	Families []archive.Family // none: any target, records or not
	Where    Relation
	Refused  bool // the row takes the right away
	Purpose  bool
	Case     bool // the purpose comes with a case number
	Trace    bool
	Masks    []archive.Mask
	// Second is the action by which another person approves what was done; the room
	// that does it sees to that.
	Second archive.Action
}

func (r Row) concerns(role archive.Role, act archive.Action) bool {
	return slices.Contains(r.Who, role) && slices.Contains(r.May, act)
}

func (r Row) holds(a archive.Actor, act archive.Action, t archive.Target) bool {
	return r.concerns(a.Role, act) &&
		(len(r.Families) == 0 || slices.Contains(r.Families, t.Family)) &&
		r.Where.holds(a, t)
}

// Decide is the decision of the first row that holds; without one, a refusal.
func Decide(a archive.Actor, act archive.Action, t archive.Target) archive.Decision {
	for _, row := range Rows() {
		if row.holds(a, act, t) {
			return archive.Decision{
				Allowed: !row.Refused,
				Purpose: row.Purpose,
				Case:    row.Case,
				Trace:   row.Trace,
				Masks:   row.Masks,
			}
		}
	}
	return archive.Decision{}
}

// Scope is the table's rows for reading as a filter of search: it admits exactly
// the records that Decide lets the actor read. It is empty for an actor who may
// not search.
func Scope(a archive.Actor) archive.Scope {
	var s archive.Scope
	if !Decide(a, archive.ActSearch, archive.Target{}).Allowed {
		return s
	}
	for _, row := range Rows() {
		switch {
		case !row.concerns(a.Role, archive.ActRead):
		case row.Refused: // all such rows are about the actor's own matters
			s.Without = a.Concerned()
		default:
			s.Clauses = append(s.Clauses, row.clauses(a)...)
		}
	}
	return s
}

func (r Row) clauses(a archive.Actor) []archive.Clause {
	c := archive.Clause{}
	switch {
	case r.Where == OwnOffice && a.Office != "":
		c.Office = a.Office
	case r.Where == Open:
		c.Openness = archive.Open
	default:
		return nil
	}
	var list []archive.Clause
	for _, f := range r.Families {
		c.Family = f
		list = append(list, c)
	}
	return list
}

// Known reports whether the table lets anybody do act.
func Known(act archive.Action) bool {
	return slices.ContainsFunc(Rows(), func(r Row) bool {
		return !r.Refused && slices.Contains(r.May, act)
	})
}
