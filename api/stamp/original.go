package stamp

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"math"

	"dangan/api/stamp/internal/dct"
	"dangan/api/stamp/internal/pdffile"
)

// maxOriginal bounds a scan that is kept, in bytes.
const maxOriginal = 64 << 20

// errNoScan says that a page is more, or less, than one scan that can be kept.
var errNoScan = errors.New("the page is not one scan")

// originals finds the scans that pages consist of. The last file stays open: pages of a copy come in their order.
type originals struct {
	of    int // number of the source
	file  *pdffile.File
	pages []pdffile.Page
	err   error
}

// find returns the scan of a page. Any error means that the page must be drawn.
func (o *originals) find(sources []Source, p CopyPage) (scan, error) {
	source := sources[p.Source]
	var magic [2]byte
	if _, err := source.ReadAt(magic[:], 0); err != nil {
		return scan{}, err
	}
	if string(magic[:]) == "\xFF\xD8" {
		return scanOf(source)
	}
	if o.file == nil && o.err == nil || o.of != p.Source {
		o.of = p.Source
		if o.file, o.err = pdffile.Open(source, source.Size()); o.err == nil {
			o.pages, o.err = o.file.Pages()
		}
	}
	if o.err != nil {
		return scan{}, o.err
	}
	if p.Page > len(o.pages) {
		return scan{}, errNoScan
	}
	return scanOn(o.file, o.pages[p.Page-1])
}

// scanOf is a file that is a scan.
func scanOf(source Source) (scan, error) {
	s, info, err := readScan(source, source.Size())
	if err != nil {
		return scan{}, err
	}
	const least, most = 50, 2400 // of the resolutions that scanners have
	if info.Exif || min(info.DPIX, info.DPIY) < least || max(info.DPIX, info.DPIY) > most {
		return scan{}, errNoScan
	}
	s.width, s.height = float64(info.Width)*72/info.DPIX, float64(info.Height)*72/info.DPIY
	return s, nil
}

// readScan reads a JPEG, and what it says of itself.
func readScan(in io.ReaderAt, size int64) (scan, dct.Info, error) {
	if size > maxOriginal {
		return scan{}, dct.Info{}, errNoScan
	}
	file := make([]byte, size)
	if _, err := in.ReadAt(file, 0); err != nil && err != io.EOF {
		return scan{}, dct.Info{}, err
	}
	info, err := dct.Look(file)
	return scan{jpeg: file, grey: info.Grey, pixels: image.Pt(info.Width, info.Height)}, info, err
}

// scanOn is the scan that fills a page of a PDF.
func scanOn(f *pdffile.File, p pdffile.Page) (scan, error) {
	if p.Dict["Annots"] != nil || p.Dict["Group"] != nil {
		return scan{}, errNoScan
	}
	name, m, err := onlyPicture(f, p)
	if err != nil {
		return scan{}, err
	}
	picture, err := pictureOn(f, p, name)
	if err != nil {
		return scan{}, err
	}
	turn, ok := m.fills(p.Crop)
	if !ok {
		return scan{}, errNoScan
	}
	s, _, err := readScan(f.Raw(picture), picture.Size)
	if err != nil {
		return scan{}, err
	}
	space := pdffile.Name("DeviceRGB")
	if s.grey {
		space = "DeviceGray"
	}
	if picture.Dict["ColorSpace"] != space || picture.Dict["Width"] != float64(s.pixels.X) || picture.Dict["Height"] != float64(s.pixels.Y) {
		return scan{}, errNoScan
	}
	s.turn = (turn + p.Rotate) % 360
	s.width, s.height = (p.Crop[2]-p.Crop[0])*p.UserUnit, (p.Crop[3]-p.Crop[1])*p.UserUnit
	if p.Rotate%180 == 90 {
		s.width, s.height = s.height, s.width
	}
	return s, nil
}

// matrix maps the unit square onto a page (ISO 32000-1, 8.3.4).
type matrix [6]float64

