package holdings

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"mime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dangan/archive"
)

const (
	maxFiles = 200
	maxKey   = 200 // characters of an Idempotency-Key
	cleanup  = 10 * time.Second
)

// Deposit takes a record with its files. On return it is durable; reading,
// marks and index follow.
//
// With a key, a repetition of the same description by the same actor returns
// the record of the first, and another description under that key is a problem.
// An error that is an archive.Problems means that nothing was kept. After any
// other error the outcome may be open, and repeating with the same key is safe.
func (h *Room) Deposit(ctx context.Context, actor archive.Actor, key string, r archive.Record, files iter.Seq2[archive.Upload, error]) (archive.RecordView, error) {
	r, decision, err := h.accept(ctx, actor, key, r)
	if err != nil {
		return archive.RecordView{}, err
	}
	r, held, again, err := h.once(ctx, actor, key, r)
	if err != nil {
		return archive.RecordView{}, err
	}
	if again {
		if v, err := h.head(ctx, r.ID); err == nil {
			return view(v, checking(v.Value), decision), nil
		} else if !errors.Is(err, archive.ErrNotFound) {
			return archive.RecordView{}, err
		}
	}
	r.By, r.At = actor.ID, h.c.Now()
	v, err := h.commit(ctx, r, held, files)
	if err != nil {
		return archive.RecordView{}, fmt.Errorf("deposit: %w", err)
	}
	return view(v, checking(v.Value), decision), nil
}

// checking is the state of the files of a deposit. It is not looked up: nothing
// may fail once the record is there.
func checking(r archive.Record) []archive.FileState {
	states := make([]archive.FileState, len(r.Files))
	for i := range states {
		states[i].State = archive.Checking
	}
	return states
}

// accept checks everything that can be checked before something is stored.
func (h *Room) accept(ctx context.Context, actor archive.Actor, key string, r archive.Record) (archive.Record, archive.Decision, error) {
	if r.Office == "" {
		r.Office = actor.Office
	}
	r = r.Complete(h.c.Schema)
	r.ID, r.Files, r.By, r.At = "", nil, "", time.Time{}
	decision, err := h.c.Door.Pass(ctx, archive.Disclosure{Actor: actor, Action: archive.ActDeposit, Target: r.Target()})
	if err != nil {
		return r, decision, fmt.Errorf("deposit: %w", err)
	}
	ps := r.Problems(h.c.Schema)
	if utf8.RuneCountInString(key) > maxKey {
		ps.Add("too_long", "Idempotency-Key")
	}
	if err := h.checkParent(ctx, r, &ps); err != nil {
		return r, decision, err
	}
	return r, decision, ps.Err()
}

// checkParent notes a parent that is not there, is another office's, or is not
// above the record.
func (h *Room) checkParent(ctx context.Context, r archive.Record, ps *archive.Problems) error {
	if !archive.ValidID(r.Parent) {
		return nil // none, or noted by Record.Problems
	}
	parent, err := h.head(ctx, r.Parent)
	switch {
	case errors.Is(err, archive.ErrNotFound), err == nil && parent.Value.Office != r.Office:
		ps.Add("unknown_parent", "parent")
	case err != nil:
		return err
	case rank(parent.Value.Level) >= rank(r.Level):
		ps.Add("parent_not_above", "parent")
	}
	return nil
}

func rank(l archive.Level) int {
	switch l {
	case archive.LevelFonds:
		return 0
	case archive.LevelClass:
		return 1
	case archive.LevelFile:
		return 2
	}
	return 3
}

// once gives the record its id: a new one, or under a key that was used for the
// same description before, the id that was meant then.
func (h *Room) once(ctx context.Context, actor archive.Actor, key string, r archive.Record) (_ archive.Record, held []archive.ClaimHeld, again bool, err error) {
	id, fresh := h.c.NewID(), ""
	if key != "" {
		fresh = id
		id, held, err = h.claimKey(ctx, actor, key, fresh, r)
	}
	r.ID = id
	return r, held, fresh != "" && id != fresh, err
}

// claimKey claims an idempotency key for a request that is to make id, or finds
// what the same request was to make before.
func (h *Room) claimKey(ctx context.Context, actor archive.Actor, key, id string, request any) (string, []archive.ClaimHeld, error) {
	owner, err := archive.OnceOwner(id, request)
	if err != nil {
		return id, nil, fmt.Errorf("deposit: %w", err)
	}
	claim := archive.ClaimHeld{Kind: archive.ClaimIdempotency, Value: actor.ID + "\n" + key}
	holder, err := h.c.Claims.Claim(ctx, claim.Kind, claim.Value, owner)
	if errors.Is(err, archive.ErrExists) {
		first, same := archive.OnceHeld(holder, owner)
		if !same {
			return id, nil, archive.Problems{{Code: "idempotency_key_reused", Field: "Idempotency-Key"}}
		}
		id, err = first, nil
	}
	if err != nil {
		return id, nil, fmt.Errorf("deposit: %w", err)
	}
	return id, []archive.ClaimHeld{claim}, nil
}

