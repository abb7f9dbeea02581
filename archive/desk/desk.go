// Package desk is the request desk (查档受理): a citizen asks, staff match the
// request to a record, review it, and a second person approves.
//
// It owns the states of a request and who may move it. It must not know how a
// certificate is made: approval only plans the job that makes one. It knows
// nothing of buckets, search engines or HTTP.
package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dangan/archive"
)

// Config is what the desk works with.
type Config struct {
	Requests Requests
	Records  Records
	Files    Files
	Accounts Accounts
	Offices  Offices
	Claims   Claims
	Marks    Marks
	Index    Index
	Outbox   Outbox
	Door     Door
	Schema   archive.Schema
	Now      func() time.Time
	NewID    func() string
	Grace    time.Duration // after which an uncommitted submission is fenced off
}

// Room is the desk. Its methods may be called concurrently.
type Room struct{ c Config }

// New opens the desk.
func New(c Config) *Room { return &Room{c: c} }

// Submit takes a request. With a key, repeating the same submission returns the
// same request, and another one under that key is a problem.
func (d *Room) Submit(ctx context.Context, actor archive.Actor, key string, r archive.Request) (archive.Version[archive.Request], error) {
	var none archive.Version[archive.Request]
	if _, err := d.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActSubmit}); err != nil {
		return none, err
	}
	account, err := d.c.Accounts.Head(ctx, actor.ID)
	if err != nil {
		return none, fmt.Errorf("submit: %w", err)
	}
	r = d.fresh(r, actor, account.Value)
	ps := r.Problems(d.c.Schema)
	if actor.Assurance != archive.RealName && actor.Assurance != archive.Counter {
		ps.Add("real_name_required", "applicant")
	}
	if r.Office != "" {
		switch _, err := d.c.Offices.Head(ctx, r.Office); {
		case errors.Is(err, archive.ErrNotFound), errors.Is(err, archive.ErrInvalid):
			ps.Add("unknown_office", "office")
		case err != nil:
			return none, fmt.Errorf("submit: %w", err)
		}
	}
	if err := ps.Err(); err != nil {
		return none, err
	}
	var held []archive.ClaimHeld
	if key != "" {
		claim := archive.ClaimHeld{Kind: archive.ClaimIdempotency, Value: actor.ID + "\n" + key}
		if r.ID, err = d.once(ctx, claim, r); err != nil {
			return none, err
		}
		held = append(held, claim)
	}
	return d.commit(ctx, r, held)
}

func (d *Room) fresh(r archive.Request, actor archive.Actor, a archive.Account) archive.Request {
	return archive.Request{
		ID: d.c.NewID(), Office: r.Office, Applicant: actor.ID, Name: a.Name, IDNumber: a.IDNumber,
		Wanted: r.Wanted.Normal(), Purpose: r.Purpose, Language: r.Language, Service: r.Service, State: archive.Submitted,
		Events: []archive.Event{{At: d.c.Now(), Actor: actor.ID, Step: archive.StepSubmit, State: archive.Submitted}},
	}
}

// once claims the key and returns the id that this submission has: its own, or
// that of the earlier attempt it repeats.
func (d *Room) once(ctx context.Context, claim archive.ClaimHeld, r archive.Request) (string, error) {
	asked := struct {
		Office, Purpose, Language string
		Wanted                    archive.Wanted
		Service                   archive.Service `json:",omitempty"` // keys of before there were services stay good
	}{r.Office, r.Purpose, r.Language, r.Wanted, r.Service}
	owner, err := archive.OnceOwner(r.ID, asked)
	if err != nil {
		return "", fmt.Errorf("submit: %w", err)
	}
	holder, err := d.c.Claims.Claim(ctx, claim.Kind, claim.Value, owner)
	if errors.Is(err, archive.ErrExists) {
		id, same := archive.OnceHeld(holder, owner)
		if !same {
			return "", archive.Problems{{Code: "idempotency_key_reused", Field: "Idempotency-Key"}}
		}
		return id, nil
	}
	if err != nil {
		return "", fmt.Errorf("submit: %w", err)
	}
	return r.ID, nil
}

