package certificates

import (
	"context"
	"io"

	"dangan/archive"
)

// Certificates is the chain of every certificate. Its ids are request ids.
type Certificates interface {
	Append(ctx context.Context, id string, n int, c archive.Certificate) error
	Head(ctx context.Context, id string) (archive.Version[archive.Certificate], error)
}

// Requests is the chain of requests: an issued certificate closes its request.
type Requests interface {
	Append(ctx context.Context, id string, n int, r archive.Request) error
	Head(ctx context.Context, id string) (archive.Version[archive.Request], error)
}

// Records reads the version a certificate states.
type Records interface {
	// History returns all entries, oldest first.
	History(ctx context.Context, id string) ([]archive.Version[archive.Record], error)
}

// Offices names the issuer.
type Offices interface {
	Head(ctx context.Context, id string) (archive.Version[archive.Office], error)
}

// Numbers gives out certificate numbers and finds certificates by them.
type Numbers interface {
	// Next is the next number of a sequence, from 1; a number is never given
	// twice, and one that goes unused stays void (作废).
	Next(ctx context.Context, sequence string) (int, error)
	Claim(ctx context.Context, kind, value, owner string) (holder string, err error)
	Holder(ctx context.Context, kind, value string) (string, error)
}

// Blobs keeps the sealed PDFs.
type Blobs interface {
	PutBlob(ctx context.Context, owner archive.Ref, r io.Reader, c archive.Carry) (archive.Blob, error)
	OpenBlob(ctx context.Context, owner archive.Ref, b archive.Blob) (archive.Content, error)
}

// Stamper draws and seals.
type Stamper interface {
	// Stamp returns the sealed PDF. An error that is archive.ErrUnavailable may
	// pass (an HSM that is away); others need a person.
	Stamp(ctx context.Context, c archive.Certificate) ([]byte, error)
	// Draw returns the same page as a draft, which nobody can take for one that was
	// issued: with neither seal nor number nor code.
	Draw(ctx context.Context, c archive.Certificate) ([]byte, error)
	// Number reads which certificate a PDF says it is; archive.ErrNotFound when
	// it says nothing, archive.ErrInvalid when it is no PDF.
	Number(pdf []byte) (string, error)
}

// Copier draws and seals certified copies. Its errors are like the Stamper's.
type Copier interface {
	// Copy writes the sealed PDF of c.Copy; originals are the contents of
	// c.Copy.Originals, in that order, and are closed by the caller.
	Copy(ctx context.Context, c archive.Certificate, originals []archive.Content, w io.Writer) error
	// DrawCopy writes the same pages as a draft, which nobody can take for one that
	// was issued.
	DrawCopy(ctx context.Context, c archive.Certificate, originals []archive.Content, w io.Writer) error
}

// Files releases the originals of copies (package holdings).
type Files interface {
	// File passes the door with file n (from 1). It is archive.ErrState while the
	// file is being read. The caller closes the content.
	File(ctx context.Context, actor archive.Actor, p archive.Purpose, id string, n int) (archive.File, archive.Content, error)
}

// Templates is the chain of every template (archive.TemplateID).
type Templates interface {
	Append(ctx context.Context, id string, n int, t archive.Template) error
	Head(ctx context.Context, id string) (archive.Version[archive.Template], error)
	// History returns all entries, oldest first.
	History(ctx context.Context, id string) ([]archive.Version[archive.Template], error)
}

// Opener opens records for drafts (package holdings).
type Opener interface {
	Open(ctx context.Context, actor archive.Actor, p archive.Purpose, id string) (archive.RecordView, error)
}

// Outbox makes sure that an approved certificate is sealed.
type Outbox interface {
	Plan(ctx context.Context, job archive.Job) (archive.Job, error)
	Start(job archive.Job)
}

// Door is the one way out (package evidence).
type Door interface {
	Pass(ctx context.Context, d archive.Disclosure) (archive.Decision, error)
}