// commit makes the record: first the job, so that whatever happens afterwards is
// either completed or undone; last the entry, which is the only commit point.
func (h *Room) commit(ctx context.Context, r archive.Record, held []archive.ClaimHeld, files iter.Seq2[archive.Upload, error]) (archive.Version[archive.Record], error) {
	job, err := h.plan(ctx, r, held)
	if err != nil {
		return archive.Version[archive.Record]{}, err
	}
	return h.fulfil(ctx, job, r, files)
}

// plan makes the job of a record that is to be, which names its claims: those
// held for its key, and last that of its reference code.
func (h *Room) plan(ctx context.Context, r archive.Record, held []archive.ClaimHeld) (archive.Job, error) {
	code := archive.ClaimHeld{Kind: archive.ClaimRefCode, Value: r.RefCode.Canonical()}
	return h.c.Outbox.Plan(ctx, archive.Job{Kind: archive.JobRecord, Ref: r.Ref(), New: true, Claims: append(held, code)})
}

// fulfil does what a job announces.
func (h *Room) fulfil(ctx context.Context, job archive.Job, r archive.Record, files iter.Seq2[archive.Upload, error]) (archive.Version[archive.Record], error) {
	var none archive.Version[archive.Record]
	keyed := len(job.Claims) > 1
	if err := h.claimCode(ctx, r.RefCode.Canonical(), r.ID); err != nil {
		h.giveUp(ctx, job, keyed, err)
		return none, err
	}
	var err error
	if r.Files, err = h.keep(ctx, r.Ref(), files); err != nil {
		h.giveUp(ctx, job, keyed, err)
		return none, err
	}
	err = h.c.Records.Append(ctx, r.ID, 1, r)
	switch {
	case err == nil:
		h.c.Outbox.Start(job)
		return archive.Version[archive.Record]{N: 1, At: r.At, Value: r}, nil
	case errors.Is(err, archive.ErrConflict): // a repetition was faster, or the sweep
		v, found := h.head(ctx, r.ID)
		switch {
		case found == nil:
			h.c.Outbox.Start(job)
			return v, nil
		case errors.Is(found, archive.ErrNotFound): // what the sweep freed was claimed again
			h.giveUp(ctx, job, false, err)
		}
	}
	return none, err // perhaps committed: the sweep will see
}

func (h *Room) claimCode(ctx context.Context, canonical, id string) error {
	_, err := h.c.Claims.Claim(ctx, archive.ClaimRefCode, canonical, id)
	if errors.Is(err, archive.ErrExists) {
		return archive.Problems{{Code: "reference_code_taken", Field: "reference_code"}}
	}
	return err
}

// keep streams the files into the store.
func (h *Room) keep(ctx context.Context, ref archive.Ref, uploads iter.Seq2[archive.Upload, error]) ([]archive.File, error) {
	var files []archive.File
	carry := archive.Carry{Entry: 1, Room: archive.CarryRoom}
	for up, err := range uploads {
		if err != nil {
			return nil, fmt.Errorf("upload: %w", err)
		}
		field := fmt.Sprintf("files[%d]", len(files))
		switch {
		case len(files) == maxFiles:
			return nil, archive.Problems{{Code: "too_many_files", Field: "files"}}
		case !goodName(up.Name):
			return nil, archive.Problems{{Code: "bad_name", Field: field}}
		}
		blob, err := h.c.Blobs.PutBlob(ctx, ref, up.Body, carry)
		if err != nil {
			return nil, fmt.Errorf("keep file: %w", err)
		}
		if blob.Size == 0 {
			return nil, archive.Problems{{Code: "empty_file", Field: field}}
		}
		carry.Room -= int64(len(blob.Sealed))
		files = append(files, archive.File{Name: up.Name, MediaType: mediaType(up.MediaType), Blob: blob})
	}
	return files, nil
}

func goodName(name string) bool {
	return name != "" && name != "." && name != ".." && utf8.ValidString(name) && utf8.RuneCountInString(name) <= 200 &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) })
}

func mediaType(declared string) string {
	t, _, err := mime.ParseMediaType(declared)
	if err != nil || len(t) > 100 {
		return "application/octet-stream"
	}
	return t
}

// giveUp undoes a deposit that surely was not committed, so that its reference
// code is free at once. After a mere failure under a key it leaves everything to
// the sweep: a repetition goes on with the same id and needs the claims.
func (h *Room) giveUp(ctx context.Context, job archive.Job, keyed bool, cause error) {
	if keyed && !errors.Is(cause, archive.ErrInvalid) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	err := archive.Abandon(ctx, h.c.Records, h.c.Claims, job)
	if err == nil {
		err = h.c.Outbox.Drop(ctx, job)
	}
	if err != nil {
		h.c.Log.WarnContext(ctx, "deposit left to the sweep", "ref", job.Ref.String(), "error", err)
	}
}