func (d *Room) commit(ctx context.Context, r archive.Request, held []archive.ClaimHeld) (archive.Version[archive.Request], error) {
	var none archive.Version[archive.Request]
	job, err := d.c.Outbox.Plan(ctx, archive.Job{Kind: archive.JobRequest, Ref: r.Ref(), New: true, Claims: held})
	if err != nil {
		return none, fmt.Errorf("submit: %w", err)
	}
	// Marks come before the commit so that lists show the request at once; a
	// mark without a chain is skipped by readers.
	if err := d.mark(ctx, r); err != nil {
		return none, fmt.Errorf("submit: %w", err)
	}
	err = d.c.Requests.Append(ctx, r.ID, 1, r)
	if err != nil && !errors.Is(err, archive.ErrConflict) {
		return none, fmt.Errorf("submit: %w", err)
	}
	// A conflict is an earlier attempt under the same key that got through.
	v, err := d.c.Requests.Head(ctx, r.ID)
	if errors.Is(err, archive.ErrNotFound) { // or one that was fenced off just now: its key is free again soon
		err = archive.ErrConflict
	}
	if err != nil {
		return none, fmt.Errorf("submit: %w", err)
	}
	d.c.Outbox.Start(job)
	return v, nil
}

func (d *Room) mark(ctx context.Context, r archive.Request) error {
	if err := d.c.Marks.Mark(ctx, archive.MarkDesk, r.Office, r.ID); err != nil {
		return err
	}
	return d.c.Marks.Mark(ctx, archive.MarkApplicant, r.Applicant, r.ID)
}

// Settle does what must follow a submission. A submission that was never
// committed is fenced off after the grace period, and its key given back.
func (d *Room) Settle(ctx context.Context, job archive.Job) error {
	v, err := d.c.Requests.Head(ctx, job.Ref.ID)
	switch {
	case err == nil:
		return d.mark(ctx, v.Value)
	case !errors.Is(err, archive.ErrNotFound):
		return err
	case d.c.Now().Sub(job.At) < d.c.Grace:
		return archive.ErrEarly
	}
	err = archive.Abandon(ctx, d.c.Requests, d.c.Claims, job)
	if errors.Is(err, archive.ErrConflict) {
		return archive.ErrEarly // it was committed just now: the next round marks it
	}
	return err
}

// Request shows a request to its applicant or to staff of its office.
func (d *Room) Request(ctx context.Context, actor archive.Actor, id string) (archive.Version[archive.Request], error) {
	var none archive.Version[archive.Request]
	v, err := d.c.Requests.Head(ctx, id)
	if err != nil {
		return none, fmt.Errorf("request: %w", err)
	}
	_, err = d.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActReadRequest, Target: v.Value.Target(),
		Purpose: archive.Purpose{Code: archive.ForRequest, Case: id}})
	if err != nil {
		return none, hide(err)
	}
	return v, nil
}

// hide makes "you may not" look like "there is none".
func hide(err error) error {
	if errors.Is(err, archive.ErrForbidden) {
		return fmt.Errorf("request: %w", archive.ErrNotFound)
	}
	return err
}

// Requests lists, newest first, the requests of the actor's office, or the
// actor's own for a citizen.
func (d *Room) Requests(ctx context.Context, actor archive.Actor, f archive.RequestFilter) ([]archive.Version[archive.Request], error) {
	kind, value := archive.MarkApplicant, actor.ID
	target := archive.Target{Ref: archive.Ref{Kind: archive.KindRequest}, Applicant: actor.ID}
	if actor.Staff() {
		kind, value, target = archive.MarkDesk, actor.Office, archive.Target{Ref: target.Ref, Office: actor.Office}
	}
	_, err := d.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActListRequests, Target: target})
	if err != nil {
		return nil, err
	}
	ids, err := d.c.Marks.Marked(ctx, kind, value)
	if err != nil {
		return nil, fmt.Errorf("requests: %w", err)
	}
	slices.Sort(ids) // ids begin with their time
	slices.Reverse(ids)
	var list []archive.Version[archive.Request]
	for _, id := range ids {
		if f.Before != "" && id >= f.Before {
			continue
		}
		v, err := d.c.Requests.Head(ctx, id)
		if errors.Is(err, archive.ErrNotFound) {
			continue // marked, not committed
		}
		if err != nil {
			return nil, fmt.Errorf("requests: %w", err)
		}
		if f.State == "" || v.Value.State == f.State {
			list = append(list, v)
		}
		if f.Limit > 0 && len(list) == f.Limit {
			break
		}
	}
	return list, nil
}
