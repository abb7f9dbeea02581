package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"dangan/archive"
)

// Folders of what belongs to no chain. indexFolder is that of documents in findings.
const (
	claimFolder  = "claim/"
	marksFolder  = "mark/"
	workFolder   = "work/"
	leaseFolder  = "lease/"
	systemFolder = "system/"
	indexFolder  = "index/"
)

// fate is what became of a chain that something speaks of.
type fate int

const (
	lives   fate = iota
	fenced       // its first write was abandoned
	never        // there is nothing of it
	lost         // it has a data key and no entry
	damaged      // it cannot be read; that is told elsewhere
)

// fate reads a chain, and what it names when it lives.
func (k *checker) fate(ctx context.Context, ref archive.Ref) (fate, archive.Named, error) {
	named, _, err := k.b.names(ctx, ref)
	switch {
	case err == nil:
		return lives, named, nil
	case errors.Is(err, archive.ErrCorrupt):
		return damaged, named, nil
	case errors.Is(err, archive.ErrInvalid): // no id
		return never, named, nil
	case !errors.Is(err, archive.ErrNotFound):
		return never, named, err
	}
	if there, err := k.exists(ctx, entryName(ref, 1)); err != nil || there {
		return fenced, named, err
	}
	key, err := dataKeyName(ref)
	if err != nil {
		return never, named, err
	}
	if there, err := k.exists(ctx, key); err != nil || there {
		return lost, named, err
	}
	return never, named, nil
}

// judge finds out what is wrong with one object of a listing.
type judge func(ctx context.Context, o Listed) ([]Finding, error)

// shards cuts the listing of a folder into its shards, and judges the objects of
// those that are not just what the chains have vouched for.
func (k *checker) shards(ctx context.Context, folder, after string, judge judge) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		var part []Listed
		flush := func() bool {
			return len(part) == 0 || yield(k.shard(shardFolder(part[0].Key), part, judge), nil)
		}
		for o, err := range k.b.objects.List(ctx, folder, after) {
			if err != nil {
				yield(piece{}, err)
				return
			}
			if len(part) > 0 && shardFolder(part[0].Key) != shardFolder(o.Key) {
				if !flush() {
					return
				}
				part = nil
			}
			part = append(part, o)
		}
		flush()
	}
}

func (k *checker) shard(folder string, part []Listed, judge judge) piece {
	return piece{last: part[len(part)-1].Key, objects: len(part), check: func(ctx context.Context) ([]Finding, error) {
		var total sum
		for _, o := range part {
			total = total.plus(o.Key)
		}
		if k.judged.complete && total == k.judged.of(folder) {
			return nil, nil
		}
		var all []Finding
		for _, o := range part {
			findings, err := judge(ctx, o)
			if err != nil {
				return nil, err
			}
			all = append(all, findings...)
		}
		return all, nil
	}}
}