// times is m applied before n.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// fills tells whether the square fills a box, upright or turned clockwise, and not mirrored.
func (m matrix) fills(box [4]float64) (turn int, ok bool) {
	w, h := box[2]-box[0], box[3]-box[1]
	for turn, want := range map[int]matrix{
		0:   {w, 0, 0, h, box[0], box[1]},
		90:  {0, -h, w, 0, box[0], box[3]},
		180: {-w, 0, 0, -h, box[2], box[3]},
		270: {0, h, -w, 0, box[2], box[1]},
	} {
		off := 0.0
		for i := range m {
			off = max(off, math.Abs(m[i]-want[i]))
		}
		if off <= 1 { // a point is less than anybody sees
			return turn, true
		}
	}
	return 0, false
}

// onlyPicture reads the content of a page that shows one picture and nothing else.
func onlyPicture(f *pdffile.File, p pdffile.Page) (name pdffile.Name, m matrix, err error) {
	content, err := contentOf(f, p)
	if err != nil {
		return "", m, err
	}
	now := matrix{1, 0, 0, 1, 0, 0}
	var saved []matrix
	err = pdffile.Content(content, func(operator pdffile.Keyword, operands []pdffile.Object) error {
		switch {
		case operator == "q":
			saved = append(saved, now)
		case operator == "Q" && len(saved) > 0:
			now, saved = saved[len(saved)-1], saved[:len(saved)-1]
		case operator == "cm" && len(operands) == 6:
			var step matrix
			for i, o := range operands {
				var ok bool
				if step[i], ok = o.(float64); !ok {
					return errNoScan
				}
			}
			now = step.times(now)
		case operator == "Do" && len(operands) == 1 && name == "":
			name, _ = operands[0].(pdffile.Name)
			m = now
		default:
			return errNoScan
		}
		return nil
	})
	return name, m, err
}

// contentOf joins the streams of a page's content.
func contentOf(f *pdffile.File, p pdffile.Page) (io.Reader, error) {
	o, err := f.Get(p.Dict["Contents"])
	if err != nil {
		return nil, err
	}
	list, ok := o.(pdffile.Array)
	if !ok {
		list = pdffile.Array{o}
	}
	var parts []io.Reader
	for _, part := range list {
		if part, err = f.Get(part); err != nil {
			return nil, err
		}
		s, ok := part.(*pdffile.Stream)
		if !ok {
			return nil, errNoScan
		}
		data, err := f.Data(s)
		if err != nil {
			return nil, err
		}
		parts = append(parts, bytes.NewReader(data), bytes.NewReader([]byte("\n")))
	}
	return io.MultiReader(parts...), nil
}

// pictureOn finds a JPEG among the resources of a page.
func pictureOn(f *pdffile.File, p pdffile.Page, name pdffile.Name) (*pdffile.Stream, error) {
	o := p.Dict["Resources"]
	for _, key := range []pdffile.Name{"XObject", name} {
		d, err := f.Get(o)
		if err != nil {
			return nil, err
		}
		dict, ok := d.(pdffile.Dict)
		if !ok {
			return nil, errNoScan
		}
		o = dict[key]
	}
	o, err := f.Get(o)
	if err != nil {
		return nil, err
	}
	s, ok := o.(*pdffile.Stream)
	if !ok || s.Dict["Subtype"] != pdffile.Name("Image") {
		return nil, errNoScan
	}
	filter := s.Dict["Filter"]
	if list, ok := filter.(pdffile.Array); ok && len(list) == 1 {
		filter = list[0]
	}
	if filter != pdffile.Name("DCTDecode") {
		return nil, errNoScan
	}
	for _, key := range []pdffile.Name{"SMask", "Mask", "Decode", "DecodeParms", "ImageMask", "F", "OC"} {
		if s.Dict[key] != nil {
			return nil, fmt.Errorf("%w: %s", errNoScan, key)
		}
	}
	return s, nil
}
