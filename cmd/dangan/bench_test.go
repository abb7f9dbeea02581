package main

import (
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
