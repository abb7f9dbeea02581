package storage

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"dangan/archive"
	"dangan/storage/vault"
)

const format = "dangan/1"

// maxSealed bounds what is read into memory as one sealed object.
const maxSealed = 256 << 20

// header is the clear line of an object, FORMAT.md section 2.1.
type header struct {
	Format string       `json:"format"`
	Kind   archive.Kind `json:"kind,omitempty"`
	ID     string       `json:"id,omitempty"`
	N      int          `json:"n,omitempty"`
	Prev   string       `json:"prev,omitempty"`
	Fence  bool         `json:"fence,omitempty"`
	Nonce  string       `json:"nonce"`
	At     time.Time    `json:"at"`
	Key    string       `json:"key,omitempty"`
	// Carries are the blobs that follow the body, in order.
	Carries []carried `json:"carries,omitempty"`
}

// carried is a blob in the object of the entry that names it.
type carried struct {
	ID   string `json:"id"`
	Size int64  `json:"size"` // sealed
}

// chainKey is header.Key of what the data key of a chain seals.
const chainKey = "chain/1"

func ringKey(version int) string { return fmt.Sprintf("ring/%d", version) }

// object is an object of FORMAT.md section 2, as stored.
type object struct {
	header
	raw  []byte // header and body
	body []byte // sealed, the end of raw
	rest []byte // what it carries, where that was read
	etag string
	name string // object key, to which the seal is bound
}

// carried is a blob among what the object carries.
func (o object) carried(id string) ([]byte, error) {
	rest := o.rest
	for _, c := range o.Carries {
		if c.ID == id {
			return rest[:c.Size], nil
		}
		rest = rest[c.Size:]
	}
	return nil, fmt.Errorf("does not carry a blob that it was to carry: %w", archive.ErrCorrupt)
}

// stored is the whole object.
func (o object) stored() []byte {
	if len(o.rest) == 0 {
		return o.raw
	}
	return slices.Concat(o.raw, o.rest)
}

// clear is the header as stored, the additional data of the seal.
func (o object) clear() []byte { return o.raw[:len(o.raw)-len(o.body)] }

// open unseals the body.
func (o object) open(secret vault.Secret) ([]byte, error) {
	return secret.Open(o.name, o.clear(), o.body)
}

// parse splits an object. What it accepts, encode writes again byte for byte.
func parse(raw []byte) (object, error) {
	h, start, err := parseHeader(raw)
	if err != nil {
		return object{}, err
	}
	end, err := h.end(start, int64(len(raw)))
	if err != nil {
		return object{}, err
	}
	return object{header: h, raw: raw[:end], body: raw[start:end], rest: raw[end:]}, nil
}

// end is where the body of an object of so many bytes ends. It starts at start.
func (h header) end(start int, size int64) (int64, error) {
	for _, c := range h.Carries {
		if size -= c.Size; c.Size < 0 || size < int64(start) {
			return 0, fmt.Errorf("is shorter than what it carries: %w", archive.ErrCorrupt)
		}
	}
	return size, nil
}

// parseHeader reads the header of an object, and where the body starts.
func parseHeader(raw []byte) (h header, start int, err error) {
	line, _, ok := bytes.Cut(raw, []byte{'\n'})
	if !ok {
		return h, 0, fmt.Errorf("no header: %w", archive.ErrCorrupt)
	}
	err = json.Unmarshal(line, &h)
	switch { // another format may have other fields, so it is named before they are blamed
	case otherFormat(h.Format):
		return h, 0, foreign(h.Format)
	case err != nil:
		return h, 0, fmt.Errorf("header is not JSON: %w", archive.ErrCorrupt)
	case h.Format != format:
		return h, 0, fmt.Errorf("object is not of format %s: %w", format, archive.ErrCorrupt)
	}
	again, err := json.Marshal(h)
	if err != nil || !bytes.Equal(again, line) {
		return h, 0, fmt.Errorf("header is not in its normal form: %w", archive.ErrCorrupt)
	}
	return h, len(line) + 1, nil
}

// foreign is the error of an object in a format of dangan that this program does
// not know. For whoever looks for damage it is damage.
type foreign string

func otherFormat(name string) bool {
	var version uint16
	n, err := fmt.Sscanf(name, "dangan/%d", &version)
	return n == 1 && err == nil && name == fmt.Sprintf("dangan/%d", version) && name != format
}

func (f foreign) Error() string {
	return fmt.Sprintf("is of format %s, and this program knows %s alone: another version of dangan wrote it", string(f), format)
}

func (foreign) Unwrap() error { return archive.ErrCorrupt }

// seal makes an object for key. It fills in format, nonce and time.
func (b *Bucket) seal(key string, h header, secret vault.Secret, plain []byte) (object, error) {
	o, err := b.encode(key, h)
	if err != nil {
		return object{}, err
	}
	if o.body, err = secret.Seal(b.rand, key, o.raw, plain); err != nil {
		return object{}, err
	}
	o.raw = append(o.raw, o.body...)
	return o, nil
}

// encode makes an object without a body.
func (b *Bucket) encode(key string, h header) (object, error) {
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(b.rand, nonce); err != nil {
		return object{}, fmt.Errorf("draw nonce: %w", err)
	}
	h.Format = format
	h.Nonce = hex.EncodeToString(nonce)
	h.At = b.now().UTC().Truncate(time.Millisecond)
	line, err := json.Marshal(h)
	if err != nil {
		return object{}, fmt.Errorf("encode header: %w", err)
	}
	return object{header: h, raw: append(line, '\n'), name: key}, nil
}

