package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// Disk is an ext4 file system in a file, mounted through a loop device, whose
// power can be cut: what was not written to it by then is gone.
//
// The cut is the kernel's own (EXT4_IOC_SHUTDOWN without flushing the journal, as
// in xfstests): at one moment all writing ends, also by those who are in the middle
// of it. Copying the file beneath instead would take a while, and show a state that
// never was. It is no drive that lies about its cache or tears a sector.
type Disk struct {
	// Path is where the file system is mounted.
	Path string

	t       testing.TB
	image   string
	mounted bool
}

// NewDisk makes a disk that lasts as long as the test and belongs to nobody else.
// It needs root and a loop device: without, the test ends as in Path.
func NewDisk(t testing.TB, megabytes int) *Disk {
	t.Helper()
	dir := t.TempDir()
	d := &Disk{t: t, Path: filepath.Join(dir, "mounted"), image: filepath.Join(dir, "image")}
	if os.Geteuid() != 0 {
		missing(t, "a disk that loses its power is a loop mount and needs root")
	}
	for _, tool := range []string{"mkfs.ext4", "e2fsck", "mount", "umount"} {
		Path(t, tool)
	}
	err := errors.Join(os.Mkdir(d.Path, 0o700), os.WriteFile(d.image, nil, 0o600), os.Truncate(d.image, int64(megabytes)<<20))
	if err != nil {
		t.Fatal(err)
	}
	d.must("mkfs.ext4", "-q", "-m", "0", d.image)
	if err := d.mount(); err != nil {
		missing(t, fmt.Sprintf("a disk that loses its power needs loop mounts: %v", err))
	}
	d.unmountAtEnd()
	return d
}

// CutPower ends all writing at once. What had reached the disk is there after
// Restore; until then, programs see errors.
func (d *Disk) CutPower() {
	d.t.Helper()
	const (
		shutdown = 0x8004587d // EXT4_IOC_SHUTDOWN
		noFlush  = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH
	)
	root, err := os.Open(d.Path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer root.Close()
	flags := uint32(noFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, root.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		d.t.Fatalf("cut the power: %v", errno)
	}
}

// Restore brings the disk back after CutPower, as a machine that boots would: what
// used it must have ended.
func (d *Disk) Restore() {
	d.t.Helper()
	d.unmount()
	d.must("e2fsck", "-fp", d.image)
	if err := d.mount(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *Disk) mount() error {
	out, err := exec.Command("mount", "-o", "loop", d.image, d.Path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount: %w: %s", err, out)
	}
	d.mounted = true
	return nil
}

// unmount waits for processes that were just killed. In the end it takes the mount
// out of the tree, which releases the loop device as soon as nobody uses it.
func (d *Disk) unmount() {
	d.t.Helper()
	if !d.mounted {
		return
	}
	d.mounted = false
	var err error
	for deadline := time.Now().Add(stopWithin); time.Now().Before(deadline); time.Sleep(readyPoll) {
		if err = syscall.Unmount(d.Path, 0); !errors.Is(err, syscall.EBUSY) {
			break
		}
	}
	if err != nil {
		d.t.Errorf("unmount: %v", errors.Join(err, syscall.Unmount(d.Path, syscall.MNT_DETACH)))
	}
}

// unmountAtEnd unmounts the disk with the test, and also when the test binary dies
// without cleaning up.
func (d *Disk) unmountAtEnd() {
	d.t.Helper()
	guard := exec.Command("sh", "-c", `read -r _; umount -l "$0" 2>/dev/null`, d.Path)
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		d.unmount()
		_ = alive.Close()
		_ = guard.Wait() // with nothing left to unmount, umount complains
	})
}

func (d *Disk) must(program string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		var exit *exec.ExitError
		if program == "e2fsck" && errors.As(err, &exit) && exit.ExitCode() == 1 {
			return // it replayed the journal or corrected something, and all is well
		}
		d.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}
