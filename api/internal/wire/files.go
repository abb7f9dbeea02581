package wire

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"mime/multipart"

	"dangan/archive"
)

// Files yields the file parts of a multipart body one after the other, from
// first on; each must be read before the next. Parts named otherwise end it with
// a problem, and empty ones, which browsers send when no file is chosen, are
// passed over.
func Files(parts *multipart.Reader, first *multipart.Part) iter.Seq2[archive.Upload, error] {
	return func(yield func(archive.Upload, error) bool) {
		for part, err := first, error(nil); ; part, err = parts.NextPart() {
			switch {
			case err == io.EOF:
				return
			case err == nil && part == nil: // there was no first file
				return
			case err != nil:
				yield(archive.Upload{}, ReadError(err))
				return
			case part.FormName() != "file":
				yield(archive.Upload{}, archive.Problems{{Code: "unknown_part", Field: "parts"}})
				return
			case part.FileName() == "":
				continue
			}
			upload := archive.Upload{Name: part.FileName(), MediaType: part.Header.Get("Content-Type"), Body: body{part}}
			if !yield(upload, nil) {
				return
			}
		}
	}
}

// body tells an upload that broke off from one that ended.
type body struct{ part *multipart.Part }

func (b body) Read(p []byte) (int, error) {
	n, err := b.part.Read(p)
	if err != nil && err != io.EOF {
		err = ReadError(err)
	}
	return n, err
}

// ReadError is what a failure to read the request means: the client sent
// something that is no multipart body, or broke off. The limit on the size of a
// body stays what it is.
func ReadError(err error) error {
	var large interface{ Timeout() bool }
	if errors.As(err, &large) && large.Timeout() {
		return fmt.Errorf("read upload: %w", err)
	}
	return fmt.Errorf("read upload: %w: %w", ErrMalformed, err)
}
