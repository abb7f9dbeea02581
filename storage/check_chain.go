package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"dangan/archive"
	"dangan/storage/vault"
)

// Sizes of a piece of the first stage.
const (
	pieceChains = 16
	pieceBytes  = 16 << 20
)

// chains is the first stage: every chain with its key, its blobs and what is
// derived from them.
func (k *checker) chains(ctx context.Context, after string) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		var batch []stock
		var size int64
		flush := func() bool {
			if len(batch) == 0 {
				return true
			}
			p := k.chainPiece(batch)
			batch, size = nil, 0
			return yield(p, nil)
		}
		all := stocks(ctx, k.b.objects, after, chainFolder, keyFolder, blobFolder, derivedFolder)
		for g, err := range k.withMemory(all, after) {
			if err != nil {
				yield(piece{}, err)
				return
			}
			batch = append(batch, g)
			for _, o := range g.in[blobFolder] {
				size += o.Size
			}
			if (len(batch) == pieceChains || size > pieceBytes) && !flush() {
				return
			}
		}
		flush()
	}
}

func (k *checker) chainPiece(batch []stock) piece {
	p := piece{}
	var now []remembered
	for _, g := range batch {
		p.objects += g.objects()
		p.last = g.path
	}
	p.check = func(ctx context.Context) ([]Finding, error) {
		versions, err := k.versions(ctx, batch)
		if err != nil {
			return nil, err
		}
		var all []Finding
		for _, g := range batch {
			s := &seen{k: k, stock: g, objects: map[int]object{}, vouched: map[string]bool{}, indexed: versions[g.ref.ID]}
			if err := s.check(ctx); err != nil {
				return nil, err
			}
			all, now = append(all, s.sorted()...), append(now, s.before)
		}
		return all, nil
	}
	p.done = func() error {
		for _, r := range now {
			if err := k.remember(r); err != nil {
				return err
			}
		}
		return nil
	}
	return p
}

// versions asks the index for the records of a batch.
func (k *checker) versions(ctx context.Context, batch []stock) (map[string]int, error) {
	var ids []string
	for _, g := range batch {
		if g.ref.Kind == archive.KindRecord {
			ids = append(ids, g.ref.ID)
		}
	}
	if k.Index == nil || len(ids) == 0 {
		return nil, nil
	}
	return k.Index.Versions(ctx, ids...)
}

// seen is one chain while it is being checked.
type seen struct {
	k *checker
	stock
	objects  map[int]object // entries that could be read
	tip      int
	bodies   [][]byte // of the entries, oldest first, as far as they open
	named    archive.Named
	secret   vault.Secret
	keyed    bool
	indexed  int             // version in the index
	vouched  map[string]bool // marks and claims that are as they should be
	findings []Finding
}

func (s *seen) add(f Finding) {
	f.chain = s.ref.ID
	s.findings = append(s.findings, f)
}

// sorted puts damage first: it keeps what depends on it from being mended.
func (s *seen) sorted() []Finding {
	slices.SortStableFunc(s.findings, func(a, b Finding) int { return strings.Compare(a.Severity, b.Severity) })
	return s.findings
}

// check finds out what is wrong with the chain.
func (s *seen) check(ctx context.Context) error {
	if _, err := archive.Names(s.ref.Kind, nil); err != nil {
		return s.checkStray(ctx)
	}
	if err := s.readEntries(ctx); err != nil {
		return err
	}
	s.checkMemory()
	if s.tip == 0 {
		return s.checkHeadless(ctx)
	}
	if first, ok := s.objects[1]; ok && first.Fence {
		return s.checkTombstone(ctx, first)
	}
	if err := s.readKey(ctx); err != nil {
		return err
	}
	s.openEntries()
	if err := s.checkBlobs(ctx); err != nil {
		return err
	}
	if len(s.bodies) < s.tip { // what the rest says is not known
		return nil
	}
	if err := s.checkLeft(ctx); err != nil {
		return err
	}
	return s.checkEffects(ctx)
}

