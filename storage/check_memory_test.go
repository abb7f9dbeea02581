package storage_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/storage"
)

// remembering runs a check with the memory of an earlier one, and returns its own.
func (o *office) remembering(before string) (after string, codes []storage.Code) {
	o.t.Helper()
	var written bytes.Buffer
	m := storage.Memory{Before: strings.NewReader(before), After: &written}
	if before == "" {
		m.Before = nil
	}
	codes = o.codes(storage.CheckConfig{Memory: &m, Age: time.Nanosecond})
	return written.String(), codes
}

// vanish takes away all that lies under a path of a chain, and all that leads to it.
func (o *office) vanish(ref archive.Ref) {
	for _, key := range o.store.Keys() {
		if strings.Contains(key, strings.ToLower(ref.ID)) && !strings.HasPrefix(key, "claim/") {
			o.remove(key)
		}
	}
	delete(o.index, ref.ID)
}

func TestCheckRemembers(t *testing.T) {
	record := archive.Ref{Kind: archive.KindRecord, ID: recordID}
	for name, test := range map[string]struct {
		change func(o *office)
		codes  []storage.Code
	}{
		"nothing happened": {func(*office) {}, nil},
		"described anew": {func(o *office) {
			v, err := storage.NewChain[archive.Record](o.b, record.Kind).Head(o.ctx, record.ID)
			o.do(err)
			o.do(storage.NewChain[archive.Record](o.b, record.Kind).Append(o.ctx, record.ID, 3, v.Value))
			o.index[recordID] = 3
		}, nil},
		"one more": {func(o *office) { o.record(nobodyID, "X001-ZY-2026-0003", 1) }, nil},
		"rolled back with its document": {func(o *office) {
			o.remove(entryOf(archive.KindRequest, requestID, "2"))
		}, codes(storage.ChainRolledBack)},
		"rolled back and written again": {func(o *office) {
			o.remove(entryOf(archive.KindRequest, requestID, "2"))
			o.do(storage.NewChain[archive.Request](o.world.replica(o.t).b, archive.KindRequest).
				Append(o.ctx, requestID, 2, archive.Request{ID: requestID, Office: officeID, Applicant: citizenID}))
		}, codes(storage.ChainRolledBack)},
		"gone with everything": {func(o *office) { o.vanish(archive.Ref{Kind: archive.KindOffice, ID: officeID}) }, codes(storage.ChainMissing)},
	} {
		t.Run(name, func(t *testing.T) {
			o := stocked(t)
			memory, wrong := o.remembering("")
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			test.change(o)
			memory, found := o.remembering(memory)
			if diff := cmp.Diff(test.codes, found); diff != "" {
				t.Fatal(diff)
			}
			if _, again := o.remembering(memory); cmp.Diff(test.codes, again) != "" {
				t.Errorf("found %v, and the next time %v", found, again)
			}
		})
	}
}

// TestCheckTrustsNoMemoryOfOthers: one that was changed, cut short or is of another
// bucket is refused before anything is judged by it.
func TestCheckTrustsNoMemoryOfOthers(t *testing.T) {
	o := stocked(t)
	memory, _ := o.remembering("")
	others, _ := stocked(t).remembering("")
	lines := strings.SplitAfter(memory, "\n")
	for name, before := range map[string]string{
		"changed": strings.Replace(memory, " 2 ", " 1 ", 1), "cut short": strings.Join(lines[:len(lines)-2], ""),
		"a line less": strings.Join(lines[1:], ""), "of another bucket": others, "nothing": "\n", "more": memory + lines[0],
	} {
		var failed error
		for f, err := range o.check(storage.CheckConfig{Memory: &storage.Memory{Before: strings.NewReader(before)}}) {
			if failed = err; err == nil {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if !errors.Is(failed, archive.ErrCorrupt) {
			t.Errorf("%s: %v", name, failed)
		}
	}
}
