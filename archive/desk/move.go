package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dangan/archive"
	"dangan/archive/match"
	"dangan/archive/policy"
)

// Move takes a request one step further. n is the entry the actor has seen: when
// somebody else moved it meanwhile, the error is archive.ErrConflict.
func (d *Room) Move(ctx context.Context, actor archive.Actor, id string, n int, m archive.Move) (archive.Version[archive.Request], error) {
	var none archive.Version[archive.Request]
	seen, err := d.Request(ctx, actor, id)
	if err != nil {
		return none, err
	}
	rule, ok := archive.StepRule(m.Step)
	if !ok {
		return none, archive.Problems{{Code: "unknown_step", Field: "step"}}
	}
	r := seen.Value
	if err := d.allow(ctx, actor, rule.Act, r); err != nil {
		return none, err
	}
	if seen.N != n {
		return none, fmt.Errorf("move: %w", archive.ErrConflict)
	}
	if !slices.Contains(rule.From, r.State) {
		return none, fmt.Errorf("%s from %s: %w", m.Step, r.State, archive.ErrState)
	}
	if err := m.Problems().Err(); err != nil {
		return none, err
	}
	if err := d.apply(ctx, actor, &r, m); err != nil {
		return none, err
	}
	r.State = rule.To
	r.Events = append(slices.Clone(r.Events), archive.Event{At: d.c.Now(), Actor: actor.ID, Step: m.Step, State: r.State, Note: m.Note})
	return d.append(ctx, r, n+1)
}

// allow asks policy for the step, with everybody the request is about as
// subjects, so that staff cannot handle their own matter (回避).
func (d *Room) allow(ctx context.Context, actor archive.Actor, act archive.Action, r archive.Request) error {
	t := r.Target()
	t.Subjects = d.tokens(append(slices.Clone(r.Wanted.Persons), archive.Person{ID: r.IDNumber}))
	_, err := d.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: act, Target: t,
		Purpose: archive.Purpose{Code: archive.ForRequest, Case: r.ID}})
	return err
}

// tokens are the keyed hashes of the persons' id numbers, by which policy knows
// people.
func (d *Room) tokens(persons []archive.Person) []string {
	var list []string
	for _, p := range persons {
		if !p.ID.IsZero() {
			list = append(list, d.c.Marks.Token(archive.MarkPerson, p.ID.Key()))
		}
	}
	return list
}

// apply changes the request as the step demands.
func (d *Room) apply(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move) error {
	switch m.Step {
	case archive.StepMatch:
		return d.match(ctx, actor, r, m)
	case archive.StepChoose:
		return d.choose(ctx, actor, r, m.Pages)
	case archive.StepReview:
		return d.review(ctx, actor, r, m)
	case archive.StepApprove:
		return d.approve(ctx, actor, r)
	case archive.StepUnmatch:
		unmatch(r)
	case archive.StepReturn:
		unmatch(r)
		r.Reason = ""
	case archive.StepNotFound:
		return d.notFound(ctx, actor, r, m)
	case archive.StepAsk:
		unmatch(r)
		r.Reason = m.Note
	case archive.StepReject:
		r.Reason = m.Note
	case archive.StepSupplement:
		r.Reason = ""
		if m.Wanted != nil {
			r.Wanted = m.Wanted.Normal()
		}
		return r.Problems(d.c.Schema).Err()
	}
	return nil
}

// unmatch undoes what a match and a review have noted.
func unmatch(r *archive.Request) {
	r.Record, r.Sources, r.Copy, r.Searched, r.Matcher, r.Reviewer = "", nil, nil, nil, "", ""
}

func (d *Room) match(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move) error {
	v, err := d.record(ctx, actor, archive.ActReview, m.Record, *r)
	if err != nil {
		return err
	}
	c, _ := d.c.Schema.Category(v.Value.Category)
	if !names(c, v.Value, *r) {
		return archive.Problems{{Code: "applicant_not_recorded", Field: "record"}}
	}
	r.Record, r.RecordVersion, r.Sources, r.Copy, r.Matcher, r.Reviewer = m.Record, v.N, nil, nil, actor.ID, ""
	if len(m.Pages) > 0 {
		return d.choose(ctx, actor, r, m.Pages)
	}
	if len(m.Sources) > 0 {
		return setSources(r, v.Value, m.Sources)
	}
	return nil
}