// checkStray looks at what belongs to no chain of a kind that there is.
func (s *seen) checkStray(ctx context.Context) error {
	for _, list := range s.in {
		for _, o := range list {
			if !strings.HasPrefix(o.Key, packFolder) {
				s.add(found(ObjectStray, o.Key))
				continue
			}
			_, _, err := s.k.b.fetchRing(ctx, o.Key)
			if errors.Is(err, archive.ErrCorrupt) {
				s.add(found(DerivedChanged, o.Key).mendedBy(s.remove(o.Key)))
			} else if err != nil && !errors.Is(err, archive.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

// packFolder is where what is derived from many chains lies.
const packFolder = derivedFolder + "documents/"

// readEntries reads all entries, without opening them.
func (s *seen) readEntries(ctx context.Context) error {
	for _, o := range s.in[chainFolder] {
		_, n, err := parseEntryKey(o.Key)
		if err != nil {
			s.add(found(ObjectStray, o.Key))
			continue
		}
		for s.tip++; s.tip < n; s.tip++ {
			s.add(found(EntryMissing, entryName(s.ref, s.tip)))
		}
		fetch := s.k.b.fetch
		if s.k.Quick {
			fetch = s.k.b.fetchEntry
		}
		e, err := fetch(ctx, o.Key)
		switch {
		case errors.Is(err, archive.ErrNotFound):
			s.add(found(EntryMissing, o.Key))
		case errors.Is(err, archive.ErrCorrupt):
			s.add(found(EntryChanged, o.Key))
		case err != nil:
			return err
		case e.Kind != s.ref.Kind || e.ID != s.ref.ID || e.N != n:
			s.add(found(EntrySwapped, o.Key))
		default:
			s.objects[n] = e
		}
	}
	return nil
}

// openEntries checks the seals and that each entry names the one before it.
func (s *seen) openEntries() {
	for n := 1; n <= s.tip; n++ {
		o, ok := s.objects[n]
		if !ok {
			continue
		}
		before, known := s.objects[n-1]
		switch {
		case o.Fence || o.Key != chainKey || (n == 1) != (o.Prev == ""):
			s.add(found(EntryChanged, o.name))
			continue
		case known && o.Prev != hashOf(before.raw):
			s.add(found(ChainBroken, o.name))
		}
		if !s.keyed {
			continue
		}
		body, err := o.open(s.secret)
		if err == nil {
			_, err = archive.Names(s.ref.Kind, [][]byte{body})
		}
		if err != nil {
			s.add(found(EntryChanged, o.name))
			continue
		}
		s.bodies = append(s.bodies, body)
	}
	s.named, _ = archive.Names(s.ref.Kind, s.bodies) // each was read
}

// readKey opens the data key of the chain.
func (s *seen) readKey(ctx context.Context) error {
	name, err := dataKeyName(s.ref)
	if err != nil {
		return err
	}
	s.secret, err = s.k.b.storedKey(ctx, s.ref)
	if errors.Is(err, archive.ErrNotFound) { // its job may have it
		if s.secret, err = s.k.b.dataKey(ctx, s.ref); isDamage(err) {
			s.add(found(KeyMissing, name))
			return nil
		}
	}
	if errors.Is(err, archive.ErrCorrupt) {
		code := KeyChanged
		if o, err := s.k.b.fetch(ctx, name); err == nil && (o.Kind != s.ref.Kind || o.ID != s.ref.ID) {
			code = KeySwapped
		}
		s.add(found(code, name))
		return nil
	}
	s.keyed = err == nil
	return err
}

// checkHeadless looks at what lies where a chain should be. A first write that is
// under way has a job, or is young.
func (s *seen) checkHeadless(ctx context.Context) error {
	if busy, err := s.k.underWay(ctx, s.ref.ID); busy || err != nil {
		return err
	}
	_, err := s.k.b.fetchEntry(ctx, entryName(s.ref, 1))
	if err == nil || !errors.Is(err, archive.ErrNotFound) { // it came to be after its folder was listed
		return err
	}
	// What is derived from a file followed its commit.
	if len(s.old(blobFolder)) > 0 || len(s.in[derivedFolder]) > 0 {
		s.add(found(ChainMissing, chainName(s.ref)))
		return nil
	}
	for _, o := range s.old(keyFolder) {
		s.add(found(KeyOrphan, o.Key))
	}
	return nil
}

// checkTombstone looks at what an abandoned first write left.
func (s *seen) checkTombstone(ctx context.Context, o object) error {
	version, err := s.k.b.ringVersion(o)
	if err == nil {
		_, err = o.open(version.Seal)
	}
	if err != nil || s.tip > 1 {
		s.add(found(EntryChanged, o.name))
		return nil
	}
	for folder, code := range map[string]Code{blobFolder: BlobOrphan, keyFolder: KeyOrphan, derivedFolder: DerivedOrphan} {
		for _, o := range s.old(folder) {
			s.add(found(code, o.Key).mendedBy(s.remove(o.Key)))
		}
	}
	return nil
}

// old are the objects in a folder that are older than the longest upload.
func (s *seen) old(folder string) []Listed {
	return slices.DeleteFunc(slices.Clone(s.in[folder]), func(o Listed) bool { return !o.Modified.Before(s.k.oldest) })
}

// remove takes away an object that nothing needs.
func (s *seen) remove(key string) func(context.Context) error {
	return func(ctx context.Context) error { return s.k.b.objects.Delete(ctx, key) }
}

// entryName and chainName are object keys in findings; the id came out of one.
func entryName(ref archive.Ref, n int) string {
	key, err := entryKey(ref, n)
	if err != nil {
		return chainFolder + string(ref.Kind)
	}
	return key
}

func chainName(ref archive.Ref) string {
	key := entryName(ref, 1)
	return key[:strings.LastIndexByte(key, '/')]
}

// readAll reads a file to its end, which checks every package and the SHA-256.
func readAll(c *content) error {
	r, err := c.Range(0, c.Size())
	if err != nil {
		return err
	}
	// Whole packages are opened in place.
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 4*packagePlain))
	return errors.Join(err, r.Close())
}
