//go:build !linux

package testenv

import (
	"errors"
	"syscall"
)

// dieWithParent has no means here: a server outlives a test binary that is killed.
func dieWithParent() *syscall.SysProcAttr { return nil }

// awaitStopped has no means here: for a moment after Pause a server may answer.
func awaitStopped(int, <-chan struct{}) error { return nil }

// childOf has no means here.
func childOf(int, string) (int, error) { return 0, errors.ErrUnsupported }
