package storage

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"iter"
	"maps"
	"sync"
	"time"
)

// Index is what Check needs to know of a search index.
type Index interface {
	// Versions tells which entry of each record the index has; a record that it
	// does not have is left out.
	Versions(ctx context.Context, ids ...string) (map[string]int, error)
	// IDs yields the id of every document once, in any order.
	IDs(ctx context.Context) iter.Seq2[string, error]
	// Delete takes a document out; one that is not there is no error.
	Delete(ctx context.Context, id string) error
}

// CheckConfig says how to check.
type CheckConfig struct {
	Quick  bool  // leave out the contents of files
	Repair bool  // mend what can be mended
	Rate   int64 // bytes read per second, at most; 0 for as fast as it goes
	// Age is the longest that an upload may take: what is younger and belongs to
	// nothing may still come to belong to something. 0 means DefaultAge.
	Age     time.Duration
	Workers int   // pieces of the walk that are in hand at once; 0 means 12
	Index   Index // nil: not compared
	// Settle does again what follows a version of a record: readings, marks, index.
	// nil: what needs it cannot be mended.
	Settle func(ctx context.Context, id string) error
	// From is where an earlier check had got to; zero for the beginning. Uploads and
	// documents that it has told of may be told again.
	From   Place
	Report func(Checked) // told after every piece; nil for nobody
	// Memory is what the last check saw; nil for nothing. A check that does not begin at
	// the beginning writes no new one.
	Memory *Memory
}

// DefaultAge is the longest upload that is reckoned with.
const DefaultAge = 24 * time.Hour

// Place is how far a check has got. It is written as JSON, to go on from later.
type Place struct {
	Stage     int            `json:"stage"`
	After     string         `json:"after"`
	Sequences map[string]int `json:"sequences,omitempty"` // the highest number met of each
	Damaged   []string       `json:"damaged,omitempty"`   // ids of chains that are left as they are
}

// Checked is what a check has done so far.
type Checked struct {
	Place   Place
	Objects int64 // looked at
	Bytes   int64 // read from the store
}

// checker is one run of Check.
type checker struct {
	CheckConfig
	b       *Bucket // reads through pace, with caches of its own
	pace    *pace
	oldest  time.Time // what was written after it is young
	objects int64     // looked at

	place  Place
	judged *sums // marks and claims that the chains have vouched for

	written hash.Hash // of the memory for the next check; nil when none is written

	mu      sync.Mutex
	numbers map[string]int  // the highest met of each sequence
	busy    map[string]bool // ids of chains that have a job
	read    time.Time       // when busy was

	told    map[string]bool // chains that are gone or rolled back
	damaged map[string]bool // as in place
}

// Check compares everything in the bucket with what FORMAT.md says and with what it
// says of each other, and yields what is wrong. It reads while others write: what
// may still be under way is no finding. An error is one of the store, and ends it.
//
// Memory does not grow with the archive, but with what is unfinished and wrong.
func Check(ctx context.Context, b *Bucket, c CheckConfig) iter.Seq2[Finding, error] {
	if c.Age == 0 {
		c.Age = DefaultAge
	}
	if c.Workers == 0 {
		c.Workers = 12
	}
	return func(yield func(Finding, error) bool) {
		k := &checker{CheckConfig: c, place: c.From, told: map[string]bool{}, damaged: map[string]bool{}, numbers: map[string]int{}}
		for _, id := range c.From.Damaged {
			k.damaged[id] = true
		}
		whole := c.From.Stage == 0 && c.From.After == ""
		k.judged = newSums(whole)
		if whole && c.Memory != nil && c.Memory.After != nil {
			k.written = sha256.New()
		}
		maps.Copy(k.numbers, c.From.Sequences)
		k.pace = &pace{Objects: b.objects, rate: c.Rate}
		k.b = b.over(k.pace)
		k.oldest = b.now().Add(-c.Age)
		k.run(ctx, yield)
	}
}

// stage is one part of the walk.
type stage func(ctx context.Context, after string) iter.Seq2[piece, error]

// piece is a bit of a stage that can be checked by itself. last is the place after it.
type piece struct {
	last    string
	objects int
	check   func(ctx context.Context) ([]Finding, error)
	done    func() error // in the order of the walk; nil for nothing
}

func (k *checker) stages() []stage {
	return []stage{k.chains, k.claims, k.marks, k.jobs, k.leases, k.accesses, k.strays, k.system, k.uploads, k.excess}
}

