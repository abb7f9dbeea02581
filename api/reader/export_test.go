package reader

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"dangan/archive"
)

// Verify is verify.
func Verify(cms, content []byte) (archive.SignatureState, string) { return verify(cms, content) }

// RunBadChild is RunChild gone wrong in the given way.
func RunBadChild(_ context.Context, how string, stdin io.Reader, stdout io.Writer) error {
	var config childConfig
	if err := readJSON(stdin, frameConfig, &config); err != nil || how == "refuses" {
		return errors.Join(err, errors.New("no child today"))
	}
	if err := errors.Join(confine(config), writeJSON(stdout, frameReady, struct{}{})); err != nil {
		return err
	}
	if err := errors.Join(readJSON(stdin, frameOrder, &order{}), limitTime(config.MaxTime)); err != nil {
		return err
	}
	switch how {
	case "dies":
		os.Exit(3)
	case "babbles":
		_, err := stdout.Write(make([]byte, 1<<20))
		return err
	case "lies":
		return writeFrame(stdout, frameReading, []byte(`{"media_type":"application/pdf","pages":-1}`))
	case "floods":
		_, err := stdout.Write([]byte{byte(frameReading), 0xFF, 0xFF, 0xFF, 0xFF})
		return err
	case "reaches":
		return writeFrame(stdout, frameWant, []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1})
	case "hangs":
		time.Sleep(time.Hour)
	case "spins":
		for time.Now().Year() > 0 {
		}
	case "grows":
		for all := []byte{1}; len(all) > 0; all = append(all, make([]byte, 1<<20)...) {
		}
	}
	return nil
}

// ParseLines is parseLines.
func ParseLines(body []byte) ([]archive.TextLine, bool) { return parseLines(body) }
