package reader

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"mime"
	"slices"
	"strings"

	"dangan/archive"
)

// A pool and its child talk in frames over two pipes: one byte that says what it
// is, four for the length (big endian), and as many bytes. The pool gives an
// order, the child asks for the bytes of the file it needs, and ends with one
// answer; then the next order.
type frame byte

const (
	frameConfig frame = 'C' // pool, once: a [Config] in JSON
	frameReady  frame = 'R' // child, once: orders may come

	frameOrder  frame = 'O' // pool: an order in JSON
	frameWant   frame = 'W' // child: offset (8 bytes) and length (4) of what it needs
	frameBytes  frame = 'B' // pool: what was wanted, shorter at the end of the file
	frameBroken frame = 'X' // pool, instead: the file cannot be read

	// Answers, which end an order.
	frameReading frame = 'r' // an archive.Reading in JSON
	framePage    frame = 'p' // a PNG, one for each width
	framePixels  frame = 'x' // a width in pixels (4 bytes), and rows of red, green, blue, alpha
	frameLines   frame = 't' // the []archive.TextLine of a page in JSON
	frameNoPage  frame = 'n' // the file has no such page, or none that can be drawn
	frameFailed  frame = 'f' // neither; why is not told, because it may quote the file
)

// maxFrame bounds what a child may answer: the longest text, or the largest page.
const maxFrame = max(2*maxText+8<<20, 4+4*maxArea)

// maxWant bounds what a child may ask for at once.
const maxWant = 1 << 20

// errNonsense means that the other side does not keep to the protocol.
var errNonsense = errors.New("nonsense from the other side")

// writeFrame writes a frame at once, so that nothing needs to be flushed. What is
// too long to be copied is more, and follows.
func writeFrame(w io.Writer, f frame, body []byte, more ...byte) error {
	head := binary.BigEndian.AppendUint32([]byte{byte(f)}, uint32(len(body)+len(more)))
	_, err := w.Write(slices.Concat(head, body))
	if err == nil && len(more) > 0 {
		_, err = w.Write(more)
	}
	return err
}

// readFrame reads a frame of at most limit bytes into buffer, if that is large
// enough. A long frame takes memory only as it arrives.
func readFrame(r io.Reader, buffer []byte, limit int) (frame, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if int64(size) > int64(limit) {
		return 0, nil, fmt.Errorf("%w: frame of %d bytes", errNonsense, size)
	}
	if int(size) <= cap(buffer) {
		_, err := io.ReadFull(r, buffer[:size])
		return frame(head[0]), buffer[:size], err
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if err == nil && len(body) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	return frame(head[0]), body, err
}

// order is what a child is told to do with a file.
type order struct {
	Size   int64 `json:"size"`             // of the file
	Page   int   `json:"page,omitempty"`   // to draw; 0 to read the file
	Widths []int `json:"widths,omitempty"` // of the images of the page, in pixels
	DPI    int   `json:"dpi,omitempty"`    // of its pixels; 0 for images
	Lines  bool  `json:"lines,omitempty"`  // its text instead
}

func writeJSON(w io.Writer, f frame, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, f, body)
}

func readJSON(r io.Reader, want frame, v any) error {
	f, body, err := readFrame(r, nil, maxWant)
	if err != nil {
		return err
	}
	if f != want {
		return fmt.Errorf("%w: frame %q instead of %q", errNonsense, f, want)
	}
	return json.Unmarshal(body, v)
}

// answer is what a child ends an order with: a reading, a page, or neither.
type answer struct {
	frame   frame
	reading archive.Reading
	pngs    [][]byte
	pixels  *image.RGBA
	lines   []archive.TextLine
}

// converse gives an order to a child and serves it the file until it answers.
// An error is the end of the child, or its nonsense; that of the file is kept in
// file.err.
func converse(in io.Writer, out io.Reader, o order, file *source) (answer, error) {
	if err := writeJSON(in, frameOrder, o); err != nil {
		return answer{}, err
	}
	buffer := make([]byte, maxWant)
	var pngs [][]byte
	for {
		f, body, err := readFrame(out, buffer[:0:wantSize], maxFrame)
		switch {
		case err != nil:
			return answer{}, err
		case f == frameWant:
			if err := give(in, buffer, body, file); err != nil {
				return answer{}, err
			}
		case f == framePage && len(pngs) < len(o.Widths) && bytes.HasPrefix(body, []byte(pngMagic)):
			if pngs = append(pngs, body); len(pngs) == len(o.Widths) {
				return answer{frame: f, pngs: pngs}, nil
			}
		default:
			return parseAnswer(o, f, body)
		}
	}
}

