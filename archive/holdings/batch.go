package holdings

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"

	"dangan/archive"
)

const (
	maxBatch = 1000 // deposits
	maxTries = 4    // ids for one record of a batch
)

// Deposit is one record of a batch with its files, which are asked for when it is
// the record's turn, several at once.
type Deposit struct {
	Record archive.Record
	Files  iter.Seq2[archive.Upload, error] // may be run again
}

// Deposited is how one deposit of a batch ended.
type Deposited struct {
	archive.RecordView
	Err error
}

// DepositAll takes a batch of records, such as a day's scans. All descriptions are
// checked before anything is stored, and everything wrong with them is told at
// once, each field after "records[i].". After that each record is kept or refused
// for itself, as the result at its place says.
//
// A key stands for the whole batch: a repetition finds what is there already and
// does what is left. The error is that of the whole; what the records came to is
// in the results.
func (h *Room) DepositAll(ctx context.Context, actor archive.Actor, key string, batch []Deposit) ([]Deposited, error) {
	records, decisions, err := h.acceptAll(ctx, actor, key, batch)
	if err != nil {
		return nil, err
	}
	first, again, err := h.onceAll(ctx, actor, key, records)
	if err != nil {
		return nil, err
	}
	for i := range records {
		records[i].ID, records[i].By, records[i].At = ids{first, i}.id(0), actor.ID, h.c.Now()
	}
	results, jobs := make([]Deposited, len(batch)), make([]archive.Job, len(batch))
	if !again { // otherwise most of it is there
		each(len(batch), len(batch), func(i int) { // they share a write or two
			jobs[i], results[i].Err = h.plan(ctx, records[i], nil)
		})
	}
	each(len(batch), atOnce, func(i int) {
		var v archive.Version[archive.Record]
		err := results[i].Err
		if err == nil {
			v, err = h.depositOne(ctx, jobs[i], records[i], ids{first, i}, batch[i].Files)
		}
		if err != nil {
			results[i].Err = fmt.Errorf("deposit %d of a batch: %w", i, err)
			return
		}
		results[i].RecordView = view(v, checking(v.Value), decisions[i])
	})
	return results, nil
}

// depositOne keeps a record of a batch, whose job may have been planned already;
// if not, an earlier attempt may have kept it. One that was abandoned for good
// begins anew under the id that comes next.
func (h *Room) depositOne(ctx context.Context, job archive.Job, r archive.Record, own ids, files iter.Seq2[archive.Upload, error]) (v archive.Version[archive.Record], err error) {
	planned := job.Kind != ""
	for try := 0; !planned && try < maxTries; try++ {
		if v, err = h.head(ctx, own.id(try)); !errors.Is(err, archive.ErrNotFound) {
			return v, err
		}
	}
	for try := range maxTries {
		r.ID = own.id(try)
		if try == 0 && planned {
			v, err = h.fulfil(ctx, job, r, files)
		} else {
			v, err = h.commit(ctx, r, nil, files)
		}
		if !errors.Is(err, archive.ErrConflict) {
			return v, err
		}
	}
	return v, err
}

func (h *Room) acceptAll(ctx context.Context, actor archive.Actor, key string, batch []Deposit) ([]archive.Record, []archive.Decision, error) {
	var ps archive.Problems
	if len(batch) == 0 || len(batch) > maxBatch {
		ps.Add("out_of_range", "records")
		return nil, nil, ps
	}
	records, decisions := make([]archive.Record, len(batch)), make([]archive.Decision, len(batch))
	codes := map[string]int{}
	for i, d := range batch {
		field := func(name string) string { return fmt.Sprintf("records[%d].%s", i, name) }
		r, decision, err := h.accept(ctx, actor, key, d.Record)
		var wrong archive.Problems
		if errors.As(err, &wrong) {
			for _, p := range wrong {
				p.Field = field(p.Field)
				ps = append(ps, p)
			}
		} else if err != nil {
			return nil, nil, err
		}
		if code := r.RefCode.Canonical(); code != "" {
			if _, twice := codes[code]; twice {
				ps.Add("reference_code_taken", field("reference_code"))
			}
			codes[code] = i
		}
		records[i], decisions[i] = r, decision
	}
	return records, decisions, ps.Err()
}

// onceAll is once for a batch: the id from which those of its records follow. The
// claim of its key is for ever, since each record may end in another way.
func (h *Room) onceAll(ctx context.Context, actor archive.Actor, key string, records []archive.Record) (first string, again bool, err error) {
	id := h.c.NewID()
	if key == "" {
		return id, false, nil
	}
	first, _, err = h.claimKey(ctx, actor, key, id, records)
	return first, first != id, err
}

// ids are those that a record of a batch may get.
type ids struct {
	first string // of the batch
	i     int    // the record's place in it
}

// id has the time of the batch, and a random part that follows from the rest.
func (s ids) id(try int) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's base 32
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", s.first, s.i, try))
	id := []byte(s.first)
	for at := 10; at < len(id); at++ { // after the time
		id[at] = digits[sum[at]%32]
	}
	return string(id)
}
