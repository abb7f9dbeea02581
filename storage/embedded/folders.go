package embedded

import (
	"path/filepath"
	"strings"
	"sync"
)

// folders remembers which folders have names that are on disk for good, up to the
// bucket's. Otherwise each object would cost a sync of every folder above it, and
// even a folder that has not changed costs a flush of the disk.
//
// Only a deletion removes folders, those that it leaves empty. What is known of
// those above its object is forgotten before it begins, and nothing is learned
// from syncs that it may have run beside.
type folders struct {
	mu        sync.Mutex
	known     map[string]bool       // by path
	deletions map[string]*deletions // by the uppermost folder of their objects
}

// deletions are counted, so that it can be told whether one was at work.
type deletions struct{ begun, ended int }

// maxFolders bounds what is remembered; 16,384 paths are about 2 MB.
const maxFolders = 16384

func newFolders() *folders {
	return &folders{known: map[string]bool{}, deletions: map[string]*deletions{}}
}

// delete is called before the object at path is deleted; done is called after.
func (f *folders) delete(path string) (done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
		delete(f.known, dir)
	}
	d := f.of(path)
	d.begun++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		d.ended++
	}
}

// learner is called before folders above path are synced; learn is called after.
func (f *folders) learner(path string) (learn func(dirs []string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.of(path)
	before, quiet := d.begun, d.begun == d.ended
	return func(dirs []string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !quiet || d.begun != before {
			return
		}
		if len(f.known)+len(dirs) > maxFolders {
			clear(f.known) // those in use are soon known again
		}
		for _, dir := range dirs {
			f.known[dir] = true
		}
	}
}

// has tells whether the name of a folder is known to be on disk.
func (f *folders) has(dir string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known[dir]
}

// of counts the deletions that may remove folders above path. Few objects are
// deleted outside work/, so most are not disturbed by those that are.
func (f *folders) of(path string) *deletions {
	parts := strings.SplitN(path, "/", 3)
	top := strings.Join(parts[:len(parts)-1], "/")
	if f.deletions[top] == nil {
		f.deletions[top] = &deletions{}
	}
	return f.deletions[top]
}
