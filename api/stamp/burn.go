package stamp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"sync"

	"golang.org/x/image/vector"

	"dangan/api/stamp/internal/dct"
	"dangan/api/stamp/internal/truetype"
)

const (
	copyDPI     = 200
	copyQuality = 88
	// purposeInset is how far the purpose mark keeps from the edges, in its own points.
	purposeInset = 28.0
	copyLevels   = 46.0 // of 255, by which the purpose mark is darker than what it is burnt into
)

// scan is a page as a JPEG.
type scan struct {
	jpeg          []byte
	grey          bool
	pixels        image.Point // as it is stored
	turn          int         // clockwise, before it is seen: 0, 90, 180 or 270
	width, height float64     // as it is seen, in points
}

// errTraced says that a picture holds the words that a seal is found by.
var errTraced = errors.New("the picture holds the words of a seal")

// picture returns a page with everything burnt in. The scan that was found in the source itself is the better one;
// the picture that the raster draws is there for all pages.
func (k *copying) picture(ctx context.Context, p CopyPage, found scan, ok bool) (scan, error) {
	if ok {
		if burnt, err := k.burner.burn(found, p.Masks); err == nil {
			return burnt, nil
		}
	}
	drawn, err := k.render(ctx, p)
	if err != nil {
		return scan{}, err
	}
	return k.burner.burn(drawn, p.Masks)
}

func (k *copying) render(ctx context.Context, p CopyPage) (scan, error) {
	drawn, err := k.raster.Render(ctx, k.sources[p.Source], p.Page, copyDPI)
	if err != nil {
		return scan{}, err
	}
	size := drawn.Image.Bounds().Size()
	if drawn.Width <= 0 || drawn.Height <= 0 {
		drawn.Width, drawn.Height = float64(size.X)*72/copyDPI, float64(size.Y)*72/copyDPI
	}
	picture, grey := withoutColour(drawn.Image)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: copyQuality}); err != nil {
		return scan{}, fmt.Errorf("encode picture: %w", err)
	}
	return scan{jpeg: out.Bytes(), grey: grey, pixels: size, width: drawn.Width, height: drawn.Height}, nil
}

// withoutColour is the picture in grey when it has nothing else.
func withoutColour(picture image.Image) (image.Image, bool) {
	rgba, ok := picture.(*image.RGBA)
	if !ok {
		return picture, false
	}
	for y := rgba.Rect.Min.Y; y < rgba.Rect.Max.Y; y++ {
		row := rgba.Pix[rgba.PixOffset(rgba.Rect.Min.X, y):][:4*rgba.Rect.Dx()]
		for i := 0; i < len(row); i += 4 {
			if row[i] != row[i+1] || row[i] != row[i+2] {
				return picture, false
			}
		}
	}
	grey := image.NewGray(rgba.Rect)
	for i := range grey.Pix {
		at := image.Pt(i%grey.Stride, i/grey.Stride).Add(rgba.Rect.Min)
		grey.Pix[i] = rgba.Pix[rgba.PixOffset(at.X, at.Y)]
	}
	return grey, true
}

// burner burns masks and the purpose mark into pictures. It keeps the mark for one size of page: those of a file
// are mostly alike. It is safe for concurrent use.
type burner struct {
	face  *face
	words string

	mu    sync.Mutex
	dice  *rand.Rand
	last  scan // without its JPEG
	shade *dct.Shade
}

// newBurner varies the mark's strength from block to block by what seed gives, so that nobody can take off what they
// did not see put on.
func newBurner(f *face, words string, seed io.Reader) *burner {
	var key [32]byte
	_, _ = io.ReadFull(seed, key[:]) // with less of it the mark is easier to guess, and still there
	return &burner{face: f, words: words, dice: rand.New(rand.NewChaCha8(key))}
}

// burn works on the coefficients of the picture: what is neither masked nor marked stays as it was.
func (b *burner) burn(s scan, masks []Mask) (scan, error) {
	edit, err := b.edit(s)
	if err != nil {
		return scan{}, err
	}
	for _, m := range masks {
		edit.Boxes = append(edit.Boxes, s.box(m))
	}
	if s.jpeg, err = dct.Apply(s.jpeg, edit); err != nil {
		return scan{}, fmt.Errorf("burn into picture: %w", err)
	}
	if bytes.Contains(s.jpeg, []byte(byteRangeToken)) || bytes.Contains(s.jpeg, []byte(markerName)) {
		return scan{}, errTraced
	}
	return s, nil
}

