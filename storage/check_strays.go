package storage

import (
	"context"
	"iter"
	"strings"

	"dangan/archive"
)

// folders are all that there are, in order.
func folders() []string {
	return []string{accessPrefix, blobFolder, chainFolder, claimFolder, derivedFolder, keyFolder, leaseFolder, marksFolder, systemFolder, workFolder}
}

// strays looks at what lies between and beside the folders of the format.
func (k *checker) strays(ctx context.Context, after string) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		for _, folder := range append(folders(), "") {
			for o, err := range k.b.objects.List(ctx, "", after) {
				if err == nil && folder != "" && o.Key >= folder {
					break
				}
				p := piece{last: o.Key, objects: 1, check: func(context.Context) ([]Finding, error) {
					return []Finding{found(ObjectStray, o.Key)}, nil
				}}
				if !yield(p, err) || err != nil {
					return
				}
			}
			after = max(after, behind(folder))
		}
	}
}

// behind is greater than every key in a folder, and no greater than any other key
// that is: it ends in what follows the slash.
func behind(folder string) string { return strings.TrimSuffix(folder, "/") + "0" }

func (k *checker) system(ctx context.Context, after string) iter.Seq2[piece, error] {
	return k.each(ctx, systemFolder, after, k.judgeSystem)
}

func (k *checker) judgeSystem(ctx context.Context, o Listed) ([]Finding, error) {
	switch {
	case o.Key == keyFormat, o.Key == keyKeyring: // without which the bucket would not have opened
		return nil, nil
	case !strings.HasPrefix(o.Key, probePrefix):
		return []Finding{found(ObjectStray, o.Key)}, nil
	case !o.Modified.Before(k.oldest):
		return nil, nil
	}
	return []Finding{found(ProbeLeft, o.Key).mendedBy(func(ctx context.Context) error { return k.b.objects.Delete(ctx, o.Key) })}, nil
}

const probePrefix = "system/probe-"

// uploads looks for uploads in parts that were never completed.
func (k *checker) uploads(ctx context.Context, _ string) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		store, ok := k.pace.Objects.(uploader)
		if !ok {
			return
		}
		for u, err := range store.Uploads(ctx) {
			if err == nil && !u.Began.Before(k.oldest) {
				continue
			}
			p := piece{check: func(context.Context) ([]Finding, error) {
				return []Finding{found(UploadLeft, u.Key).mendedBy(func(ctx context.Context) error { return store.Abort(ctx, u) })}, nil
			}}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// excess looks for documents in the index that belong to no record.
func (k *checker) excess(ctx context.Context, _ string) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		if k.Index == nil {
			return
		}
		var total sum
		for id, err := range k.Index.IDs(ctx) {
			if err != nil {
				yield(piece{}, err)
				return
			}
			total = total.plus(indexFolder + id)
		}
		if k.judged.complete && total == k.judged.of(indexFolder) {
			return
		}
		for id, err := range k.Index.IDs(ctx) {
			p := piece{check: func(ctx context.Context) ([]Finding, error) { return k.judgeDocument(ctx, id) }}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func (k *checker) judgeDocument(ctx context.Context, id string) ([]Finding, error) {
	ref := archive.Ref{Kind: archive.KindRecord, ID: id}
	o, err := k.b.fetchEntry(ctx, entryName(ref, 1))
	if err == nil && !o.Fence {
		return nil, nil
	}
	if err != nil && !isDamage(err) {
		return nil, err
	}
	became, _, err := k.fate(ctx, ref)
	f := found(IndexExcess, indexFolder+id)
	switch {
	case err != nil, became == lives, became == damaged:
		return nil, err
	case became == lost: // it was there, or it would not have been indexed
		f = found(ChainMissing, chainName(ref))
	default:
		f = f.mendedBy(func(ctx context.Context) error { return k.Index.Delete(ctx, id) })
	}
	f.chain = id
	return []Finding{f}, nil
}
