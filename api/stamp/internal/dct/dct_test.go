package dct

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"testing"
)

// page is a picture with something everywhere.
func page(w, h int) *image.RGBA {
	r := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			noise := uint8(r.IntN(24))
			img.SetRGBA(x, y, color.RGBA{200 + noise, 190 + uint8(x%50), 180 + uint8(y%60), 255})
		}
	}
	return img
}

func encoded(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func grey(img image.Image) *image.Gray {
	out := image.NewGray(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

func decoded(t testing.TB, file []byte) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func apply(t testing.TB, file []byte, e Edit) []byte {
	t.Helper()
	out, err := Apply(file, e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func pictures() map[string]image.Image {
	return map[string]image.Image{"colour": page(203, 117), "grey": grey(page(203, 117)), "small": page(1, 1), "whole units": page(64, 32)}
}

// TestNothingToDo: every pixel stays, and what is not the picture goes.
func TestNothingToDo(t *testing.T) {
	for name, img := range pictures() {
		for _, quality := range []int{1, 75, 100} {
			file := encoded(t, img, quality)
			secret := append([]byte{0xFF, 0xD8, 0xFF, 0xFE, 0, 8}, "secret"...)
			out := apply(t, append(append(secret, file[2:]...), "secret"...), Edit{})
			if bytes.Contains(out, []byte("secret")) {
				t.Errorf("%s: a comment or what came after the end is still there", name)
			}
			same(t, decoded(t, file), decoded(t, out), image.Rectangle{})
		}
	}
}

// same compares pixels outside of a box.
func same(t *testing.T, a, b image.Image, except image.Rectangle) {
	t.Helper()
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if p := image.Pt(x, y); !p.In(except) && a.At(x, y) != b.At(x, y) {
				t.Fatalf("pixel %v was %v and is %v", p, a.At(x, y), b.At(x, y))
			}
		}
	}
}

func TestBoxesAreBlack(t *testing.T) {
	box := image.Rect(30, 20, 100, 61)
	for name, img := range pictures() {
		for _, quality := range []int{1, 75, 100} {
			file := encoded(t, img, quality)
			out := decoded(t, apply(t, file, Edit{Boxes: []image.Rectangle{box}}))
			for y := box.Min.Y; y < box.Max.Y; y++ {
				for x := box.Min.X; x < box.Max.X; x++ {
					if p := image.Pt(x, y); p.In(out.Bounds()) {
						if r, g, b, _ := out.At(x, y).RGBA(); max(r, g, b)>>8 > 1 {
							t.Fatalf("%s: pixel %v under the box is %d %d %d", name, p, r>>8, g>>8, b>>8)
						}
					}
				}
			}
			// The box grows to whole units, and not further.
			same(t, decoded(t, file), out, image.Rect(16, 16, 112, 64))
		}
	}
}

// TestNothingIsLeftUnderABox: two pictures that differ only there are the same file afterwards.
func TestNothingIsLeftUnderABox(t *testing.T) {
	one, two := page(160, 160), page(160, 160)
	draw.Draw(two, image.Rect(40, 40, 90, 90), image.NewUniform(color.RGBA{10, 200, 90, 255}), image.Point{}, draw.Src)
	e := Edit{Boxes: []image.Rectangle{image.Rect(40, 40, 90, 90)}}
	if !bytes.Equal(apply(t, encoded(t, one, 80), e), apply(t, encoded(t, two, 80), e)) {
		t.Error("what was under the box changes the file")
	}
}

func TestShade(t *testing.T) {
	mark := image.NewAlpha(image.Rect(0, 0, 203, 117))
	marked := image.Rect(45, 33, 80, 70)
	draw.Draw(mark, marked, image.NewUniform(color.Alpha{255}), image.Point{}, draw.Src)
	file := encoded(t, grey(page(203, 117)), 95)
	out := decoded(t, apply(t, file, Edit{Shade: NewShade(mark, 40), Strength: func() float32 { return 1 }}))
	before := decoded(t, file)
	for y := range 117 {
		for x := range 203 {
			down := int(before.(*image.Gray).GrayAt(x, y).Y) - int(out.(*image.Gray).GrayAt(x, y).Y)
			want := 0
			if image.Pt(x, y).In(marked) {
				want = 40
			}
			if down < want-8 || down > want+8 {
				t.Fatalf("pixel %d, %d became darker by %d, want %d", x, y, down, want)
			}
		}
	}
	same(t, before, out, image.Rect(40, 32, 80, 72))
}

// TestRestart puts two pictures of one block behind each other, as scanners do.
func TestRestart(t *testing.T) {
	halves := [2][]byte{}
	img := grey(page(16, 8))
	for i := range halves {
		halves[i] = encoded(t, img.SubImage(image.Rect(8*i, 0, 8*i+8, 8)), 90)
	}
	first, second := halves[0], halves[1]
	data := bytes.Index(second, []byte{0xFF, sos}) + 2 + 8
	file := bytes.Replace(first, []byte{8, 0, 8, 0, 8, 1}, []byte{8, 0, 8, 0, 16, 1}, 1)
	file = append([]byte{0xFF, 0xD8, 0xFF, dri, 0, 4, 0, 1}, file[2:len(file)-2]...)
	file = append(append(file, 0xFF, 0xD0), second[data:]...)
	out := decoded(t, apply(t, file, Edit{}))
	same(t, decoded(t, file), out, image.Rectangle{})
	if _, err := Apply(bytes.Replace(file, []byte{0xFF, 0xD0}, []byte{0xFF, 0x01}, 1), Edit{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("without the marker: %v", err)
	}
}

func TestRefused(t *testing.T) {
	file := encoded(t, page(40, 40), 75)
	frame := bytes.Index(file, []byte{0xFF, sof0})
	change := func(offset int, b byte) []byte {
		out := bytes.Clone(file)
		out[frame+offset] = b
		return out
	}
	adobe := append([]byte{0xFF, 0xD8, 0xFF, adbe, 0, 14}, "Adobe\x00\x64\x00\x00\x00\x00\x00"...)
	for name, tt := range map[string]struct {
		file []byte
		want error
	}{
		"progressive":  {change(1, 0xC2), ErrUnsupported},
		"12 bits":      {change(4, 12), ErrUnsupported},
		"no height":    {bytes.Join([][]byte{file[:frame+5], {0, 0}, file[frame+7:]}, nil), ErrUnsupported},
		"RGB":          {append(adobe, file[2:]...), ErrUnsupported},
		"no factors":   {change(11, 0), ErrMalformed},
		"cut off":      {file[:len(file)-30], ErrMalformed},
		"end cut off":  {file[:len(file)-2], ErrMalformed},
		"empty":        {nil, ErrMalformed},
		"no JPEG":      {[]byte("%PDF-1.7 and more"), ErrMalformed},
		"only a start": {file[:frame], ErrMalformed},
	} {
		if _, err := Apply(tt.file, Edit{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
	}
}

func FuzzApply(f *testing.F) {
	for _, img := range pictures() {
		f.Add(encoded(f, img, 60), 10, 20)
	}
	mark := image.NewAlpha(image.Rect(0, 0, 64, 64))
	draw.Draw(mark, image.Rect(5, 5, 30, 50), image.NewUniform(color.Alpha{200}), image.Point{}, draw.Src)
	shade := NewShade(mark, 50)
	f.Fuzz(func(t *testing.T, file []byte, x, y int) {
		if i, err := Look(file); err != nil || i.Width*i.Height > 1<<18 {
			return
		}
		out, err := Apply(file, Edit{Boxes: []image.Rectangle{{image.Pt(x, y), image.Pt(x+9, y+9)}}, Shade: shade, Strength: func() float32 { return 1 }})
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		if _, err := jpeg.Decode(bytes.NewReader(out)); err != nil {
			t.Fatalf("accepted, and written so that it cannot be read: %v", err)
		}
		again, err := Apply(out, Edit{})
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("not the same when written again: %v", err)
		}
	})
}

func BenchmarkApply(b *testing.B) {
	img := page(1653, 2339)
	file := encoded(b, img, 75)
	mark := image.NewAlpha(img.Rect)
	for y := 0; y < 2339; y += 40 {
		draw.Draw(mark, image.Rect(0, y, 1653, y+12), image.NewUniform(color.Alpha{200}), image.Point{}, draw.Src)
	}
	edits := map[string]Edit{"nothing": {}, "box": {Boxes: []image.Rectangle{image.Rect(100, 100, 900, 300)}},
		"shade": {Shade: NewShade(mark, 46), Strength: func() float32 { return 1 }}}
	for name, e := range edits {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			for b.Loop() {
				apply(b, file, e)
			}
		})
	}
}