// sealRing makes an object that belongs to no chain.
func (b *Bucket) sealRing(key string, h header, plain []byte) (object, error) {
	current := b.current()
	h.Key = ringKey(current.N)
	return b.seal(key, h, current.Seal, plain)
}

// ringVersion finds the keys that an object says it is sealed by.
func (b *Bucket) ringVersion(o object) (vault.Version, error) {
	n, ok := o.ringNumber()
	if !ok {
		return vault.Version{}, fmt.Errorf("not sealed by the key ring: %w", archive.ErrCorrupt)
	}
	version, ok := b.ring().Version(n)
	if !ok {
		return vault.Version{}, fmt.Errorf("sealed by unknown key ring version %d: %w", n, archive.ErrCorrupt)
	}
	return version, nil
}

// ringNumber is the version of the ring that sealed an object, if one did.
func (h header) ringNumber() (n int, ok bool) {
	digits, _ := strings.CutPrefix(h.Key, "ring/")
	n, _ = strconv.Atoi(digits)
	return n, h.Key == ringKey(n)
}

// meet reads the ring again when an object was sealed by a version that another
// process has added to it meanwhile.
func (b *Bucket) meet(ctx context.Context, h header) error {
	n, ok := h.ringNumber()
	if !ok {
		return nil
	}
	return b.rereadRing(ctx, func(last *ringRead) bool {
		_, known := last.Version(n)
		return known
	})
}

// fetch reads a whole sealed object.
func (b *Bucket) fetch(ctx context.Context, key string) (object, error) {
	got, err := b.objects.Get(ctx, key, 0, -1)
	if err != nil {
		return object{}, err
	}
	defer func() { _ = got.Body.Close() }()
	if got.Size > maxSealed {
		return object{}, fmt.Errorf("get %s: %d bytes: %w", key, got.Size, archive.ErrCorrupt)
	}
	raw := make([]byte, got.Size)
	if _, err := io.ReadFull(got.Body, raw); err != nil {
		return object{}, failure("get", key, err) // of an answer cut short, too
	}
	o, err := parse(raw)
	if err != nil {
		return object{}, fmt.Errorf("get %s: %w", key, err)
	}
	o.etag, o.name = got.ETag, key
	return o, b.meet(ctx, o.header)
}

// entryStart is what is read first of an entry: nearly always all but what it carries.
const entryStart = 32 << 10

// fetchEntry reads an entry without the blobs that it carries.
func (b *Bucket) fetchEntry(ctx context.Context, key string) (object, error) {
	raw, size, err := b.piece(ctx, key, 0, entryStart)
	if err != nil {
		return object{}, err
	}
	h, start, err := parseHeader(raw)
	if err != nil {
		return object{}, fmt.Errorf("get %s: %w", key, err)
	}
	end, err := h.end(start, size)
	if err == nil && end > maxSealed {
		err = archive.ErrCorrupt
	}
	if err != nil {
		return object{}, fmt.Errorf("get %s: %w", key, err)
	}
	if more := end - int64(len(raw)); more > 0 {
		tail, _, err := b.piece(ctx, key, int64(len(raw)), more)
		if err != nil {
			return object{}, err
		}
		raw = append(raw, tail...)
	}
	return object{header: h, raw: raw[:end], body: raw[start:end], name: key}, b.meet(ctx, h)
}

// piece reads at most length bytes of an object from offset on, and tells the
// size of the whole.
func (b *Bucket) piece(ctx context.Context, key string, offset, length int64) ([]byte, int64, error) {
	got, err := b.objects.Get(ctx, key, offset, length)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = got.Body.Close() }()
	raw := make([]byte, min(length, got.Size-offset))
	if _, err := io.ReadFull(got.Body, raw); err != nil {
		return nil, 0, failure("get", key, err)
	}
	return raw, got.Size, nil
}

// fetchRing reads and opens an object that belongs to no chain.
func (b *Bucket) fetchRing(ctx context.Context, key string) (object, []byte, error) {
	o, err := b.fetch(ctx, key)
	if err != nil {
		return object{}, nil, err
	}
	version, err := b.ringVersion(o)
	if err != nil {
		return object{}, nil, fmt.Errorf("get %s: %w", key, err)
	}
	plain, err := o.open(version.Seal)
	if err != nil {
		return object{}, nil, fmt.Errorf("get %s: %w", key, err)
	}
	return o, plain, nil
}

// create writes o create-only. When somebody else's object is there, the error
// is archive.ErrExists; our own is success, because a client that repeats a
// request after a lost answer meets its own first write.
func (b *Bucket) create(ctx context.Context, o object) error {
	err := b.objects.PutIfAbsent(ctx, o.name, o.stored())
	if !errors.Is(err, archive.ErrExists) {
		return err
	}
	return b.ours(ctx, o, err)
}

// replace writes o over the object that was read with etag; archive.ErrConflict
// when that one has changed. As with create, our own write is success.
func (b *Bucket) replace(ctx context.Context, o object, etag string) error {
	err := b.objects.PutIfMatch(ctx, o.name, etag, o.stored())
	if !errors.Is(err, archive.ErrConflict) {
		return err
	}
	return b.ours(ctx, o, err)
}

// ours returns nil if the stored object is o after all, else refusal.
func (b *Bucket) ours(ctx context.Context, o object, refusal error) error {
	there, err := b.fetch(ctx, o.name)
	switch {
	case errors.Is(err, archive.ErrNotFound), errors.Is(err, archive.ErrCorrupt):
		return refusal
	case err != nil:
		return fmt.Errorf("read back: %w", err)
	case there.Nonce == o.Nonce:
		return nil
	}
	return refusal
}
