package main

import (
	"bytes"
	"encoding/json"
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
	if r := (row{Raw: summary{PerSecond: 200}, Dangan: summary{PerSecond: 50}}).Ratio(); r != 0.25 {
		t.Error(r)
	}
}

// TestBench measures for an instant, to hold the command to working at all.
func TestBench(t *testing.T) {
	var out, progress bytes.Buffer
	b := &bench{seconds: 0.3, clients: []int{2}, sizes: []int{1000}, records: 20}
	var s settings
	c := console{stdout: &out, stderr: &progress}
	if err := s.bench(t.Context(), c, s.flags("bench"), b, []string{"all"}); err != nil {
		t.Fatal(err)
	}
	if err := b.report(&out, true); err != nil {
		t.Fatal(err)
	}
	var report struct{ Rows []row }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || len(report.Rows) != 9 {
		t.Fatalf("%d rows, %v", len(report.Rows), err)
	}
	for _, r := range report.Rows {
		if r.Raw.Count == 0 || r.Dangan.Count == 0 {
			t.Errorf("%s measured nothing", r.What)
		}
	}
}
