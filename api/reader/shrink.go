package reader

import (
	"image"
	"image/draw"
)

// shrinker draws a picture of any size into a smaller one, row by row: each pixel
// becomes the mean of those under it, weighed by how much of it they cover. It holds
// the smaller picture and a row, so that a picture need never be in memory as a
// whole. Where pixels are no squares, a side may grow.
type shrinker struct {
	out    *image.RGBA
	width  int // of the picture that is drawn
	height int
	y      int      // rows drawn
	row    []uint64 // sums of a row of it, three for each pixel of out
	sums   []uint64 // of the row of out that is not complete
	target int      // that row
	band   *image.RGBA
}

// bandRows is how many rows are turned into red, green and blue at once.
const bandRows = 64

func newShrinker(out *image.RGBA, width, height int) *shrinker {
	n := 3 * out.Rect.Dx()
	return &shrinker{out: out, width: width, height: height, row: make([]uint64, n), sums: make([]uint64, n),
		band: image.NewRGBA(image.Rect(0, 0, width, min(height, bandRows)))}
}

// add draws the next rows of the picture from pieces of equal width that lie side by
// side; the last may reach beyond the edge.
func (s *shrinker) add(rows int, pieces ...image.Image) {
	rows = min(rows, s.height-s.y)
	for from := 0; from < rows; from += bandRows {
		band := s.band.SubImage(image.Rect(0, 0, s.width, min(bandRows, rows-from))).(*image.RGBA)
		draw.Draw(band, band.Rect, image.White, image.Point{}, draw.Src)
		x := 0
		for _, piece := range pieces {
			at := piece.Bounds()
			draw.Draw(band, image.Rect(x, 0, x+at.Dx(), bandRows), piece, at.Min.Add(image.Pt(0, from)), draw.Over)
			x += at.Dx()
		}
		for y := range band.Rect.Dy() {
			s.across(band.Pix[y*band.Stride:][:4*s.width])
			s.down()
		}
	}
}

// across sums up a row; all weights of a pixel of out are width in sum.
func (s *shrinker) across(pix []byte) {
	clear(s.row)
	wide := s.out.Rect.Dx()
	at, edge, column := 0, s.width, 0 // where a pixel begins, and one of out ends
	for x := 0; x < len(pix); x += 4 {
		r, g, b := uint64(pix[x]), uint64(pix[x+1]), uint64(pix[x+2])
		for end := at + wide; at < end; {
			until := min(end, edge)
			sum, weight := s.row[3*column:][:3], uint64(until-at)
			sum[0] += r * weight
			sum[1] += g * weight
			sum[2] += b * weight
			if at = until; at == edge {
				column, edge = column+1, edge+s.width
			}
		}
	}
}

// down adds the row to the rows of out that it covers, and writes those that are
// complete.
func (s *shrinker) down() {
	high := s.out.Rect.Dy()
	for at, end := s.y*high, (s.y+1)*high; at < end; {
		part := min(end, (s.target+1)*s.height) - at
		for i, v := range s.row {
			s.sums[i] += v * uint64(part)
		}
		if at += part; at == (s.target+1)*s.height {
			s.write(s.out.Pix[s.target*s.out.Stride:])
			clear(s.sums)
			s.target++
		}
	}
	s.y++
}

func (s *shrinker) write(pix []byte) {
	all := uint64(s.width) * uint64(s.height)
	for x := 0; 3*x < len(s.sums); x++ {
		for i := range 3 {
			pix[4*x+i] = uint8((s.sums[3*x+i] + all/2) / all)
		}
		pix[4*x+3] = 0xFF
	}
}
