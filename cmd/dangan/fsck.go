package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/peterbourgon/ff/v4"

	"dangan/archive"
	"dangan/storage"
)

// fsck checks a bucket, and the index beside it, against itself.
type fsck struct {
	console
	settings settings
	data     string
	json     bool
	repair   bool
	quick    bool
	noIndex  bool
	rate     string
	resume   string
	memory   string
	upload   time.Duration

	state    fsckState
	findings []storage.Finding
	began    time.Time
	saved    time.Time
	unsaved  error          // why the progress could not be written
	earlier  storage.Weight // what earlier runs looked at and read
	total    storage.Weight // what there is
	bar      *progress
}

// fsckState is what a run that was killed leaves to the next one, in --resume.
type fsckState struct {
	Of       string            `json:"of"` // which bucket, checked how
	Place    storage.Place     `json:"place"`
	Objects  int64             `json:"objects"`
	Bytes    int64             `json:"bytes"`
	Findings []storage.Finding `json:"findings"`
}

// errWrong is the exit status when something is wrong, or left so.
const errWrong = exit(4)

func fsckCommand(c console) *ff.Command {
	f := &fsck{console: c, bar: newProgress(c.stderr)}
	flags := f.settings.flags("fsck")
	flags.StringVar(&f.data, 0, "data", "", "folder of dangan demo, which must not be running; without it, the configured bucket and index")
	flags.BoolVar(&f.json, 0, "json", "print the report as JSON")
	flags.BoolVar(&f.repair, 0, "repair", "mend what follows from sound chains: marks, claims, readings, documents, garbage")
	flags.BoolVar(&f.quick, 0, "quick", "leave out the contents of files")
	flags.BoolVar(&f.noIndex, 0, "no-index", "leave out the search index")
	flags.StringVar(&f.rate, 0, "rate", "", "read at most so much a second, such as 20MB")
	flags.StringVar(&f.resume, 0, "resume", "", "file to write the progress to, and to go on from when it is there")
	flags.StringVar(&f.memory, 0, "memory", "", "file that remembers what chains were, kept outside the bucket; it is read when it is there and replaced when the check has ended")
	flags.DurationVar(&f.upload, 0, "upload-time", storage.DefaultAge, "the longest that an upload may take: what is younger may still come to belong to something")
	return &ff.Command{
		Name: "fsck", Usage: "dangan fsck [--repair] [--quick] [--json] [FLAGS]", Flags: flags,
		ShortHelp: "re-read everything and report what is damaged, missing or left over; exit status 4 when something is wrong",
		Exec:      func(ctx context.Context, args []string) error { return f.run(ctx, flags, args) },
	}
}

func (f *fsck) run(ctx context.Context, flags *ff.FlagSet, args []string) error {
	rate, err := parseRate(f.rate)
	if err != nil || len(args) > 0 || f.upload <= 0 {
		return cmp.Or(err, errors.New("fsck takes flags only, and --upload-time is above zero"))
	}
	h, closeHouse, err := f.open(ctx, flags)
	if err != nil {
		return err
	}
	defer closeHouse()
	if err := f.goOn(); err != nil {
		return err
	}
	if f.total, err = storage.Weigh(ctx, h.bucket); err != nil {
		return err
	}
	f.began, f.earlier = time.Now(), storage.Weight{Objects: f.state.Objects, Bytes: f.state.Bytes}
	check := storage.CheckConfig{
		Quick: f.quick, Repair: f.repair, Rate: rate, Age: f.upload, From: f.state.Place, Settle: h.settle, Report: f.saw,
	}
	if !f.noIndex {
		check.Index = h.index.(storage.Index)
	}
	err = f.remembering(&check, func() error { return f.check(ctx, h.bucket, check) })
	f.bar.end()
	if err != nil {
		return errors.Join(err, f.save())
	}
	return f.report()
}

