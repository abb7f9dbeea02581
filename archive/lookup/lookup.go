// Package lookup answers agencies: under a legal basis they ask one question
// about one person, and get an answer with a receipt instead of a file.
//
// It owns the questions and how little each answer says. It must not know who
// may ask (package policy), or how the question is recorded (package evidence).
package lookup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dangan/archive"
	"dangan/archive/policy"
)

// Config is what the room works with.
type Config struct {
	Records Records
	Marks   Marks
	Door    Door
	Schema  archive.Schema
	Now     func() time.Time
}

// Room is the use cases. Its methods may be called concurrently.
type Room struct{ c Config }

// New opens the room.
func New(c Config) *Room { return &Room{c: c} }

// Ask answers a question about the person with an id number. It looks the number
// up exactly and never guesses by name. Every answer is recorded before it is
// given, the answer "no" as well; its Receipt is the id of that entry.
func (r *Room) Ask(ctx context.Context, actor archive.Actor, q archive.Question) (archive.Answer, error) {
	if !policy.Decide(actor, archive.ActLookup, archive.Target{}).Allowed {
		return archive.Answer{}, fmt.Errorf("lookup: %w", archive.ErrForbidden)
	}
	q.Person.ID = archive.NewIDNumber(q.Person.ID.Type, q.Person.ID.Original)
	if err := append(r.problems(q), actor.Grant.Problems(q)...).Err(); err != nil {
		return archive.Answer{}, err
	}
	found, err := r.find(ctx, q)
	if err != nil {
		return archive.Answer{}, fmt.Errorf("lookup: %w", err)
	}
	asked := archive.Disclosure{Actor: actor, Action: archive.ActLookup, Purpose: q.Purpose, Detail: q.Kind + " " + q.Category}
	answer := archive.Answer{Exists: len(found) > 0, At: r.c.Now()}
	for i, rec := range found {
		if i == 0 {
			asked.Target.Ref = rec.Ref()
		} else {
			asked.Also = append(asked.Also, rec.ID)
		}
		if !rec.Date.IsZero() {
			answer.Years = append(answer.Years, rec.Date.Year)
		}
		answer.Offices = append(answer.Offices, rec.Office)
	}
	answer.Years, answer.Offices = distinct(answer.Years), distinct(answer.Offices)
	decision, err := r.c.Door.Pass(ctx, asked)
	if err != nil {
		return archive.Answer{}, err
	}
	answer.Receipt = decision.Receipt
	return answer, nil
}

func (r *Room) problems(q archive.Question) archive.Problems {
	var ps archive.Problems
	if q.Kind != archive.RecordExists {
		ps.Add("unknown_question", "question")
	}
	switch c, ok := r.c.Schema.Category(q.Category); {
	case q.Category == "":
		ps.Add("required", "category")
	case !ok:
		ps.Add("unknown_category", "category")
	case c.Family != archive.Livelihood:
		ps.Add("not_answerable", "category")
	}
	switch {
	case q.Person.ID.IsZero():
		ps.Add("required", "person.id")
	case q.Person.ID.Flagged:
		ps.Add("bad_id_number", "person.id")
	}
	switch {
	case q.Purpose.Code == "":
		ps.Add("required", "purpose.code")
	case !q.Purpose.Valid():
		ps.Add("bad_purpose", "purpose")
	}
	if q.Purpose.Case == "" {
		ps.Add("required", "purpose.case")
	}
	return ps
}

// find returns the records of the category that name the person now.
func (r *Room) find(ctx context.Context, q archive.Question) ([]archive.Record, error) {
	ids, err := r.c.Marks.Marked(ctx, archive.MarkPerson, q.Person.ID.Key())
	if err != nil {
		return nil, err
	}
	var found []archive.Record
	for _, id := range ids {
		v, err := r.c.Records.Head(ctx, id)
		if errors.Is(err, archive.ErrNotFound) {
			continue // a mark may outlive a commit that did not come
		}
		if err != nil {
			return nil, err
		}
		named := slices.ContainsFunc(v.Value.Persons, func(p archive.Person) bool { return p.ID.Key() == q.Person.ID.Key() })
		if named && v.Value.Category == q.Category {
			found = append(found, v.Value)
		}
	}
	return found, nil
}

func distinct[T int | string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}
