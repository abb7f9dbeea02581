package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"os/exec"
	"syscall"
	"time"

	"dangan/api/stamp"
)

// original is a file of scans that copies are made of, in memory.
type original struct {
	*bytes.Reader
	pdf   []byte
	scan  []byte // each of its pages
	pages int
	base  *stamp.Base
}

// copies compares copies of files of 1, 10 and 100 scans with other ways to the same end.
func (b *bench) copies(ctx context.Context) error {
	stamper, err := b.sealer.stamper(sampleCertificate())
	if err != nil {
		return err
	}
	rival, err := newPdfcpu()
	if err != nil {
		return err
	}
	defer rival.close()
	least := map[int]float64{1: 300, 10: 150, 100: 60}
	for _, pages := range b.pages {
		o, err := newOriginal(ctx, pages)
		if err != nil {
			return err
		}
		appended := func(ctx context.Context, _ int) error {
			_, err := stamper.AppendCopy(ctx, b.copyOf(o, 0), o.base)
			return err
		}
		once := func(ctx context.Context, _ int) error {
			return stamper.Copy(ctx, b.copyOf(o, 0), []stamp.Source{o}, nil, io.Discard)
		}
		raw := func(context.Context, int) error {
			copied := bytes.Clone(o.pdf)
			sum := sha256.Sum256(copied)
			copied[0] = sum[0]
			return nil
		}
		for _, c := range []struct {
			row
			raw, ours func(context.Context, int) error
			turns     int
		}{
			{row{What: "append to and seal %d scans", Against: "five pdfcpu AddWatermarks, no seal", Target: least[pages]}, rival.marks(o), appended, 3},
			{row{What: "append to and seal %d scans", Against: "one pdfcpu overlay, no seal"}, rival.overlay(o), appended, 3},
			{row{What: "append to and seal %d scans", Against: "memcpy + SHA-256 of the file"}, raw, appended, 9},
			{row{What: "read, append to and seal %d scans", Against: "memcpy + SHA-256 of the file"}, raw, once, 9},
		} {
			c.What, c.Clients, c.N = fmt.Sprintf(c.What, pages), 1, len(o.pdf)
			if err := b.compareWork(ctx, c.row, sides{raw: c.raw, ours: c.ours, turns: c.turns}); err != nil {
				return err
			}
		}
		if err := b.rebuilt(ctx, stamper, o); err != nil {
			return err
		}
	}
	return nil
}

