package archive

import (
	"io"
	"time"
)

// Kind names a kind of chain, and is the second part of its object key.
type Kind string

// Everything with a history is a chain of immutable entries.
const (
	KindRecord      Kind = "record"
	KindRequest     Kind = "request"
	KindCertificate Kind = "certificate"
	KindAccount     Kind = "account"
	KindOffice      Kind = "office"
	KindTemplate    Kind = "template"
)

// Ref names one chain. It is safe in logs and object keys: IDs are opaque.
type Ref struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
}

// String is "kind/id".
func (r Ref) String() string { return string(r.Kind) + "/" + r.ID }

// Version is one entry of a chain: its number (from 1), when it was written,
// and the value it holds.
type Version[T any] struct {
	N     int       `json:"version"`
	At    time.Time `json:"at"`
	Value T         `json:"value"`
}

// Blob names sealed bytes that belong to one chain.
type Blob struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"` // lower-case hex, of the plaintext
	Size   int64  `json:"size"`   // bytes of plaintext

	// Sealed is the bytes on their way to the entry that carries them.
	Sealed string `json:"-"`
}

// Carry lets the entry that will name a blob carry its bytes, if they are few:
// that saves an object, and there is nothing to clean up when the entry never
// comes to be. The zero value carries nothing.
type Carry struct {
	Entry int   // its number
	Room  int64 // bytes of plaintext, at most
}

// CarryRoom is how much the files of one entry that it carries may come to, in
// bytes: the entry is kept in memory until it is written.
const CarryRoom = 512 << 10

// Carrier is the value of an entry that names blobs.
type Carrier interface {
	// Blobs are all that the value names, in a fixed order.
	Blobs() []Blob
}

// Content is the plaintext of a blob. ReadAt and Range fetch and open only the
// sealed packages they need. Reading Range(0, Size()) to its end also checks the
// SHA-256, and fails with ErrCorrupt instead of io.EOF when it differs.
type Content interface {
	io.ReaderAt
	io.Closer
	Size() int64
	Range(offset, length int64) (io.ReadCloser, error)
}

// Job is one durable intention: an effect that must follow a commit. It is
// written before the commit and removed after the effect.
type Job struct {
	Kind     string      `json:"kind"`
	Ref      Ref         `json:"ref"`           // the chain whose commit the effect follows
	New      bool        `json:"new,omitempty"` // the commit is the first entry of the chain
	Nonce    string      `json:"nonce"`         // one per attempt to commit
	Claims   []ClaimHeld `json:"claims,omitempty"`
	At       time.Time   `json:"at"`
	Attempts int         `json:"attempts,omitempty"`
	Next     time.Time   `json:"next,omitzero"` // not before
	Failure  string      `json:"failure,omitempty"`
	Dead     bool        `json:"dead,omitempty"`
}

// Kinds of jobs.
const (
	JobRecord      = "record"      // after every version of a record: read, mark, index
	JobRequest     = "request"     // after a submission: the marks by which lists find it
	JobCertificate = "certificate" // after an approval: seal; its Ref is the request
	JobScans       = "ocr"         // when the files of a record have been read: read its scans
)

// ClaimHeld is a claim made for a commit; the sweep releases it when the commit
// is fenced off.
type ClaimHeld struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Lease is the right to do one named thing for a while. Fence grows with every
// change of holder.
type Lease struct {
	Name    string    `json:"name"`
	Holder  string    `json:"holder"`
	Fence   int       `json:"fence"`
	Expires time.Time `json:"expires"`
}

// ValidID reports whether s has the form of an identifier: 26 characters of
// upper-case Crockford base32 (a ULID).
func ValidID(s string) bool {
	if len(s) != 26 || s[0] > '7' {
		return false
	}
	for _, c := range []byte(s) {
		digit := '0' <= c && c <= '9'
		letter := 'A' <= c && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U'
		if !digit && !letter {
			return false
		}
	}
	return true
}

// Kinds of marks (exact look-ups).
const (
	MarkPerson    = "person"    // IDNumber.Key → records
	MarkRefKey    = "refkey"    // RefCode.Key → records
	MarkDigest    = "digest"    // SHA-256 of a file → records
	MarkDesk      = "desk"      // office → its requests
	MarkApplicant = "applicant" // account → its requests
	MarkAccount   = "account"   // "staff" or "agency" → accounts
)

// Kinds of claims (uniqueness).
const (
	ClaimRefCode     = "refcode"     // RefCode.Canonical → record
	ClaimIdempotency = "idempotency" // actor + key → what it made
	ClaimNumber      = "number"      // certificate number → certificate
	ClaimPDF         = "pdf"         // SHA-256 of a sealed PDF → certificate
	ClaimUser        = "user"        // user name → account
	ClaimToken       = "token"       // SHA-256 of a bearer token → account
	ClaimCase        = "case"        // office + number of a case that nobody is warned of → account of the head who said so
	ClaimStaff       = "staff"       // IDNumber.Key → the one account of staff that a person has
)
