// Package lookup answers agencies: under a legal basis they ask one question
// about one person, and get an answer with a receipt instead of a file.
//
// It owns how a question is answered and how little the answer says; which
// questions there are is data (archive.QuestionKind). It must not know who may ask
// (package policy), or how the question is recorded (package evidence).
package lookup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dangan/archive"
	"dangan/archive/policy"
)

// Config is what the room works with.
type Config struct {
	Records Records
	Marks   Marks
	Door    Door
	Signer  Signer
	Schema  archive.Schema
	Now     func() time.Time
}

// Room is the use cases. Its methods may be called concurrently.
type Room struct{ c Config }

// New opens the room.
func New(c Config) *Room { return &Room{c: c} }

// Ask answers a question about the person with an id number. It looks the number
// up exactly and never guesses by name. Every answer is recorded before it is
// given, the answer "no" as well; its Receipt is the id of that entry, and is signed.
func (r *Room) Ask(ctx context.Context, actor archive.Actor, q archive.Question) (archive.Answer, error) {
	if !policy.Decide(actor, archive.ActLookup, archive.Target{}).Allowed {
		return archive.Answer{}, fmt.Errorf("lookup: %w", archive.ErrForbidden)
	}
	q.Person.ID = archive.NewIDNumber(q.Person.ID.Type, q.Person.ID.Original)
	kind, known := r.c.Schema.Question(q.Kind)
	sources := kind.Narrowed(q.Category)
	if err := append(r.problems(q, kind, known, sources), refused(actor.Grant, q, sources)...).Err(); err != nil {
		return archive.Answer{}, err
	}
	found, err := r.find(ctx, q, sources)
	if err != nil {
		return archive.Answer{}, fmt.Errorf("lookup: %w", err)
	}
	if kind.Latest {
		found = latest(found)
	}
	if kind.Once {
		found = once(found)
	}
	asked := archive.Disclosure{Actor: actor, Action: archive.ActLookup, Purpose: q.Purpose, Detail: strings.TrimSpace(q.Kind + " " + q.Category)}
	for i, f := range found {
		if i == 0 {
			asked.Target.Ref = f.record.Ref()
		} else {
			asked.Also = append(asked.Also, f.record.ID)
		}
	}
	decision, err := r.c.Door.Pass(ctx, asked)
	if err != nil {
		return archive.Answer{}, err
	}
	answer := say(found, q.Purpose.Code)
	answer.Receipt, answer.At = decision.Receipt, r.c.Now()
	return r.sign(actor, q, answer)
}

func (r *Room) problems(q archive.Question, kind archive.QuestionKind, known bool, sources []archive.Source) archive.Problems {
	var ps archive.Problems
	if !known {
		ps.Add("unknown_question", "question")
	}
	_, there := r.c.Schema.Category(q.Category)
	switch {
	case q.Category == "":
		if kind.OneCategory || !known {
			ps.Add("required", "category")
		}
	case !there:
		ps.Add("unknown_category", "category")
	case known && len(sources) == 0:
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
	case known && !slices.Contains(kind.Purposes, q.Purpose.Code):
		ps.Add("not_answerable", "purpose.code")
	}
	if q.Purpose.Case == "" {
		ps.Add("required", "purpose.case")
	}
	return ps
}

// refused lists what the key is not for. A key for some categories is good for a
// question only when it is for all that would answer.
func refused(g archive.Grant, q archive.Question, sources []archive.Source) archive.Problems {
	for _, s := range sources {
		q.Category = s.Category
		if ps := g.Problems(q); len(ps) > 0 {
			return ps
		}
	}
	return nil
}

// find returns the records of the sources that are about the person now.
func (r *Room) find(ctx context.Context, q archive.Question, sources []archive.Source) ([]finding, error) {
	ids, err := r.c.Marks.Marked(ctx, archive.MarkPerson, q.Person.ID.Key())
	if err != nil {
		return nil, err
	}
	var found []finding
	for _, id := range ids {
		v, err := r.c.Records.Head(ctx, id)
		if errors.Is(err, archive.ErrNotFound) {
			continue // a mark may outlive a commit that did not come
		}
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(sources, func(s archive.Source) bool { return s.Category == v.Value.Category })
		if i < 0 || !r.about(v.Value, sources[i], q.Person.ID.Key()) {
			continue
		}
		if f := (finding{v.Value, v.N, sources[i]}); f.bears(q.Purpose.Code) {
			found = append(found, f)
		}
	}
	return found, nil
}

// about reports whether the person is in the record in a role that answers.
func (r *Room) about(rec archive.Record, s archive.Source, key string) bool {
	category, _ := r.c.Schema.Category(rec.Category)
	return slices.ContainsFunc(rec.Persons, func(p archive.Person) bool {
		fits := slices.Contains(s.Roles, p.Role) || len(s.Roles) == 0 && !category.Official(p.Role)
		return fits && p.ID.Key() == key
	})
}
