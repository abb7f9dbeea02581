package reader

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"

	"dangan/archive"

	"golang.org/x/image/draw"
)

// maxWidth is the widest page image, and its square the largest.
const maxWidth = 4096

func (j job) readPicture(reading *archive.Reading) error {
	_, err := j.decodePicture()
	var unsupported jpeg.UnsupportedError
	if errors.As(err, &unsupported) {
		reject(reading, CodeUnsupportedType)
		return nil
	}
	if err != nil {
		return err
	}
	reading.Pages = 1
	reading.Text = []string{""}
	return nil
}

func (j job) drawPicture(page, width int) ([]byte, error) {
	if page != 1 {
		return nil, ErrNoPage
	}
	picture, err := j.decodePicture()
	if err != nil {
		return nil, err
	}
	size := picture.Bounds().Size()
	w, h := fit(float64(size.X), float64(size.Y), min(width, size.X))
	scaled := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(scaled, scaled.Bounds(), image.White, image.Point{}, draw.Src)
	draw.BiLinear.Scale(scaled, scaled.Bounds(), picture, picture.Bounds(), draw.Over, nil)
	return encode(scaled)
}

// decodePicture decodes a JPEG or PNG after a look at its dimensions.
func (j job) decodePicture() (image.Image, error) {
	config, _, err := image.DecodeConfig(bufio.NewReader(j.src.reader()))
	if err != nil {
		return nil, fmt.Errorf("decode dimensions: %w", err)
	}
	if int64(config.Width)*int64(config.Height) > j.MaxPixels {
		return nil, fmt.Errorf("picture of %d by %d: %w", config.Width, config.Height, errLimit)
	}
	picture, _, err := image.Decode(bufio.NewReader(j.src.reader()))
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return picture, nil
}

// fit returns the size of a width by height page drawn at the wanted width,
// narrower when it would otherwise grow beyond maxWidth squared.
func fit(width, height float64, want int) (w, h int) {
	ratio := height / width
	want = max(1, min(want, int(maxWidth/math.Sqrt(ratio))))
	return want, max(1, int(math.Round(float64(want)*ratio)))
}

// encode prefers speed: the images are sent once and small anyway.
func encode(picture image.Image) ([]byte, error) {
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("encode page image: %w", err)
	}
	return out.Bytes(), nil
}
