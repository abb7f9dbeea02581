package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"

	"dangan/archive"
)

// format names the mapping and what documents are made of. An index of another
// format is dropped on opening: it cannot be searched rightly, and it is filled
// again from the records.
const format = "dangan-2"

// folder holds generations of the index, each in a folder with a number for a name,
// and the file "serving" with the number of the one that is searched. Whatever else
// is in it was left by a crash.
type folder string

const servingFile = "serving"

// open opens the serving generation, or makes the first one, and clears the rest away.
func (f folder) open() (*generation, error) {
	name, err := os.ReadFile(filepath.Join(string(f), servingFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	g, err := f.openGeneration(string(name))
	if err != nil {
		return nil, err
	}
	if g == nil {
		if err := os.RemoveAll(string(f)); err != nil {
			return nil, err
		}
		if g, err = f.create("1"); err != nil {
			return nil, err
		}
		if err := f.serve(g); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	if err := f.clear(g.name); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// openGeneration is nil when there is no such generation or it has another format.
func (f folder) openGeneration(name string) (*generation, error) {
	if _, err := strconv.Atoi(name); err != nil {
		return nil, nil // the mark is written whole: there is none
	}
	// Without a limit, a second process would wait for the first for ever.
	idx, err := bleve.OpenUsing(f.path(name), map[string]any{"bolt_timeout": "500ms"})
	switch {
	case errors.Is(err, bleve.ErrorIndexPathDoesNotExist),
		errors.Is(err, bleve.ErrorIndexMetaMissing),
		errors.Is(err, bleve.ErrorIndexMetaCorrupt):
		return nil, nil
	case err != nil && err.Error() == "timeout": // bbolt's error, which bleve does not export
		return nil, ErrInUse
	case err != nil:
		return nil, errors.Join(archive.ErrCorrupt, err)
	}
	have, err := idx.GetInternal([]byte("format"))
	if err != nil || string(have) != format {
		return nil, errors.Join(err, idx.Close())
	}
	return &generation{Index: idx, name: name, path: f.path(name)}, nil
}

func (f folder) create(name string) (*generation, error) {
	m, err := newMapping()
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(f.path(name)); err != nil {
		return nil, err
	}
	idx, err := bleve.NewUsing(f.path(name), m, scorch.Name, scorch.Name, nil)
	if err != nil {
		return nil, err
	}
	if err := idx.SetInternal([]byte("format"), []byte(format)); err != nil {
		return nil, errors.Join(err, idx.Close())
	}
	return &generation{Index: idx, name: name, path: f.path(name)}, nil
}

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// serve makes the generation the one that is opened from now on. After a crash it is
// either this or the one before.
func (f folder) serve(g *generation) error {
	file, err := os.CreateTemp(string(f), servingFile)
	if err != nil {
		return err
	}
	_, err = file.WriteString(g.name)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), f.path(servingFile)); err != nil {
		return err
	}
	dir, err := os.Open(string(f))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// clear removes what is not the named generation.
func (f folder) clear(keep string) error {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != keep && name != servingFile {
			if err := os.RemoveAll(f.path(name)); err != nil {
				return fmt.Errorf("clear index folder: %w", err)
			}
		}
	}
	return nil
}
