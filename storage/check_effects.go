package storage

import (
	"context"
	"errors"
	"slices"

	"github.com/oklog/ulid/v2"

	"dangan/archive"
)

// rolledBack notes that entries are gone after the newest one, unless they have
// only been written since it was listed.
func (s *seen) rolledBack(ctx context.Context) error {
	moved, err := s.moved(ctx)
	if err != nil || moved {
		return err
	}
	s.add(found(ChainRolledBack, chainName(s.ref)))
	return nil
}

// moved reports whether the chain has grown since it was listed.
func (s *seen) moved(ctx context.Context) (bool, error) {
	_, err := s.k.b.fetchEntry(ctx, entryName(s.ref, s.tip+1))
	if errors.Is(err, archive.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// checkEffects compares what must follow from the chain with what there is. What
// still has a job, or has grown meanwhile, is left for another time.
func (s *seen) checkEffects(ctx context.Context) error {
	if s.named.Number > 0 {
		s.k.met(s.named.Sequence, s.named.Number)
	}
	if err := s.checkReferences(ctx); err != nil {
		return err
	}
	wrong, err := s.effects(ctx)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		if wrong, err = s.effectsOnceDone(ctx); err != nil {
			return err
		}
	}
	for _, f := range wrong {
		s.add(f)
	}
	for key := range s.vouched {
		s.k.judged.add(key)
	}
	return nil
}

// effectsOnceDone looks again, since a job may have ended between the first look and
// the question whether there is one.
func (s *seen) effectsOnceDone(ctx context.Context) ([]Finding, error) {
	busy, err := s.k.underWay(ctx, s.ref.ID)
	if err != nil || busy {
		return nil, err
	}
	moved, err := s.moved(ctx)
	if err != nil || moved {
		return nil, err
	}
	versions, err := s.k.versions(ctx, []stock{s.stock})
	if err != nil {
		return nil, err
	}
	s.indexed = versions[s.ref.ID]
	return s.effects(ctx)
}

func (s *seen) effects(ctx context.Context) ([]Finding, error) {
	var wrong []Finding
	for _, look := range []func(context.Context) ([]Finding, error){s.missingMarks, s.wrongClaims, s.missingDerived, s.missingJob, s.wrongDocument} {
		findings, err := look(ctx)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, findings...)
	}
	return wrong, nil
}

