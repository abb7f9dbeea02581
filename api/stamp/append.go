package stamp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"

	"dangan/api/stamp/internal/pdffile"
)

// ErrNotAppendable is wrapped when marks cannot be appended to a file, so that a copy of it must be made of pictures.
var ErrNotAppendable = errors.New("nothing can be appended to the file")

// Base is a PDF that marks can be appended to: what is needed to do so without reading it again. It is safe for
// concurrent use.
type Base struct {
	size    int64
	sum     []byte // SHA-256 midstate of all bytes
	listing pdffile.Listing
	pages   []basePage
	root    int // of the page tree
	tree    pdffile.Dict
}

// basePage is a page with its resources at hand.
type basePage struct {
	pdffile.Page
	resources, objects pdffile.Dict // objects: what Do can show
}

// maxLoose bounds what must be written out of object streams, in objects.
const maxLoose = 20_000

// ReadBase reads a file once, and tells whether it is nothing but what its pages show: one revision, no signature,
// form, annotation, script, attachment or layer, and no object or byte that no page needs. Otherwise it fails with
// ErrNotAppendable.
func ReadBase(ctx context.Context, source Source) (*Base, error) {
	f, err := pdffile.Open(source, source.Size())
	if err != nil {
		return nil, notAppendable(err)
	}
	b := &Base{size: source.Size()}
	if err := f.Audit(func(_ int, o pdffile.Object) error { return harmless(o) }); err != nil {
		return nil, notAppendable(err)
	}
	if b.listing, err = f.List(); err != nil {
		return nil, notAppendable(err)
	}
	if len(b.listing.Loose) > maxLoose {
		return nil, fmt.Errorf("%w: it has too many objects", ErrNotAppendable)
	}
	if err := b.readPages(f); err != nil {
		return nil, notAppendable(err)
	}
	b.sum, err = digest(ctx, source)
	return b, err
}

func notAppendable(err error) error {
	if errors.Is(err, ErrNotAppendable) || !errors.Is(err, pdffile.ErrMalformed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotAppendable, err)
}

// digest hashes the file, which must not hold the words that a seal is found by.
func digest(ctx context.Context, source Source) ([]byte, error) {
	h, size := sha256.New(), source.Size()
	const overlap = 64 // longer than any of the words
	block := make([]byte, overlap+1<<20)
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := source.ReadAt(block[overlap:], at)
		if n == 0 {
			return nil, fmt.Errorf("read source: %w", err)
		}
		for _, word := range []string{"/ByteRange", markerName} {
			if bytes.Contains(block[:overlap+n], []byte(word)) {
				return nil, fmt.Errorf("%w: it is sealed", ErrNotAppendable)
			}
		}
		h.Write(block[overlap : overlap+n])
		copy(block, block[n:overlap+n])
		at += int64(n)
	}
	return h.(encoding.BinaryMarshaler).MarshalBinary()
}

// harmless refuses objects that do more than be shown, or hold more than is shown.
func harmless(o pdffile.Object) error {
	var kids []pdffile.Object
	switch o := o.(type) {
	case pdffile.Array:
		kids = o
	case *pdffile.Stream:
		if o.Dict["F"] != nil {
			return fmt.Errorf("%w: it needs another file", ErrNotAppendable)
		}
		return harmless(o.Dict)
	case pdffile.Dict:
		for _, key := range []pdffile.Name{"JS", "JavaScript", "AA", "OpenAction", "Annots", "AcroForm", "XFA", "EF", "EmbeddedFiles",
			"AF", "ByteRange", "OC", "OCProperties", "Alternates", "OPI", "PieceInfo", "Thumb", "Collection", "Perms"} {
			if o[key] != nil {
				return fmt.Errorf("%w: it has %s", ErrNotAppendable, key)
			}
		}
		kids = slices.Collect(maps.Values(o))
	}
	for _, kid := range kids {
		if err := harmless(kid); err != nil {
			return err
		}
	}
	return nil
}

// readPages wants every page to be of a kind whose marks will stand where they should.
func (b *Base) readPages(f *pdffile.File) error {
	pages, err := f.Pages()
	if err != nil {
		return err
	}
	o, err := f.Get(f.Trailer["Root"])
	if err != nil {
		return err
	}
	catalog, _ := o.(pdffile.Dict)
	for key := range catalog {
		if !slices.Contains([]pdffile.Name{"Type", "Version", "Pages", "Lang", "ViewerPreferences", "PageLayout", "PageMode", "MarkInfo",
			"StructTreeRoot", "Metadata", "OutputIntents", "PageLabels"}, key) {
			return fmt.Errorf("%w: its catalog has an entry that is not known", ErrNotAppendable)
		}
	}
	root, _ := catalog["Pages"].(pdffile.Ref)
	tree, err := f.Get(root)
	if err != nil {
		return err
	}
	b.root, b.tree = root.Number, maps.Clone(tree.(pdffile.Dict)) // as Pages has seen
	for _, p := range pages {
		page, err := readPage(f, p)
		if err != nil {
			return err
		}
		b.pages = append(b.pages, page)
	}
	return nil
}