func (k *checker) run(ctx context.Context, yield func(Finding, error) bool) {
	for i, stage := range k.stages() {
		after := ""
		if i < k.From.Stage {
			continue
		}
		if i == k.From.Stage {
			after = k.From.After
		}
		k.place.Stage = i
		if !k.walk(ctx, stage(ctx, after), yield) {
			return
		}
		k.place.After = ""
	}
	if err := k.seal(); err != nil {
		yield(Finding{}, err)
		return
	}
	k.place.Stage++
	k.report()
}

// outcome is what came of a piece.
type outcome struct {
	piece
	findings []Finding
	err      error
}

// walk checks several pieces at once and yields what they found in their order.
func (k *checker) walk(ctx context.Context, pieces iter.Seq2[piece, error], yield func(Finding, error) bool) bool {
	ctx, cancel := context.WithCancel(ctx)
	outcomes := make(chan chan outcome, k.Workers)
	var walking sync.WaitGroup
	defer walking.Wait()
	defer cancel()
	walking.Go(func() {
		defer close(outcomes)
		for p, err := range pieces {
			out := make(chan outcome, 1)
			select {
			case outcomes <- out:
			case <-ctx.Done():
				return
			}
			if err != nil {
				out <- outcome{err: err}
				return
			}
			walking.Go(func() {
				findings, err := p.check(ctx)
				out <- outcome{p, findings, err}
			})
		}
	})
	for out := range outcomes {
		if !k.take(ctx, <-out, yield) {
			return false
		}
	}
	if err := ctx.Err(); err != nil {
		yield(Finding{}, fmt.Errorf("check: %w", err))
		return false
	}
	return true
}

// take hands the findings of a piece on, mended where that is wanted.
func (k *checker) take(ctx context.Context, o outcome, yield func(Finding, error) bool) bool {
	if o.err != nil {
		yield(Finding{}, o.err)
		return false
	}
	for _, f := range o.findings {
		if k.known(&f) {
			continue
		}
		if k.Repair && f.mend != nil {
			if err := f.mend(ctx); err != nil {
				yield(Finding{}, err)
				return false
			}
			f.Mended = true
		}
		if !yield(f, nil) {
			return false
		}
	}
	if o.done != nil {
		if err := o.done(); err != nil {
			yield(Finding{}, err)
			return false
		}
	}
	k.place.After = o.last
	k.objects += int64(o.objects)
	k.report()
	return true
}

// known reports whether a finding was told before. What belongs to a damaged chain
// cannot be mended: it may be all that is left of what was lost.
func (k *checker) known(f *Finding) bool {
	if f.Code == ChainMissing || f.Code == ChainRolledBack {
		if k.told[f.Object] {
			return true
		}
		k.told[f.Object] = true
	}
	if f.Severity == Damage && f.chain != "" && !k.damaged[f.chain] {
		k.place.Damaged = append(k.place.Damaged, f.chain)
		k.damaged[f.chain] = true
	}
	if k.damaged[f.chain] {
		*f = f.mendedBy(nil)
	}
	return false
}

func (k *checker) report() {
	if k.Report != nil {
		k.place.Sequences = k.highest()
		k.Report(Checked{Place: k.place, Objects: k.objects, Bytes: k.pace.bytes.Load()})
	}
}

// Weight is how much there is to check.
type Weight struct{ Objects, Bytes int64 }

// Weigh counts the objects of the bucket. It reads nothing but listings.
func Weigh(ctx context.Context, b *Bucket) (Weight, error) {
	var w Weight
	for o, err := range b.objects.List(ctx, "", "") {
		if err != nil {
			return w, err
		}
		w.Objects++
		w.Bytes += o.Size
	}
	return w, nil
}

// underWay reports whether a chain has a job, which may change what follows from it.
func (k *checker) underWay(ctx context.Context, ids ...string) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	const fresh = 500 * time.Millisecond
	if k.busy == nil || time.Since(k.read) > fresh {
		began := time.Now()
		busy := map[string]bool{}
		for o, err := range k.b.objects.List(ctx, "work/", "") {
			if err != nil {
				return false, err
			}
			plans, err := k.b.work.readLines(ctx, o.Key)
			if err != nil && !isDamage(err) {
				return false, err
			}
			for _, p := range plans {
				busy[p.Job.Ref.ID] = true
			}
		}
		k.busy, k.read = busy, began
	}
	for _, id := range ids {
		if k.busy[id] {
			return true, nil
		}
	}
	return false, nil
}