// missingMarks looks for the marks of the chain, under any version of the key ring.
func (s *seen) missingMarks(ctx context.Context) ([]Finding, error) {
	var wrong []Finding
	marks := s.k.b.Marks()
	ring, err := s.k.b.freshRing(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range distinct(s.named.Marks) {
		there, missing := false, ""
		for _, version := range ring.Versions { // a rotation moves marks from old to new
			key, err := marks.key(ring, version.N, v.Kind, v.Value, s.ref.ID)
			if err != nil { // nothing that could be looked up
				there = true
				break
			}
			marked, err := s.k.exists(ctx, key)
			if err != nil {
				return nil, err
			}
			if marked && !version.Left {
				s.vouched[key], there = true, true
			}
			missing = key
		}
		if !there {
			wrong = append(wrong, found(MarkMissing, missing).mendedBy(func(ctx context.Context) error {
				return marks.Mark(ctx, v.Kind, v.Value, s.ref.ID)
			}))
		}
	}
	return wrong, nil
}

func distinct(values []archive.Value) []archive.Value {
	var once []archive.Value
	for _, v := range values {
		if !slices.Contains(once, v) {
			once = append(once, v)
		}
	}
	return once
}

// exists reports whether there is an object, without reading much of it.
func (k *checker) exists(ctx context.Context, key string) (bool, error) {
	o, err := k.b.objects.Get(ctx, key, 0, -1)
	if errors.Is(err, archive.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, o.Body.Close()
}

// wrongClaims looks for the claims of the chain.
func (s *seen) wrongClaims(ctx context.Context) ([]Finding, error) {
	var wrong []Finding
	claims := s.k.b.Claims()
	for _, v := range distinct(s.named.Claims) {
		key, err := claims.key(v.Kind, v.Value)
		if err != nil {
			return nil, err
		}
		holder, err := claims.Holder(ctx, v.Kind, v.Value)
		switch {
		case errors.Is(err, archive.ErrNotFound):
			wrong = append(wrong, found(ClaimMissing, key).mendedBy(func(ctx context.Context) error {
				_, err := claims.Claim(ctx, v.Kind, v.Value, s.ref.ID)
				return err
			}))
		case errors.Is(err, archive.ErrCorrupt): // told when all claims are looked at
		case err != nil:
			return nil, err
		case holder != s.ref.ID:
			wrong = append(wrong, found(ClaimTaken, key))
		default:
			s.vouched[key] = true
		}
	}
	return wrong, nil
}

func (s *seen) missingDerived(ctx context.Context) ([]Finding, error) {
	var wrong []Finding
	for _, d := range s.named.Derived {
		key, err := derivedKey(s.ref, d.Blob, d.What)
		if err != nil {
			continue // told with the blob
		}
		if slices.ContainsFunc(s.in[derivedFolder], func(o Listed) bool { return o.Key == key }) {
			continue
		}
		there, err := s.k.exists(ctx, key) // it may be newer than the listing
		if err != nil {
			return nil, err
		}
		if !there {
			wrong = append(wrong, found(DerivedMissing, key).mendedBy(s.resettled("")))
		}
	}
	return wrong, nil
}

// missingJob looks whether a certificate is owed that nobody makes. Whether there is
// a job is asked before any effect is told of.
func (s *seen) missingJob(ctx context.Context) ([]Finding, error) {
	if !s.named.Owed {
		return nil, nil
	}
	other := archive.Ref{Kind: archive.KindCertificate, ID: s.ref.ID}
	if s.named.Begun {
		other.Kind = archive.KindRequest
	}
	became, named, err := s.k.fate(ctx, other)
	if err != nil || became == damaged || became == lost || named.Owed != s.named.Begun || named.Begun {
		return nil, err
	}
	return []Finding{found(JobMissing, entryName(s.ref, s.tip)).mendedBy(func(ctx context.Context) error {
		id, err := ulid.New(ulid.Timestamp(s.k.b.now()), s.k.b.rand)
		if err != nil {
			return err
		}
		return s.k.b.work.PutJob(ctx, archive.Job{Kind: archive.JobCertificate, At: s.k.b.now(),
			Ref: archive.Ref{Kind: archive.KindRequest, ID: s.ref.ID}, Nonce: id.String()})
	})}, nil
}

// wrongDocument compares the version in the index with the newest entry.
func (s *seen) wrongDocument(context.Context) ([]Finding, error) {
	object := indexFolder + s.ref.ID
	switch {
	case s.k.Index == nil || s.ref.Kind != archive.KindRecord:
		return nil, nil
	case s.indexed == s.tip:
		s.vouched[indexFolder+s.ref.ID] = true
		return nil, nil
	case s.indexed == 0:
		return []Finding{found(IndexMissing, object).mendedBy(s.resettled(""))}, nil
	case s.indexed < s.tip:
		return []Finding{found(IndexStale, object).mendedBy(s.resettled(""))}, nil
	}
	return []Finding{found(ChainRolledBack, chainName(s.ref))}, nil
}

// checkReferences looks for the entries of other chains that this one speaks of.
func (s *seen) checkReferences(ctx context.Context) error {
	for _, r := range s.named.Chains {
		there, err := s.k.exists(ctx, entryName(r.Ref, max(r.N, 1)))
		if err == nil && there && r.Released {
			var named archive.Named
			if named, _, err = s.k.b.names(ctx, r.Ref); isDamage(err) {
				continue // told where it is
			}
			there = named.Released
		}
		if err != nil {
			return err
		}
		if there {
			continue
		}
		f := found(ChainRolledBack, chainName(r.Ref))
		if first, err := s.k.exists(ctx, entryName(r.Ref, 1)); err != nil {
			return err
		} else if !first {
			f = found(ChainMissing, chainName(r.Ref))
		}
		f.chain = r.ID
		s.findings = append(s.findings, f)
	}
	return nil
}
