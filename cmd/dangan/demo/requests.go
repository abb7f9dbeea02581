package demo

import (
	"context"
	"errors"
	"fmt"

	"dangan/archive"
)

// requests tells every story as far as it goes, and returns their requests.
func (f *filler) requests(ctx context.Context) ([]archive.Request, error) {
	var list []archive.Request
	for _, s := range stories() {
		r, err := f.tell(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.key, err)
		}
		list = append(list, r)
		f.bar.step("requests")
	}
	return list, nil
}

// tell submits the request, or finds it under its key, and takes the steps that
// are not taken yet.
func (f *filler) tell(ctx context.Context, s story) (archive.Request, error) {
	citizen, err := f.Actor(ctx, s.citizen)
	if err != nil {
		return archive.Request{}, err
	}
	v, err := f.Desk.Submit(ctx, citizen, s.key, s.request)
	if err != nil {
		return archive.Request{}, err
	}
	taken := steps(v.Value)
	for i, step := range s.steps {
		if i < len(taken) {
			if taken[i] == step {
				continue
			}
			break // somebody took it another way
		}
		actor, err := f.Actor(ctx, s.user(step))
		if err != nil {
			return archive.Request{}, err
		}
		if step == archive.StepChoose { // whose files must have been read
			if err := f.Wait(ctx); err != nil {
				return archive.Request{}, err
			}
		}
		v, err = f.Desk.Move(ctx, actor, v.Value.ID, v.N, s.move(step, f.records))
		if err != nil {
			return archive.Request{}, fmt.Errorf("%s: %w", step, err)
		}
	}
	return v.Value, nil
}

// steps are those that people took after the submission.
func steps(r archive.Request) []archive.Step {
	var list []archive.Step
	for _, e := range r.Events {
		if e.Step != archive.StepSubmit && e.Step != archive.StepIssue {
			list = append(list, e.Step)
		}
	}
	return list
}

func (s story) move(step archive.Step, records []archive.Record) archive.Move {
	m := archive.Move{Step: step}
	switch step {
	case archive.StepMatch:
		m.Record = records[s.record].ID
	case archive.StepChoose:
		m.Pages = s.pages
	case archive.StepReview:
		m.Sources = []archive.PageRef{{File: 1, Page: 1}}
	case archive.StepApprove, archive.StepWithdraw:
	default:
		m.Note = s.note
	}
	return m
}

// certificates ends those that end, and returns the samples.
func (f *filler) certificates(ctx context.Context, requests []archive.Request) (Samples, error) {
	var issued []archive.Certificate
	for i, s := range stories() {
		c, err := f.certificate(ctx, s, requests[i].ID)
		if err != nil {
			return Samples{}, fmt.Errorf("%s: %w", s.key, err)
		}
		issued = append(issued, c)
	}
	for i, s := range stories() {
		if s.end == stands || issued[i].State != archive.CertSealed {
			continue
		}
		approver, err := f.Actor(ctx, userOf(archive.RoleApprover, s.request.Office))
		if err != nil {
			return Samples{}, err
		}
		if s.end == revoked {
			err = f.Certificates.Revoke(ctx, approver, issued[i].Number, "档案记载经复核更正")
		} else {
			err = f.Certificates.Supersede(ctx, approver, issued[i].Number, issued[i+1].Number, "用途更正，另行出具")
		}
		if err != nil {
			return Samples{}, fmt.Errorf("%s: %w", s.key, err)
		}
	}
	return Samples{Record: f.records[ofMarriage].ID, RefCode: f.records[ofMarriage].RefCode.Original,
		Request: requests[0].ID, Certificate: Certificate{Number: issued[0].Number, Code: issued[0].Code}}, nil
}

// certificate is that of a request; the zero one when there is none, as after
// the request was taken another way.
func (f *filler) certificate(ctx context.Context, s story, request string) (archive.Certificate, error) {
	citizen, err := f.Actor(ctx, s.citizen)
	if err != nil {
		return archive.Certificate{}, err
	}
	v, err := f.Certificates.Certificate(ctx, citizen, request)
	if errors.Is(err, archive.ErrNotFound) {
		return archive.Certificate{}, nil
	}
	return v.Value, err
}
