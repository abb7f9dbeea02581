package storage_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/storage"
)

// Ids of what stands in a stocked world.
const (
	officeID  = "01J00000000000000000000010"
	citizenID = "01J00000000000000000000011"
	recordID  = "01J00000000000000000000012" // described once
	plainID   = "01J00000000000000000000013" // one entry
	requestID = "01J00000000000000000000014" // and its certificate
	fencedID  = "01J00000000000000000000015"
	nobodyID  = "01J00000000000000000000016"
)

// docs is an index: the version of every record.
type docs map[string]int

func (d docs) Versions(_ context.Context, ids ...string) (map[string]int, error) {
	have := map[string]int{}
	for _, id := range ids {
		if n := d[id]; n > 0 {
			have[id] = n
		}
	}
	return have, nil
}

func (d docs) IDs(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for id := range maps.Clone(d) {
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (d docs) Delete(_ context.Context, id string) error { delete(d, id); return nil }

// office is a small archive office in which everything is as it should be.
type office struct {
	world
	t     *testing.T
	index docs
}

// stocked makes an office with something of everything.
func stocked(t *testing.T) *office {
	t.Helper()
	o := &office{newWorld(t), t, docs{}}
	o.staff()
	o.record(plainID, "X001-ZY-2026-0001", 1)
	o.record(recordID, "X001-ZY-2026-0002", 2)
	o.certified()
	o.do(storage.NewChain[archive.Record](o.b, archive.KindRecord).Fence(o.ctx, fencedID))
	o.do(o.b.Access().Record(o.ctx, archive.Access{ID: nobodyID, Actor: citizenID}))
	_, err := o.b.Work().Acquire(o.ctx, "sweep", "holder", time.Minute)
	o.do(err)
	return o
}

func (o *office) do(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) claim(kind, value, id string) {
	o.t.Helper()
	_, err := o.b.Claims().Claim(o.ctx, kind, value, id)
	o.do(err)
}

func (o *office) mark(kind, value, id string) {
	o.t.Helper()
	o.do(o.b.Marks().Mark(o.ctx, kind, value, id))
}

func (o *office) staff() {
	o.t.Helper()
	o.do(storage.NewChain[archive.Office](o.b, archive.KindOffice).Append(o.ctx, officeID, 1, archive.Office{ID: officeID, Short: "青民档证"}))
	a := archive.Account{ID: citizenID, User: "citizen", Token: strings.Repeat("ab", 32)}
	o.claim(archive.ClaimUser, a.User, a.ID)
	o.claim(archive.ClaimToken, a.Token, a.ID)
	o.do(storage.NewChain[archive.Account](o.b, archive.KindAccount).Append(o.ctx, a.ID, 1, a))
}

// keep stores a file, in entry 1 of its chain or as an object of its own.
func (o *office) keep(owner archive.Ref, data string, carry archive.Carry) archive.Blob {
	o.t.Helper()
	blob, err := o.b.Blobs().PutBlob(o.ctx, owner, strings.NewReader(data), carry)
	o.do(err)
	return blob
}

// record deposits a record with three files, and describes it until it has n entries.
func (o *office) record(id, code string, n int) {
	o.t.Helper()
	refcode, err := archive.ParseRefCode(code)
	o.do(err)
	r := archive.Record{ID: id, Office: officeID, RefCode: refcode,
		Persons: []archive.Person{{Name: "张㛃", ID: archive.NewIDNumber("", "999999199001010016")}}}
	for i, carry := range []archive.Carry{{}, {}, {Entry: 1, Room: archive.CarryRoom}} {
		blob := o.keep(r.Ref(), fmt.Sprintf("file %d of %s%s", i, id, strings.Repeat(".", 70_000)), carry)
		r.Files = append(r.Files, archive.File{Name: "a.pdf", Blob: blob})
	}
	o.claim(archive.ClaimRefCode, refcode.Canonical(), id)
	records := storage.NewChain[archive.Record](o.b, archive.KindRecord)
	for i := range n {
		r.Title = fmt.Sprint("title ", i)
		o.do(records.Append(o.ctx, id, i+1, r))
		for f := range r.Files {
			r.Files[f].Sealed = "" // it is in its entry
		}
	}
	for _, f := range r.Files {
		o.do(o.b.Blobs().PutDerived(o.ctx, r.Ref(), f.ID, archive.DerivedReading, []byte("{}")))
		o.mark(archive.MarkDigest, f.SHA256, id)
	}
	o.mark(archive.MarkRefKey, refcode.Key(), id)
	o.mark(archive.MarkPerson, r.Persons[0].ID.Key(), id)
	o.index[id] = n
}

// certified issues a certificate.
func (o *office) certified() {
	o.t.Helper()
	requests := storage.NewChain[archive.Request](o.b, archive.KindRequest)
	r := archive.Request{ID: requestID, Office: officeID, Applicant: citizenID, State: archive.Approved, Record: recordID, RecordVersion: 2}
	o.mark(archive.MarkDesk, r.Office, r.ID)
	o.mark(archive.MarkApplicant, r.Applicant, r.ID)
	o.do(requests.Append(o.ctx, r.ID, 1, r))
	certificates := storage.NewChain[archive.Certificate](o.b, archive.KindCertificate)
	c := archive.Certificate{ID: r.ID, Record: recordID, RecordVersion: 2, Office: officeID, State: archive.CertApproved,
		IssuedAt: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)}
	n, err := o.b.Numbers().Next(o.ctx, archive.CertificateSequence(officeID, c.IssuedAt))
	o.do(err)
	c.Number = fmt.Sprintf("青民档证〔2026〕%06d号", n)
	o.claim(archive.ClaimNumber, archive.CanonicalNumber(c.Number), c.ID)
	o.do(certificates.Append(o.ctx, c.ID, 1, c))
	c.State = archive.CertSealing
	o.do(certificates.Append(o.ctx, c.ID, 2, c))
	c.State, c.PDF = archive.CertSealed, o.keep(c.Ref(), "PDF", archive.Carry{Entry: 3, Room: archive.CarryRoom})
	o.claim(archive.ClaimPDF, c.PDF.SHA256, c.ID)
	o.do(certificates.Append(o.ctx, c.ID, 3, c))
	r.State, r.Certificate = archive.Issued, c.Number
	o.do(requests.Append(o.ctx, r.ID, 2, r))
}

// dir is where objects of a chain lie, under a folder.
func dir(folder string, kind archive.Kind, id string) string {
	segment := strings.ToLower(id)
	return fmt.Sprintf("%s/%s/%02x/%s", folder, kind, sha256.Sum256([]byte(segment))[0], segment)
}

// one is the only object under a prefix, or the n-th.
func (o *office) one(prefix string, n ...int) string {
	o.t.Helper()
	keys := keysUnder(o.store.Keys(), prefix)
	if len(keys) == 0 || len(n) == 0 && len(keys) > 1 {
		o.t.Fatalf("%d objects under %s", len(keys), prefix)
	}
	return keys[append(n, 0)[0]]
}

// flip changes one bit in the middle of an object.
func (o *office) flip(key string) {
	raw := o.store.Raw(key)
	raw[len(raw)/2] ^= 1
	o.store.Tamper(key, raw)
}

func (o *office) remove(key string) { o.store.Tamper(key, nil) }

func (o *office) swap(a, b string) {
	x, y := o.store.Raw(a), o.store.Raw(b)
	o.store.Tamper(a, y)
	o.store.Tamper(b, x)
}

// checked runs a check and returns what it found, as "code object".
func (o *office) checked(c storage.CheckConfig) []string {
	o.t.Helper()
	var all []string
	for f, err := range o.check(c) {
		if err != nil {
			o.t.Fatal(err)
		}
		all = append(all, string(f.Code)+" "+f.Object)
	}
	slices.Sort(all)
	return all
}

func (o *office) check(c storage.CheckConfig) iter.Seq2[storage.Finding, error] {
	o.t.Helper()
	if c.Index == nil {
		c.Index = o.index
	}
	if c.Settle == nil {
		c.Settle = o.settle
	}
	b, err := storage.New(o.ctx, o.store, storage.Config{RootKey: make([]byte, 32)})
	o.do(err)
	return storage.Check(o.ctx, b, c)
}

// settle makes the readings and the document of a record again.
func (o *office) settle(ctx context.Context, id string) error {
	v, err := storage.NewChain[archive.Record](o.b, archive.KindRecord).Head(ctx, id)
	if err != nil {
		return err
	}
	for _, f := range v.Value.Files {
		if err := o.b.Blobs().PutDerived(ctx, v.Value.Ref(), f.ID, archive.DerivedReading, []byte("{}")); err != nil {
			return err
		}
	}
	o.index[id] = v.N
	return nil
}

func TestCheckOfASoundBucket(t *testing.T) {
	o := stocked(t)
	for _, c := range []storage.CheckConfig{{}, {Quick: true}, {Age: time.Nanosecond}, {Workers: 1}, {Repair: true, Age: time.Nanosecond}} {
		if found := o.checked(c); len(found) > 0 {
			t.Errorf("%+v: %v", c, found)
		}
	}
}

// TestCheckLeavesWhatIsUnderWay: a deposit that has not come to its entry, and a
// record that has not been settled, are no findings while they have a job.
func TestCheckLeavesWhatIsUnderWay(t *testing.T) {
	o := stocked(t)
	begun := archive.Record{ID: nobodyID}
	o.do(o.b.Work().PlanJob(o.ctx, archive.Job{Kind: archive.JobRecord, Ref: begun.Ref(), New: true, Nonce: nobodyID}))
	o.keep(begun.Ref(), "file", archive.Carry{})
	o.claim(archive.ClaimRefCode, "A-1", nobodyID)
	o.do(o.b.Work().PlanJob(o.ctx, archive.Job{Kind: archive.JobRecord, Ref: archive.Ref{Kind: archive.KindRecord, ID: recordID}, Nonce: nobodyID}))
	o.index[recordID] = 1
	o.remove(o.one(dir("derived", archive.KindRecord, recordID), 0))
	if found := o.checked(storage.CheckConfig{Age: time.Nanosecond}); len(found) > 0 {
		t.Error(found)
	}
}

// TestCheckGoesOn: a check that is ended anywhere and taken up again finds what a
// whole one does.
func TestCheckGoesOn(t *testing.T) {
	o := stocked(t)
	o.flip(dir("chain", archive.KindRecord, plainID) + "/00000001")
	o.flip(o.one("claim/user"))
	o.remove(o.one("mark/desk"))
	o.store.Tamper("other/object", []byte("x"))
	o.store.Tamper("derived/documents/00-v1", []byte("x"))
	o.store.Tamper(dir("blob", archive.KindRecord, recordID)+"/a/b", []byte("x"))
	o.store.Tamper("key/zzz", []byte("x"))
	o.index[nobodyID] = 1
	whole := o.checked(storage.CheckConfig{Workers: 1})
	var places []storage.Checked
	o.checked(storage.CheckConfig{Workers: 1, Report: func(c storage.Checked) { places = append(places, c) }})
	for i, from := range places {
		var before []string
		seen := 0
		c := storage.CheckConfig{Workers: 1, Report: func(storage.Checked) { seen++ }}
		for f, err := range o.check(c) {
			o.do(err)
			if seen > i {
				break
			}
			before = append(before, string(f.Code)+" "+f.Object)
		}
		var rest storage.Checked
		all := append(before, o.checked(storage.CheckConfig{Workers: 1, From: from.Place, Report: func(c storage.Checked) { rest = c }})...)
		slices.Sort(all)
		if diff := cmp.Diff(whole, slices.Compact(all)); diff != "" || from.Objects+rest.Objects != places[len(places)-1].Objects {
			t.Fatalf("from %+v: %d objects more, %s", from, rest.Objects, diff)
		}
	}
	if len(places) < 5 || len(whole) != 8 {
		t.Errorf("%d places, found %v", len(places), whole)
	}
}

func TestCheckEndsWithTheStore(t *testing.T) {
	o := stocked(t)
	away := fmt.Errorf("away: %w", archive.ErrUnavailable)
	for nth := int64(1); ; nth++ {
		var requests atomic.Int64
		failed := false
		found := o.check(storage.CheckConfig{Workers: 1})
		o.store.SetFault(func(string, string) (bool, error) {
			if requests.Add(1) == nth {
				return false, away
			}
			return true, nil
		})
		for f, err := range found {
			if failed = failed || err != nil; err == nil {
				t.Fatalf("request %d lost: %+v", nth, f)
			}
		}
		o.store.SetFault(nil)
		if requests.Load() < nth {
			return
		}
		if !failed {
			t.Fatalf("request %d was lost and the check ended well", nth)
		}
	}
}

// TestCheckEndsWithItsContext: a check that was called off says so.
func TestCheckEndsWithItsContext(t *testing.T) {
	o := stocked(t)
	for nth := range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		pieces, failed, ended := 0, false, false
		c := storage.CheckConfig{Index: o.index, Report: func(c storage.Checked) {
			if ended = c.Place.Stage > 9; pieces == nth {
				cancel()
			}
			pieces++
		}}
		for _, err := range storage.Check(ctx, o.b, c) {
			failed = failed || err != nil
		}
		if !failed && !ended {
			t.Fatalf("called off after piece %d: no error", nth)
		}
		cancel()
	}
}

