package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"dangan/archive"
)

// AccessLog keeps the trace of disclosures. Entries of callers that come while
// an object is being written share the next one.
type AccessLog struct {
	b       *Bucket
	commits group[archive.Access]
}

const (
	commitEntries = 1000        // at most in one object
	commitSpan    = time.Minute // of the times in its ids, FORMAT.md section 6
)

func newAccessLog(b *Bucket) *AccessLog {
	l := &AccessLog{b: b}
	l.commits = group[archive.Access]{put: l.put, takes: func(entries []archive.Access, next archive.Access) bool {
		apart := idTime(next.ID).Sub(idTime(entries[0].ID)).Abs()
		return len(entries) < commitEntries && apart <= commitSpan/2
	}}
	return l
}

// Record makes the entry durable before it returns. Its id must be a ULID that was
// not recorded before. When ctx ends first the entry may become durable all the
// same.
func (l *AccessLog) Record(ctx context.Context, a archive.Access) error {
	if !archive.ValidID(a.ID) {
		return fmt.Errorf("record access: id is no ULID: %w", archive.ErrInvalid)
	}
	if err := l.commits.add(ctx, a); err != nil {
		return fmt.Errorf("record access %s: %w", a.ID, err)
	}
	return nil
}

func (l *AccessLog) put(ctx context.Context, entries []archive.Access) error {
	slices.SortFunc(entries, newestFirst)
	var plain bytes.Buffer
	lines := json.NewEncoder(&plain)
	for _, a := range entries {
		if err := lines.Encode(a); err != nil {
			return fmt.Errorf("encode: %w", err)
		}
	}
	o, err := l.b.sealRing(accessKey(ulid.MustParse(entries[0].ID)), header{}, plain.Bytes())
	if err != nil {
		return err
	}
	return l.b.create(ctx, o)
}

// Accesses lists entries, newest first by id, older than the entry with id
// before (all when empty), at most limit.
func (l *AccessLog) Accesses(ctx context.Context, before string, limit int) ([]archive.Access, error) {
	if before != "" && !archive.ValidID(before) {
		return nil, fmt.Errorf("list accesses: no such position: %w", archive.ErrInvalid)
	}
	entries, err := l.list(ctx, before, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list accesses: %w", err)
	}
	return entries, nil
}

// list merges objects, whose spans may overlap when replicas write at once. An
// entry is final when no object that is still to come can hold a newer one.
func (l *AccessLog) list(ctx context.Context, before string, limit int) ([]archive.Access, error) {
	var pending []archive.Access
	for o, err := range l.b.objects.List(ctx, accessPrefix, startOf(before)) {
		if err != nil {
			return nil, err
		}
		greatest, err := accessID(o.Key)
		if err != nil {
			return nil, err
		}
		if final(pending, greatest) >= limit {
			break
		}
		entries, err := l.read(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		for _, a := range entries {
			if before == "" || a.ID < before {
				pending = append(pending, a)
			}
		}
		slices.SortFunc(pending, newestFirst)
	}
	return pending[:min(limit, len(pending))], nil
}

// final counts the entries, sorted newest first, that are newer than greatest.
func final(entries []archive.Access, greatest string) int {
	n, _ := slices.BinarySearchFunc(entries, greatest, func(a archive.Access, id string) int {
		return cmp.Compare(id, a.ID)
	})
	return n
}

func (l *AccessLog) read(ctx context.Context, key string) ([]archive.Access, error) {
	_, plain, err := l.b.fetchRing(ctx, key)
	if err != nil {
		return nil, err
	}
	var entries []archive.Access
	lines := json.NewDecoder(bytes.NewReader(plain))
	for lines.More() {
		var a archive.Access
		if err := lines.Decode(&a); err != nil {
			return nil, fmt.Errorf("get %s: body is no access entry: %w", key, archive.ErrCorrupt)
		}
		entries = append(entries, a)
	}
	return entries, nil
}

func newestFirst(a, b archive.Access) int { return cmp.Compare(b.ID, a.ID) }

// accessPrefix and the complement of the id make the newest object come first;
// the shard keeps the folders of a file system store small.
const (
	accessPrefix = "access/"
	accessShard  = 5 // characters of the name
)

func accessKey(greatest ulid.ULID) string {
	name := strings.ToLower(complement(greatest).String())
	return accessPrefix + name[:accessShard] + "/" + name
}

// accessID is the greatest id in the object with this key.
func accessID(key string) (string, error) {
	id, err := ulid.ParseStrict(strings.ToUpper(lastSegment(key)))
	if err != nil || key != accessKey(complement(id)) {
		return "", fmt.Errorf("%s is no access object: %w", key, archive.ErrCorrupt)
	}
	return complement(id).String(), nil
}

// startOf is the key before that of the first object which may hold an entry
// older than before.
func startOf(before string) string {
	if before == "" {
		return ""
	}
	latest := ulid.MustParse(before)
	ms := min(latest.Time()+uint64(commitSpan.Milliseconds())+1, ulid.MaxTime())
	if err := latest.SetTime(ms); err != nil {
		panic(err) // only above MaxTime
	}
	return accessKey(latest)
}

func complement(id ulid.ULID) ulid.ULID {
	for i := range id {
		id[i] = ^id[i]
	}
	return id
}

func idTime(id string) time.Time { return ulid.Time(ulid.MustParse(id).Time()) }
