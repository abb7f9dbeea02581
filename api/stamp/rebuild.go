package stamp

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"hash"
	"io"
	"iter"
	"time"
)

// copying is one copy on its way.
type copying struct {
	*Stamper
	Copy
	sources []Source
	raster  Raster
	now     time.Time
	doc     *document
	seal    *sealing // nil for a draft
	burner  *burner
	originals
	sum   hash.Hash // of what is written out
	pages []copiedPage
}

// copiedPage is a page whose picture is in the file.
type copiedPage struct {
	scan
	object ref // of the picture
	place  string
}

func (s *Stamper) newCopying(c Copy, sources []Source, raster Raster) *copying {
	return &copying{Stamper: s, Copy: c, sources: sources, raster: raster, now: s.config.Now(), doc: newDocument(s.zip),
		burner: newBurner(s.regular, c.Mark.PurposeMark, s.config.Rand), sum: s.newHash()}
}

// newSealedCopying is newCopying for what will be sealed now.
func (s *Stamper) newSealedCopying(c Copy, sources []Source, raster Raster) (*copying, error) {
	k := s.newCopying(c, sources, raster)
	_, err := Expires(s.chain, k.now)
	return k, err
}

// copyClaim is PDF/A-2b: a picture of a page is all there is to read of it.
func copyClaim() claim {
	return claim{properties: "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\n", tagged: true}
}

// rebuild makes a new file of pictures. They are written out one by one; what is kept in memory is the rest.
func (k *copying) rebuild(ctx context.Context, w io.Writer) error {
	if k.config.Proves == nil || k.seal == nil {
		_, err := k.write(ctx, w)
		return err
	}
	var sealed bytes.Buffer // evidence is appended to a whole file
	dater, err := k.write(ctx, &sealed)
	if err != nil {
		return err
	}
	return k.prove(ctx, sealed.Bytes(), dater, w)
}

func (k *copying) write(ctx context.Context, w io.Writer) (dater []*x509.Certificate, err error) {
	out := io.MultiWriter(w, k.sum)
	for s, err := range k.pictures(ctx) {
		i := len(k.pages)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", i+1, err)
		}
		k.pages = append(k.pages, copiedPage{s, k.addPicture(s), k.Pages[i].Place})
		k.pages[i].jpeg = nil
		if err := k.doc.flush(out); err != nil {
			return nil, err
		}
	}
	tail, err := k.finish()
	if err != nil {
		return nil, err
	}
	if k.seal != nil {
		if dater, err = k.signTail(ctx, k.sum, k.doc.before, tail, k.seal); err != nil {
			return nil, fmt.Errorf("seal copy: %w", err)
		}
	}
	_, err = w.Write(tail)
	return dater, err
}

// prove writes a sealed file with its evidence.
func (k *copying) prove(ctx context.Context, sealed []byte, dater []*x509.Certificate, w io.Writer) error {
	evidence, err := k.gather(ctx, dater)
	if err != nil {
		return fmt.Errorf("prove seal: %w", err)
	}
	pdf, err := evidence.add(sealed)
	if err != nil {
		return err
	}
	_, err = w.Write(pdf)
	return err
}

// pictures makes the pictures of all pages in their order, two at a time.
func (k *copying) pictures(ctx context.Context) iter.Seq2[scan, error] {
	type made struct {
		scan
		err error
	}
	start := func(p CopyPage) chan made {
		found, err := k.find(k.sources, p)
		out := make(chan made, 1)
		go func() {
			s, err := k.picture(ctx, p, found, err == nil)
			out <- made{s, err}
		}()
		return out
	}
	return func(yield func(scan, error) bool) {
		var ahead []chan made
		defer func() { // nobody reads the sources when this has returned
			for _, c := range ahead {
				<-c
			}
		}()
		for i := range len(k.Pages) {
			for next := i + len(ahead); next < min(i+2, len(k.Pages)); next++ {
				ahead = append(ahead, start(k.Pages[next]))
			}
			m := <-ahead[0]
			if ahead = ahead[1:]; !yield(m.scan, m.err) || m.err != nil {
				return
			}
		}
	}
}

func (k *copying) addPicture(s scan) ref {
	r, space := k.doc.reserve(), "DeviceRGB"
	if s.grey {
		space = "DeviceGray"
	}
	k.doc.begin(r)
	fmt.Fprintf(&k.doc.buf, "<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/%s/BitsPerComponent 8/Filter/DCTDecode/Length %d>>\nstream\n",
		s.pixels.X, s.pixels.Y, space, len(s.jpeg))
	k.doc.buf.Write(s.jpeg)
	k.doc.buf.WriteString("\nendstream\nendobj\n")
	return r
}

// finish draws the cover and the pages, and returns what is not written out yet.
func (k *copying) finish() ([]byte, error) {
	press := newPress(k.doc, k.Cover, k.regular, k.bold)
	press.claim = copyClaim()
	press.more = func(tree ref) { k.drawPages(press, tree) }
	var place func(*canvasPage)
	entries := ""
	if k.seal != nil {
		place = k.seal.place
		entries = k.seal.entries(k.Cover.Number)
	}
	tree, err := press.run(place)
	if err != nil {
		return nil, fmt.Errorf("draw copy: %w", err)
	}
	return k.doc.finish(k.catalog(k.doc, press, tree, k.now, entries), info(k.doc, k.Cover, k.now)), nil
}

func (k *copying) drawPages(p *press, tree ref) {
	form, scale := k.sealForm(), k.sealScale()
	for i, page := range k.pages {
		mark := k.layMark(p, page, i)
		at := p.doc.reserve()
		c := &canvas{height: mark.page.height, structure: p.structure, page: at}
		p.structure.newPage()
		c.tag("Figure", alt(mark.words), func() { page.draw(c) })
		k.drawSeal(c, mark.page, i, scale)
		mark.draw(c)
		p.doc.put(at, fmt.Sprintf("<</Type/Page/Parent %s/StructParents %d/Tabs/S/MediaBox[0 0 %.2f %.2f]/Resources<</Font<</R %s/B %s>>/XObject<</I %s%s>>>>/Contents %s>>",
			tree, len(p.pages), mark.page.width, mark.page.height, p.regular.object, p.bold.object, page.object, form, p.doc.addStream("", c.buf.Bytes())))
		p.pages = append(p.pages, at)
	}
}

// draw draws the picture in the middle of the page, from the top.
func (s scan) draw(c *canvas) {
	c.save()
	x, top := (s.page().width-s.width)/2, c.y(0)
	switch w, h := s.width, s.height; s.turn {
	case 90:
		c.matrix(0, -h, w, 0, x, top)
	case 180:
		c.matrix(-w, 0, 0, -h, x+w, top)
	case 270:
		c.matrix(0, h, -w, 0, x+w, top-h)
	default:
		c.matrix(w, 0, 0, h, x, top-h)
	}
	c.use("Do", "I")
	c.restore()
}
