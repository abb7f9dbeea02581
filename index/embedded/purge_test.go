package embedded_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"

	"dangan/archive"
	"dangan/index/embedded"
)

// traces looks for the words in every file of the index, as they are and backwards
// (dictionaries are written from the end), and in what its segments say once decoded:
// every term and every stored value, of deleted documents too. It is whole when every
// segment file could be decoded; those that are about to be removed cannot.
func traces(t *testing.T, path string, words ...string) (found []string, whole bool) {
	t.Helper()
	look := func(where string, content []byte) {
		for _, w := range words {
			backwards := []byte(w)
			slices.Reverse(backwards)
			if bytes.Contains(content, []byte(w)) || bytes.Contains(content, backwards) {
				found = append(found, w+" in "+where)
			}
		}
	}
	segments := 0
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		look(d.Name(), content)
		if filepath.Ext(name) == ".zap" {
			segments++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, decode(t, filepath.Join(path, "1"), look) == segments
}

// decode shows what the segments hold and tells how many there are.
func decode(t *testing.T, path string, look func(where string, content []byte)) int {
	t.Helper()
	idx, err := bleve.OpenUsing(path, map[string]any{"read_only": true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idx.Close() }() // only read
	engine, err := idx.Advanced()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := engine.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }() // only read
	snapshot := reader.(*scorch.IndexSnapshot)
	for _, s := range snapshot.Segments() {
		for _, field := range s.Fields() {
			dictionary, err := s.Segment().Dictionary(field)
			if err != nil {
				t.Fatal(err)
			}
			terms := dictionary.AutomatonIterator(nil, nil, nil)
			for entry, err := terms.Next(); entry != nil; entry, err = terms.Next() {
				if err != nil {
					t.Fatal(err)
				}
				look("term of "+field, []byte(entry.Term))
			}
		}
		for doc := range s.Segment().Count() {
			if err := s.Segment().VisitStoredFields(doc, func(field string, _ byte, value []byte, _ []uint64) bool {
				look("stored "+field, value)
				return true
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return len(snapshot.Segments())
}

// What was taken out is in the files before the purge and nowhere in them after it.
func TestPurgeLeavesNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	token := strings.Repeat("5ec2e7", 11)
	gone := archive.Document{Version: 1, Persons: []string{token}, Text: "canarytext 退休", Record: archive.Record{
		ID: "goneid", Title: "canarytitle", Persons: []archive.Person{{Name: "Canaryname"}},
	}}
	withdrawn := archive.Document{Version: 1, Text: "withdrawntext", Record: archive.Record{ID: "stays", Title: "退休审批表"}}
	neighbour := archive.Document{Version: 1, Record: archive.Record{ID: "neighbour", Title: "退休审批表"}}
	with(t, path, func(x *embedded.Index) error {
		return errors.Join(x.Put(t.Context(), gone, withdrawn, neighbour), x.Delete(t.Context(), "goneid"))
	})
	words := []string{"withdrawntext", "canarytext", "canarytitle", "canaryname", "Canaryname", token, "goneid"}
	found, _ := traces(t, path, words...)
	before := strings.Join(found, "\n")
	for _, w := range words {
		if !strings.Contains(before, w+" in term of") && !strings.Contains(before, w+" in stored") {
			t.Errorf("before the purge there is no trace of %s, so that this test shows nothing", w)
		}
	}
	purged := func(x *embedded.Index) error {
		if err := x.Purge(t.Context()); err != nil {
			return err
		}
		hits, err := x.Search(t.Context(), archive.Query{Text: "退休", Limit: 10}, all())
		if n, countErr := x.Count(t.Context()); countErr != nil || n != 2 || hits.Total != 2 {
			t.Errorf("after the purge: %d documents, %+v, %v", n, hits.Hits, countErr)
		}
		return err
	}
	with(t, path, purged) // a single segment, which scorch would never merge
	if after, whole := traces(t, path, words[1:]...); after != nil || !whole {
		t.Errorf("deleted and purged, all segments decoded: %v\n%s", whole, strings.Join(after, "\n"))
	}
	withdrawn.Version, withdrawn.Text = 2, ""
	with(t, path, func(x *embedded.Index) error {
		return errors.Join(x.Put(t.Context(), withdrawn), purged(x))
	})
	if after, whole := traces(t, path, words...); after != nil || !whole {
		t.Errorf("withdrawn and purged, all segments decoded: %v\n%s", whole, strings.Join(after, "\n"))
	}
}

// with opens the index for as long as do runs.
func with(t *testing.T, path string, do func(*embedded.Index) error) {
	t.Helper()
	x, err := embedded.New(t.Context(), embedded.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(x), x.Close()); err != nil {
		t.Fatal(err)
	}
}
