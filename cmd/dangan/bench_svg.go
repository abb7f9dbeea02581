package main

import (
	"fmt"
	"html"
	"strings"
)

// drawing is an SVG picture that is made of a few kinds of marks. Colours are
// classes, given once for light and once for dark pages.
type drawing struct {
	width, height int
	marks         strings.Builder
}

const svgStyle = `<style>
svg { font: 13px system-ui, sans-serif; background: #fff; }
.ink { fill: #1f2328; } .quiet { fill: #59636e; } .head { font-weight: 600; font-size: 16px; }
.axis { stroke: #8c959f; } .grid { stroke: #d1d9e0; }
.good { fill: #1a7f5a; } .bad { fill: #b35900; } .goal { stroke: #1f2328; stroke-width: 2; }
.ours { stroke: #0a5cad; fill: none; stroke-width: 2; } .raw { stroke: #6e7781; fill: none; stroke-width: 2; stroke-dasharray: 5 3; }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; }
.ink { fill: #e6edf3; } .quiet { fill: #9198a1; } .axis { stroke: #656c76; } .grid { stroke: #2b3138; }
.good { fill: #3fb98a; } .bad { fill: #e09b3d; } .goal { stroke: #e6edf3; }
.ours { stroke: #58a6ff; } .raw { stroke: #9198a1; }
}
</style>
`

// text writes s at a place; anchor is start, middle or end.
func (d *drawing) text(x, y float64, class, anchor, s string) {
	fmt.Fprintf(&d.marks, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">%s</text>\n", x, y, class, anchor, html.EscapeString(s))
}

// upright writes s from the bottom to the top, in the middle of a height.
func (d *drawing) upright(x, y float64, class, s string) {
	fmt.Fprintf(&d.marks, "<text transform=\"translate(%.1f %.1f) rotate(-90)\" class=\"%s\" text-anchor=\"middle\">%s</text>\n", x, y, class, html.EscapeString(s))
}

func (d *drawing) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&d.marks, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class)
}

func (d *drawing) bar(x, y, width, height float64, class string) {
	fmt.Fprintf(&d.marks, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\" class=\"%s\"/>\n", x, y, width, height, class)
}

// curve joins points given as x, y, x, y and so on.
func (d *drawing) curve(class string, xy ...float64) {
	var points []string
	for i := 0; i+1 < len(xy); i += 2 {
		points = append(points, fmt.Sprintf("%.1f,%.1f", xy[i], xy[i+1]))
	}
	fmt.Fprintf(&d.marks, "<polyline points=\"%s\" class=\"%s\"/>\n", strings.Join(points, " "), class)
}

// svg is the whole picture. Title and description are what somebody is told who
// does not see it.
func (d *drawing) svg(title, description string) []byte {
	return fmt.Appendf(nil, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-labelledby=\"title desc\">\n"+
		"<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n%s%s</svg>\n",
		d.width, d.height, d.width, d.height, html.EscapeString(title), html.EscapeString(description), svgStyle, d.marks.String())
}