func readPage(f *pdffile.File, p pdffile.Page) (basePage, error) {
	page := basePage{Page: p}
	if s := page.shape(); min(s.width, s.height) < leastPage || max(s.width, s.height) > 5000 {
		return page, fmt.Errorf("%w: the size of a page", ErrNotAppendable)
	}
	if err := balanced(f, p); err != nil {
		return page, err
	}
	o, err := f.Get(p.Dict["Contents"])
	if err != nil {
		return page, err
	}
	if list, ok := o.(pdffile.Array); ok {
		page.Dict["Contents"] = list
	}
	if page.resources, err = dictOf(f, p.Dict["Resources"]); err != nil {
		return page, err
	}
	page.objects, err = dictOf(f, page.resources["XObject"])
	return page, err
}

// dictOf follows a reference to a dictionary; an empty one when there is none.
func dictOf(f *pdffile.File, o pdffile.Object) (pdffile.Dict, error) {
	o, err := f.Get(o)
	if err != nil || o == nil {
		return pdffile.Dict{}, err
	}
	d, ok := o.(pdffile.Dict)
	if !ok {
		return nil, fmt.Errorf("%w: resources", ErrNotAppendable)
	}
	return d, nil
}

// balanced tells whether a page's content restores what it saves, so that what is drawn behind it stands in its
// place.
func balanced(f *pdffile.File, p pdffile.Page) error {
	content, err := contentOf(f, p)
	if err != nil {
		return err
	}
	saved, wrong := 0, fmt.Errorf("%w: the content of a page", ErrNotAppendable)
	err = pdffile.Content(content, func(operator pdffile.Keyword, _ []pdffile.Object) error {
		switch operator {
		case "q":
			saved++
		case "Q":
			if saved--; saved < 0 {
				return wrong
			}
		case "BI": // what follows is not words
			return wrong
		}
		return nil
	})
	if err == nil && saved != 0 {
		return wrong
	}
	if errors.Is(err, errNoScan) {
		return wrong
	}
	return err
}

// AppendCopy makes the copy of all pages of a file as what must stand behind its bytes: the cover, the marks and the
// seal. The source in c is not looked at. It cannot bring evidence (Config.Proves) along, nor
// an SM2 signature.
func (s *Stamper) AppendCopy(ctx context.Context, c Copy, base *Base) (tail []byte, err error) {
	if s.signer == nil || s.config.Proves != nil || s.config.SM2 != nil {
		return nil, fmt.Errorf("append copy: %w", errors.ErrUnsupported)
	}
	if err := c.check(1); err != nil {
		return nil, fmt.Errorf("append copy: %w", err)
	}
	if !c.whole(len(base.pages)) {
		return nil, fmt.Errorf("append copy: %w: not all pages are released as they are", ErrNotAppendable)
	}
	k, err := s.newSealedCopying(c, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("append copy: %w", err)
	}
	if tail, _, err = k.appendTo(ctx, base, nil); err != nil {
		return nil, fmt.Errorf("append copy: %w", err)
	}
	return tail, nil
}

// whole tells whether a copy is of all pages of its one source, unmasked and in their order; pages below 0 are not
// compared.
func (c *Copy) whole(pages int) bool {
	for i, p := range c.Pages {
		if p.Source != c.Pages[0].Source || p.Page != i+1 || len(p.Masks) > 0 {
			return false
		}
	}
	return pages < 0 || len(c.Pages) == pages
}

// tryAppend appends to the source when that is wanted and possible; done tells whether it was.
func (k *copying) tryAppend(ctx context.Context, w io.Writer) (done bool, err error) {
	if !k.Append || !k.whole(-1) {
		return false, nil
	}
	source := k.sources[k.Pages[0].Source]
	base, err := ReadBase(ctx, source)
	if errors.Is(err, ErrNotAppendable) || err == nil && len(base.pages) != len(k.Pages) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	tail, dater, err := k.appendTo(ctx, base, source)
	if err != nil {
		return false, err
	}
	file := io.MultiReader(io.NewSectionReader(source, 0, base.size), bytes.NewReader(tail))
	if k.config.Proves == nil {
		_, err := io.Copy(w, file)
		return true, err
	}
	sealed, err := io.ReadAll(file)
	if err != nil {
		return false, err
	}
	return true, k.prove(ctx, sealed, dater, w)
}

// resume is the hash as it is behind the base; for SM2, of which base knows nothing, the source is read again.
func (k *copying) resume(base *Base, source Source) (hash.Hash, error) {
	if k.config.SM2 == nil {
		return base.resume()
	}
	h := k.newHash()
	_, err := io.Copy(h, io.NewSectionReader(source, 0, base.size))
	return h, err
}

// resume returns the hash as it is behind the base.
func (b *Base) resume() (hash.Hash, error) {
	h := sha256.New()
	return h, h.(encoding.BinaryUnmarshaler).UnmarshalBinary(b.sum)
}