// remembering runs a check with the memory of the last one, and keeps that of this
// one if it began at the beginning.
func (f *fsck) remembering(c *storage.CheckConfig, check func() error) error {
	if f.memory == "" {
		return check()
	}
	c.Memory = &storage.Memory{}
	before, err := os.Open(f.memory)
	if err == nil {
		defer before.Close()
		c.Memory.Before = before
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--memory: %w", err)
	}
	if f.state.Place.Stage > 0 || f.state.Place.After != "" {
		return check()
	}
	after, err := os.OpenFile(f.memory+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("--memory: %w", err)
	}
	buffer := bufio.NewWriter(after)
	c.Memory.After = buffer
	err = check()
	err = errors.Join(cmp.Or(err, buffer.Flush(), after.Sync()), after.Close())
	if err != nil {
		return errors.Join(err, os.Remove(after.Name()))
	}
	return os.Rename(after.Name(), f.memory)
}

// open opens everything, as to serve it.
func (f *fsck) open(ctx context.Context, flags *ff.FlagSet) (*house, func(), error) {
	log := slog.New(slog.DiscardHandler)
	if f.data == "" {
		if err := f.settings.load(f.console, flags); err != nil {
			return nil, nil, err
		}
		f.state.Of = f.settings.s3Endpoint + "/" + f.settings.s3Bucket
		return f.settings.open(ctx, log)
	}
	if _, err := os.Stat(filepath.Join(f.data, "root.key")); err != nil {
		return nil, nil, fmt.Errorf("--data: %s is no folder of dangan demo: %w", f.data, err)
	}
	e, err := openEmbedded(ctx, f.data, "", log)
	if err != nil {
		return nil, nil, err
	}
	f.state.Of = f.data
	return e.house, e.close, nil
}

// settle does again what follows a version of a record.
func (h *house) settle(ctx context.Context, id string) error {
	err := h.holdings.Settle(ctx, archive.Job{Kind: archive.JobRecord, Ref: archive.Ref{Kind: archive.KindRecord, ID: id}, At: time.Now()})
	if errors.Is(err, archive.ErrEarly) {
		return nil
	}
	return err
}

// goOn takes up what an earlier run left.
func (f *fsck) goOn() error {
	f.state.Of = fmt.Sprintf("%s quick=%t index=%t", f.state.Of, f.quick, !f.noIndex)
	if f.resume == "" {
		return nil
	}
	raw, err := os.ReadFile(f.resume)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var left fsckState
	if err == nil {
		err = json.Unmarshal(raw, &left)
	}
	if err == nil && left.Of != f.state.Of {
		err = fmt.Errorf("is the progress of another check (%s)", left.Of)
	}
	if err != nil {
		return fmt.Errorf("--resume: %s: %w", f.resume, err)
	}
	f.state = left
	return nil
}

func (f *fsck) save() error {
	if f.resume == "" {
		return nil
	}
	return writeJSON(f.resume, f.state)
}

func (f *fsck) check(ctx context.Context, b *storage.Bucket, c storage.CheckConfig) error {
	f.findings = f.state.Findings
	told := map[string]bool{} // by an earlier run
	for _, finding := range f.findings {
		told[string(finding.Code)+finding.Object] = true
		f.tell(finding)
	}
	for finding, err := range storage.Check(ctx, b, c) {
		if err = errors.Join(err, f.unsaved); err != nil {
			return err
		}
		if !told[string(finding.Code)+finding.Object] {
			f.findings = append(f.findings, finding)
			f.tell(finding)
		}
	}
	return f.unsaved
}

// saw takes note of how far the check is: all findings so far lie before it.
func (f *fsck) saw(c storage.Checked) {
	f.state.Place, f.state.Findings = c.Place, f.findings
	f.state.Objects, f.state.Bytes = f.earlier.Objects+c.Objects, f.earlier.Bytes+c.Bytes
	f.show(c)
	const pause = 2 * time.Second
	if now := time.Now(); now.Sub(f.saved) > pause {
		f.saved = now
		f.unsaved = f.save()
	}
}