// each judges every object in a folder.
func (k *checker) each(ctx context.Context, folder, after string, judge judge) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		for o, err := range k.b.objects.List(ctx, folder, after) {
			p := piece{last: o.Key, objects: 1, check: func(ctx context.Context) ([]Finding, error) { return judge(ctx, o) }}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func (k *checker) claims(ctx context.Context, after string) iter.Seq2[piece, error] {
	return k.shards(ctx, claimFolder, after, k.judgeClaim)
}

// judgeClaim looks whether the holder of a value is there, and names it.
func (k *checker) judgeClaim(ctx context.Context, o Listed) ([]Finding, error) {
	part := strings.Split(o.Key, "/")
	if len(part) != 4 || !isHex(part[3], 64) || part[2] != part[3][:2] {
		return []Finding{found(ObjectStray, o.Key)}, nil
	}
	kind, naming := archive.ClaimingKind(part[1])
	if kind == "" {
		return []Finding{found(ObjectStray, o.Key)}, nil
	}
	there, plain, err := k.b.fetchRing(ctx, o.Key)
	if errors.Is(err, archive.ErrNotFound) {
		return nil, nil
	}
	var held claim
	if err == nil && json.Unmarshal(plain, &held) != nil {
		err = archive.ErrCorrupt
	}
	if err == nil {
		if key, wrong := k.b.Claims().key(part[1], held.Value); wrong != nil || key != o.Key {
			err = archive.ErrCorrupt
		}
	}
	switch {
	case errors.Is(err, archive.ErrCorrupt):
		return []Finding{found(ClaimChanged, o.Key)}, nil
	case err != nil:
		return nil, err
	case held.Owner == "" || !naming || !there.At.Before(k.oldest):
		return nil, nil
	}
	return k.judgeHolder(ctx, o.Key, archive.Value{Kind: part[1], Value: held.Value}, archive.Ref{Kind: kind, ID: held.Owner})
}

// judgeHolder looks whether the chain that holds a value names it.
func (k *checker) judgeHolder(ctx context.Context, key string, v archive.Value, owner archive.Ref) ([]Finding, error) {
	became, named, err := k.fate(ctx, owner)
	if err != nil || became == damaged || became == lives && slices.Contains(named.Claims, v) {
		return nil, err
	}
	if busy, err := k.underWay(ctx, owner.ID); err != nil || busy {
		return nil, err
	}
	f := found(ClaimDangling, key)
	if became == lives {
		f = found(ClaimStale, key)
	}
	f.chain = owner.ID
	if became != lost {
		f = f.mendedBy(func(ctx context.Context) error { return k.b.Claims().Release(ctx, v.Kind, v.Value, owner.ID) })
	}
	return []Finding{f}, nil
}

func (k *checker) marks(ctx context.Context, after string) iter.Seq2[piece, error] {
	return k.shards(ctx, marksFolder, after, k.judgeMark)
}

// judgeMark looks whether the chain that a mark leads to names its value.
func (k *checker) judgeMark(ctx context.Context, o Listed) ([]Finding, error) {
	part := strings.Split(o.Key, "/")
	if len(part) != 6 || !isHex(part[4], 64) || part[3] != part[4][:2] {
		return []Finding{found(ObjectStray, o.Key)}, nil
	}
	ref := archive.Ref{Kind: archive.MarkedKind(part[1]), ID: idOf(part[5])}
	n, err := strconv.Atoi(part[2])
	ring, stale := k.b.freshRing(ctx)
	if stale != nil {
		return nil, stale
	}
	if _, known := ring.Version(n); err != nil || !known || ref.Kind == "" {
		return []Finding{found(MarkUnknown, o.Key)}, nil
	}
	became, named, err := k.markFate(ctx, ref, o.Key)
	if err != nil || named || became == damaged || became != lives && !o.Modified.Before(k.oldest) {
		return nil, err
	}
	if busy, err := k.underWay(ctx, ref.ID); err != nil || busy {
		return nil, err
	}
	if there, err := k.exists(ctx, o.Key); err != nil || !there {
		return nil, err
	}
	f := found(MarkStale, o.Key)
	f.chain = ref.ID
	if became != lost {
		f = f.mendedBy(func(ctx context.Context) error { return k.unmark(ctx, ref, o.Key) })
	}
	return []Finding{f}, nil
}

// unmark takes a mark away, unless its chain has come to name it.
func (k *checker) unmark(ctx context.Context, ref archive.Ref, key string) error {
	became, named, err := k.markFate(ctx, ref, key)
	if err != nil || named || became == damaged {
		return err
	}
	return k.b.objects.Delete(ctx, key)
}

// markFate is the fate of the chain that a mark leads to, and whether it names what
// the mark stands for, under a version of the ring that is looked under.
func (k *checker) markFate(ctx context.Context, ref archive.Ref, key string) (became fate, names bool, err error) {
	became, named, err := k.fate(ctx, ref)
	ring := k.b.ring()
	for _, v := range named.Marks {
		for _, version := range ring.Versions {
			again, err := k.b.Marks().key(ring, version.N, v.Kind, v.Value, ref.ID)
			if err == nil && again == key && !version.Left {
				return became, true, nil
			}
		}
	}
	return became, false, err
}

func (k *checker) jobs(ctx context.Context, after string) iter.Seq2[piece, error] {
	return k.each(ctx, workFolder, after, func(ctx context.Context, o Listed) ([]Finding, error) {
		plans, err := k.b.work.readLines(ctx, o.Key)
		if errors.Is(err, archive.ErrNotFound) {
			return nil, nil
		}
		if err == nil && !strings.HasPrefix(o.Key, batchPrefix) {
			if len(plans) != 1 {
				err = archive.ErrCorrupt
			} else if own, wrong := jobKey(plans[0].Job); wrong != nil || own != o.Key {
				err = archive.ErrCorrupt
			}
		}
		if errors.Is(err, archive.ErrCorrupt) {
			return []Finding{found(JobChanged, o.Key)}, nil
		}
		for _, p := range plans {
			if p.Job.Dead {
				return []Finding{found(JobDead, o.Key)}, nil
			}
		}
		return nil, err
	})
}

// met remembers the highest number of a sequence.
func (k *checker) met(name string, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.numbers[name] = max(k.numbers[name], n)
}

// highest are the numbers that were met.
func (k *checker) highest() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.numbers)
}

