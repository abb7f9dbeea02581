package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"dangan/archive"
	"dangan/archive/holdings"
	"dangan/storage/memstore"
)

// batchOf makes so many deposits, each with a scan.
func (r *rig) batchOf(by archive.Actor, n int) []holdings.Deposit {
	year, err := archive.ParseDate("2010")
	if err != nil {
		r.t.Fatal(err)
	}
	scan := page(r.t)
	var batch []holdings.Deposit
	for i := range n {
		batch = append(batch, holdings.Deposit{
			Record: archive.Record{Category: "marriage", Office: by.Office, Title: "结婚登记", Responsible: "民政局", Date: year,
				RefCode: archive.BuildRefCode("J019", []string{"ZY", "2010", "D100"}, "001", fmt.Sprintf("%04d", i)),
				Persons: []archive.Person{{Name: "张㛃", Role: "husband"}, {Name: "李𬱖", Role: "wife"}},
				Fields:  map[string]string{"registration_kind": "marriage", "certificate_number": fmt.Sprint(i), "registered_on": "2010", "registry": "民政局"}},
			Files: func(yield func(archive.Upload, error) bool) {
				yield(archive.Upload{Name: "一.png", Body: bytes.NewReader(scan)}, nil)
			},
		})
	}
	return batch
}

func TestBatchIsKeptOnceWhateverFails(t *testing.T) {
	const many = 60
	r := newRig(t, newReader(t), newTestSealer(t))
	by := r.actor("uploader")
	failing := func(percent int) {
		r.store.SetFault(func(op, _ string) (bool, error) {
			if op != memstore.Get && op != memstore.List && rand.IntN(100) < percent {
				return rand.IntN(2) == 0, errFault
			}
			return true, nil
		})
	}
	ids := map[int]string{}
	for round, percent := range []int{20, 10, 5, 0} {
		failing(percent)
		results, err := r.house.holdings.DepositAll(t.Context(), by, "batch", r.batchOf(by, many))
		if err != nil {
			if percent == 0 {
				t.Fatal(err)
			}
			continue // the claim of the key failed
		}
		for i, result := range results {
			switch {
			case result.Err == nil && ids[i] != "" && ids[i] != result.ID:
				t.Errorf("round %d: record %d was %s and is %s", round, i, ids[i], result.ID)
			case result.Err == nil:
				ids[i] = result.ID
			case !errors.Is(result.Err, errFault) && !errors.Is(result.Err, archive.ErrInvalid):
				t.Errorf("round %d: record %d: %v", round, i, result.Err)
			}
		}
		r.store.SetFault(nil)
		_ = r.drain() // what is early stays
	}
	r.restart()
	r.settle()
	results, err := r.house.holdings.DepositAll(t.Context(), by, "batch", r.batchOf(by, many))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for i, result := range results {
		if result.Err != nil || ids[i] != "" && ids[i] != result.ID {
			t.Errorf("record %d: %s, was %s, %v", i, result.ID, ids[i], result.Err)
		}
		known[result.ID] = true
	}
	r.settle()
	count := 0
	for id, err := range r.house.records.IDs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.house.records.Head(t.Context(), id); err == nil {
			count++
		}
	}
	if len(known) != many || count != many || len(r.index.docs) != many {
		t.Errorf("%d ids, %d records, %d documents for %d deposits", len(known), count, len(r.index.docs), many)
	}
}

func TestBatchTellsAllProblemsAndKeepsNothing(t *testing.T) {
	r := newRig(t, newReader(t), newTestSealer(t))
	by := r.actor("uploader")
	batch := r.batchOf(by, 3)
	batch[0].Record.Title = ""
	batch[2].Record.RefCode = batch[1].Record.RefCode
	before := len(r.store.Keys())
	_, err := r.house.holdings.DepositAll(t.Context(), by, "k", batch)
	var ps archive.Problems
	if !errors.As(err, &ps) || !strings.Contains(fmt.Sprint(ps), "records[0].title") || !strings.Contains(fmt.Sprint(ps), "records[2].reference_code") {
		t.Errorf("%v", err)
	}
	if after := len(r.store.Keys()); after != before {
		t.Errorf("%d objects more", after-before)
	}
	if _, err := r.house.holdings.DepositAll(t.Context(), by, "", nil); !errors.Is(err, archive.ErrInvalid) {
		t.Error(err)
	}
	// A key stands for one batch.
	if _, err := r.house.holdings.DepositAll(t.Context(), by, "k", r.batchOf(by, 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.house.holdings.DepositAll(t.Context(), by, "k", r.batchOf(by, 3)); !errors.As(err, &ps) || ps[0].Code != "idempotency_key_reused" {
		t.Error(err)
	}
}