// rebuilt compares pages whose masks and purpose are burnt in with nothing but decoding and encoding them.
func (b *bench) rebuilt(ctx context.Context, stamper *stamp.Stamper, o *original) error {
	if _, err := exec.LookPath("djpeg"); err != nil {
		fmt.Fprintln(b.stderr, "rebuilt copies are not measured: djpeg is not installed (libjpeg-turbo-progs)")
		return nil
	}
	raw := func(ctx context.Context, _ int) error {
		for range o.pages {
			if err := o.transcode(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	ours := func(ctx context.Context, _ int) error {
		return stamper.Copy(ctx, b.copyOf(o, 2), []stamp.Source{o}, nil, io.Discard)
	}
	r := row{What: fmt.Sprintf("rebuild, mask and seal %d scans", o.pages), Against: "djpeg | cjpeg of them", Clients: 1, N: len(o.pdf), Target: 1 / 1.3}
	return b.compareWork(ctx, r, sides{raw: raw, ours: ours, turns: 3})
}

// compareWork is compare for sides that do nothing but compute, and tells their processor time besides: on a busy
// machine it says more than the clock, and one of two processes gets more of it than one of one.
func (b *bench) compareWork(ctx context.Context, r row, s sides) error {
	var raw, ours effort
	s.raw, s.ours = raw.measured(s.raw), ours.measured(s.ours)
	if err := b.compare(ctx, r, s); err != nil || b.seconds < 1 { // that clock is too coarse for less
		return err
	}
	f := fact{What: r.What + ": processor time over that of " + r.Against, N: r.N, Value: ours.each() / raw.each(), Unit: "times"}
	if r.Target > 0 {
		f.Bound = math.Round(1e4/r.Target) / 1e4
	}
	b.results.Facts = append(b.results.Facts, f)
	return nil
}

// effort is the processor time that something took.
type effort struct {
	spent time.Duration
	times int
}

func (w *effort) each() float64 { return float64(w.spent) / float64(w.times) }

func (w *effort) measured(op func(context.Context, int) error) func(context.Context, int) error {
	return func(ctx context.Context, n int) error {
		before := processorTime()
		err := op(ctx, n)
		w.spent += processorTime() - before
		w.times++
		return err
	}
}

// processorTime is that of this process and of those it has waited for.
func processorTime() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		if err := syscall.Getrusage(who, &used); err == nil {
			sum += time.Duration(used.Utime.Nano() + used.Stime.Nano())
		}
	}
	return sum
}

// transcode has libjpeg-turbo decode a scan and encode it again.
func (o *original) transcode(ctx context.Context) error {
	decode, encode := exec.CommandContext(ctx, "djpeg", "-pnm"), exec.CommandContext(ctx, "cjpeg", "-quality", "75")
	decode.Stdin = bytes.NewReader(o.scan)
	pipe, err := decode.StdoutPipe()
	if err != nil {
		return err
	}
	encode.Stdin = pipe
	if err := decode.Start(); err != nil {
		return err
	}
	if _, err := encode.Output(); err != nil {
		return fmt.Errorf("cjpeg: %w", err)
	}
	return decode.Wait()
}

// copyOf is a copy of all of it, with so many masks on each page.
func (b *bench) copyOf(o *original, masks int) stamp.Copy {
	cover := b.sealer.sheet(sampleCertificate())
	c := stamp.Copy{Cover: cover, Straddle: true, Append: masks == 0, Mark: stamp.CopyMark{Office: cover.Issuer, Agrees: "与馆藏原件一致",
		RefCode: "J019-ZY·HY·2010·D100-001-0001", Page: cover.Labels.Page, Request: "20261124-0007", Date: cover.Date,
		Purpose: "办理公积金贷款", PurposeMark: cover.PurposeMark}}
	for i := range o.pages {
		p := stamp.CopyPage{Page: i + 1}
		for n := range masks {
			p.Masks = append(p.Masks, stamp.Mask{X: 0.1, Y: 0.2 + 0.3*float64(n), W: 0.6, H: 0.05})
		}
		c.Pages = append(c.Pages, p)
	}
	return c
}

// newOriginal makes a file of colour scans of A4 with 200 dots per inch and a grain, each 0.7 MB.
func newOriginal(ctx context.Context, pages int) (*original, error) {
	var scan bytes.Buffer
	if err := jpeg.Encode(&scan, grainyPage(1653, 2339), &jpeg.Options{Quality: 75}); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n", len(offsets))
		fmt.Fprintf(&out, format, args...)
		out.WriteString("\nendobj\n")
	}
	out.WriteString("%PDF-1.4\n")
	var kids bytes.Buffer
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*i)
	}
	content := "q 595.28 0 0 841.89 0 0 cm /I Do Q"
	object("<</Type/Catalog/Pages 2 0 R>>")
	object("<</Type/Pages/Count %d/Kids[%s]>>", pages, kids.Bytes())
	object("<</Length %d>>\nstream\n%s\nendstream", len(content), content)
	for i := range pages {
		object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.28 841.89]/Resources<</XObject<</I %d 0 R>>>>/Contents 3 0 R>>", 5+2*i)
		object("<</Type/XObject/Subtype/Image/Width 1653/Height 2339/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode/Length %d>>\nstream\n%s\nendstream",
			scan.Len(), scan.Bytes())
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	o := &original{Reader: bytes.NewReader(out.Bytes()), pdf: out.Bytes(), scan: scan.Bytes(), pages: pages}
	var err error
	o.base, err = stamp.ReadBase(ctx, o)
	return o, err
}

// grainyPage is paper with lines of writing.
func grainyPage(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	grain := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			v := 205 + uint8(grain.IntN(40))
			if y/24%2 == 1 && (x/9+y/11)%3 == 0 && x > w/10 && x < w*9/10 {
				v = 40 + uint8(grain.IntN(30))
			}
			img.SetRGBA(x, y, color.RGBA{v, v - v/20, v - v/8, 255})
		}
	}
	return img
}