// leases looks at leases and sequences, and then for sequences that certificates
// have numbers of.
func (k *checker) leases(ctx context.Context, after string) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		for p, err := range k.each(ctx, leaseFolder, after, k.judgeLease) {
			if !yield(p, err) || err != nil {
				return
			}
		}
		yield(piece{last: leaseFolder + "~", check: k.checkSequences}, nil)
	}
}

const sequencePrefix = leaseFolder + "sequence-"

func (k *checker) judgeLease(ctx context.Context, o Listed) ([]Finding, error) {
	_, plain, err := k.b.fetchRing(ctx, o.Key)
	if errors.Is(err, archive.ErrNotFound) {
		return nil, nil
	}
	var again string
	if err == nil && strings.HasPrefix(o.Key, statePrefix) {
		var s state
		err = json.Unmarshal(plain, &s)
		again = k.b.States().key(s.Name)
	} else if err == nil && strings.HasPrefix(o.Key, sequencePrefix) {
		var s sequence
		err = json.Unmarshal(plain, &s)
		again = sequencePrefix + k.b.ring().Claim.Hash("sequence", s.Name)
	} else if err == nil {
		var l archive.Lease
		err = json.Unmarshal(plain, &l)
		again = leaseFolder + l.Name
	}
	if err != nil && !errors.Is(err, archive.ErrCorrupt) && plain == nil {
		return nil, err
	}
	if err != nil || again != o.Key {
		return []Finding{found(LeaseChanged, o.Key)}, nil
	}
	return nil, nil
}

func (k *checker) checkSequences(ctx context.Context) ([]Finding, error) {
	var wrong []Finding
	highest := k.highest()
	for _, name := range slices.Sorted(maps.Keys(highest)) {
		key := sequencePrefix + k.b.ring().Claim.Hash("sequence", name)
		var s sequence
		_, plain, err := k.b.fetchRing(ctx, key)
		if err != nil && !errors.Is(err, archive.ErrNotFound) {
			if errors.Is(err, archive.ErrCorrupt) {
				continue // told
			}
			return nil, err
		}
		if err == nil && json.Unmarshal(plain, &s) != nil {
			continue // told
		}
		if s.Last < highest[name] {
			wrong = append(wrong, found(SequenceBehind, key))
		}
	}
	return wrong, nil
}

func (k *checker) accesses(ctx context.Context, after string) iter.Seq2[piece, error] {
	return k.each(ctx, accessPrefix, after, func(ctx context.Context, o Listed) ([]Finding, error) {
		greatest, err := accessID(o.Key)
		if err != nil {
			return []Finding{found(ObjectStray, o.Key)}, nil
		}
		entries, err := k.b.access.read(ctx, o.Key)
		if err == nil {
			err = orderly(entries, greatest)
		}
		if errors.Is(err, archive.ErrCorrupt) {
			return []Finding{found(AccessChanged, o.Key)}, nil
		}
		return nil, err
	})
}

// orderly checks what FORMAT.md section 6 says of the entries of one object.
func orderly(entries []archive.Access, greatest string) error {
	for i, a := range entries {
		if !archive.ValidID(a.ID) || i == 0 && a.ID != greatest || i > 0 && a.ID >= entries[i-1].ID ||
			idTime(greatest).Sub(idTime(a.ID)) > commitSpan {
			return fmt.Errorf("entry %d is out of order: %w", i, archive.ErrCorrupt)
		}
	}
	if len(entries) == 0 {
		return fmt.Errorf("no entry: %w", archive.ErrCorrupt)
	}
	return nil
}
