package reader

import (
	"bytes"
	"errors"
	"io"
)

// The media types that decide what happens to a file.
const (
	typeEmpty   = "application/x-empty"
	typeUnknown = "application/octet-stream"
	typePDF     = "application/pdf"
	typeJPEG    = "image/jpeg"
	typePNG     = "image/png"
	typeTIFF    = "image/tiff"
	typeZIP     = "application/zip"
	typeOFD     = "application/ofd"
)

const pngMagic = "\x89PNG\r\n\x1A\n"

// headSize is how much of a file is looked at to tell its type.
const headSize = 1024

func (s *source) mediaType() (string, error) {
	head := make([]byte, min(headSize, s.size))
	n, err := s.ReadAt(head, 0)
	if n < len(head) && err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return sniff(head[:n]), nil
}

// sniff tells the media type from the first bytes of a file. A type that is
// read here must begin at the first byte, except that a PDF may have a byte
// order mark or blanks before its header, which scanner software likes to add:
// a header found anywhere would let one file be two things.
func sniff(head []byte) string {
	if len(head) == 0 {
		return typeEmpty
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), "\x00\t\n\f\r ")
	if bytes.HasPrefix(text, []byte("%PDF-")) {
		return typePDF
	}
	for _, m := range magics() {
		if len(head) >= m.offset && bytes.HasPrefix(head[m.offset:], []byte(m.magic)) {
			if m.mediaType == typeZIP {
				return sniffZIP(head)
			}
			return m.mediaType
		}
	}
	return typeUnknown
}

type magic struct {
	offset           int
	magic, mediaType string
}

// magics lists the types that are recognised, so that a refusal can name them.
func magics() []magic {
	return []magic{
		{0, "\xFF\xD8\xFF", typeJPEG},
		{0, pngMagic, typePNG},
		{0, "II*\x00", typeTIFF},
		{0, "MM\x00*", typeTIFF},
		{0, "II+\x00", typeTIFF},
		{0, "MM\x00+", typeTIFF},
		{0, "GIF8", "image/gif"},
		{0, "BM", "image/bmp"},
		{8, "WEBP", "image/webp"},
		{4, "ftypheic", "image/heic"},
		{0, "\x00\x00\x00\x0CjP  \r\n\x87\n", "image/jp2"},
		{0, "AT&TFORM", "image/vnd.djvu"},
		{0, "%!PS", "application/postscript"},
		{0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "application/x-ole-storage"},
		{0, "PK\x03\x04", typeZIP},
	}
}

// sniffZIP tells the document formats that are ZIP files apart by the entries
// their writers put first.
func sniffZIP(head []byte) string {
	switch {
	case bytes.Contains(head, []byte("OFD.xml")):
		return typeOFD
	case bytes.Contains(head, []byte("[Content_Types].xml")):
		return "application/vnd.openxmlformats-officedocument"
	}
	return typeZIP
}
