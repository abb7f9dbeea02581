package reader

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"dangan/archive"
)

// RunChild is the whole life of a child of a [Pool]: it warms up, gives up what
// it will not need, and obeys orders until stdin ends. The program must call it
// from the command line given in [PoolConfig], with its own standard streams,
// and do nothing else in that process.
//
// It ignores the signals that end a program: a service manager sends them to all
// processes alike, and the pool still needs its children to finish its work.
func RunChild(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Stdout = os.Stderr // stdout is for the pool alone
	in := bufio.NewReaderSize(stdin, blockSize)
	var config childConfig
	if err := readJSON(in, frameConfig, &config); err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	alone := config.Config
	alone.Workers = 1
	alone.MaxTime *= 2 * patience // time is limited by the kernel, and by the pool
	r, err := New(ctx, alone)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.warm(ctx); err != nil {
		return err
	}
	debug.FreeOSMemory() // what the compiler needed, if it had to run
	debug.SetMemoryLimit(config.MaxMemory / 4 * 3)
	if err := confine(config); err != nil {
		return fmt.Errorf("confine: %w", err)
	}
	if err := writeJSON(stdout, frameReady, struct{}{}); err != nil {
		return err
	}
	for {
		var o order
		if err := readJSON(in, frameOrder, &o); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read order: %w", err)
		}
		if err := limitTime(config.MaxTime); err != nil {
			return fmt.Errorf("limit time: %w", err)
		}
		file := &distant{in: in, out: stdout, size: o.Size}
		if err := obey(ctx, r, o, file, stdout); err != nil {
			return err
		}
	}
}

// childConfig is what a child needs to know at its start.
type childConfig struct {
	Config
	// MaxMemory is what it may take, in bytes.
	MaxMemory int64
	// MaxJobs is how many orders it will get.
	MaxJobs int
}

// warm starts the engine, before there is any document.
func (r *Reader) warm(ctx context.Context) error {
	e := <-r.idle
	defer func() { r.idle <- e }()
	if err := e.start(ctx); err != nil {
		return err
	}
	_, release, err := e.instance(ctx)
	if err == nil {
		release()
	}
	return err
}

// obey carries out one order; its error is that of out.
func obey(ctx context.Context, r *Reader, o order, file *distant, out io.Writer) error {
	var err error
	switch {
	case o.Page == 0:
		var reading archive.Reading
		if reading, err = r.Read(ctx, file, o.Size); err == nil {
			return writeJSON(out, frameReading, reading)
		}
		return writeFrame(out, frameFailed, nil)
	case o.Lines:
		var lines []archive.TextLine
		if lines, err = r.Lines(ctx, file, o.Size, o.Page); err == nil {
			return writeJSON(out, frameLines, lines)
		}
	case o.DPI > 0:
		var drawn *image.RGBA
		if drawn, err = r.Render(ctx, file, o.Size, o.Page, o.DPI); err == nil {
			size := binary.BigEndian.AppendUint32(nil, uint32(drawn.Rect.Dx()))
			return writeFrame(out, framePixels, size, drawn.Pix...)
		}
	default:
		var pngs [][]byte
		if pngs, err = r.Page(ctx, file, o.Size, o.Page, o.Widths...); err == nil {
			for _, png := range pngs {
				err = errors.Join(err, writeFrame(out, framePage, png))
			}
			return err
		}
	}
	var engineFailure *engineError
	if errors.As(err, &engineFailure) {
		return writeFrame(out, frameFailed, nil)
	}
	return writeFrame(out, frameNoPage, nil) // none that can be drawn
}
