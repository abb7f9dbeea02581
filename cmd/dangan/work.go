package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/peterbourgon/ff/v4"

	"dangan/archive"
	"dangan/archive/work"
)

// workCommand shows the jobs of a bucket to a person and lets them run again.
type workCommand struct {
	out     io.Writer
	store   work.Store
	json    bool
	dead    bool
	waiting bool
	allDead bool
}

func newWorkCommand(c console) *ff.Command {
	var s settings
	w := &workCommand{out: c.stdout}
	flags := s.flags("work")
	data := flags.StringLong("data", "", "folder of dangan demo, which must not be running; without it, the configured bucket")
	flags.BoolVar(&w.json, 0, "json", "print JSON")
	flags.BoolVar(&w.dead, 0, "dead", "list only jobs that were given up")
	flags.BoolVar(&w.waiting, 0, "waiting", "list only jobs that will be tried without help")
	flags.BoolVar(&w.allDead, 0, "all-dead", "retry every job that was given up")
	return &ff.Command{
		Name: "work", Usage: "dangan work list|show|retry [FLAGS] [ID...]", Flags: flags,
		ShortHelp: "list the work that is left to do, and try again what was given up",
		Exec: func(ctx context.Context, args []string) error {
			act, err := w.parse(args)
			if err != nil {
				return err
			}
			bucket, closeAll, err := s.openStored(ctx, c, flags, *data)
			if err != nil {
				return err
			}
			defer closeAll()
			w.store = bucket.Work()
			return act(ctx)
		},
	}
}

// parse finds out what to do before anything is opened.
func (w *workCommand) parse(args []string) (func(context.Context) error, error) {
	if len(args) == 0 {
		return nil, errors.New("work: say list, show or retry")
	}
	ids := args[1:]
	for i := range ids {
		ids[i] = strings.ToUpper(ids[i])
	}
	switch verb := args[0]; {
	case verb == "list" && len(ids) == 0 && !(w.dead && w.waiting):
		return w.list, nil
	case verb == "show" && len(ids) == 1:
		return func(ctx context.Context) error { return w.show(ctx, ids[0]) }, nil
	case verb == "retry" && (len(ids) > 0) != w.allDead:
		return func(ctx context.Context) error { return w.retry(ctx, ids) }, nil
	}
	return nil, errors.New("work: use list [--dead|--waiting], show ID, or retry with IDs or --all-dead")
}

// jobLine is a job as it is shown. It holds no value of a claim: that may be a
// reference code or worse.
type jobLine struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Ref      string    `json:"ref"` // the chain it is about: kind/id
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next,omitzero"` // absent when it is due, or dead
	Failure  string    `json:"failure,omitempty"`
	Dead     bool      `json:"dead"`
	Claims   []string  `json:"claims,omitempty"` // kinds
}

func lineOf(job archive.Job) jobLine {
	l := jobLine{ID: job.Nonce, Kind: job.Kind, Ref: job.Ref.String(), Since: job.At.UTC(), Attempts: job.Attempts,
		Failure: job.Failure, Dead: job.Dead}
	if !job.Dead {
		l.Next = job.Next.UTC()
	}
	for _, c := range job.Claims {
		l.Claims = append(l.Claims, c.Kind)
	}
	return l
}

// list prints the jobs that could be read, oldest first, and fails when others
// could not.
func (w *workCommand) list(ctx context.Context) error {
	jobs, err := work.List(ctx, w.store)
	if err != nil && !errors.Is(err, archive.ErrCorrupt) {
		return err
	}
	lines := []jobLine{} // JSON must not say null
	for _, job := range jobs {
		if !(w.dead && !job.Dead || w.waiting && job.Dead) {
			lines = append(lines, lineOf(job))
		}
	}
	slices.SortStableFunc(lines, func(a, b jobLine) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.ID, b.ID))
	})
	if w.json {
		return errors.Join(w.printJSON(lines), err)
	}
	return errors.Join(w.printTable(lines), err)
}

func (w *workCommand) printJSON(v any) error {
	out := json.NewEncoder(w.out)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

func (w *workCommand) printTable(lines []jobLine) error {
	t := tabwriter.NewWriter(w.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tKIND\tREF\tATTEMPTS\tNEXT\tFAILURE\tDEAD\tSINCE")
	for _, l := range lines {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%t\t%s\n", l.ID, l.Kind, l.Ref, l.Attempts, timeOr(l.Next, "-"),
			cmp.Or(l.Failure, "-"), l.Dead, timeOr(l.Since, "-"))
	}
	return t.Flush()
}

func timeOr(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.Format(time.RFC3339)
}

func (w *workCommand) show(ctx context.Context, id string) error {
	found, err := w.find(ctx, []string{id})
	if err != nil {
		return err
	}
	return w.printJSON(lineOf(found[0]))
}

// retry makes the named jobs due, or all dead ones, and says which.
func (w *workCommand) retry(ctx context.Context, ids []string) error {
	chosen, err := w.find(ctx, ids)
	if err != nil && !(w.allDead && errors.Is(err, archive.ErrCorrupt)) {
		return err
	}
	lines := []jobLine{}
	for _, job := range chosen {
		if err := work.Retry(ctx, w.store, job); err != nil {
			return err
		}
		lines = append(lines, lineOf(job))
	}
	if w.json {
		return errors.Join(w.printJSON(lines), err)
	}
	for _, l := range lines {
		fmt.Fprintf(w.out, "%s %s %s: due at once\n", l.ID, l.Kind, l.Ref)
	}
	fmt.Fprintf(w.out, "%d to be tried again\n", len(lines))
	return err
}

// find is the jobs with these ids, in their order, or all dead ones. An id of no
// job is an error before anything is done.
func (w *workCommand) find(ctx context.Context, ids []string) ([]archive.Job, error) {
	jobs, damaged := work.List(ctx, w.store)
	if damaged != nil && !errors.Is(damaged, archive.ErrCorrupt) {
		return nil, damaged
	}
	if w.allDead {
		return slices.DeleteFunc(jobs, func(j archive.Job) bool { return !j.Dead }), damaged
	}
	var found []archive.Job
	for _, id := range ids {
		i := slices.IndexFunc(jobs, func(j archive.Job) bool { return j.Nonce == id })
		if i < 0 {
			return nil, errors.Join(fmt.Errorf("job %q: %w", id, archive.ErrNotFound), damaged)
		}
		found = append(found, jobs[i])
	}
	return found, nil
}
