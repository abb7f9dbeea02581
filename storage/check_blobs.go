package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"dangan/archive"
)

// checkBlobs reads every file that the entries name.
func (s *seen) checkBlobs(ctx context.Context) error {
	for _, b := range s.named.Blobs {
		entry, _, err := parseBlobID(b.ID)
		if err != nil || !isHex(b.SHA256, 64) || b.Size < 0 {
			s.add(found(EntryChanged, entryName(s.ref, s.tip)))
			continue
		}
		if entry > 0 {
			err = s.checkCarried(ctx, b, entry)
		} else {
			err = s.checkBlob(ctx, b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkCarried reads a file in its entry. An entry that is damaged was told of.
func (s *seen) checkCarried(ctx context.Context, b archive.Blob, entry int) error {
	o, ok := s.objects[entry]
	if !ok {
		return nil
	}
	if !slices.ContainsFunc(o.Carries, func(c carried) bool { return c.ID == b.ID && c.Size == sealedSize(b.Size) }) {
		s.add(found(BlobMissing, o.name))
		return nil
	}
	if s.k.Quick {
		return nil
	}
	sealed, err := o.carried(b.ID)
	if err != nil {
		return err
	}
	get := func(_ context.Context, offset, length int64) (Object, error) {
		return Object{Body: io.NopCloser(bytes.NewReader(sealed[offset : offset+length])), Size: int64(len(sealed))}, nil
	}
	if err := readAll(s.content(ctx, b, b.ID, get)); errors.Is(err, archive.ErrCorrupt) {
		s.add(found(BlobChanged, o.name))
	} else if err != nil {
		return err
	}
	return nil
}

// content opens a file under the seal of a blob with some id.
func (s *seen) content(ctx context.Context, b archive.Blob, id string, get getter) *content {
	return &content{ctx: ctx, get: get, name: blobFolder + s.path + "/" + id, secret: s.secret, blob: b}
}

func (s *seen) checkBlob(ctx context.Context, b archive.Blob) error {
	key := blobFolder + s.path + "/" + b.ID
	i := slices.IndexFunc(s.in[blobFolder], func(o Listed) bool { return o.Key == key })
	if i >= 0 && s.k.Quick && s.in[blobFolder][i].Size == sealedSize(b.Size) {
		return nil
	}
	get := func(ctx context.Context, offset, length int64) (Object, error) {
		return s.k.b.objects.Get(ctx, key, offset, length)
	}
	err := readAll(s.content(ctx, b, b.ID, get))
	if !errors.Is(err, archive.ErrCorrupt) {
		return err
	}
	o, gone := s.k.b.objects.Get(ctx, key, 0, 1)
	if errors.Is(gone, archive.ErrNotFound) {
		s.add(found(BlobMissing, key))
		return nil
	}
	if gone == nil {
		_ = o.Body.Close()
	}
	for _, other := range s.named.Blobs { // whichever it is, it opens as itself
		if other.ID != b.ID && other.Size > 0 && readAll(s.content(ctx, other, other.ID, get)) == nil {
			s.add(found(BlobSwapped, key))
			return nil
		}
	}
	s.add(found(BlobChanged, key))
	return nil
}

// checkLeft looks for blobs that no entry names, and at everything derived.
func (s *seen) checkLeft(ctx context.Context) error {
	for _, o := range s.old(blobFolder) {
		if s.names(lastSegment(o.Key)) {
			continue
		}
		f := found(BlobOrphan, o.Key)
		if s.named.Final {
			f = f.mendedBy(func(ctx context.Context) error { return s.k.b.removeOrphan(ctx, s.ref, o.Key) })
		}
		s.add(f)
	}
	for _, o := range s.in[derivedFolder] {
		if err := s.checkDerived(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (s *seen) names(blob string) bool {
	return slices.ContainsFunc(s.named.Blobs, func(b archive.Blob) bool { return b.ID == blob })
}

// removeOrphan takes away a blob that no entry names, having read the chain again.
func (b *Bucket) removeOrphan(ctx context.Context, ref archive.Ref, key string) error {
	named, _, err := b.names(ctx, ref)
	if err != nil && !errors.Is(err, archive.ErrNotFound) {
		return err
	}
	id := lastSegment(key)
	if slices.ContainsFunc(named.Blobs, func(b archive.Blob) bool { return b.ID == id }) {
		return nil
	}
	return b.objects.Delete(ctx, key)
}

// names is what a chain says, read from its entries, and their number.
// archive.ErrNotFound is a chain that is not there or was fenced off.
func (b *Bucket) names(ctx context.Context, ref archive.Ref) (archive.Named, int, error) {
	history, err := NewChain[json.RawMessage](b, ref.Kind).History(ctx, ref.ID)
	if err != nil {
		return archive.Named{}, 0, err
	}
	var bodies [][]byte
	for _, v := range history {
		bodies = append(bodies, v.Value)
	}
	named, err := archive.Names(ref.Kind, bodies)
	return named, len(bodies), err
}

// checkDerived opens something derived. What is derived from a blob that a later
// entry carries shows that there was one.
func (s *seen) checkDerived(ctx context.Context, o Listed) error {
	blob, what, _ := strings.Cut(lastSegment(o.Key), ".")
	kind := strings.TrimSuffix(what, "-v1")
	if again, err := derivedKey(s.ref, blob, kind); err != nil || again != o.Key {
		s.add(found(ObjectStray, o.Key))
		return nil
	}
	if !s.names(blob) {
		entry, _, _ := parseBlobID(blob)
		switch {
		case entry > s.tip:
			return s.rolledBack(ctx)
		case o.Modified.Before(s.k.oldest):
			s.add(found(DerivedOrphan, o.Key).mendedBy(s.remove(o.Key)))
		}
		return nil
	}
	d, err := s.k.b.fetch(ctx, o.Key)
	if err == nil && (d.Kind != s.ref.Kind || d.ID != s.ref.ID) {
		err = archive.ErrCorrupt
	}
	if err == nil {
		_, err = d.open(s.secret)
	}
	if errors.Is(err, archive.ErrCorrupt) {
		s.add(found(DerivedChanged, o.Key).mendedBy(s.resettled(o.Key)))
		return nil
	}
	if errors.Is(err, archive.ErrNotFound) { // replaced or taken away just now
		return nil
	}
	return err
}

// resettled makes again what follows from a record, without an object that is in
// the way; nil when that cannot be done here.
func (s *seen) resettled(without string) func(context.Context) error {
	if s.k.Settle == nil || s.ref.Kind != archive.KindRecord {
		return nil
	}
	return func(ctx context.Context) error {
		if without != "" {
			if err := s.k.b.objects.Delete(ctx, without); err != nil {
				return err
			}
		}
		return s.k.Settle(ctx, s.ref.ID)
	}
}
