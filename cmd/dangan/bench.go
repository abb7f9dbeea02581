package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/peterbourgon/ff/v4"

	"dangan/archive"
	"dangan/cmd/dangan/demo"
)

// bench measures dangan against the raw component below it, both in one run and
// in turns, so that what the machine does besides weighs on both.
type bench struct {
	house   *house
	sealer  *sealer
	raw     *minio.Client // the same object store, without us
	bucket  string
	engine  string
	seconds float64
	clients []int
	sizes   []int
	records int
	people  map[string]archive.Actor // by user name; looked up once, outside of what is measured
	out     []row
}

func benchCommand(c console) *ff.Command {
	var s settings
	flags := s.flags("bench")
	seconds := flags.Float64Long("seconds", 3, "how long each measurement takes")
	clients := flags.StringLong("clients", "1,8", "how many clients at once")
	sizes := flags.StringLong("sizes", "10KB,200KB,5MB", "sizes of deposited files")
	records := flags.IntLong("records", 2000, "how many records to search among")
	asJSON := flags.BoolLong("json", "print JSON")
	return &ff.Command{
		Name: "bench", Usage: "dangan bench ingest|search|issue|verify|all [FLAGS]", Flags: flags,
		ShortHelp: "measure dangan against the raw store and index, on embedded parts or on the configured servers",
		Exec: func(ctx context.Context, args []string) error {
			b := &bench{seconds: *seconds, records: *records}
			var err error
			if b.clients, err = numbers(*clients, 1); err != nil {
				return err
			}
			if b.sizes, err = numbers(*sizes, 1000); err != nil {
				return err
			}
			if err := s.bench(ctx, c, flags, b, args); err != nil {
				return err
			}
			return b.report(c.stdout, *asJSON)
		},
	}
}

// numbers reads a list such as 1,8 or 10KB,5MB.
func numbers(list string, kilo int) ([]int, error) {
	var ns []int
	for _, word := range strings.Split(list, ",") {
		unit := 1
		for suffix, factor := range map[string]int{"KB": kilo, "MB": kilo * kilo} {
			if rest, ok := strings.CutSuffix(word, suffix); ok {
				word, unit = rest, factor
			}
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a list of numbers", list)
		}
		ns = append(ns, n*unit)
	}
	return ns, nil
}

func (s *settings) bench(ctx context.Context, c console, flags *ff.FlagSet, b *bench, args []string) (err error) {
	runs := map[string]func(context.Context) error{"ingest": b.ingest, "search": b.search, "issue": b.issue, "verify": b.verify}
	order := []string{"ingest", "search", "issue", "verify"}
	if len(args) == 1 && args[0] != "all" {
		order = args
	}
	if len(args) != 1 || runs[order[0]] == nil {
		return errors.New("bench takes one of ingest, search, issue, verify, all")
	}
	if err := fromEnv(c.env, flags); err != nil {
		return err
	}
	closeHouse, err := s.openBench(ctx, b)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeHouse()) }()
	ctx, stop := context.WithCancel(ctx)
	worked := make(chan error, 1)
	go func() { worked <- b.house.run(ctx) }()
	defer func() {
		stop()
		<-worked
	}()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, name := range order {
		fmt.Fprintf(c.stderr, "measuring %s on %s\n", name, b.engine)
		if err := runs[name](ctx); err != nil {
			return fmt.Errorf("bench %s: %w", name, err)
		}
	}
	return nil
}

