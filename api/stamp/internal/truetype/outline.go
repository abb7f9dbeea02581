package truetype

// Point is a place in thousandths of an em, y upwards from the baseline.
type Point struct{ X, Y float64 }

// Segment is one step of an outline: a straight line to End, or, when Curved, a quadratic curve towards
// Control. Move starts a new contour at End.
type Segment struct {
	Move, Curved bool
	Control, End Point
}

// Outline returns the contours of g, to be filled with the non-zero rule. It is empty for a blank glyph.
func (f *Font) Outline(g GlyphID) []Segment {
	budget := maxComponents
	return f.appendOutline(nil, g, transform{xx: 1, yy: 1}, &budget)
}

type transform struct{ xx, xy, yx, yy, dx, dy float64 }

func (t transform) apply(x, y float64) Point {
	return Point{t.xx*x + t.yx*y + t.dx, t.xy*x + t.yy*y + t.dy}
}

// within returns the transform that applies c's first and t's then.
func (t transform) within(c component) transform {
	m, origin := c.matrix, t.apply(c.dx, c.dy)
	return transform{
		xx: t.xx*m[0] + t.yx*m[1], xy: t.xy*m[0] + t.yy*m[1],
		yx: t.xx*m[2] + t.yx*m[3], yy: t.xy*m[2] + t.yy*m[3],
		dx: origin.X, dy: origin.Y,
	}
}

func (f *Font) appendOutline(path []Segment, g GlyphID, t transform, budget *int) []Segment {
	if *budget--; *budget < 0 {
		return path
	}
	outline := f.outline(g)
	if outline.i16(0) < 0 {
		for _, c := range components(outline) {
			path = f.appendOutline(path, c.glyph, t.within(c), budget)
		}
		return path
	}
	points, ends := f.simplePoints(outline, t)
	start := 0
	for _, end := range ends {
		if end < start || end >= len(points) {
			return path
		}
		path = appendContour(path, points[start:end+1])
		start = end + 1
	}
	return path
}

type curvePoint struct {
	Point
	on bool
}

// Flags of a simple glyph's point (OpenType, chapter glyf).
const (
	onCurve   = 0x01
	xShort    = 0x02
	yShort    = 0x04
	repeated  = 0x08
	xSameOrUp = 0x10
	ySameOrUp = 0x20
)

func (f *Font) simplePoints(outline view, t transform) (points []curvePoint, ends []int) {
	contours := outline.i16(0)
	if contours <= 0 || len(outline) < 10+2*contours+2 {
		return nil, nil
	}
	for i := range contours {
		ends = append(ends, outline.u16(10+2*i))
	}
	count := ends[contours-1] + 1
	at := 10 + 2*contours
	at += 2 + outline.u16(at) // instructions
	flags := make([]byte, 0, count)
	for len(flags) < count && at < len(outline) {
		flag, again := outline[at], 0
		at++
		if flag&repeated != 0 && at < len(outline) {
			again = int(outline[at])
			at++
		}
		for ; again >= 0 && len(flags) < count; again-- {
			flags = append(flags, flag)
		}
	}
	xs, at := coordinates(outline, at, flags, xShort, xSameOrUp)
	ys, _ := coordinates(outline, at, flags, yShort, ySameOrUp)
	scale := 1000 / float64(f.unitsPerEm)
	points = make([]curvePoint, len(flags))
	for i, flag := range flags {
		p := t.apply(float64(xs[i]), float64(ys[i]))
		points[i] = curvePoint{Point{p.X * scale, p.Y * scale}, flag&onCurve != 0}
	}
	return points, ends
}

// coordinates decodes one axis: deltas of zero, one or two bytes as the flags say.
func coordinates(outline view, at int, flags []byte, short, sameOrUp byte) ([]int, int) {
	values := make([]int, len(flags))
	value := 0
	for i, flag := range flags {
		switch {
		case flag&short != 0:
			delta := outline.u8(at)
			if flag&sameOrUp == 0 {
				delta = -delta
			}
			value += delta
			at++
		case flag&sameOrUp == 0:
			value += outline.i16(at)
			at += 2
		}
		values[i] = value
	}
	return values, at
}

// appendContour turns on- and off-curve points into segments; between two off-curve points lies an
// implied on-curve one.
func appendContour(path []Segment, points []curvePoint) []Segment {
	n := len(points)
	if n < 2 {
		return path
	}
	first := 0
	for first < n && !points[first].on {
		first++
	}
	start := points[first%n].Point
	if first == n {
		start = middle(points[0].Point, points[n-1].Point)
		first = n - 1
	}
	path = append(path, Segment{Move: true, End: start})
	for i := 1; i <= n; i++ {
		p := points[(first+i)%n]
		if p.on {
			path = append(path, Segment{End: p.Point})
			continue
		}
		end, next := start, points[(first+i+1)%n]
		if i < n {
			end = next.Point
			if !next.on {
				end = middle(p.Point, next.Point)
			}
		}
		path = append(path, Segment{Curved: true, Control: p.Point, End: end})
		if next.on {
			i++
		}
	}
	return path
}

func middle(a, b Point) Point { return Point{(a.X + b.X) / 2, (a.Y + b.Y) / 2} }