func (d *Room) review(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move) error {
	v, err := d.record(ctx, actor, archive.ActReview, r.Record, *r)
	if err != nil {
		return err
	}
	c, _ := d.c.Schema.Category(v.Value.Category)
	if !names(c, v.Value, *r) { // the record may have been described anew since
		return archive.Problems{{Code: "applicant_not_recorded", Field: "record"}}
	}
	r.Reviewer, r.RecordVersion = actor.ID, v.N
	if r.Service == archive.ServiceCopy {
		return d.reviewCopy(ctx, actor, r, m)
	}
	sources := m.Sources
	if len(sources) == 0 {
		sources = r.Sources
	}
	if err := setSources(r, v.Value, sources); err != nil {
		return err
	}
	if r.Service == "" && len(c.Sentences(v.Value)) == 0 {
		return archive.Problems{{Code: "nothing_to_certify", Field: "record"}}
	}
	return nil
}

// notFound keeps where it was sought: in the index, once more and under every name
// and number that is known, and where the reviewer says. With the search engine
// away nobody can say that there is nothing.
func (d *Room) notFound(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move) error {
	_, ranked, err := d.find(ctx, actor, *r)
	if err == nil && !ranked {
		err = archive.ErrUnavailable
	}
	if err != nil {
		return fmt.Errorf("search before an answer: %w", err)
	}
	office, err := d.c.Offices.Head(ctx, r.Office)
	if err != nil {
		return fmt.Errorf("search before an answer: %w", err)
	}
	unmatch(r)
	r.Reviewer, r.Reason = actor.ID, m.Note
	here := archive.Search{At: d.c.Now(), Place: "馆藏机读目录", Fonds: office.Value.Fonds, YearFrom: r.Wanted.YearFrom, YearTo: r.Wanted.YearTo,
		Names: sought(*r), ByID: !r.IDNumber.IsZero()}
	r.Searched = append([]archive.Search{here}, m.Searched...)
	for i := range r.Searched {
		r.Searched[i].At = d.c.Now()
	}
	return nil
}

// approve makes sure that nobody approves what is his own work or matter.
func (d *Room) approve(ctx context.Context, actor archive.Actor, r *archive.Request) error {
	if actor.ID == r.Matcher || actor.ID == r.Reviewer || actor.ID == r.Applicant || chose(*r, actor.ID) {
		return fmt.Errorf("approve own work: %w", archive.ErrForbidden)
	}
	if r.State == archive.Reviewed {
		v, err := d.record(ctx, actor, archive.ActApprove, r.Record, *r)
		if err != nil {
			return err
		}
		if v.N != r.RecordVersion { // described anew since: somebody must review that
			return archive.Problems{{Code: "record_changed", Field: "record"}}
		}
	}
	r.Approver = actor.ID
	return nil
}

// record reads a record that the request may be answered from, by somebody whom
// the record is not about.
func (d *Room) record(ctx context.Context, actor archive.Actor, act archive.Action, id string, r archive.Request) (archive.Version[archive.Record], error) {
	var none archive.Version[archive.Record]
	unknown := archive.Problems{{Code: "unknown_record", Field: "record"}}
	if !archive.ValidID(id) {
		return none, unknown
	}
	v, err := d.c.Records.Head(ctx, id)
	if errors.Is(err, archive.ErrNotFound) || err == nil && (v.Value.Office != r.Office || v.Value.Family != r.Service.Family()) {
		return none, unknown
	}
	if err != nil {
		return none, fmt.Errorf("record: %w", err)
	}
	t := v.Value.Target()
	t.Subjects = d.tokens(v.Value.Persons)
	if !policy.Decide(actor, act, t).Allowed {
		return none, fmt.Errorf("own matter: %w", archive.ErrForbidden)
	}
	return v, nil
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

// names reports whether the record is about the applicant: by the id number
// where both have one of the same kind, otherwise by a name or former name.
// Livelihood records are given to the people they record, and not to the
// officials they mention.
func names(c archive.Category, v archive.Record, r archive.Request) bool {
	name := match.FoldName(r.Name)
	return slices.ContainsFunc(v.Persons, func(p archive.Person) bool {
		switch {
		case c.Official(p.Role):
			return false
		case !p.ID.IsZero() && !p.ID.Flagged && p.ID.Type == r.IDNumber.Type:
			return p.ID.Key() == r.IDNumber.Key()
		}
		return name != "" && slices.ContainsFunc(p.Names(), func(n string) bool { return match.FoldName(n) == name })
	})
}

// append commits the next entry; an approval also plans the certificate.
func (d *Room) append(ctx context.Context, r archive.Request, n int) (archive.Version[archive.Request], error) {
	var none archive.Version[archive.Request]
	var job archive.Job
	var err error
	if r.State == archive.Approved {
		if job, err = d.c.Outbox.Plan(ctx, archive.Job{Kind: archive.JobCertificate, Ref: r.Ref()}); err != nil {
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
