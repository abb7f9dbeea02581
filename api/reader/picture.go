package reader

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"dangan/archive"

	"golang.org/x/image/draw"
	"golang.org/x/image/tiff"
)

// picture is a file that is one, or one of those in a TIFF.
type picture struct {
	file   io.ReaderAt
	length int64
	posture
	dimensions func(io.Reader) (image.Config, error)
	decode     func(io.Reader) (image.Image, error)
}

// readPicture looks at all pictures of the file, and decodes the first: a TIFF
// may have hundreds, and a page that turns out bad is not shown in any case.
func (j job) readPicture(reading *archive.Reading) error {
	err := j.lookAtPictures(reading)
	var noJPEG jpeg.UnsupportedError
	var noTIFF tiff.UnsupportedError
	if errors.As(err, &noJPEG) || errors.As(err, &noTIFF) {
		reading.Sizes = nil
		note(reading, CodeNoPreview)
		return nil
	}
	return err
}

func (j job) lookAtPictures(reading *archive.Reading) error {
	pictures, err := j.pictures()
	if err != nil {
		return err
	}
	if len(pictures) > j.MaxPages {
		reject(reading, CodeTooManyPages)
		return nil
	}
	for _, p := range pictures {
		size, err := j.measure(p)
		if err != nil {
			return err
		}
		reading.Sizes = append(reading.Sizes, p.size(size.X, size.Y))
	}
	if _, err := j.decode(pictures[0]); err != nil {
		return err
	}
	reading.Pages = len(pictures)
	reading.Text = make([]string, len(pictures))
	return nil
}

// pictures lists those of the file, at least one.
func (j job) pictures() ([]picture, error) {
	switch j.mediaType {
	case typeJPEG:
		return []picture{{j.src, j.src.size, postureOfJPEG(j.src), jpeg.DecodeConfig, jpeg.Decode}}, nil
	case typePNG:
		return []picture{{j.src, j.src.size, postureOfPNG(j.src), png.DecodeConfig, png.Decode}}, nil
	}
	t, err := openTIFF(j.src)
	if err != nil {
		return nil, err
	}
	offsets, err := t.directories(j.MaxPages)
	if err != nil {
		return nil, err
	}
	if len(offsets) == 0 {
		return nil, errors.New("TIFF without a picture")
	}
	var pictures []picture
	for _, offset := range offsets {
		posture, err := t.look(offset)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, picture{t.at(offset), j.src.size, posture, tiff.DecodeConfig, tiff.Decode})
	}
	return pictures, nil
}

func (j job) paintPicture(page int, s scale) (*image.RGBA, error) {
	pictures, err := j.pictures()
	if err != nil {
		return nil, err
	}
	if page > len(pictures) {
		return nil, ErrNoPage
	}
	p := pictures[page-1]
	decoded, err := j.decode(p)
	if err != nil {
		return nil, err
	}
	pixels := decoded.Bounds().Size()
	paper := p.size(pixels.X, pixels.Y)
	perPoint := s(paper.Width, paper.Height)
	if p.lies() {
		perPoint = s(paper.Height, paper.Width)
	}
	// Where the pixels are no squares, none is lost.
	perPoint = min(perPoint, max(float64(pixels.X)/paper.Width, float64(pixels.Y)/paper.Height))
	drawn := blank(dots(paper.Width, perPoint), dots(paper.Height, perPoint))
	draw.BiLinear.Scale(drawn, drawn.Rect, decoded, decoded.Bounds(), draw.Over, nil)
	return p.turn(drawn), nil
}

// decode decodes a picture after a look at its dimensions.
func (j job) decode(p picture) (image.Image, error) {
	if _, err := j.measure(p); err != nil {
		return nil, err
	}
	decoded, err := p.decode(p.reader())
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return decoded, nil
}

func (j job) measure(p picture) (image.Point, error) {
	if j.ctx.Err() != nil {
		return image.Point{}, j.ctx.Err()
	}
	config, err := p.dimensions(p.reader())
	if err != nil {
		return image.Point{}, fmt.Errorf("decode dimensions: %w", err)
	}
	if int64(config.Width)*int64(config.Height) > j.MaxPixels {
		return image.Point{}, fmt.Errorf("picture of %d by %d: %w", config.Width, config.Height, errLimit)
	}
	return image.Pt(config.Width, config.Height), nil
}

// reader reads a picture from its beginning. The decoder of TIFF jumps about, if
// it can.
func (p picture) reader() io.Reader {
	section := io.NewSectionReader(p.file, 0, p.length)
	if _, jumps := p.file.(*headed); jumps {
		return section
	}
	return bufio.NewReader(section)
}