// openBench builds a house on the configured servers, or on embedded parts in a
// folder that goes away.
func (s *settings) openBench(ctx context.Context, b *bench) (func() error, error) {
	log := slog.New(slog.DiscardHandler)
	if s.s3Endpoint != "" {
		closeHouse, err := s.openServers(ctx, b, log)
		if err == nil {
			b.sealer, _ = b.house.stamper.(*sealer)
		}
		return closeHouse, err
	}
	dir, err := os.MkdirTemp("", "dangan-bench-")
	if err != nil {
		return nil, err
	}
	e, err := openEmbedded(ctx, dir, "http://localhost", log)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	closeHouse := func() error {
		e.close()
		return os.RemoveAll(dir)
	}
	b.house, b.engine, b.bucket = e.house, "the embedded store and index", "dangan"
	b.sealer, _ = e.house.stamper.(*sealer)
	b.raw, err = rawClient(e.store.Endpoint(), false, "us-east-1", e.store.AccessKey(), e.store.SecretKey(), e.store.Transport())
	if err != nil {
		return nil, errors.Join(err, closeHouse())
	}
	return closeHouse, nil
}

func rawClient(endpoint string, secure bool, region, access, secret string, transport http.RoundTripper) (*minio.Client, error) {
	return minio.New(endpoint, &minio.Options{Creds: credentials.NewStaticV4(access, secret, ""), Secure: secure, Region: region, Transport: transport})
}

// prepare makes the offices and accounts of the demonstration.
func (b *bench) prepare(ctx context.Context) error {
	p := plan{Offices: demo.Offices()}
	for _, a := range demo.Accounts() {
		if slices.Contains([]string{"uploader", "reviewer", "approver", "citizen"}, a.User) {
			p.Accounts = append(p.Accounts, newcomer{Account: a})
		}
	}
	if err := p.apply(ctx, b.house.bucket, b.house.newID, func(newcomer) error { return nil }); err != nil {
		return err
	}
	b.people = map[string]archive.Actor{}
	for _, n := range p.Accounts {
		a, err := b.house.actor(ctx, n.User)
		if err != nil {
			return err
		}
		b.people[n.User] = a
	}
	return nil
}

// row is one comparison.
type row struct {
	What    string  `json:"what"`
	Against string  `json:"against"`
	Clients int     `json:"clients"`
	Raw     summary `json:"raw"`
	Dangan  summary `json:"dangan"`
}

// MarshalJSON adds the ratio.
func (r row) MarshalJSON() ([]byte, error) {
	type plain row
	return json.Marshal(struct {
		plain
		Ratio float64 `json:"ratio"`
	}{plain(r), r.Ratio()})
}

// Ratio is dangan's throughput over the raw one.
func (r row) Ratio() float64 { return r.Dangan.PerSecond / r.Raw.PerSecond }

func (b *bench) report(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]any{"engine": b.engine, "go": runtime.Version(), "cores": runtime.NumCPU(), "rows": b.out})
	}
	fmt.Fprintf(w, "%s, %d cores, %s, %.1f s a measurement\n\n", b.engine, runtime.NumCPU(), runtime.Version(), b.seconds)
	fmt.Fprintln(w, "| what | clients | against | raw /s | raw p50 / p95 ms | dangan /s | dangan p50 / p95 ms | ratio |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for _, r := range b.out {
		fmt.Fprintf(w, "| %s | %d | %s | %.0f | %s | %.0f | %s | %.2f |\n", r.What, r.Clients, r.Against,
			r.Raw.PerSecond, r.Raw.times(), r.Dangan.PerSecond, r.Dangan.times(), r.Ratio())
	}
	return nil
}

// compare measures raw and ours in turns, three times each.
func (b *bench) compare(ctx context.Context, what, against string, clients int, raw, ours func(ctx context.Context, n int) error) error {
	const turns = 3
	slice := time.Duration(b.seconds / turns * float64(time.Second))
	var theirs, mine sample
	for turn := range turns {
		for _, side := range []struct {
			s  *sample
			op func(context.Context, int) error
		}{{&theirs, raw}, {&mine, ours}} {
			if err := side.s.measure(ctx, slice, clients, side.op); err != nil {
				return fmt.Errorf("%s, turn %d: %w", what, turn, err)
			}
		}
	}
	b.out = append(b.out, row{what, against, clients, theirs.summary(), mine.summary()})
	return nil
}
