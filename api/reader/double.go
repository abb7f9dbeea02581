package reader

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"dangan/archive"
)

// isDouble reports whether the file of a type that is read here would be of
// another type to somebody else: other programs look for a PDF in the first
// kilobyte, for a web page in the first words, for a ZIP from the end.
func (s *source) isDouble(mediaType string) (bool, error) {
	switch mediaType {
	case typePDF, typeJPEG, typePNG, typeTIFF, typeZIP, typeOFD:
	default:
		return false, nil
	}
	head, err := s.piece(0, headSize)
	if err != nil {
		return false, err
	}
	if mediaType != typePDF && bytes.Contains(head, []byte("%PDF-")) {
		return true, nil
	}
	lower := bytes.ToLower(head)
	for _, tag := range []string{"<html", "<script", "<!doctype html", "<?php"} {
		if bytes.Contains(lower, []byte(tag)) {
			return true, nil
		}
	}
	if mediaType == typeZIP || mediaType == typeOFD {
		return false, nil
	}
	tail, err := s.piece(max(0, s.size-maxZIPEnd), maxZIPEnd)
	return endsAsZIP(tail), err
}

// piece is what the file has from offset on, at most length bytes.
func (s *source) piece(offset, length int64) ([]byte, error) {
	p := make([]byte, min(length, s.size-offset))
	n, err := s.ReadAt(p, offset)
	if n < len(p) && err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return p[:n], nil
}

// zipEnd is the length of the record that ends a ZIP, without its comment, and
// maxZIPEnd that with the longest one.
const (
	zipEnd    = 22
	maxZIPEnd = zipEnd + 1<<16 - 1
)

// endsAsZIP reports whether a file with this tail ends as a ZIP does.
func endsAsZIP(tail []byte) bool {
	for len(tail) >= zipEnd {
		at := bytes.Index(tail, []byte("PK\x05\x06"))
		if at < 0 || len(tail)-at < zipEnd {
			return false
		}
		tail = tail[at:]
		// Other programs take a comment that is too short, too.
		if comment := int(binary.LittleEndian.Uint16(tail[zipEnd-2:])); comment <= len(tail)-zipEnd {
			return true
		}
		tail = tail[1:]
	}
	return false
}

// readZIP keeps OFD files, which this house cannot show, by what is in them: the
// first entries of a ZIP may be any.
func (j job) readZIP(reading *archive.Reading) error {
	z, err := zip.NewReader(j.src, j.src.size)
	if err != nil {
		return fmt.Errorf("open ZIP: %w", err)
	}
	reading.MediaType = typeZIP
	for _, f := range z.File {
		if strings.TrimPrefix(f.Name, "/") == "OFD.xml" {
			reading.MediaType = typeOFD
			note(reading, CodeNoPreview)
			return nil
		}
	}
	reject(reading, CodeUnsupportedType)
	return nil
}
