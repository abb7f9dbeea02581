package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dangan/archive"
	"dangan/storage/vault"
)

// Moved counts what has been moved to the current version of the ring.
type Moved struct {
	Keys, Marks int
	Damaged     int // data keys that could not be opened, and are left as they are
}

// mover moves data keys and marks to one version of the ring.
type mover struct {
	b      *Bucket
	ring   *vault.Ring
	target int // version
	turn   <-chan time.Time
	holder string

	mu    sync.Mutex
	lease archive.Lease

	keys, marks, damaged atomic.Int64
}

const (
	leaseRewrite = "rewrite"
	rewriteTerm  = 30 * time.Second
	inFlight     = 8 // objects at once
)

// Due reports whether marks are left under older versions, and may be moved.
func (k *Keys) Due() bool {
	ring := k.b.ring()
	target := ring.Current(k.b.now())
	return marksLag(ring, target) && k.settled(target)
}

// marksLag reports whether there may be marks under versions before target.
func marksLag(ring *vault.Ring, target vault.Version) bool {
	return target.N > 1 && !ring.Versions[target.N-2].Left
}

// settled reports whether nobody writes any more with a version before v: for
// RingAge v has been written with, and is known here to be in the ring, so that
// every process has read it. Clocks may differ by as much.
func (k *Keys) settled(v vault.Version) bool {
	from := k.b.keyring.last.Load().known
	if from.Before(v.From) {
		from = v.From
	}
	return !k.b.now().Before(from.Add(k.b.keyring.age))
}

// Rewrite moves data keys and marks to the newest version of the ring, perSecond
// of them (all at once when zero). What else the ring has sealed is sealed anew
// when it is next written, or never, as the access log: old versions are read for
// ever. It may be killed and run again at any time; what has been moved is passed
// over. It runs under the lease "rewrite": archive.ErrConflict while somebody else
// has that. While the newest version is not written with, or marks are left that
// somebody may still be writing under an older one, the error is archive.ErrEarly and
// nothing is moved.
func (k *Keys) Rewrite(ctx context.Context, holder string, perSecond int) (Moved, error) {
	moved, err := k.rewrite(ctx, holder, perSecond)
	if err != nil {
		return moved, fmt.Errorf("rewrite keys: %w", err)
	}
	return moved, nil
}

func (k *Keys) rewrite(ctx context.Context, holder string, perSecond int) (Moved, error) {
	ring, err := k.b.freshRing(ctx)
	if err != nil {
		return Moved{}, err
	}
	target := ring.Versions[len(ring.Versions)-1]
	if k.b.now().Before(target.From) || marksLag(ring, target) && !k.settled(target) {
		return Moved{}, fmt.Errorf("version %d is not written with by everybody: %w", target.N, archive.ErrEarly)
	}
	m := &mover{b: k.b, ring: ring, target: target.N, holder: holder}
	if m.lease, err = k.b.work.Acquire(ctx, leaseRewrite, holder, rewriteTerm); err != nil {
		return Moved{}, err
	}
	defer func() { _ = k.b.work.Release(context.WithoutCancel(ctx), m.lease) }() // it expires anyway
	if perSecond > 0 {
		ticker := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		m.turn = ticker.C
	}
	err = k.b.each(ctx, "key/", m.moveKey)
	if err == nil {
		err = m.moveMarks(ctx)
	}
	if err == nil && k.Due() {
		err = k.change(ctx, nil, func(r vault.Ring) (vault.Ring, error) { return r.Leave(target.N), nil })
	}
	return Moved{int(m.keys.Load()), int(m.marks.Load()), int(m.damaged.Load())}, err
}

// each calls f, for several at once, with every object key under prefix.
func (b *Bucket) each(ctx context.Context, prefix string, f func(context.Context, string) error) error {
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for o, err := range b.objects.List(gctx, prefix, "") {
		if err != nil {
			return errors.Join(group.Wait(), err)
		}
		group.Go(func() error { return f(gctx, o.Key) })
	}
	return group.Wait()
}

// wait is for the next object's turn. It keeps the lease.
func (m *mover) wait(ctx context.Context) error {
	if m.turn != nil {
		select {
		case <-m.turn:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lease.Expires.Sub(m.b.now()) > rewriteTerm/2 {
		return nil
	}
	lease, err := m.b.work.Acquire(ctx, leaseRewrite, m.holder, rewriteTerm)
	if err == nil {
		m.lease = lease
	}
	return err
}

// moveKey seals a data key anew. One that has gone, or that somebody else has
// moved meanwhile, is no failure.
func (m *mover) moveKey(ctx context.Context, key string) error {
	if err := m.wait(ctx); err != nil {
		return err
	}
	o, err := m.b.fetch(ctx, key)
	if n, ok := o.ringNumber(); errors.Is(err, archive.ErrNotFound) || err == nil && ok && n >= m.target {
		return nil
	}
	ref := archive.Ref{Kind: o.Kind, ID: o.ID}
	var secret vault.Secret
	if err == nil {
		secret, err = m.b.unwrap(o, ref)
	}
	if errors.Is(err, archive.ErrCorrupt) {
		m.damaged.Add(1)
		m.b.log.ErrorContext(ctx, "data key not moved", "key", key, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	sealed, err := m.b.wrap(key, ref, secret)
	if err == nil {
		err = m.b.replace(ctx, sealed, o.etag)
	}
	if errors.Is(err, archive.ErrConflict) {
		return nil
	}
	if err == nil {
		m.keys.Add(1)
	}
	return err
}

// moveMarks goes from folder to folder of one kind and version, passing over
// those that are current.
func (m *mover) moveMarks(ctx context.Context) error {
	for after := ""; ; {
		last := after
		for o, err := range m.b.objects.List(ctx, "mark/", last) {
			if err != nil {
				return err
			}
			after = o.Key
			break
		}
		if after == last {
			return nil
		}
		kind, n, _, _, ok := parseMarkKey(after)
		if !ok {
			continue // a stray object, for fsck
		}
		folder := fmt.Sprintf("mark/%s/%d/", kind, n)
		if n < m.target {
			if err := m.b.each(ctx, folder, m.moveMark); err != nil {
				return err
			}
		}
		after = folder + "~" // behind all that is in the folder
	}
}

// moveMark writes the mark under the new version before it takes the old one away.
func (m *mover) moveMark(ctx context.Context, key string) error {
	kind, n, hash, id, ok := parseMarkKey(key)
	if !ok {
		return nil
	}
	if err := m.wait(ctx); err != nil {
		return err
	}
	hash = m.ring.Rehash(n, m.target, markDomain(kind), hash)
	if err := m.b.objects.Put(ctx, markFolder(kind, m.target, hash)+id, nil); err != nil {
		return err
	}
	if err := m.b.objects.Delete(ctx, key); err != nil {
		return err
	}
	m.marks.Add(1)
	return nil
}

// parseMarkKey splits the object key of a mark.
func parseMarkKey(key string) (kind string, n int, hash, id string, ok bool) {
	part := strings.Split(key, "/")
	if len(part) != 6 || !isHex(part[4], 64) {
		return "", 0, "", "", false
	}
	n, err := strconv.Atoi(part[2])
	kind, hash, id = part[1], part[4], part[5]
	return kind, n, hash, id, err == nil && n > 0 && markFolder(kind, n, hash)+id == key
}
