package storage

import (
	"context"
	"iter"
	"slices"
	"strings"

	"dangan/archive"
)

// Folders of everything that belongs to chains.
const (
	chainFolder   = "chain/"
	keyFolder     = "key/"
	blobFolder    = "blob/"
	derivedFolder = "derived/"
)

// stock is everything that is stored of one chain, by folder; or, without a ref, an
// object that belongs to none.
type stock struct {
	path string // <kind>/<ab>/<id>; of a stray object, its key below the folder and a slash
	ref  archive.Ref
	in   map[string][]Listed

	before remembered // by an earlier check
}

func (g stock) objects() (n int) {
	for _, list := range g.in {
		n += len(list)
	}
	return n
}

// stocks merges the listings of folders, in the order of paths. It begins after a path.
func stocks(ctx context.Context, objects Objects, after string, folders ...string) iter.Seq2[stock, error] {
	return func(yield func(stock, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var heads []*listing
		for _, folder := range folders {
			l := openListing(ctx, objects, folder, after)
			defer l.stop()
			heads = append(heads, l)
		}
		for {
			heads = slices.DeleteFunc(heads, func(l *listing) bool { return l.done })
			if len(heads) == 0 {
				return
			}
			g, err := next(heads)
			if !yield(g, err) || err != nil {
				return
			}
		}
	}
}

// next takes the stock that comes first from all listings.
func next(heads []*listing) (stock, error) {
	first := slices.MinFunc(heads, func(a, b *listing) int { return strings.Compare(a.path, b.path) })
	g := stock{path: strings.TrimSuffix(first.path, "/"), ref: first.ref, in: map[string][]Listed{}}
	path := first.path
	for _, l := range heads {
		for !l.done && l.path == path {
			if l.err != nil {
				return g, l.err
			}
			g.in[l.folder] = append(g.in[l.folder], l.o)
			l.advance()
		}
	}
	return g, nil
}

// listing is a listing of one folder with the object that comes next.
type listing struct {
	folder string
	after  string
	pull   func() (Listed, error, bool)
	stop   func()

	done bool
	o    Listed
	err  error
	path string // of its stock, with a slash at its end; empty with an error
	ref  archive.Ref
}

func openListing(ctx context.Context, objects Objects, folder, after string) *listing {
	l := &listing{folder: folder}
	from := ""
	if after != "" { // the whole shard: what lies in it is in another order than object keys are
		l.after = after + "/"
		from = folder + after[:strings.LastIndexByte(after, '/')+1]
	}
	l.pull, l.stop = iter.Pull2(slashed(objects.List(ctx, folder, from)))
	l.advance()
	return l
}

func (l *listing) advance() {
	for {
		var more bool
		l.o, l.err, more = l.pull()
		l.done = !more
		if l.done || l.err != nil {
			l.path = ""
			return
		}
		if l.path, l.ref = chainOf(l.folder, l.o.Key); l.path == "" {
			l.path = strings.TrimPrefix(l.o.Key, l.folder) + "//"
		}
		if l.path > l.after {
			return
		}
	}
}

// chainOf is the path of the chain that an object belongs to, by its key.
func chainOf(folder, key string) (path string, ref archive.Ref) {
	segments, alone := 4, folder == keyFolder
	if alone {
		segments = 3
	}
	part := strings.Split(strings.TrimPrefix(key, folder), "/")
	if len(part) != segments || part[segments-1] == "" {
		return "", ref
	}
	ref = archive.Ref{Kind: archive.Kind(part[0]), ID: idOf(part[2])}
	path, err := refPath(ref)
	if err != nil || path != strings.Join(part[:3], "/") {
		return "", archive.Ref{}
	}
	return path + "/", ref
}

// slashed brings a listing into the order of its keys with a slash behind each,
// which differs where one id begins with another.
func slashed(list iter.Seq2[Listed, error]) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		var held []Listed // each begins with the one before it and a hyphen
		release := func(until func(Listed) bool) bool {
			for n := len(held); n > 0 && !until(held[n-1]); n = len(held) {
				last := held[n-1]
				held = held[:n-1]
				if !yield(last, nil) {
					return false
				}
			}
			return true
		}
		for o, err := range list {
			if err != nil {
				yield(o, err)
				return
			}
			if !release(func(l Listed) bool { return strings.HasPrefix(o.Key, l.Key+"-") }) {
				return
			}
			held = append(held, o)
		}
		release(func(Listed) bool { return false })
	}
}
