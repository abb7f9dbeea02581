package storage

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"

	"dangan/archive"
)

// Memory is what checks remember of every chain, outside the bucket: how many
// entries it had, and the hash of the newest. A bucket cannot tell by itself that a
// chain was taken away with all that belongs to it, or put back to what it was
// together with all that followed.
//
// It is text, a line for each chain in the order of the walk, with a keyed hash of
// all in the last one: who has no key cannot write another.
type Memory struct {
	Before io.ReadSeeker // what the last check wrote; nil for nothing
	After  io.Writer     // for the next one, who may use it when the check has ended well; nil for nobody
}

// remembered is a line of a memory.
type remembered struct {
	path string // of the chain; no key of the bucket has one without it
	n    int
	hash string
}

// recall yields what is remembered, having made sure that it is of this bucket.
func (k *checker) recall() iter.Seq2[remembered, error] {
	return func(yield func(remembered, error) bool) {
		if k.Memory == nil || k.Memory.Before == nil {
			return
		}
		err := k.trust(k.Memory.Before)
		if err == nil {
			_, err = k.Memory.Before.Seek(0, io.SeekStart)
		}
		lines := bufio.NewScanner(k.Memory.Before)
		for err == nil && lines.Scan() && !strings.HasPrefix(lines.Text(), macWord) {
			var r remembered
			if _, err = fmt.Sscanf(lines.Text(), "%s %d %s", &r.path, &r.n, &r.hash); err == nil && !yield(r, nil) {
				return
			}
		}
		if err == nil {
			err = lines.Err()
		}
		if err != nil {
			yield(remembered{}, fmt.Errorf("memory of the last check: %w", err))
		}
	}
}

const macWord = "mac "

// trust reads a memory to its end and compares the keyed hash.
func (k *checker) trust(r io.Reader) error {
	sum, last := sha256.New(), ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if last = lines.Text(); !strings.HasPrefix(last, macWord) {
			fmt.Fprintln(sum, last)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if last != k.mac(sum) {
		return fmt.Errorf("it is not of this bucket, or was changed: %w", archive.ErrCorrupt)
	}
	return nil
}

func (k *checker) mac(sum hash.Hash) string {
	return macWord + k.b.ring().Claim.Hash("memory", hex.EncodeToString(sum.Sum(nil)))
}

// withMemory adds to stocks what is remembered of each chain, and those of which
// nothing is left but the memory.
func (k *checker) withMemory(stocks iter.Seq2[stock, error], after string) iter.Seq2[stock, error] {
	return func(yield func(stock, error) bool) {
		next, stop := iter.Pull2(k.recall())
		defer stop()
		old, err, more := next()
		// before yields the chains that come before a path and are gone.
		before := func(path string) bool {
			for ; more && (err != nil || old.path+"/" < path); old, err, more = next() {
				if err == nil && after != "" && old.path+"/" <= after+"/" {
					continue
				}
				g := stock{path: old.path, before: old}
				_, g.ref = chainOf(keyFolder, keyFolder+old.path)
				if !yield(g, err) || err != nil {
					return false
				}
			}
			return true
		}
		for g, failed := range stocks {
			if failed == nil {
				if !before(g.path + "/") {
					return
				}
				if more && old.path == g.path {
					g.before = old
					old, err, more = next()
				}
			}
			if !yield(g, failed) || failed != nil {
				return
			}
		}
		before("~") // after all paths
	}
}

// checkMemory compares the chain with what it was.
func (s *seen) checkMemory() {
	was := s.before
	o, readable := s.objects[was.n]
	switch {
	case s.tip == 0 && was.n == 0: // there never was one
	case s.tip == 0:
		s.add(found(ChainMissing, chainName(s.ref)))
	case was.n > s.tip, readable && (o.Fence || hashOf(o.raw) != was.hash):
		s.add(found(ChainRolledBack, chainName(s.ref)))
	default:
		if o, readable = s.objects[s.tip]; readable && !o.Fence {
			was = remembered{s.path, s.tip, hashOf(o.raw)}
		}
	}
	s.before = was
}

// remember writes a line for the next check.
func (k *checker) remember(r remembered) error {
	if k.written == nil || r.n == 0 {
		return nil
	}
	_, err := fmt.Fprintf(io.MultiWriter(k.Memory.After, k.written), "%s %d %s\n", r.path, r.n, r.hash)
	return err
}

// seal ends what was written for the next check.
func (k *checker) seal() error {
	if k.written == nil {
		return nil
	}
	_, err := fmt.Fprintln(k.Memory.After, k.mac(k.written))
	return err
}
