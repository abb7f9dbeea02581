package storage

import "context"

// Code says what is wrong with an object. Codes are stable.
type Code string

// Damage: something was lost or altered, and no other part of the archive can give
// it back.
const (
	EntryChanged    Code = "entry_changed"     // does not open, or is not what its key says
	EntrySwapped    Code = "entry_swapped"     // stands in the place of another
	EntryMissing    Code = "entry_missing"     // a gap in a chain
	ChainBroken     Code = "chain_broken"      // an entry does not follow the one before it
	ChainRolledBack Code = "chain_rolled_back" // its newest entries were taken away
	ChainMissing    Code = "chain_missing"     // others speak of it
	KeyMissing      Code = "key_missing"
	KeyChanged      Code = "key_changed"
	KeySwapped      Code = "key_swapped" // of another chain
	BlobMissing     Code = "blob_missing"
	BlobChanged     Code = "blob_changed"
	BlobSwapped     Code = "blob_swapped" // holds another file of its chain
	ClaimChanged    Code = "claim_changed"
	ClaimTaken      Code = "claim_taken" // held by another than the chain that names it
	JobChanged      Code = "job_changed"
	LeaseChanged    Code = "lease_changed"   // a lease, a sequence or a state
	SequenceBehind  Code = "sequence_behind" // will give out a number again
	AccessChanged   Code = "access_changed"
)

// Stale: something that follows from the chains does not; Check can mend it.
const (
	BlobOrphan     Code = "blob_orphan" // no entry names it
	KeyOrphan      Code = "key_orphan"
	DerivedChanged Code = "derived_changed"
	DerivedMissing Code = "derived_missing"
	DerivedOrphan  Code = "derived_orphan"
	ClaimMissing   Code = "claim_missing"
	ClaimDangling  Code = "claim_dangling" // its chain never came to be
	ClaimStale     Code = "claim_stale"    // its chain does not name it
	MarkMissing    Code = "mark_missing"
	MarkStale      Code = "mark_stale"
	IndexMissing   Code = "index_missing"
	IndexStale     Code = "index_stale"
	IndexExcess    Code = "index_excess"
	JobMissing     Code = "job_missing" // a certificate is owed, and nothing will make it
	ProbeLeft      Code = "probe_left"
	UploadLeft     Code = "upload_left" // in parts, never completed
)

// Attention: a person has to look.
const (
	ObjectStray Code = "object_stray" // FORMAT.md knows no such object
	MarkUnknown Code = "mark_unknown" // of no kind or key ring version that there is
	JobDead     Code = "job_dead"     // given up
)

// Severities of findings.
const (
	Damage    = "damage"
	Stale     = "stale"
	Attention = "attention"
)

// Severity is Damage, Stale or Attention.
func (c Code) Severity() string {
	switch c {
	case ObjectStray, MarkUnknown, JobDead:
		return Attention
	case BlobOrphan, KeyOrphan, DerivedChanged, DerivedMissing, DerivedOrphan, ClaimMissing, ClaimDangling, ClaimStale,
		MarkMissing, MarkStale, IndexMissing, IndexStale, IndexExcess, JobMissing, ProbeLeft, UploadLeft:
		return Stale
	}
	return Damage
}

// Finding is one thing that is wrong. It says nothing that the store does not see.
type Finding struct {
	Code     Code   `json:"code"`
	Severity string `json:"severity"`
	Object   string `json:"object"`   // object key, or index/<id of a record>
	Mendable bool   `json:"mendable"` // can be made again from what is sound
	Mended   bool   `json:"mended"`

	chain string // id of the one that it is about
	mend  func(ctx context.Context) error
}

func found(code Code, object string) Finding {
	return Finding{Code: code, Severity: code.Severity(), Object: object}
}

// mendedBy is the finding with what mends it; without that, it cannot be.
func (f Finding) mendedBy(mend func(ctx context.Context) error) Finding {
	f.mend, f.Mendable = mend, mend != nil
	return f
}
