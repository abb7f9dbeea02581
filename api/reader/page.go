package reader

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"
	"slices"
)

// maxWidth is the widest page image in pixels, and maxArea the largest: A3 at 300
// dots per inch has 17.4 million pixels.
const (
	maxWidth = 4096
	maxArea  = 18_000_000
)

// Page draws the page with the given number, counted from 1, as PNGs of the given
// widths in pixels (at most 4096; pictures are never enlarged, very long pages
// become narrower), in their order, and reads it once for all of them. It is meant
// for files that Read has let pass. The error is [ErrNoPage], that of src or ctx,
// or that of a page that cannot be drawn.
func (r *Reader) Page(ctx context.Context, src io.ReaderAt, size int64, page int, widths ...int) ([][]byte, error) {
	if page < 1 || len(widths) == 0 || slices.Min(widths) < 1 {
		return nil, fmt.Errorf("draw page %d, %d pixels wide: %w", page, widths, ErrNoPage)
	}
	drawn, err := r.paint(ctx, src, size, page, toWidth(min(slices.Max(widths), maxWidth)))
	if err != nil {
		return nil, fmt.Errorf("draw page %d: %w", page, err)
	}
	pngs := make([][]byte, len(widths))
	for i, width := range widths {
		if pngs[i], err = encode(narrow(drawn, width)); err != nil {
			return nil, fmt.Errorf("draw page %d: %w", page, err)
		}
	}
	return pngs, nil
}

// Render draws a page as it is seen, for a copy of it: the part inside the CropBox,
// turned as Rotate or Exif say, on white paper, with its annotations and what its
// fields are filled with, in eight bits of red, green and blue, always opaque. It
// has dpi pixels for an inch of [archive.PageSize], and less where that would be
// more than a picture has to show, or more than 18 million pixels. Errors are those
// of [Reader.Page].
func (r *Reader) Render(ctx context.Context, src io.ReaderAt, size int64, page, dpi int) (*image.RGBA, error) {
	if page < 1 || dpi < 1 {
		return nil, fmt.Errorf("render page %d at %d dpi: %w", page, dpi, ErrNoPage)
	}
	drawn, err := r.paint(ctx, src, size, page, toDPI(dpi))
	if err != nil {
		return nil, fmt.Errorf("render page %d: %w", page, err)
	}
	return drawn, nil
}

// paint draws a page as it is seen.
func (r *Reader) paint(ctx context.Context, src io.ReaderAt, size int64, page int, s scale) (*image.RGBA, error) {
	var drawn *image.RGBA
	err := r.run(ctx, src, size, func(j job) error {
		err := j.guard(func() (err error) {
			drawn, err = j.paint(page, s)
			return err
		})
		if outside := j.outside(); err != nil && outside != nil {
			return outside
		}
		return err
	})
	return drawn, err
}

func (j job) paint(page int, s scale) (*image.RGBA, error) {
	if j.src.size > j.MaxBytes {
		return nil, ErrNoPage
	}
	switch j.mediaType {
	case typePDF:
		return j.paintPDF(page, s)
	case typeJPEG, typePNG, typeTIFF:
		return j.paintPicture(page, s)
	}
	return nil, ErrNoPage
}

// scale is how many pixels a page of the given size in points has for each of them.
type scale func(width, height float64) float64

func toWidth(pixels int) scale {
	return func(width, height float64) float64 {
		return min(float64(pixels)/width, math.Sqrt(maxWidth*maxWidth/(width*height)))
	}
}

func toDPI(dpi int) scale {
	return func(width, height float64) float64 {
		return min(float64(dpi)/72, math.Sqrt(maxArea/(width*height)))
	}
}

// dots is a length in points, in pixels.
func dots(points, perPoint float64) int { return max(1, int(math.Round(points*perPoint))) }

// blank is white paper.
func blank(width, height int) *image.RGBA {
	paper := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(paper, paper.Rect, image.White, image.Point{}, draw.Src)
	return paper
}

// narrow is a page at a smaller width; one that is not wider is left as it is.
func narrow(page *image.RGBA, width int) *image.RGBA {
	size := page.Rect.Size()
	if size.X <= width {
		return page
	}
	out := image.NewRGBA(image.Rect(0, 0, width, max(1, int(math.Round(float64(size.Y)*float64(width)/float64(size.X))))))
	newShrinker(out, size.X, size.Y).add(size.Y, page)
	return out
}

// encode prefers speed, and most scans have no colours.
func encode(page *image.RGBA) ([]byte, error) {
	var out bytes.Buffer
	var picture image.Image = page
	if grey := greyOf(page); grey != nil {
		picture = grey
	}
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("encode page image: %w", err)
	}
	return out.Bytes(), nil
}

// greyOf is a page without colours; nil for one that has some.
func greyOf(page *image.RGBA) *image.Gray {
	grey := image.NewGray(page.Rect)
	for i := range grey.Pix {
		p := page.Pix[4*i:][:3]
		if p[0] != p[1] || p[1] != p[2] {
			return nil
		}
		grey.Pix[i] = p[0]
	}
	return grey
}