// edit is the purpose mark for a picture.
func (b *burner) edit(s scan) (dct.Edit, error) {
	s.jpeg, s.grey = nil, false
	if b.words == "" {
		return dct.Edit{}, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shade == nil || !b.last.sameShape(s) {
		mark, err := newWatermark(b.face, b.words)
		if err != nil {
			return dct.Edit{}, err
		}
		b.last, b.shade = s, dct.NewShade(turnedBack(mark.paint(s), s.turn), copyLevels)
	}
	dice := rand.New(rand.NewPCG(b.dice.Uint64(), b.dice.Uint64()))
	return dct.Edit{Shade: b.shade, Strength: func() float32 { return 0.85 + 0.3*dice.Float32() }}, nil
}

// box is where a mask lies in the stored picture.
func (s scan) box(m Mask) image.Rectangle {
	place := func(u, v float64) image.Point {
		switch s.turn {
		case 90:
			u, v = v, 1-u
		case 180:
			u, v = 1-u, 1-v
		case 270:
			u, v = 1-v, u
		}
		return image.Pt(int(math.Round(u*float64(s.pixels.X))), int(math.Round(v*float64(s.pixels.Y))))
	}
	r := image.Rectangle{place(m.X, m.Y), place(m.X+m.W, m.Y+m.H)}.Canon()
	return r.Inset(-1) // what is rounded is never smaller, and a hair is seen
}

func (s scan) sameShape(o scan) bool {
	return s.pixels == o.pixels && s.turn == o.turn && s.width == o.width && s.height == o.height
}

// paint draws the mark all over a page as it is seen.
func (w *watermark) paint(s scan) *image.Alpha {
	size := s.pixels
	if s.turn%180 == 90 {
		size.X, size.Y = size.Y, size.X
	}
	page := image.NewAlpha(image.Rectangle{Max: size})
	scale := s.scale()
	across, down := float64(size.X)/s.width*scale, float64(size.Y)/s.height*scale // pixels to one of the mark's points
	one := w.raster(across, down)
	w.tile(s.width/scale, s.height/scale, purposeInset, func(x, y float64) {
		lay(page, one, image.Pt(int(x*across), int(y*down)))
	})
	return page
}

// lay puts a mark onto a page; package draw takes ten times as long.
func lay(page, mark *image.Alpha, at image.Point) {
	to := mark.Rect.Add(at).Intersect(page.Rect)
	for y := to.Min.Y; y < to.Max.Y; y++ {
		row := page.Pix[page.PixOffset(to.Min.X, y):][:to.Dx()]
		for i, a := range mark.Pix[mark.PixOffset(to.Min.X-at.X, y-at.Y):][:to.Dx()] {
			row[i] = max(row[i], a)
		}
	}
}

// raster draws the mark once.
func (w *watermark) raster(across, down float64) *image.Alpha {
	size := image.Pt(int(math.Ceil(w.width*across)), int(math.Ceil(w.height*down)))
	r := vector.NewRasterizer(size.X, size.Y)
	sin, cos := math.Sincos(watermarkAngle)
	w.outlines(func(path []truetype.Segment, x, y float64) {
		place := func(p truetype.Point) (float32, float32) {
			px, py := p.X/1000*w.size, p.Y/1000*w.size
			return float32((x + px*cos - py*sin) * across), float32((y - px*sin - py*cos) * down)
		}
		for i, s := range path {
			ex, ey := place(s.End)
			switch {
			case s.Move:
				if i > 0 {
					r.ClosePath()
				}
				r.MoveTo(ex, ey)
			case s.Curved:
				cx, cy := place(s.Control)
				r.QuadTo(cx, cy, ex, ey)
			default:
				r.LineTo(ex, ey)
			}
		}
		r.ClosePath()
	})
	out := image.NewAlpha(image.Rectangle{Max: size})
	r.Draw(out, out.Rect, image.Opaque, image.Point{})
	return out
}

// turnedBack is a picture as it must be stored to be seen as it is after turning clockwise.
func turnedBack(seen *image.Alpha, turn int) *image.Alpha {
	if turn == 0 {
		return seen
	}
	w, h := seen.Rect.Dx(), seen.Rect.Dy()
	out := image.NewAlpha(image.Rect(0, 0, w, h))
	if turn%180 == 90 {
		out = image.NewAlpha(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			to := image.Pt(w-1-x, h-1-y)
			switch turn {
			case 90:
				to = image.Pt(y, w-1-x)
			case 270:
				to = image.Pt(h-1-y, x)
			}
			out.Pix[to.Y*out.Stride+to.X] = seen.Pix[y*seen.Stride+x]
		}
	}
	return out
}
