package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"
)

// results is what a run of bench found; its JSON is what plots are made from.
type results struct {
	Engine  string  `json:"engine"`
	Go      string  `json:"go"`
	Cores   int     `json:"cores"`
	Seconds float64 `json:"seconds"` // of each side of a measurement
	At      string  `json:"at"`      // the day
	Rows    []row   `json:"rows"`
	Facts   []fact  `json:"facts,omitempty"`
}

func newResults(engine string, seconds float64) *results {
	return &results{Engine: engine, Go: runtime.Version(), Cores: runtime.NumCPU(), Seconds: seconds, At: time.Now().UTC().Format(time.DateOnly)}
}

// row is one comparison. Two rows that differ only in N show growth.
type row struct {
	What    string  `json:"what"`
	N       int     `json:"n,omitempty"` // records there were, or bytes of a file
	Against string  `json:"against"`
	Clients int     `json:"clients"`
	Raw     summary `json:"raw"`
	Dangan  summary `json:"dangan"`
	// Sustained is dangan's rate when the time is counted that work in the
	// background took afterwards; 0 where nothing is left to do.
	Sustained float64 `json:"sustained_per_second,omitempty"`
	Target    float64 `json:"target,omitempty"`     // least ratio of the rates; 0 where there is none
	TargetP95 float64 `json:"target_p95,omitempty"` // greatest ratio of the 95th percentiles
}

// fact is a figure that is compared with a bound and not with a raw part.
type fact struct {
	What  string  `json:"what"`
	N     int     `json:"n"` // records there were
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Bound float64 `json:"bound,omitempty"` // not to be exceeded; 0 where there is none
}

// MarshalJSON adds the ratios.
func (r row) MarshalJSON() ([]byte, error) {
	type plain row
	return json.Marshal(struct {
		plain
		Ratio    float64 `json:"ratio"`
		RatioP95 float64 `json:"ratio_p95"`
	}{plain(r), r.ratio(), r.ratioP95()})
}

// ratio is dangan's throughput over the raw one.
func (r row) ratio() float64 { return r.Dangan.PerSecond / r.Raw.PerSecond }

// ratioP95 is dangan's 95th percentile over the raw one.
func (r row) ratioP95() float64 { return float64(r.Dangan.P95) / float64(r.Raw.P95) }

// ratioSustained is ratio with the work in the background.
func (r row) ratioSustained() float64 { return r.Sustained / r.Raw.PerSecond }

func (r row) reached() string {
	switch {
	case r.Target == 0:
		return ""
	case r.ratio() >= r.Target && (r.TargetP95 == 0 || r.ratioP95() <= r.TargetP95):
		return "yes"
	}
	return "no"
}

func (f fact) reached() string {
	switch {
	case f.Bound == 0:
		return ""
	case f.Value <= f.Bound:
		return "yes"
	}
	return "no"
}

func (r *results) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintf(w, "%s, %d cores, %s, %s, %.1f s a side\n\n", r.Engine, r.Cores, r.Go, r.At, r.Seconds)
	if len(r.Rows) > 0 {
		fmt.Fprintln(w, "| what | clients | against | raw /s | raw p50 / p95 ms | dangan /s | dangan p50 / p95 ms | ratio | of p95 | sustained /s, ratio | target | reached |")
		fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|---|")
	}
	for _, r := range r.Rows {
		fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s | %s | %.2f | %.2f | %s | %s | %s |\n", r.What, r.Clients, r.Against,
			rate(r.Raw.PerSecond), r.Raw.times(), rate(r.Dangan.PerSecond), r.Dangan.times(), r.ratio(), r.ratioP95(), r.sustained(), r.target(), r.reached())
	}
	if len(r.Facts) > 0 {
		fmt.Fprintln(w, "\n| what | records | value | bound | reached |\n|---|---|---|---|---|")
	}
	for _, f := range r.Facts {
		bound := ""
		if f.Bound != 0 {
			bound = fmt.Sprintf("%g %s", f.Bound, f.Unit)
		}
		fmt.Fprintf(w, "| %s | %d | %.3g %s | %s | %s |\n", f.What, f.N, f.Value, f.Unit, bound, f.reached())
	}
	return nil
}

func (r row) sustained() string {
	if r.Sustained == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %.2f", rate(r.Sustained), r.ratioSustained())
}

func (r row) target() string {
	switch {
	case r.Target == 0:
		return ""
	case r.TargetP95 == 0:
		return fmt.Sprintf("≥ %.2f", r.Target)
	}
	return fmt.Sprintf("≥ %.2f, p95 ≤ %.2f", r.Target, r.TargetP95)
}

// rate has decimals only where they say something.
func rate(perSecond float64) string {
	if perSecond < 10 {
		return fmt.Sprintf("%.1f", perSecond)
	}
	return fmt.Sprintf("%.0f", perSecond)
}

// sides are what a comparison runs in turns. Both get a number that no other call
// of their side gets.
type sides struct {
	raw, ours func(ctx context.Context, n int) error
	clean     func(ctx context.Context) error // after each turn of raw; may be nil
	settle    func(ctx context.Context) error // after each turn of ours: the work left in the background; may be nil
	turns     int                             // how often each side has a turn; 9 when 0, so that no burst of other work meets one side alone
	callers   int                             // of ours, when they are not as many as the clients of raw
	each      int                             // operations that one call of ours comes to; 1 when 0
	most      int                             // operations in a turn; 0 for as many as there is time for
}

// compare measures raw and ours in turns. r says what is compared.
func (b *bench) compare(ctx context.Context, r row, s sides) error {
	s.turns, s.callers, s.each = cmp.Or(s.turns, 9), cmp.Or(s.callers, r.Clients), cmp.Or(s.each, 1)
	theirs := side{clients: r.Clients, most: s.most, op: s.raw, after: s.clean}
	mine := side{clients: s.callers, most: (s.most + s.each - 1) / s.each, op: s.ours, after: s.settle}
	length := time.Duration(b.seconds / float64(s.turns) * float64(time.Second))
	for turn := range s.turns {
		err := theirs.turn(ctx, length)
		if err == nil {
			err = mine.turn(ctx, length)
		}
		if err != nil {
			return fmt.Errorf("%s, turn %d: %w", r.What, turn, err)
		}
	}
	r.Raw, r.Dangan = theirs.summary(), mine.summary()
	r.Dangan.Count *= s.each
	r.Dangan.PerSecond *= float64(s.each)
	if s.settle != nil {
		r.Sustained = float64(r.Dangan.Count) / (mine.total + mine.afterwards).Seconds()
	}
	b.results.Rows = append(b.results.Rows, r)
	return nil
}

// side is one side of a comparison.
type side struct {
	sample
	clients, most int
	op            func(ctx context.Context, n int) error
	after         func(ctx context.Context) error
	afterwards    time.Duration // that after has taken
}

func (s *side) turn(ctx context.Context, length time.Duration) error {
	if err := s.measure(ctx, length, s.clients, s.most, s.op); err != nil || s.after == nil {
		return err
	}
	began := time.Now()
	err := s.after(ctx)
	s.afterwards += time.Since(began)
	return err
}
