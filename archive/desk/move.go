package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dangan/archive"
	"dangan/archive/match"
)

// rule says from where a step may be taken, which right it takes, and where it
// leads.
type rule struct {
	from []archive.RequestState
	act  archive.Action
	to   archive.RequestState
	note bool // a reason is required
}

// ruleOf is the state machine of the desk.
func ruleOf(step archive.Step) (rule, bool) {
	states := func(s ...archive.RequestState) []archive.RequestState { return s }
	switch step {
	case archive.StepMatch:
		return rule{from: states(archive.Submitted, archive.Matched), act: archive.ActReview, to: archive.Matched}, true
	case archive.StepUnmatch:
		return rule{from: states(archive.Matched), act: archive.ActReview, to: archive.Submitted}, true
	case archive.StepAsk:
		return rule{from: states(archive.Submitted, archive.Matched), act: archive.ActReview, to: archive.Supplement, note: true}, true
	case archive.StepSupplement:
		return rule{from: states(archive.Supplement), act: archive.ActSupplement, to: archive.Submitted}, true
	case archive.StepReview:
		return rule{from: states(archive.Matched), act: archive.ActReview, to: archive.Reviewed}, true
	case archive.StepNotFound:
		return rule{from: states(archive.Submitted, archive.Matched), act: archive.ActReview, to: archive.ReviewedNone, note: true}, true
	case archive.StepReject:
		return rule{from: states(archive.Submitted, archive.Supplement, archive.Matched, archive.Reviewed), act: archive.ActReview, to: archive.Refused, note: true}, true
	case archive.StepReturn:
		return rule{from: states(archive.Reviewed, archive.ReviewedNone), act: archive.ActApprove, to: archive.Submitted, note: true}, true
	case archive.StepApprove:
		return rule{from: states(archive.Reviewed, archive.ReviewedNone), act: archive.ActApprove, to: archive.Approved}, true
	case archive.StepWithdraw:
		return rule{from: states(archive.Submitted, archive.Supplement, archive.Matched, archive.Reviewed, archive.ReviewedNone), act: archive.ActWithdraw, to: archive.Withdrawn}, true
	}
	return rule{}, false
}

// Steps lists the steps that the state allows and the actor has a right to, as
// far as the right does not depend on the record.
func Steps(r archive.Request, may func(archive.Action) bool) []archive.Step {
	all := []archive.Step{archive.StepMatch, archive.StepUnmatch, archive.StepReview, archive.StepApprove, archive.StepReturn,
		archive.StepAsk, archive.StepSupplement, archive.StepNotFound, archive.StepReject, archive.StepWithdraw}
	return slices.DeleteFunc(all, func(s archive.Step) bool {
		rule, _ := ruleOf(s)
		return !slices.Contains(rule.from, r.State) || !may(rule.act)
	})
}

// Move takes a request one step further. n is the entry the actor has seen: when
// somebody else moved it meanwhile, the error is archive.ErrConflict.
func (d *Room) Move(ctx context.Context, actor archive.Actor, id string, n int, m archive.Move) (archive.Version[archive.Request], error) {
	var none archive.Version[archive.Request]
	seen, err := d.Request(ctx, actor, id)
	if err != nil {
		return none, err
	}
	step, ok := ruleOf(m.Step)
	if !ok {
		return none, archive.Problems{{Code: "unknown_step", Field: "step"}}
	}
	r := seen.Value
	if err := d.allow(ctx, actor, step.act, r); err != nil {
		return none, err
	}
	if seen.N != n {
		return none, fmt.Errorf("move: %w", archive.ErrConflict)
	}
	if !slices.Contains(step.from, r.State) {
		return none, fmt.Errorf("%s from %s: %w", m.Step, r.State, archive.ErrState)
	}
	if step.note && strings.TrimSpace(m.Note) == "" {
		return none, archive.Problems{{Code: "required", Field: "note"}}
	}
	to, err := d.apply(ctx, actor, &r, m, step.to)
	if err != nil {
		return none, err
	}
	r.State = to
	r.Events = append(slices.Clone(r.Events), archive.Event{At: d.c.Now(), Actor: actor.ID, Step: m.Step, State: to, Note: m.Note})
	return d.append(ctx, r, n+1)
}

// allow asks policy for the step, with everybody the request is about as
// subjects, so that staff cannot handle their own matter (回避).
func (d *Room) allow(ctx context.Context, actor archive.Actor, act archive.Action, r archive.Request) error {
	t := r.Target()
	if !r.IDNumber.IsZero() {
		t.Subjects = append(t.Subjects, d.c.Marks.Token(archive.MarkPerson, r.IDNumber.Key()))
	}
	for _, p := range r.Wanted.Persons {
		if !p.ID.IsZero() {
			t.Subjects = append(t.Subjects, d.c.Marks.Token(archive.MarkPerson, p.ID.Key()))
		}
	}
	_, err := d.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: act, Target: t,
		Purpose: archive.Purpose{Code: archive.ForRequest, Case: r.ID}})
	return err
}

