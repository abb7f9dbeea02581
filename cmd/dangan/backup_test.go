package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/cmd/dangan/demo"
	"dangan/storage"
	"dangan/storage/memstore"
)

// backupOrder is the order of docs/operations.md in which a bucket is copied while
// it is served: what entries need comes after them, what speaks of them before.
var backupOrder = []string{"mark/", "claim/", "derived/", "access/",
	"chain/request/", "work/", "chain/certificate/", "chain/record/", "chain/template/", "chain/account/", "chain/office/",
	"work/", "key/", "blob/", "lease/", "system/"}

// TestBackupWhileServing copies folder after folder while records come in and jobs
// are done, at every moment in turn. What was committed when the copy began is in
// it, and nothing in it is damaged.
func TestBackupWhileServing(t *testing.T) {
	pages, stamper := newReader(t), newTestSealer(t)
	first := newRig(t, pages, stamper)
	deposits := slices.DeleteFunc(slices.Collect(demo.Records(demo.Seed, 20)), func(d demo.Deposit) bool { return d.By != "uploader" })
	settled := first.keep(t, first.house.holdings, deposits[0], page(t))
	request := first.reviewed(t)
	start := first.objects()
	for i, folder := range backupOrder {
		t.Run(fmt.Sprintf("jobs done after %d %s", i, folder), func(t *testing.T) {
			live := &rig{t: t, store: memstore.New(t), index: &memoryIndex{}, reader: pages, stamper: stamper, root: first.root}
			live.load(start)
			loose := live.keep(t, live.withoutCarrying(), deposits[1], noise(t)) // committed, and its job is left
			copied := &rig{t: t, store: memstore.New(t), index: &memoryIndex{}, reader: pages, stamper: stamper, root: first.root}
			copied.load(live.backup(t, deposits[2:], i, request))
			copied.checkRestored(t, settled.ID, loose.ID)
			copied.finish(t, request)
		})
	}
}

// backup copies the bucket in order. The request is approved before requests are
// copied, jobs are done after folder settle, and after each of the first folders
// another record is deposited.
func (r *rig) backup(t *testing.T, deposits []demo.Deposit, settle int, request string) map[string][]byte {
	t.Helper()
	copied := map[string][]byte{}
	for i, folder := range backupOrder {
		if i == min(settle, slices.Index(backupOrder, "chain/request/")) {
			if err := r.approve(r.actor("approver"), request); err != nil {
				t.Fatal(err)
			}
		}
		for key, raw := range r.objects() {
			if strings.HasPrefix(key, folder) {
				copied[key] = raw
			}
		}
		if i < len(deposits) {
			r.keep(t, r.house.holdings, deposits[i], page(t))
		}
		if i == settle {
			r.settle()
		}
	}
	for key := range r.objects() {
		if !slices.ContainsFunc(backupOrder, func(folder string) bool { return strings.HasPrefix(key, folder) }) {
			t.Errorf("%s is in no folder that is copied", key)
		}
	}
	return copied
}

func (r *rig) load(objects map[string][]byte) {
	for key, raw := range objects {
		r.store.Tamper(key, append([]byte{}, raw...))
	}
	r.index.docs = map[string]archive.Document{}
	r.restart()
}

// checkRestored: when the jobs are done, a check mends what the copy lacks, and then
// everything is there. What is left at most is the key of a chain that was begun
// after chain/ had been copied.
func (r *rig) checkRestored(t *testing.T, ids ...string) {
	t.Helper()
	r.settle()
	check := storage.CheckConfig{Age: time.Nanosecond, Repair: true, Settle: r.house.settle}
	for finding, err := range storage.Check(t.Context(), r.house.bucket, check) {
		if err != nil {
			t.Fatal(err)
		}
		if !finding.Mended && finding.Code != storage.KeyOrphan {
			t.Errorf("%s at %s is not mended", finding.Code, finding.Object)
		}
	}
	check.Repair = false
	for finding, err := range storage.Check(t.Context(), r.house.bucket, check) {
		if err != nil || finding.Code != storage.KeyOrphan {
			t.Errorf("%s at %s is left: %v", finding.Code, finding.Object, err)
		}
	}
	c := r.contents(t)
	for _, id := range ids {
		if len(c.Records[id]) == 0 {
			t.Errorf("%s is missing", id)
		}
	}
	for _, history := range c.Records {
		r.checkOneFound(t, history[len(history)-1].Value)
	}
}

// finish takes the request on from wherever the copy has it: in the end it has one
// certificate.
func (r *rig) finish(t *testing.T, id string) {
	t.Helper()
	v, err := r.house.desk.Request(t.Context(), r.actor("citizen"), id)
	if err != nil {
		t.Fatal(err)
	}
	switch v.Value.State {
	case archive.Reviewed:
		err = r.approve(r.actor("approver"), id)
	case archive.Approved:
		err = r.house.certificates.Reseal(t.Context(), r.actor("approver"), r.numberOf(t, id))
	}
	if err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.checkIssued(t, id)
}
