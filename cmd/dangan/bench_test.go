package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestNumbers(t *testing.T) {
	for list, want := range map[string][]int{"1,8": {1, 8}, "10KB,5MB": {10_000, 5_000_000}} {
		if got, err := numbers(list, 1000); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
	for _, bad := range []string{"", "x", "1,,2", "0", "-1", "5GB"} {
		if got, err := numbers(bad, 1000); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

func TestSummary(t *testing.T) {
	s := &sample{total: 2 * time.Second}
	for i := 100; i > 0; i-- {
		s.took = append(s.took, time.Duration(i)*time.Millisecond)
	}
	got := s.summary()
	if got.Count != 100 || got.PerSecond != 50 || got.P50 != 50*time.Millisecond || got.P95 != 95*time.Millisecond {
		t.Errorf("%+v", got)
	}
	if one := percentile([]time.Duration{7}, 95); one != 7 {
		t.Error(one)
	}
}

func TestRow(t *testing.T) {
	r := row{Raw: summary{PerSecond: 200, P95: 10}, Dangan: summary{PerSecond: 50, P95: 20}, Sustained: 20, Target: 0.25, TargetP95: 2}
	if r.ratio() != 0.25 || r.ratioP95() != 2 || r.ratioSustained() != 0.1 || r.reached() != "yes" {
		t.Errorf("%v, %v, %v, %s", r.ratio(), r.ratioP95(), r.ratioSustained(), r.reached())
	}
	if r.TargetP95 = 1.9; r.reached() != "no" {
		t.Error("reached although its 95th percentile is too high")
	}
	if f := (fact{Value: 2, Bound: 1}); f.reached() != "no" {
		t.Error(f.reached())
	}
}

// TestPlot looks for what every picture must have, for those who see it and those
// who do not.
func TestPlot(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "results.json")
	r := newResults("a test", 1)
	for _, n := range []int{1000, 100_000} {
		r.Rows = append(r.Rows, row{What: "look-up <by> number", N: n, Clients: 1, Target: 0.8,
			Raw: summary{PerSecond: 100, P95: time.Millisecond}, Dangan: summary{PerSecond: 90, P95: 2 * time.Millisecond}})
	}
	var out bytes.Buffer
	if err := errors.Join(r.print(&out, true), os.WriteFile(file, out.Bytes(), 0o600), plot([]string{file}, dir)); err != nil {
		t.Fatal(err)
	}
	for name, words := range map[string][]string{
		"bench-ratios.svg": {"look-up &lt;by&gt; number, 1 k, 1 client", "0.9, reached 0.8", "ratio of the rates"},
		"bench-growth.svg": {"100 k records: 2.00 ms, raw 1.00 ms", "milliseconds", "<polyline"},
	} {
		svg, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(svg, new(struct{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, word := range append(words, "<title", "<desc", "prefers-color-scheme: dark") {
			if !bytes.Contains(svg, []byte(word)) {
				t.Errorf("%s lacks %q", name, word)
			}
		}
	}
}
