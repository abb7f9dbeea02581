package archive

import (
	"slices"
	"strings"
)

// Rule says from which states a step may be taken, which right it takes, where
// it leads, and whether a reason must be given.
type Rule struct {
	From []RequestState
	Act  Action
	To   RequestState
	Note bool
}

// StepRule is the state machine of the desk. It has no rule for StepSubmit and
// StepIssue, which nobody may choose.
func StepRule(step Step) (Rule, bool) {
	from := func(states ...RequestState) []RequestState { return states }
	switch step {
	case StepMatch:
		return Rule{From: from(Submitted, Matched), Act: ActReview, To: Matched}, true
	case StepUnmatch:
		return Rule{From: from(Matched), Act: ActReview, To: Submitted}, true
	case StepAsk:
		return Rule{From: from(Submitted, Matched), Act: ActReview, To: Supplement, Note: true}, true
	case StepSupplement:
		return Rule{From: from(Supplement), Act: ActSupplement, To: Submitted}, true
	case StepChoose:
		return Rule{From: from(Matched), Act: ActReview, To: Matched}, true
	case StepReview:
		return Rule{From: from(Matched), Act: ActReview, To: Reviewed}, true
	case StepNotFound:
		return Rule{From: from(Submitted, Matched), Act: ActReview, To: ReviewedNone, Note: true}, true
	case StepReject:
		return Rule{From: from(Submitted, Supplement, Matched, Reviewed), Act: ActReview, To: Refused, Note: true}, true
	case StepReturn:
		return Rule{From: from(Reviewed, ReviewedNone), Act: ActApprove, To: Submitted, Note: true}, true
	case StepApprove:
		return Rule{From: from(Reviewed, ReviewedNone), Act: ActApprove, To: Approved}, true
	case StepWithdraw:
		return Rule{From: from(Submitted, Supplement, Matched, Reviewed, ReviewedNone), Act: ActWithdraw, To: Withdrawn}, true
	}
	return Rule{}, false
}

// Steps lists the steps that the request's state allows, as far as may, which
// says what the actor has a right to, lets them.
func Steps(r Request, may func(Action) bool) []Step {
	all := []Step{StepMatch, StepUnmatch, StepChoose, StepReview, StepApprove, StepReturn,
		StepAsk, StepSupplement, StepNotFound, StepReject, StepWithdraw}
	return slices.DeleteFunc(all, func(s Step) bool {
		rule, _ := StepRule(s)
		return !slices.Contains(rule.From, r.State) || !may(rule.Act) || s == StepChoose && r.Service != ServiceCopy
	})
}

// Problems lists what is wrong with a move, whatever it is made on.
func (m Move) Problems() Problems {
	var ps Problems
	rule, ok := StepRule(m.Step)
	if !ok {
		ps.Add("unknown_step", "step")
	}
	if rule.Note && strings.TrimSpace(m.Note) == "" {
		ps.Add("required", "note")
	}
	checkText(&ps, m.Note, 500, "note")
	if len(m.Searched) > 20 {
		ps.Add("too_many", "searched")
	}
	for i, s := range m.Searched {
		ps = append(ps, s.problems(index("searched", i))...)
	}
	return ps
}

func (s Search) problems(field string) Problems {
	var ps Problems
	if strings.TrimSpace(s.Place) == "" {
		ps.Add("required", field+".place")
	}
	if len(s.Names) == 0 {
		ps.Add("required", field+".names")
	}
	if s.YearFrom != 0 && s.YearTo != 0 && s.YearFrom > s.YearTo {
		ps.Add("bad_range", field+".year_to")
	}
	for _, text := range append(append([]string{s.Place}, s.Fonds...), s.Names...) {
		checkText(&ps, text, 100, field)
	}
	return ps
}

// Normal gives the id numbers, as somebody has typed them, the form in which
// they are compared.
func (w Wanted) Normal() Wanted {
	w.Persons = slices.Clone(w.Persons)
	for i, p := range w.Persons {
		w.Persons[i].ID = NewIDNumber(p.ID.Type, p.ID.Original)
	}
	return w
}
