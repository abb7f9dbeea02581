package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	socketName = "s3.sock"
	// maxSocket is the longest socket path every unix accepts: sun_path has 104
	// bytes on BSD and macOS (108 on Linux), one of them for the final NUL.
	maxSocket = 103
	// lockPatience covers the moment between the end of a killed process and
	// the end of its child.
	lockPatience = time.Second
)

// home is the part of the file system that one store owns while it runs.
type home struct {
	objects string   // the bucket folders
	socket  string   // in a folder only we can enter
	run     string   // Dir/run: that folder, or a link to it
	lock    *os.File // flock on Dir/lock, shared with the child
}

// openHome makes the folders below dir, takes its lock and clears away what a
// killed predecessor left.
func openHome(ctx context.Context, dir string) (*home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	h := &home{objects: filepath.Join(dir, "objects"), run: filepath.Join(dir, "run")}
	if err := mkdirDurable(h.objects); err != nil {
		return nil, err
	}
	if err := os.Chmod(h.objects, 0o700); err != nil {
		return nil, err
	}
	if h.lock, err = lockFile(ctx, filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	if err := h.openSocketFolder(); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// openSocketFolder prefers dir/run. If the path of a socket there is too long,
// a temporary folder takes its place and dir/run links to it, so that the next
// start can find and remove it.
func (h *home) openSocketFolder() error {
	if err := h.removeSocketFolder(); err != nil {
		return err
	}
	h.socket = filepath.Join(h.run, socketName)
	if len(h.socket) <= maxSocket {
		return os.Mkdir(h.run, 0o700)
	}
	folder := filepath.Join(os.TempDir(), "dangan-"+rand.Text())
	if h.socket = filepath.Join(folder, socketName); len(h.socket) > maxSocket {
		return fmt.Errorf("socket path %q is longer than %d bytes", h.socket, maxSocket)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	return os.Symlink(folder, h.run)
}

// removeSocketFolder removes the socket and its folder and nothing else: a
// folder that holds more than the socket is reported, not emptied.
func (h *home) removeSocketFolder() error {
	folder, err := os.Readlink(h.run)
	if err != nil {
		folder = h.run
	}
	for _, path := range []string{filepath.Join(folder, socketName), folder, h.run} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clear socket folder: %w", err)
		}
	}
	return nil
}

// close gives the folder back. What it cannot remove, the next start will.
func (h *home) close() {
	_ = h.removeSocketFolder()
	_ = h.lock.Close()
}

// lockFile takes an exclusive lock that lasts as long as any process has the
// returned file open.
func lockFile(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, ErrInUse)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// mkdirDurable is os.MkdirAll whose new folders survive a power cut.
func mkdirDurable(path string) error {
	var grown []string // folders that get a new entry
	for p := path; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		grown = append(grown, filepath.Dir(p))
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for _, p := range grown {
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		err = errors.Join(f.Sync(), f.Close())
		if err != nil {
			return fmt.Errorf("sync %s: %w", p, err)
		}
	}
	return nil
}
