package storage_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/storage"
	"dangan/storage/vault"
)

// damage is one way in which a bucket goes wrong.
type damage struct {
	plant func(o *office)
	codes []storage.Code // that tell of it, sorted by object
	mends bool           // a repair leaves nothing wrong
}

func TestCheckFindsDamage(t *testing.T) {
	for name, d := range damages() {
		t.Run(name, func(t *testing.T) {
			o := stocked(t)
			d.plant(o)
			c := storage.CheckConfig{Age: time.Nanosecond}
			if diff := cmp.Diff(d.codes, o.codes(c)); diff != "" {
				t.Fatal(diff)
			}
			before := o.objects()
			repair := c
			repair.Repair = true
			for f, err := range o.check(repair) {
				if o.do(err); f.Mended != d.mends || f.Mendable != d.mends {
					t.Errorf("%+v", f)
				}
			}
			if d.mends {
				if left := o.checked(c); len(left) > 0 {
					t.Errorf("after the repair: %v", left)
				}
			} else if diff := cmp.Diff(before, o.objects()); diff != "" {
				t.Errorf("what cannot be mended was touched: %s", diff)
			}
		})
	}
}

// TestQuickCheckLeavesOutContents: it sees all but a file that was changed in place.
func TestQuickCheckLeavesOutContents(t *testing.T) {
	for name, d := range damages() {
		o := stocked(t)
		d.plant(o)
		c := storage.CheckConfig{Age: time.Nanosecond, Quick: true}
		want := d.codes
		if strings.HasPrefix(name, "content ") {
			want = nil
		}
		if diff := cmp.Diff(want, o.codes(c)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func (o *office) codes(c storage.CheckConfig) []storage.Code {
	o.t.Helper()
	var codes []storage.Code
	for _, f := range o.checked(c) {
		code, _, _ := strings.Cut(f, " ")
		codes = append(codes, storage.Code(code))
	}
	return codes
}

// objects are the hashes of all objects but those of probes.
func (o *office) objects() map[string][32]byte {
	all := map[string][32]byte{}
	for _, key := range o.store.Keys() {
		if !strings.HasPrefix(key, "system/probe-") {
			all[key] = sha256.Sum256(o.store.Raw(key))
		}
	}
	return all
}

// Object keys in a stocked world.
func entryOf(kind archive.Kind, id string, n string) string {
	return dir("chain", kind, id) + "/0000000" + n
}
func keyOf(kind archive.Kind, id string) string { return dir("key", kind, id) }

// damages are ways in which everything can go wrong of damage. The name begins with "content" where a quick
// check does not see it.
func damages() map[string]damage {
	all := map[string]damage{}
	for _, some := range []map[string]damage{chainDamages(), fileDamages(), claimDamages(), markDamages(), restDamages()} {
		for name, d := range some {
			all[name] = d
		}
	}
	return all
}

func codes(list ...storage.Code) []storage.Code { return list }

func chainDamages() map[string]damage {
	record := func(n string) string { return entryOf(archive.KindRecord, recordID, n) }
	return map[string]damage{
		"bit flipped in an entry": {func(o *office) { o.flip(record("2")) }, codes(storage.EntryChanged), false},
		"header edited": {func(o *office) {
			o.store.Tamper(record("2"), bytes.Replace(o.store.Raw(record("2")), []byte(`"at":"20`), []byte(`"at":"19`), 1))
		}, codes(storage.EntryChanged), false},
		"entry written anew by somebody who has the keys": {func(o *office) { o.rewrite(record("1")) }, codes(storage.ChainBroken), false},
		"first entry removed":                             {func(o *office) { o.remove(record("1")) }, codes(storage.EntryMissing), false},
		"newest entry removed, document left":             {func(o *office) { o.remove(record("2")) }, codes(storage.ChainRolledBack), false},
		"newest entry removed, readings left": {func(o *office) {
			o.remove(entryOf(archive.KindRecord, plainID, "1"))
		}, codes(storage.ChainMissing, storage.ClaimDangling, storage.MarkStale, storage.MarkStale, storage.MarkStale, storage.MarkStale, storage.MarkStale), false},
		"newest entry of a certificate removed": {func(o *office) {
			o.remove(entryOf(archive.KindCertificate, requestID, "3"))
		}, codes(storage.ChainRolledBack), false},
		"certificate removed": {func(o *office) {
			for _, n := range []string{"1", "2", "3"} {
				o.remove(entryOf(archive.KindCertificate, requestID, n))
			}
			o.remove(keyOf(archive.KindCertificate, requestID))
		}, codes(storage.ChainMissing), false},
		"entries swapped between chains": {func(o *office) {
			o.swap(record("1"), entryOf(archive.KindRecord, plainID, "1"))
		}, codes(storage.EntrySwapped, storage.EntrySwapped), false},
		"entries swapped within a chain": {func(o *office) { o.swap(record("1"), record("2")) },
			codes(storage.EntrySwapped, storage.EntrySwapped), false},
		"bit flipped in a data key": {func(o *office) { o.flip(keyOf(archive.KindRecord, recordID)) }, codes(storage.KeyChanged), false},
		"data key removed":          {func(o *office) { o.remove(keyOf(archive.KindRecord, recordID)) }, codes(storage.KeyMissing), false},
		"data keys swapped": {func(o *office) { o.swap(keyOf(archive.KindRecord, recordID), keyOf(archive.KindRecord, plainID)) },
			codes(storage.KeySwapped, storage.KeySwapped), false},
		"data key of a chain that was fenced off": {func(o *office) {
			o.store.Tamper(keyOf(archive.KindRecord, fencedID), o.store.Raw(keyOf(archive.KindRecord, recordID)))
		}, codes(storage.KeyOrphan), true},
		"data key of nothing": {func(o *office) {
			o.store.Tamper(keyOf(archive.KindRecord, nobodyID), o.store.Raw(keyOf(archive.KindRecord, recordID)))
		}, codes(storage.KeyOrphan), false},
		"chain of an unknown kind": {func(o *office) { o.store.Tamper(dir("chain", "novel", recordID)+"/00000001", o.store.Raw(record("1"))) },
			codes(storage.ObjectStray), false},
		"tombstone that does not open": {func(o *office) { o.flip(entryOf(archive.KindRecord, fencedID, "1")) }, codes(storage.EntryChanged), false},
	}
}

func fileDamages() map[string]damage {
	blob := func(o *office, n int) string { return o.one(dir("blob", archive.KindRecord, recordID), n) }
	derived := func(o *office) string { return o.one(dir("derived", archive.KindRecord, recordID), 0) }
	return map[string]damage{
		"content of a file changed": {func(o *office) { o.flip(blob(o, 0)) }, codes(storage.BlobChanged), false},
		"content of files swapped":  {func(o *office) { o.swap(blob(o, 0), blob(o, 1)) }, codes(storage.BlobSwapped, storage.BlobSwapped), false},
		"file removed":              {func(o *office) { o.remove(blob(o, 0)) }, codes(storage.BlobMissing), false},
		"file cut short":            {func(o *office) { o.store.Tamper(blob(o, 0), o.store.Raw(blob(o, 0))[:1000]) }, codes(storage.BlobChanged), false},
		"content of a file replaced by another chain's": {func(o *office) {
			o.store.Tamper(blob(o, 0), o.store.Raw(o.one(dir("blob", archive.KindRecord, plainID), 0)))
		}, codes(storage.BlobChanged), false},
		"content of a carried file changed": {func(o *office) {
			raw := o.store.Raw(entryOf(archive.KindRecord, recordID, "1"))
			raw[len(raw)-100] ^= 1
			o.store.Tamper(entryOf(archive.KindRecord, recordID, "1"), raw)
		}, codes(storage.BlobChanged), false},
		"file that no entry names": {func(o *office) {
			o.keep(archive.Ref{Kind: archive.KindRecord, ID: recordID}, "garbage", archive.Carry{})
		}, codes(storage.BlobOrphan), true},
		"file of a chain that was fenced off": {func(o *office) {
			o.keep(archive.Ref{Kind: archive.KindRecord, ID: fencedID}, "garbage", archive.Carry{})
		}, codes(storage.BlobOrphan, storage.KeyOrphan), true},
		"file of nothing": {func(o *office) {
			o.keep(archive.Ref{Kind: archive.KindRecord, ID: nobodyID}, "all that is left", archive.Carry{})
		}, codes(storage.ChainMissing), false},
		"reading changed": {func(o *office) { o.flip(derived(o)) }, codes(storage.DerivedChanged), true},
		"reading removed": {func(o *office) { o.remove(derived(o)) }, codes(storage.DerivedMissing), true},
		"reading of no file": {func(o *office) {
			o.store.Tamper(dir("derived", archive.KindRecord, recordID)+"/"+strings.Repeat("ab", 16)+".reading-v1", []byte("x"))
		}, codes(storage.DerivedOrphan), true},
		"pack changed": {func(o *office) { o.store.Tamper("derived/documents/00-v1", []byte("x")) }, codes(storage.DerivedChanged), true},
	}
}

func claimDamages() map[string]damage {
	return map[string]damage{
		"claim changed":                          {func(o *office) { o.flip(o.one("claim/user")) }, codes(storage.ClaimChanged), false},
		"claim removed":                          {func(o *office) { o.remove(o.one("claim/refcode", 0)) }, codes(storage.ClaimMissing), true},
		"claim of a chain that never came to be": {func(o *office) { o.claim(archive.ClaimRefCode, "A-1", nobodyID) }, codes(storage.ClaimDangling), true},
		"claim of a chain that was fenced off":   {func(o *office) { o.claim(archive.ClaimRefCode, "A-1", fencedID) }, codes(storage.ClaimDangling), true},
		"claim that its chain does not name":     {func(o *office) { o.claim(archive.ClaimRefCode, "A-1", recordID) }, codes(storage.ClaimStale), true},
		"claim of a value that another names": {func(o *office) {
			o.do(o.b.Claims().Release(o.ctx, archive.ClaimUser, "citizen", citizenID))
			o.claim(archive.ClaimUser, "citizen", nobodyID)
			o.store.Tamper(keyOf(archive.KindAccount, nobodyID), o.store.Raw(keyOf(archive.KindRecord, recordID))) // it was there
		}, codes(storage.ClaimDangling, storage.ClaimTaken, storage.KeyOrphan), false},
		"claim of an unknown kind": {func(o *office) {
			o.store.Tamper(strings.Replace(o.one("claim/user"), "user", "novel", 1), o.store.Raw(o.one("claim/user")))
		}, codes(storage.ObjectStray), false},
		"claims swapped": {func(o *office) { o.swap(o.one("claim/user"), o.one("claim/token")) }, codes(storage.ClaimChanged, storage.ClaimChanged), false},
	}
}

func markDamages() map[string]damage {
	return map[string]damage{
		"mark removed": {func(o *office) { o.remove(o.one("mark/refkey", 0)) }, codes(storage.MarkMissing), true},
		"mark of what the record says no more": {func(o *office) { o.mark(archive.MarkPerson, "resident:999999199203030013", recordID) },
			codes(storage.MarkStale), true},
		"mark of a chain that never came to be": {func(o *office) { o.mark(archive.MarkDesk, officeID, nobodyID) }, codes(storage.MarkStale), true},
		"mark of an unknown kind":               {func(o *office) { o.mark("novel", "value", recordID) }, codes(storage.MarkUnknown), false},
		"mark under an unknown version of the ring": {func(o *office) {
			o.store.Tamper(strings.Replace(o.one("mark/desk"), "desk/1/", "desk/2/", 1), []byte{})
		}, codes(storage.MarkUnknown), false},
		"object among the marks":                   {func(o *office) { o.store.Tamper("mark/note", []byte("x")) }, codes(storage.ObjectStray), false},
		"document missing":                         {func(o *office) { delete(o.index, recordID) }, codes(storage.IndexMissing), true},
		"document of an older version":             {func(o *office) { o.index[recordID] = 1 }, codes(storage.IndexStale), true},
		"document of no record":                    {func(o *office) { o.index[nobodyID] = 1 }, codes(storage.IndexExcess), true},
		"document of a record that was fenced off": {func(o *office) { o.index[fencedID] = 1 }, codes(storage.IndexExcess), true},
	}
}

func restDamages() map[string]damage {
	dead := archive.Job{Kind: archive.JobRecord, Ref: archive.Ref{Kind: archive.KindRecord, ID: nobodyID}, Nonce: nobodyID, Dead: true}
	return map[string]damage{
		"job that was given up": {func(o *office) { o.do(o.b.Work().PutJob(o.ctx, dead)) }, codes(storage.JobDead), false},
		"job of an approval lost": {func(o *office) {
			o.do(storage.NewChain[archive.Request](o.b, archive.KindRequest).Append(o.ctx, nobodyID, 1,
				archive.Request{ID: nobodyID, Office: officeID, Applicant: citizenID, State: archive.Approved}))
			o.mark(archive.MarkDesk, officeID, nobodyID)
			o.mark(archive.MarkApplicant, citizenID, nobodyID)
		}, codes(storage.JobMissing), true},
		"job of a certificate lost": {func(o *office) {
			requests := storage.NewChain[archive.Request](o.b, archive.KindRequest)
			r := archive.Request{ID: nobodyID, Office: officeID, Applicant: citizenID, State: archive.Approved}
			o.do(requests.Append(o.ctx, nobodyID, 1, r))
			o.mark(archive.MarkDesk, officeID, nobodyID)
			o.mark(archive.MarkApplicant, citizenID, nobodyID)
			o.claim(archive.ClaimNumber, "2", nobodyID)
			o.do(storage.NewChain[archive.Certificate](o.b, archive.KindCertificate).Append(o.ctx, nobodyID, 1,
				archive.Certificate{ID: nobodyID, Record: recordID, RecordVersion: 1, Number: "2", State: archive.CertApproved}))
		}, codes(storage.JobMissing), true},
		"job changed": {func(o *office) {
			o.do(o.b.Work().PutJob(o.ctx, dead))
			o.flip(o.one("work/"))
		}, codes(storage.JobChanged), false},
		"lease changed":      {func(o *office) { o.flip("lease/sweep") }, codes(storage.LeaseChanged), false},
		"sequence removed":   {func(o *office) { o.remove(o.one("lease/sequence-")) }, codes(storage.SequenceBehind), false},
		"accesses changed":   {func(o *office) { o.flip(o.one("access/")) }, codes(storage.AccessChanged), false},
		"accesses elsewhere": {func(o *office) { o.store.Tamper("access/note", []byte("x")) }, codes(storage.ObjectStray), false},
		"object of another program": {func(o *office) {
			o.store.Tamper("aaa", []byte("x"))
			o.store.Tamper("chain/note", []byte("x"))
			o.store.Tamper("zzz/a", []byte("x"))
			o.store.Tamper("system/note", []byte("x"))
		}, codes(storage.ObjectStray, storage.ObjectStray, storage.ObjectStray, storage.ObjectStray), false},
		"probe of a start that was killed": {func(o *office) { o.store.Tamper("system/probe-0", []byte("x")) }, codes(storage.ProbeLeft), true},
	}
}

// rewrite seals an entry again with another body, as only the owner of the keys can.
func (o *office) rewrite(key string) {
	o.t.Helper()
	ring := o.ring()
	keyName := strings.Replace(key[:strings.LastIndexByte(key, '/')], "chain/", "key/", 1)
	open := func(s vault.Secret, name string) (line, plain []byte) {
		raw := o.store.Raw(name)
		end := bytes.IndexByte(raw, '\n') + 1
		var h struct {
			Carries []struct{ Size int }
		}
		o.do(json.Unmarshal(raw[:end], &h))
		for _, c := range h.Carries {
			raw = raw[:len(raw)-c.Size]
		}
		plain, err := s.Open(name, raw[:end], raw[end:])
		o.do(err)
		return raw[:end], plain
	}
	_, secret := open(ring.Versions[0].Wrap, keyName)
	dataKey, err := vault.SecretOf(secret)
	o.do(err)
	line, plain := open(dataKey, key)
	sealed, err := dataKey.Seal(rand.Reader, key, line, bytes.Replace(plain, []byte("title 0"), []byte("title X"), 1))
	o.do(err)
	raw := o.store.Raw(key)
	o.store.Tamper(key, append(append(bytes.Clone(line), sealed...), raw[len(line)+len(sealed):]...))
}

func (o *office) ring() vault.Ring {
	o.t.Helper()
	root, err := vault.SecretOf(make([]byte, 32))
	o.do(err)
	raw := o.store.Raw("system/keyring")
	end := bytes.IndexByte(raw, '\n') + 1
	plain, err := root.Open("system/keyring", raw[:end], raw[end:])
	o.do(err)
	ring, err := vault.DecodeRing(plain)
	o.do(err)
	return ring
}
