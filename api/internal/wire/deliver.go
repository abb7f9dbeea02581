package wire

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"dangan/archive"
)

// Served is a file on its way out.
type Served struct {
	Name      string
	MediaType string // as declared
	SHA256    string
	Inline    bool // show it instead of saving it
}

// Deliver sends content, whole or the ranges asked for, and closes it. Whatever
// the file is, a browser neither guesses its type nor runs it. A failure after
// the first byte breaks the connection off, so that a damaged file never looks
// complete.
func Deliver(w http.ResponseWriter, r *http.Request, s Served, content archive.Content) (err error) {
	defer func() { err = errors.Join(err, content.Close()) }()
	s.head(w.Header())
	if s.SHA256 != "" {
		w.Header().Set("ETag", `"`+s.SHA256+`"`)
	}
	source := &seeker{content: content, clock: clock{control: http.NewResponseController(w)}}
	http.ServeContent(w, r, "", time.Time{}, source)
	return errors.Join(source.failure, source.shut())
}

// head says what the file is, and keeps a browser from running it.
func (s Served) head(h http.Header) {
	how := "attachment"
	if s.Inline {
		how = "inline"
	}
	h.Set("Content-Type", safeType(s.MediaType))
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": s.Name}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
}

// safeType lets through the types that the reader accepts.
func safeType(declared string) string {
	switch declared {
	case "application/pdf", "image/jpeg", "image/png":
		return declared
	}
	return "application/octet-stream"
}

// seeker reads content as one stream from wherever it was set, so that a range
// costs one request to the store.
type seeker struct {
	clock
	content archive.Content
	offset  int64
	stream  io.ReadCloser
	failure error
}

func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.offset
	case io.SeekEnd:
		offset += s.content.Size()
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek: %w", archive.ErrInvalid)
	}
	if offset == s.offset {
		return offset, nil
	}
	s.offset = offset
	return offset, s.shut()
}

func (s *seeker) shut() error {
	if s.stream == nil {
		return nil
	}
	stream := s.stream
	s.stream = nil
	return stream.Close()
}

func (s *seeker) Read(p []byte) (int, error) {
	n, err := s.read(p)
	if err != nil && err != io.EOF {
		s.failure = fmt.Errorf("read content: %w", err)
	}
	return n, err
}

func (s *seeker) read(p []byte) (int, error) {
	if s.offset >= s.content.Size() {
		return 0, io.EOF
	}
	if err := s.moveOn(0, 2*quiet); err != nil {
		return 0, err
	}
	if s.stream == nil {
		stream, err := s.content.Range(s.offset, s.content.Size()-s.offset)
		if err != nil {
			return 0, err
		}
		s.stream = stream
	}
	n, err := s.stream.Read(p)
	s.offset += int64(n)
	if err == nil && s.offset == s.content.Size() {
		// The end of the stream is where its checksum is compared: it is read
		// before the last bytes are passed on.
		var more [1]byte
		switch _, err := io.ReadFull(s.stream, more[:]); err {
		case io.EOF:
		case nil:
			return 0, fmt.Errorf("content is longer than it says: %w", archive.ErrCorrupt)
		default:
			return 0, err
		}
	}
	if err == io.EOF && s.offset < s.content.Size() {
		return 0, fmt.Errorf("short content: %w", archive.ErrCorrupt)
	}
	return n, err
}
