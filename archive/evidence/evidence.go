// Package evidence is the one door through which record content leaves: it asks
// policy, writes down who looked and why, and only then lets the content go.
//
// It owns the order "decide, record, release". It must not know what the content
// is, who shows it, or how the log is stored.
package evidence

import (
	"context"
	"fmt"
	"time"

	"dangan/archive"
	"dangan/archive/policy"
)

// maxAccesses is the longest list one call gives.
const maxAccesses = 500

// Config is what the door works with.
type Config struct {
	Log      Log
	Subjects Subjects
	Claims   Claims
	Now      func() time.Time
	NewID    func() string // sortable by time
}

// Room is the door. Its methods may be called concurrently.
type Room struct{ c Config }

// New opens the door.
func New(c Config) *Room { return &Room{c: c} }

// Pass decides about a disclosure. When policy wants a trace it is durable
// before Pass returns, and its id is the decision's Receipt; if it cannot be
// written, nothing may be released and the error says why. A refusal is
// archive.ErrForbidden. A purpose that is missing, not one of the list or lacks its case is an
// archive.Problems with the field "purpose".
func (r *Room) Pass(ctx context.Context, d archive.Disclosure) (archive.Decision, error) {
	decision := policy.Decide(d.Actor, d.Action, d.Target)
	if !decision.Allowed {
		return archive.Decision{}, fmt.Errorf("%s: %w", d.Action, archive.ErrForbidden)
	}
	given := d.Purpose != archive.Purpose{}
	switch {
	case given && !d.Purpose.Valid():
		return archive.Decision{}, archive.Problems{{Code: "bad_purpose", Field: "purpose"}}
	case !given && decision.Purpose:
		return archive.Decision{}, archive.Problems{{Code: "purpose_required", Field: "purpose"}}
	case decision.Case && d.Purpose.Case == "":
		return archive.Decision{}, archive.Problems{{Code: "case_required", Field: "purpose"}}
	case !decision.Trace:
		return decision, nil
	}
	entry := r.entry(d)
	if err := r.c.Log.Record(ctx, entry); err != nil {
		return archive.Decision{}, fmt.Errorf("record access: %w", err)
	}
	decision.Receipt = entry.ID
	return decision, nil
}

func (r *Room) entry(d archive.Disclosure) archive.Access {
	return archive.Access{
		ID:      r.c.NewID(),
		At:      r.c.Now(),
		Actor:   d.Actor.ID,
		Role:    d.Actor.Role,
		Office:  d.Actor.Office,
		Action:  d.Action,
		Ref:     d.Target.Ref,
		Also:    d.Also,
		Detail:  d.Detail,
		Purpose: d.Purpose,
	}
}

// Accesses lists traces for an auditor, newest first, older than the one with id
// before. Looking at traces leaves one, too.
func (r *Room) Accesses(ctx context.Context, actor archive.Actor, before string, limit int) ([]archive.Access, error) {
	var ps archive.Problems
	if before != "" && !archive.ValidID(before) {
		ps.Add("bad_id", "before")
	}
	if limit < 1 || limit > maxAccesses {
		ps.Add("out_of_range", "limit")
	}
	if err := ps.Err(); err != nil {
		return nil, err
	}
	if _, err := r.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActAccesses}); err != nil {
		return nil, err
	}
	list, err := r.c.Log.Accesses(ctx, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list accesses: %w", err)
	}
	return list, nil
}
