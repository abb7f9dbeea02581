package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/peterbourgon/ff/v4"
	"golang.org/x/sync/errgroup"

	"dangan/archive"
	"dangan/cmd/dangan/demo"
)

func demoCommand(c console) *ff.Command {
	flags := ff.NewFlagSet("demo")
	address := flags.StringLong("listen", "127.0.0.1:8080", "address to listen on")
	data := flags.StringLong("data", "", "folder to keep the demonstration in; a second start goes on with it (default: a folder that is removed at the end)")
	records := flags.IntLong("records", 300, "how many records to make")
	var scans ocrSettings
	scans.flags(flags)
	level := flags.StringEnumLong("log-level", "what to log on stderr", "error", "warn", "info", "debug")
	return &ff.Command{
		Name: "demo", Usage: "dangan demo [--listen ADDR] [--data DIR]", Flags: flags,
		ShortHelp: "run everything on this machine, with a synthetic office in it",
		Exec: func(ctx context.Context, _ []string) error {
			s := settings{logLevel: *level}
			log, err := s.logger(c)
			if err != nil {
				return err
			}
			return runDemo(ctx, c, log, *address, *data, *records, scans)
		},
	}
}

func runDemo(ctx context.Context, c console, log *slog.Logger, address, dir string, records int, scans ocrSettings) error {
	l, err := listen(address)
	if err != nil {
		return err
	}
	defer l.Close()
	if dir == "" {
		if dir, err = os.MkdirTemp("", "dangan-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	e, err := openEmbedded(ctx, dir, "http://"+l.Addr().String(), log, scans)
	if err != nil {
		return err
	}
	defer e.close()
	people, err := keepCredentials(dir)
	if err != nil {
		return err
	}
	p := plan{Offices: demo.Offices(), Accounts: people}
	if err := p.apply(ctx, e.house.bucket, e.house.newID, func(newcomer) error { return nil }); err != nil {
		return err
	}
	printAccounts(c.stdout, e.house.publicURL, people)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.serve(ctx, l) })
	group.Go(func() error {
		err := fill(ctx, c, e.house, dir, people, records)
		for errors.Is(err, archive.ErrUnavailable) { // until the store is back: nothing is made twice
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Second):
			}
			err = fill(ctx, c, e.house, dir, people, records)
		}
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	})
	return group.Wait()
}

// keepCredentials reads the accounts with their passwords and tokens, or makes
// them up. They stand in a file of the data folder before the accounts are made,
// so that a second start knows them.
func keepCredentials(dir string) ([]newcomer, error) {
	path := filepath.Join(dir, "credentials.json")
	raw, err := os.ReadFile(path)
	if err == nil {
		var people []newcomer
		return people, json.Unmarshal(raw, &people)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var people []newcomer
	for _, a := range demo.Accounts() {
		n := newcomer{Account: a}
		if err := n.invent(); err != nil {
			return nil, err
		}
		people = append(people, n)
	}
	return people, writeJSON(path, people)
}

// fill makes the synthetic office through the use cases and writes demo.json.
func fill(ctx context.Context, c console, h *house, dir string, people []newcomer, records int) error {
	bar := newProgress(c.stderr)
	samples, err := demo.Fill(ctx, demo.Rooms{
		Holdings: h.holdings, Desk: h.desk, Certificates: h.certificates,
		Actor: h.actor, Wait: h.idle, Now: time.Now,
	}, records, bar.show)
	bar.end()
	if err != nil {
		return fmt.Errorf("filling the demonstration: %w", err)
	}
	type account struct {
		Role     archive.Role `json:"role"`
		Name     string       `json:"name"`
		User     string       `json:"user"`
		Password string       `json:"password"`
		Token    string       `json:"token"`
	}
	out := struct {
		URL      string       `json:"url"`
		Accounts []account    `json:"accounts"`
		Samples  demo.Samples `json:"samples"`
	}{URL: h.publicURL, Samples: samples}
	for _, p := range people {
		out.Accounts = append(out.Accounts, account{p.Role, p.Name, p.User, p.Password, p.Token})
	}
	path := filepath.Join(dir, "demo.json")
	if err := writeJSON(path, out); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "\nReady. Verify certificate %s with code %s at %s/v\nAccounts, tokens and samples for scripts: %s\nCtrl-C ends it.\n",
		samples.Certificate.Number, samples.Certificate.Code, h.publicURL, path)
	return nil
}

// actor is the account with a user name, at work.
func (h *house) actor(ctx context.Context, user string) (archive.Actor, error) {
	id, err := h.bucket.Claims().Holder(ctx, archive.ClaimUser, user)
	if err != nil {
		return archive.Actor{}, err
	}
	v, err := h.accounts.Head(ctx, id)
	if err != nil {
		return archive.Actor{}, err
	}
	return v.Value.Actor(h.person), nil
}

// idle waits until no work is left that could still be done.
func (h *house) idle(ctx context.Context) error {
	for {
		waiting := 0
		for job, err := range h.bucket.Work().Jobs(ctx) {
			if err != nil {
				return err
			}
			if !job.Dead {
				waiting++
			}
		}
		if waiting == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func printAccounts(w io.Writer, url string, people []newcomer) {
	fmt.Fprintf(w, "dangan is serving a synthetic archive office at %s\n\n", url)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ROLE\tUSER\tPASSWORD\tPAGE")
	page := map[archive.Role]string{archive.RoleCitizen: "/requests", archive.RoleAgency: "/lookup",
		archive.RoleAdmin: "/accounts", archive.RoleSecurity: "/accounts", archive.RoleAuditor: "/accesses"}
	for _, p := range people {
		path, ok := page[p.Role]
		if !ok {
			path = "/"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Role, p.User, p.Password, url+path)
	}
	fmt.Fprintf(t, "anybody\t\t\t%s/v\n", url)
	_ = t.Flush() // a table that cannot be printed is no reason to stop
	fmt.Fprintln(w)
}

// writeJSON replaces a file that only its owner may read.
func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeDurable(path, append(raw, '\n'), 0o600)
}

// serve ends when the embedded store does.
func (e *embeddedHouse) serve(ctx context.Context, l net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.house.serve(ctx, l) })
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-e.store.Done():
			return e.store.Err()
		}
	})
	return group.Wait()
}

// randomKey is 32 bytes in hex.
func randomKey() (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(rand.Reader, raw); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", raw), nil
}
