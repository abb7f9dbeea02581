package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
)

// mend repairs what the backend left half done when it was killed, and refuses
// a root that was restored without its extended attributes. In the end all that
// will be visible is on disk: a client whose answer was lost in a crash may find
// its own write, take it for acknowledged, and be right.
func mend(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return fmt.Errorf("mend store: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue // the backend's own folders
		}
		if err := mendBucket(filepath.Join(root, e.Name())); err != nil {
			return fmt.Errorf("mend store: %w", err)
		}
	}
	if err := syncFileSystem(root); err != nil {
		return fmt.Errorf("mend store: %w", err)
	}
	return nil
}

func mendBucket(bucket string) error {
	_, err := meta.XattrMeta{}.RetrieveAttribute(nil, bucket, "", "acl")
	if errors.Is(err, meta.ErrNoSuchKey) {
		// Killed between mkdir and its first attribute, a bucket can neither be
		// used nor made again. One that holds objects has another history.
		if err := os.Remove(bucket); err != nil {
			return fmt.Errorf("bucket without extended attributes, restore it with them: %w", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(removeStaged(bucket), resumeUploads(bucket))
}

// removeStaged removes the unpublished files of requests that were cut off, on
// file systems that cannot keep such files nameless.
func removeStaged(bucket string) error {
	folder := filepath.Join(bucket, posix.MetaTmpDir)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(folder, e.Name())))
		}
	}
	return err
}

// resumeUploads gives uploads back their name that were being completed. The
// backend would answer their completion with success and never do it.
func resumeUploads(bucket string) error {
	const suffix = ".inprogress" // <upload id>.<etag>.inprogress
	names, err := fs.Glob(os.DirFS(bucket), path.Join(posix.MetaTmpMultipartDir, "*", "*"+suffix))
	if err != nil {
		return err
	}
	for _, name := range names {
		folder, base := path.Split(name)
		id, _, _ := strings.Cut(base, ".")
		if err := os.Rename(filepath.Join(bucket, name), filepath.Join(bucket, folder, id)); err != nil {
			return err
		}
	}
	return nil
}
