package ocr_test

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"os"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// common is the 3755 characters of GB 2312 that are in daily use, in its order.
func common(t testing.TB) []rune {
	t.Helper()
	var codes []byte
	for row := byte(16); row <= 55; row++ {
		for cell := byte(1); cell <= 94 && !(row == 55 && cell > 89); cell++ {
			codes = append(codes, 0xA0+row, 0xA0+cell)
		}
	}
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(codes)
	if err != nil {
		t.Fatal(err)
	}
	return []rune(string(text))
}

// scribble is lines of characters that mean nothing, so that no knowledge of the
// language helps to read them.
func scribble(t testing.TB, lines, length int) []string {
	t.Helper()
	r, all := rand.New(rand.NewPCG(1, 2)), common(t)
	text := make([]string, lines)
	for i := range text {
		for range length {
			text[i] += string(all[r.IntN(len(all))])
		}
	}
	return text
}

// paper is an A4 page with so many dots per inch, with lines of 16 points, 28 points
// apart, from 60 points off the upper left corner on.
func paper(t testing.TB, dpi int, lines ...string) []byte {
	t.Helper()
	raw, err := os.ReadFile("../stamp/fonts/NotoSerifSC-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := opentype.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 16, DPI: float64(dpi)})
	if err != nil {
		t.Fatal(err)
	}
	dots := func(points int) int { return points * dpi / 72 }
	page := image.NewGray(image.Rect(0, 0, dots(595), dots(842)))
	draw.Draw(page, page.Rect, image.White, image.Point{}, draw.Src)
	for i, line := range lines {
		d := font.Drawer{Dst: page, Src: image.Black, Face: face, Dot: fixed.P(dots(60), dots(60+16+28*i))}
		d.DrawString(line)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, page); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
