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

	"golang.org/x/image/tiff"
)

// picture is a file that is one, or one of those in a TIFF.
type picture struct {
	posture
	width, height int
	// draw has all rows of it added, from the top.
	draw func(add func(rows int, pieces ...image.Image)) error
}

// page is the size of the page that shows it.
func (p picture) page() archive.PageSize { return p.size(p.width, p.height) }

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
		reading.Sizes = append(reading.Sizes, p.page())
	}
	if err := pictures[0].draw(func(int, ...image.Image) {}); err != nil {
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
		return j.single(postureOfJPEG(j.src), jpeg.DecodeConfig, jpeg.Decode)
	case typePNG:
		return j.single(postureOfPNG(j.src), png.DecodeConfig, png.Decode)
	}
	t, err := openTIFF(j.src)
	if err != nil {
		return nil, err
	}
	directories, err := t.directories(j.MaxPages)
	if err != nil {
		return nil, err
	}
	var pictures []picture
	for _, entries := range directories {
		if !t.isPage(entries) {
			continue
		}
		if err := j.ctx.Err(); err != nil {
			return nil, err
		}
		s, err := newSheet(t, j.src.size, entries, j.MaxPixels)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, picture{t.look(entries), s.width, s.height, s.draw})
	}
	if len(pictures) == 0 {
		return nil, errors.New("TIFF without a picture")
	}
	return pictures, nil
}

// single is the picture of a file that is one.
func (j job) single(p posture, dimensions func(io.Reader) (image.Config, error), decode func(io.Reader) (image.Image, error)) ([]picture, error) {
	config, err := dimensions(bufio.NewReader(j.src.reader()))
	if err != nil {
		return nil, fmt.Errorf("decode dimensions: %w", err)
	}
	if int64(config.Width)*int64(config.Height) > j.MaxPixels {
		return nil, fmt.Errorf("picture of %d by %d: %w", config.Width, config.Height, errLimit)
	}
	draw := func(add func(int, ...image.Image)) error {
		decoded, err := decode(bufio.NewReader(j.src.reader()))
		if err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		add(config.Height, decoded)
		return nil
	}
	return []picture{{p, config.Width, config.Height, draw}}, nil
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
	paper := p.page()
	perPoint := s(paper.Width, paper.Height)
	if p.lies() {
		perPoint = s(paper.Height, paper.Width)
	}
	// Where the pixels are no squares, none is lost.
	perPoint = min(perPoint, max(float64(p.width)/paper.Width, float64(p.height)/paper.Height))
	drawn := newShrinker(image.NewRGBA(image.Rect(0, 0, dots(paper.Width, perPoint), dots(paper.Height, perPoint))), p.width, p.height)
	if err := p.draw(drawn.add); err != nil {
		return nil, err
	}
	return p.turn(drawn.out), nil
}
