package reader

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"dangan/archive"

	pdfium "github.com/klippa-app/go-pdfium/errors"
	"github.com/pdfcpu/pdfcpu/pkg/filter"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

// The codes of findings. They are part of the stored format: never reused,
// never renamed.
const (
	// CodeDamaged: not a well-formed file of its type.
	CodeDamaged = "damaged"
	// CodeEncrypted: a PDF with a password or with restrictions.
	CodeEncrypted = "encrypted"
	// CodeUnsupportedType: a file type that is not read here.
	CodeUnsupportedType = "unsupported_type"
	// CodeTooManyPages: more pages than [Config] allows.
	CodeTooManyPages = "too_many_pages"
	// CodeBomb: reading it would take more memory than is allowed.
	CodeBomb = "bomb"
	// CodeTooSlow: reading it took more time than is allowed.
	CodeTooSlow = "too_slow"
	// CodeTooMuchMemory: reading it took more memory than is allowed.
	CodeTooMuchMemory = "too_much_memory"
	// CodeCrashed: whoever read it came to an end, twice.
	CodeCrashed = "reader_crashed"
	// CodePageSize: a page side outside 50 to 5000 points.
	CodePageSize = "page_size"
	// CodeActiveContent: scripts, launch actions, forms that call out, or media
	// that plays.
	CodeActiveContent = "active_content"
	// CodeAttachments: a PDF with other files in it, which would pass unread.
	CodeAttachments = "attachments"
	// CodePortfolio: a PDF that is but the cover of other files.
	CodePortfolio = "portfolio"
	// CodeXFA: a form that only some viewers can show, and its pages are not it.
	CodeXFA = "xfa"
	// CodePolyglot: a file that is of another type as well.
	CodePolyglot = "polyglot"
	// CodeTooLarge, a note: larger than what is read; kept, but not previewed.
	CodeTooLarge = "too_large"
	// CodeNoPreview, a note: a type or variety that is kept, but cannot be shown
	// here.
	CodeNoPreview = "no_preview"
	// CodeForm, a note: has fields to fill in; what is shown is what is in them.
	CodeForm = "form"
	// CodeSigned, a note: carries digital signatures, so that any copy must be
	// made from page images.
	CodeSigned = "signed"
)

func reject(r *archive.Reading, code string) { find(r, archive.Finding{Code: code, Rejects: true}) }
func note(r *archive.Reading, code string)   { find(r, archive.Finding{Code: code}) }

func find(r *archive.Reading, f archive.Finding) {
	if !slices.Contains(r.Findings, f) {
		r.Findings = append(r.Findings, f)
	}
}

// errPanic stands for a panic of a parser.
var errPanic = errors.New("parser panicked")

// errLimit is returned by our own checks for what would become too much.
var errLimit = errors.New("limit exceeded")

// outside returns why a parser failed when the reason lies outside the file,
// in its source or in the context; otherwise nil.
func (j job) outside() error {
	if j.src.err != nil {
		return j.src.err
	}
	return context.Cause(j.ctx)
}

// verdict sorts the failure of a parser: the fault of the file becomes a code,
// everything else stays an error.
func (j job) verdict(err error) (code string, _ error) {
	var engineFailure *engineError
	switch outside := j.outside(); {
	case outside == errOverrun:
		return CodeTooSlow, nil
	case outside != nil:
		return "", outside
	case errors.As(err, &engineFailure):
		return "", err
	case isLimit(err):
		return CodeBomb, nil
	// pdfium crashes itself, on purpose, when its memory is used up.
	case strings.Contains(err.Error(), "wasm error: unreachable"):
		return CodeTooMuchMemory, nil
	case isEncryption(err):
		return CodeEncrypted, nil
	}
	return CodeDamaged, nil
}

func isEncryption(err error) bool {
	return errors.Is(err, pdfium.ErrPassword) ||
		errors.Is(err, pdfium.ErrSecurity) ||
		errors.Is(err, pdfcpu.ErrWrongPassword) ||
		errors.Is(err, pdfcpu.ErrMalformedEncryption) ||
		errors.Is(err, pdfcpu.ErrUnsupportedEncryptionFeature)
}

func isLimit(err error) bool {
	return errors.Is(err, errLimit) ||
		errors.Is(err, filter.ErrDecodeLimitExceeded) ||
		errors.Is(err, model.ErrMaxRecursionDepthExceeded) ||
		// pdfcpu has no sentinel for its limits on counts.
		strings.Contains(err.Error(), "exceeds limit") ||
		strings.Contains(err.Error(), "maximum supported length")
}

// source is the file of one job. It stops parsers that read on after the end
// of the job, and remembers the first failure of the file underneath, which
// parsers like to hide.
type source struct {
	ctx  context.Context
	file io.ReaderAt
	size int64
	err  error
}

func (s *source) ReadAt(p []byte, offset int64) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	n, err := s.file.ReadAt(p, offset)
	if err != nil && !errors.Is(err, io.EOF) && s.err == nil {
		s.err = err
	}
	return n, err
}

// reader returns a new reader over the whole file.
func (s *source) reader() *io.SectionReader { return io.NewSectionReader(s, 0, s.size) }
