package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/peterbourgon/ff/v4"

	"dangan/archive"
	"dangan/cmd/dangan/demo"
)

// bench measures dangan against the raw component below it, both in one run and
// in turns, so that what the machine does besides weighs on both.
type bench struct {
	settings *settings
	house    *house
	embedded *embeddedHouse // nil when the house is on a configured store
	sealer   *sealer
	raw      *minio.Client // the same object store, without us
	bucket   string
	seeded   int    // records that at has put into a configured bucket
	meili    *meili // nil when the index is the embedded one
	index    string // name of the one in Meilisearch, where indexed measures
	dir      string // of the embedded house, where at measures
	engine   string
	seconds  float64
	clients  []int
	sizes    []int  // of deposited files, in bytes
	pages    []int  // of the files that copies are made of
	records  []int  // how many records search, lookup and start are measured at
	data     string // folder of the seeded stores; empty for one that goes away
	exe      string // of dangan, to start it as a process of its own
	stderr   io.Writer
	people   map[string]archive.Actor // by user name; looked up once, outside of what is measured
	results  *results
}

func benchCommand(c console) *ff.Command {
	var s settings
	flags := s.flags("bench")
	seconds := flags.Float64Long("seconds", 3, "how long each side of a measurement takes")
	clients := flags.StringLong("clients", "", "how many clients at once (default: 1,8,32 for ingest, 1,8 for the others)")
	sizes := flags.StringLong("sizes", "10KB,200KB,5MB,100MB", "sizes of deposited files; all measures no larger ones than 5MB")
	records := flags.StringLong("records", "2000", "how many records search, lookup and start are measured at, such as 10000,100000,1000000")
	data := flags.StringLong("data", "", "folder that keeps the stores made for --records, as the index keeps theirs, for the next run (default: they are removed)")
	out := flags.String('o', "output", "docs/images", "folder that plots writes into")
	profile := flags.StringLong("cpuprofile", "", "file to write a profile of this process to, for go tool pprof")
	asJSON := flags.BoolLong("json", "print JSON")
	return &ff.Command{
		Name: "bench", Usage: "dangan bench ingest|search|lookup|start|reindex|issue|verify|all [FLAGS]\n  dangan bench plots RESULTS.json... [-o DIR]", Flags: flags,
		ShortHelp: "measure dangan against the raw store and index, on embedded parts or on the configured servers",
		Exec: func(ctx context.Context, args []string) error {
			if len(args) > 0 && args[0] == "plots" {
				return plot(args[1:], *out)
			}
			b := &bench{seconds: *seconds, data: *data, stderr: c.stderr}
			if err := b.configure(*clients, *sizes, *records, args); err != nil {
				return err
			}
			stop, err := profileTo(*profile)
			if err != nil {
				return err
			}
			err = errors.Join(s.bench(ctx, c, flags, b, args), stop())
			if b.results == nil {
				return err
			}
			return errors.Join(err, b.results.print(c.stdout, *asJSON)) // what was measured before it failed, too
		},
	}
}

// configure reads the lists of the command line.
func (b *bench) configure(clients, sizes, records string, args []string) (err error) {
	some := "1,8"
	if len(args) > 0 && args[0] == "ingest" {
		some = "1,8,32"
	}
	if b.clients, err = numbers(cmp.Or(clients, some), 1); err != nil {
		return err
	}
	if b.records, err = numbers(records, 1); err != nil {
		return err
	}
	if b.sizes, err = numbers(sizes, 1000); err != nil {
		return err
	}
	b.pages = []int{1, 10, 100}
	if len(args) > 0 && args[0] == "all" {
		b.pages = []int{1}
		b.sizes = slices.DeleteFunc(b.sizes, func(size int) bool { return size > 5_000_000 })
	}
	b.exe, err = os.Executable()
	return err
}

// profileTo starts a profile, if there is a file to write it to.
func profileTo(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
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

// measurement is one subcommand of bench.
type measurement struct {
	name    string
	measure func(*bench, context.Context) error
	meili   bool // needs Meilisearch
}

func measurements() []measurement {
	return []measurement{
		{"ingest", (*bench).ingest, false}, {"search", (*bench).search, false}, {"lookup", (*bench).lookupAll, false},
		{"start", (*bench).start, true}, {"reindex", (*bench).reindex, true},
		{"issue", (*bench).issue, false}, {"verify", (*bench).verify, false},
	}
}

// chosen are the runs that the arguments name: all leaves out what the configured
// servers do not allow.
func chosen(args []string, withMeili bool) ([]measurement, error) {
	var some []measurement
	for _, r := range measurements() {
		if len(args) == 1 && (args[0] == r.name || args[0] == "all" && (withMeili || !r.meili)) {
			some = append(some, r)
		}
	}
	switch {
	case len(some) == 0:
		return nil, errors.New("bench takes one of ingest, search, lookup, start, reindex, issue, verify, all, plots")
	case some[0].meili && !withMeili:
		return nil, fmt.Errorf("bench %s needs --meili-url", some[0].name)
	}
	return some, nil
}

func (s *settings) bench(ctx context.Context, c console, flags *ff.FlagSet, b *bench, args []string) (err error) {
	if err := fromEnv(c.env, flags); err != nil {
		return err
	}
	order, err := chosen(args, s.meiliURL != "")
	if err != nil {
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
	b.results = newResults(b.engine, b.seconds)
	for _, r := range order {
		fmt.Fprintf(c.stderr, "measuring %s on %s\n", r.name, b.engine)
		if err := r.measure(b, ctx); err != nil {
			return fmt.Errorf("bench %s: %w", r.name, err)
		}
	}
	return nil
}

// openBench builds a house on the configured servers, or on embedded parts in a
// folder that goes away. Meilisearch may be configured alone.
func (s *settings) openBench(ctx context.Context, b *bench) (func() error, error) {
	log := slog.New(slog.DiscardHandler)
	b.settings = s
	if s.meiliURL != "" {
		key, err := readSecret("meili-key-file", s.meiliKey)
		if err != nil {
			return nil, err
		}
		b.meili = newMeili(s.meiliURL, key)
	}
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
	b.engine = "the embedded store and index"
	if b.meili != nil {
		b.engine = "the embedded store and the configured Meilisearch"
	}
	if err := b.moveInto(e); err != nil {
		return nil, errors.Join(err, closeHouse())
	}
	return closeHouse, nil
}

// moveInto measures what is in e from now on.
func (b *bench) moveInto(e *embeddedHouse) (err error) {
	b.embedded, b.house, b.bucket = e, e.house, "dangan"
	b.sealer, _ = e.house.stamper.(*sealer)
	b.raw, err = rawClient(e.store.Endpoint(), false, "us-east-1", e.store.AccessKey(), e.store.SecretKey(), e.store.Transport())
	return err
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