func TestCheckKeepsToARate(t *testing.T) {
	o := stocked(t)
	var last storage.Checked
	began := time.Now()
	o.checked(storage.CheckConfig{Rate: 2 << 20, Report: func(c storage.Checked) { last = c }})
	if least := time.Duration(float64(last.Bytes) / (2 << 20) * float64(time.Second)); time.Since(began) < least || last.Bytes < 400_000 {
		t.Errorf("read %d bytes in %v", last.Bytes, time.Since(began))
	}
	weight, err := storage.Weigh(o.ctx, o.b)
	if err != nil || weight.Objects != int64(len(o.store.Keys())) || last.Objects != weight.Objects {
		t.Errorf("weighs %+v, looked at %d of %d, error %v", weight, last.Objects, len(o.store.Keys()), err)
	}
}

// TestCheckWithIdsThatBeginAlike: ids of which one begins with another are kept
// apart, though stores list their objects in another order.
func TestCheckWithIdsThatBeginAlike(t *testing.T) {
	w := newWorld(t)
	offices := storage.NewChain[archive.Office](w.b, archive.KindOffice)
	for i, alike := 0, 0; alike < 4; i++ {
		id := fmt.Sprintf("a%06d", i)
		if shard(t, id) != shard(t, id+"-b") {
			continue
		}
		alike++
		for _, id := range []string{id, id + "-b", id + "0"} {
			if err := offices.Append(w.ctx, id, 1, archive.Office{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for f, err := range storage.Check(w.ctx, w.b, storage.CheckConfig{}) {
		t.Fatal(f, err)
	}
}

func shard(t *testing.T, id string) string {
	t.Helper()
	shard, err := storage.ShardOf(id)
	if err != nil {
		t.Fatal(err)
	}
	return shard
}
