package holdings

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dangan/archive"
)

// Describe changes the description of a record with a merge patch (RFC 7396)
// over its JSON. n is the version the caller has seen; when there is a newer
// one, the error is archive.ErrConflict. Identity, files and origin of a record
// never change. Masked values that come back as they were shown mean "as it is".
func (h *Room) Describe(ctx context.Context, actor archive.Actor, id string, n int, patch []byte) (archive.RecordView, error) {
	var none archive.RecordView
	v, err := h.head(ctx, id)
	if err != nil {
		return none, err
	}
	decision, err := h.c.Door.Pass(ctx, archive.Disclosure{
		Actor: actor, Action: archive.ActDescribe, Target: h.target(v), Purpose: archive.Purpose{Code: archive.ForArrangement},
	})
	if err != nil {
		return none, hide(err)
	}
	if v.N != n {
		return none, fmt.Errorf("describe: %w", archive.ErrConflict)
	}
	next, err := h.patched(ctx, v.Value, patch)
	if err != nil {
		return none, err
	}
	next.By, next.At = actor.ID, v.Value.At
	states, err := h.states(ctx, v.Value) // before the commit, after which nothing may fail
	if err != nil {
		return none, err
	}
	if err := h.replace(ctx, v, next); err != nil {
		return none, fmt.Errorf("describe: %w", err)
	}
	return view(archive.Version[archive.Record]{N: n + 1, Value: next}, states, decision), nil
}

// replace commits the next version of a record.
func (h *Room) replace(ctx context.Context, v archive.Version[archive.Record], next archive.Record) error {
	job := archive.Job{Kind: archive.JobRecord, Ref: next.Ref()}
	code := next.RefCode.Canonical()
	recoded := code != v.Value.RefCode.Canonical()
	if recoded {
		job.Claims = []archive.ClaimHeld{{Kind: archive.ClaimRefCode, Value: code}}
	}
	job, err := h.c.Outbox.Plan(ctx, job)
	if err != nil {
		return err
	}
	if recoded { // the former code stays claimed: it never means another record
		if err := h.claimCode(ctx, code, next.ID); err != nil {
			return err
		}
	}
	// On any error the job stays: settling a version again does no harm.
	if err := h.c.Records.Append(ctx, next.ID, v.N+1, next); err != nil {
		return err
	}
	h.c.Outbox.Start(job)
	return nil
}

// patched is the record with the patch applied, complete and checked.
func (h *Room) patched(ctx context.Context, old archive.Record, patch []byte) (archive.Record, error) {
	var changes map[string]any
	if err := json.Unmarshal(patch, &changes); err != nil || changes == nil {
		return old, archive.Problems{{Code: "not_an_object", Field: ""}}
	}
	var ps archive.Problems
	for _, field := range []string{"id", "files", "office", "by", "deposited"} {
		if _, ok := changes[field]; ok {
			ps.Add("immutable", field)
			delete(changes, field)
		}
	}
	next, err := merge(old, changes)
	var wrong archive.Problems
	if errors.As(err, &wrong) {
		return old, append(ps, wrong...)
	}
	if err != nil {
		return old, err
	}
	unmask(old, &next, &ps)
	next = next.Complete(h.c.Schema)
	ps = append(ps, next.Problems(h.c.Schema)...)
	if err := h.checkParent(ctx, next, &ps); err != nil {
		return old, err
	}
	return next, ps.Err()
}

// merge applies a merge patch. What follows from a changed field follows anew.
func merge(old archive.Record, changes map[string]any) (archive.Record, error) {
	for cause, effects := range map[string][]string{"reference_code": {"fonds"}, "category": {"family", "retention"}} {
		if _, ok := changes[cause]; !ok {
			continue
		}
		for _, e := range effects {
			if _, ok := changes[e]; !ok {
				changes[e] = nil
			}
		}
	}
	raw, err := json.Marshal(old)
	if err != nil {
		return old, err
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return old, err
	}
	if raw, err = json.Marshal(mergeObject(doc, changes)); err != nil {
		return old, err
	}
	var next archive.Record
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&next); err != nil {
		return old, misfit(err)
	}
	next.ID, next.Files, next.Office = old.ID, old.Files, old.Office
	return next, nil
}

func misfit(err error) archive.Problems {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return archive.Problems{{Code: "wrong_type", Field: wrong.Field}}
	}
	return archive.Problems{{Code: "unknown_field", Field: ""}} // its name may be anything
}

// mergeObject is the procedure of RFC 7396 for two objects.
func mergeObject(target, patch map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(target, k)
		case map[string]any:
			inner, _ := target[k].(map[string]any) // anything else is replaced
			target[k] = mergeObject(inner, v)
		default:
			target[k] = v
		}
	}
	return target
}

// unmask puts back what the describer was shown masked and sent back untouched.
// A masked number that cannot be traced is a problem: it must not be kept.
func unmask(old archive.Record, next *archive.Record, ps *archive.Problems) {
	shown := old.Masked([]archive.Mask{archive.MaskIDs})
	restore := func(now *string, masked, full string) {
		if *now == masked {
			*now = full
		}
	}
	restore(&next.Title, shown.Title, old.Title)
	restore(&next.Responsible, shown.Responsible, old.Responsible)
	restore(&next.Note, shown.Note, old.Note)
	for k, v := range next.Fields {
		restore(&v, shown.Fields[k], old.Fields[k])
		next.Fields[k] = v
	}
	for i := range next.Persons {
		id := &next.Persons[i].ID
		if !strings.Contains(id.Original, "*") {
			continue
		}
		same := slices.IndexFunc(old.Persons, func(p archive.Person) bool {
			return p.Name == next.Persons[i].Name && p.ID.Masked() == id.Original
		})
		if same < 0 {
			ps.Add("masked_value", fmt.Sprintf("persons[%d].id", i))
			continue
		}
		*id = old.Persons[same].ID
	}
}
