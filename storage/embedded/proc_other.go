//go:build !linux

package embedded

import "syscall"

// dieWithParent is empty where the kernel offers no parent-death signal: there
// the child ends when its standard input does.
func dieWithParent() *syscall.SysProcAttr { return nil }

// syncFileSystem makes everything on all file systems permanent, in want of a
// call for a single one.
func syncFileSystem(string) error {
	syscall.Sync()
	return nil
}