// apply changes the request as the step demands and says which state follows.
func (d *Room) apply(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move, to archive.RequestState) (archive.RequestState, error) {
	switch m.Step {
	case archive.StepMatch:
		return to, d.match(ctx, actor, r, m)
	case archive.StepUnmatch:
		r.Record, r.Sources, r.Matcher = "", nil, ""
	case archive.StepReview:
		return to, d.review(ctx, actor, r, m)
	case archive.StepNotFound:
		r.Record, r.Sources, r.Reviewer, r.Reason = "", nil, actor.ID, m.Note
	case archive.StepAsk, archive.StepReject:
		r.Reason = m.Note
	case archive.StepReturn:
		r.Record, r.Sources, r.Matcher, r.Reviewer = "", nil, "", ""
	case archive.StepSupplement:
		if m.Wanted != nil {
			r.Wanted = *m.Wanted
		}
		return to, r.Problems(d.c.Schema).Err()
	case archive.StepApprove:
		if actor.ID == r.Matcher || actor.ID == r.Reviewer || actor.ID == r.Applicant {
			return "", fmt.Errorf("approve own work: %w", archive.ErrForbidden)
		}
		r.Approver = actor.ID
		if r.State == archive.ReviewedNone {
			return archive.NotFound, nil
		}
	}
	return to, nil
}

func (d *Room) match(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move) error {
	v, err := d.record(ctx, m.Record, r.Office)
	if err != nil {
		return err
	}
	if !names(v, *r) {
		return archive.Problems{{Code: "applicant_not_recorded", Field: "record"}}
	}
	r.Record, r.Matcher, r.Reviewer = m.Record, actor.ID, ""
	if len(m.Sources) > 0 {
		return setSources(r, v, m.Sources)
	}
	return nil
}

func (d *Room) review(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move) error {
	v, err := d.record(ctx, r.Record, r.Office)
	if err != nil {
		return err
	}
	sources := m.Sources
	if len(sources) == 0 {
		sources = r.Sources
	}
	if err := setSources(r, v, sources); err != nil {
		return err
	}
	c, _ := d.c.Schema.Category(v.Category)
	if len(c.Sentences(v)) == 0 {
		return archive.Problems{{Code: "nothing_to_certify", Field: "record"}}
	}
	r.Reviewer = actor.ID
	return nil
}

// record reads a record that the request may be answered from.
func (d *Room) record(ctx context.Context, id, office string) (archive.Record, error) {
	v, err := d.c.Records.Head(ctx, id)
	if errors.Is(err, archive.ErrNotFound) || err == nil && (v.Value.Office != office || v.Value.Family != archive.Livelihood) {
		return archive.Record{}, archive.Problems{{Code: "unknown_record", Field: "record"}}
	}
	if err != nil {
		return archive.Record{}, fmt.Errorf("record: %w", err)
	}
	return v.Value, nil
}

func setSources(r *archive.Request, v archive.Record, sources []archive.PageRef) error {
	var ps archive.Problems
	if len(sources) == 0 {
		ps.Add("required", "sources")
	}
	for i, s := range sources {
		if s.File < 1 || s.File > len(v.Files) || s.Page < 1 {
			ps.Add("unknown_page", fmt.Sprintf("sources[%d]", i))
		}
	}
	r.Sources = sources
	return ps.Err()
}

// names reports whether the record names the applicant: by the id number where
// it has one, otherwise by a name or former name. Livelihood records are given
// to the people they record.
func names(v archive.Record, r archive.Request) bool {
	return slices.ContainsFunc(v.Persons, func(p archive.Person) bool {
		if !p.ID.IsZero() && !r.IDNumber.IsZero() && !p.ID.Flagged {
			return p.ID.Key() == r.IDNumber.Key()
		}
		return slices.ContainsFunc(p.Names(), func(n string) bool { return match.FoldName(n) == match.FoldName(r.Name) })
	})
}

// append commits the next entry; an approval also plans the certificate.
func (d *Room) append(ctx context.Context, r archive.Request, n int) (archive.Version[archive.Request], error) {
	var none archive.Version[archive.Request]
	var job archive.Job
	var err error
	if r.State == archive.Approved {
		if job, err = d.c.Outbox.Plan(ctx, archive.Job{Kind: JobCertificate, Ref: r.Ref()}); err != nil {
			return none, fmt.Errorf("move: %w", err)
		}
	}
	if err := d.c.Requests.Append(ctx, r.ID, n, r); err != nil {
		if r.State == archive.Approved && errors.Is(err, archive.ErrConflict) {
			err = errors.Join(err, d.c.Outbox.Drop(ctx, job))
		}
		return none, fmt.Errorf("move: %w", err)
	}
	if r.State == archive.Approved {
		d.c.Outbox.Start(job)
	}
	return archive.Version[archive.Request]{N: n, At: d.c.Now(), Value: r}, nil
}