// parseAnswer believes a child no more than its file: whoever broke out of a
// parser could say anything.
func parseAnswer(o order, f frame, body []byte) (answer, error) {
	a := answer{frame: f}
	switch {
	case f == frameFailed || f == frameNoPage && o.Page > 0:
		return a, nil
	case f == framePixels && o.DPI > 0:
		var ok bool
		if a.pixels, ok = parsePixels(body); ok {
			return a, nil
		}
	case f == frameLines && o.Lines:
		var ok bool
		if a.lines, ok = parseLines(body); ok {
			return a, nil
		}
	case f == frameReading && o.Page == 0:
		if err := json.Unmarshal(body, &a.reading); err != nil {
			return a, fmt.Errorf("%w: %w", errNonsense, err)
		}
		if isSound(a.reading) {
			return a, nil
		}
	}
	return answer{}, fmt.Errorf("%w: frame %q of %d bytes", errNonsense, f, len(body))
}

// parsePixels wants whole rows.
func parsePixels(body []byte) (*image.RGBA, bool) {
	if len(body) < 4 {
		return nil, false
	}
	width, pixels := int64(binary.BigEndian.Uint32(body)), body[4:]
	if width == 0 || len(pixels) == 0 || int64(len(pixels))%(4*width) != 0 {
		return nil, false
	}
	height := int64(len(pixels)) / (4 * width)
	return &image.RGBA{Pix: pixels, Stride: int(4 * width), Rect: image.Rect(0, 0, int(width), int(height))}, true
}

func isSound(r archive.Reading) bool {
	_, _, err := mime.ParseMediaType(r.MediaType)
	strange := func(f archive.Finding) bool { return strings.Trim(f.Code, "abcdefghijklmnopqrstuvwxyz_") != "" }
	return err == nil && r.Pages >= 0 && (len(r.Text) == 0 || len(r.Text) == r.Pages) && !slices.ContainsFunc(r.Findings, strange)
}

// wantSize is the length of a wish: an offset and a length.
const wantSize = 8 + 4

func give(in io.Writer, buffer, want []byte, file *source) error {
	if len(want) != wantSize {
		return fmt.Errorf("%w: a wish of %d bytes", errNonsense, len(want))
	}
	offset, length := binary.BigEndian.Uint64(want), binary.BigEndian.Uint32(want[8:])
	if offset > uint64(file.size) || length > maxWant {
		return fmt.Errorf("%w: %d bytes at %d of %d", errNonsense, length, offset, file.size)
	}
	n, err := file.ReadAt(buffer[:min(int64(length), file.size-int64(offset))], int64(offset))
	if err != nil && !errors.Is(err, io.EOF) {
		return writeFrame(in, frameBroken, nil)
	}
	return writeFrame(in, frameBytes, buffer[:n])
}

// blockSize and blocks are what a child keeps of a file: parsers read a few
// bytes here and there, and each wish costs two switches between processes.
const (
	blockSize = 64 << 10
	blocks    = 64
)

// distant is the file of an order, as the child sees it.
type distant struct {
	in    io.Reader
	out   io.Writer
	size  int64
	kept  [blocks]block
	clock int
	err   error
}

type block struct {
	number int64 // from 1, so that the zero block is none
	used   int
	data   []byte
}

// errFile stands for an error that only the pool knows.
var errFile = errors.New("file cannot be read")

func (d *distant) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= d.size {
		return 0, io.EOF
	}
	read := 0
	for read < len(p) {
		at := offset + int64(read)
		if at >= d.size {
			return read, io.EOF
		}
		data, err := d.block(at / blockSize)
		if err != nil {
			return read, err
		}
		read += copy(p[read:], data[at%blockSize:])
	}
	return read, nil
}

// block returns a whole block, that is, all of it that the file has.
func (d *distant) block(number int64) ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	d.clock++
	oldest := &d.kept[0]
	for i := range d.kept {
		switch b := &d.kept[i]; {
		case b.number == number+1:
			b.used = d.clock
			return b.data, nil
		case b.used < oldest.used:
			oldest = b
		}
	}
	if cap(oldest.data) == 0 {
		oldest.data = make([]byte, blockSize)
	}
	oldest.number = 0
	if oldest.data, d.err = d.fetch(oldest.data[:0], number*blockSize); d.err != nil {
		return nil, d.err
	}
	oldest.number, oldest.used = number+1, d.clock
	return oldest.data, nil
}

func (d *distant) fetch(buffer []byte, offset int64) ([]byte, error) {
	length := min(blockSize, d.size-offset)
	want := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, uint64(offset)), uint32(length))
	if err := writeFrame(d.out, frameWant, want); err != nil {
		return nil, err
	}
	f, data, err := readFrame(d.in, buffer, blockSize)
	switch {
	case err != nil:
		return nil, err
	case f == frameBroken:
		return nil, errFile
	case f != frameBytes || int64(len(data)) != length:
		return nil, fmt.Errorf("%w: frame %q of %d bytes", errNonsense, f, len(data))
	}
	return data, nil
}
