// Package holdings keeps records (馆藏): deposit, description, reading and search.
//
// It owns the order of steps that makes a deposit safe, what must follow each
// new version of a record, and how a record looks to somebody. It must not know
// who may see what (package policy), how a disclosure is recorded (package
// evidence), or anything of buckets, search engines, PDF or HTTP.
package holdings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"dangan/archive"
)

// Config is what the room works with.
type Config struct {
	Records Records
	Blobs   Blobs
	Derived Derived
	Claims  Claims
	Marks   Marks
	Outbox  Outbox
	Index   Index
	Reader  Reader
	Door    Door
	// Recognizer reads scans, in jobs that Later keeps; nil when there is none.
	Recognizer Recognizer
	Later      Planner
	Schema     archive.Schema
	Now        func() time.Time
	NewID      func() string // a ULID
	Log        *slog.Logger

	// Grace is the longest a deposit may take, its upload included. After it an
	// uncommitted deposit is fenced off.
	Grace time.Duration
}

// Room is the use cases. Its methods may be called concurrently.
type Room struct {
	c     Config
	ahead chan fileView // read, and not drawn yet
}

// New opens the room.
func New(c Config) *Room { return &Room{c: c, ahead: make(chan fileView, maxAhead)} }

// head finds a record. Whatever is no id cannot name one.
func (h *Room) head(ctx context.Context, id string) (archive.Version[archive.Record], error) {
	if !archive.ValidID(id) {
		return archive.Version[archive.Record]{}, fmt.Errorf("record: %w", archive.ErrNotFound)
	}
	v, err := h.c.Records.Head(ctx, id)
	if err != nil {
		return v, fmt.Errorf("record: %w", err)
	}
	return v, nil
}

// target is what policy needs to know of a record, with the tokens of everybody
// it is about in any of the versions.
func (h *Room) target(versions ...archive.Version[archive.Record]) archive.Target {
	t := versions[len(versions)-1].Value.Target()
	for _, v := range versions {
		t.Subjects = append(t.Subjects, h.tokens(v.Value)...)
	}
	return t
}

func (h *Room) tokens(r archive.Record) []string {
	var tokens []string
	for _, key := range personKeys(r) {
		tokens = append(tokens, h.c.Marks.Token(archive.MarkPerson, key))
	}
	return tokens
}

func personKeys(r archive.Record) []string {
	var keys []string
	for _, p := range r.Persons {
		if !p.ID.IsZero() {
			keys = append(keys, p.ID.Key())
		}
	}
	return keys
}

// hide makes a record that one may not see look like one that does not exist.
func hide(err error) error {
	if errors.Is(err, archive.ErrForbidden) {
		return fmt.Errorf("record: %w", archive.ErrNotFound)
	}
	return err
}

// heads finds the records that exist among ids, in their order.
func (h *Room) heads(ctx context.Context, ids []string) ([]archive.Version[archive.Record], error) {
	found := make([]archive.Version[archive.Record], len(ids))
	failures := make([]error, len(ids))
	each(len(ids), atOnce, func(i int) {
		found[i], failures[i] = h.head(ctx, ids[i])
		if errors.Is(failures[i], archive.ErrNotFound) {
			failures[i] = nil // the record of a mark or hit may never have been committed
		}
	})
	missing := func(v archive.Version[archive.Record]) bool { return v.N == 0 }
	return slices.DeleteFunc(found, missing), errors.Join(failures...)
}

// atOnce is how many deposits of a batch, which share group commits, or records of
// hits are under way at the same time.
const atOnce = 32

// each does something n times, some of it at once.
func each(n, atOnce int, do func(i int)) {
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wg.Wait()
}

// view is a version as the decision lets it be seen.
func view(v archive.Version[archive.Record], states []archive.FileState, d archive.Decision) archive.RecordView {
	return archive.RecordView{Record: v.Value.Masked(d.Masks), Version: v.N, States: states, Masked: d.Masks}
}

// states are those of the files of a record, in order.
func (h *Room) states(ctx context.Context, r archive.Record) ([]archive.FileState, error) {
	states := []archive.FileState{}
	for _, f := range r.Files {
		state, found, err := h.state(ctx, r.Ref(), f)
		if err != nil {
			return nil, err
		}
		note, err := h.scanNote(ctx, r.Ref(), f, found)
		if err != nil {
			return nil, err
		}
		if note != "" {
			state.Findings = append(state.Findings, archive.Finding{Code: note})
		}
		states = append(states, state)
	}
	return states, nil
}

// reading is the kind under which the reader's findings are derived.
const reading = "reading"

// state is where a file is on its way, and what the reader found in it.
func (h *Room) state(ctx context.Context, ref archive.Ref, f archive.File) (archive.FileState, archive.Reading, error) {
	var found archive.Reading
	raw, err := h.c.Derived.Derived(ctx, ref, f.ID, reading)
	if errors.Is(err, archive.ErrNotFound) {
		return archive.FileState{State: archive.Checking}, found, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &found)
	}
	if err != nil {
		return archive.FileState{}, found, fmt.Errorf("file state: %w", err)
	}
	s := archive.FileState{State: archive.Ready, Kind: found.MediaType, Pages: found.Pages, Findings: found.Findings, Sizes: found.Sizes, Signatures: found.Signatures}
	if found.Rejected() {
		s.State = archive.Rejected
	}
	return s, found, nil
}
