//go:build !linux

package testenv

import "testing"

// Disk has no means here.
type Disk struct {
	// Path is where the file system is mounted.
	Path string
}

// NewDisk ends the test: only Linux offers what it needs.
func NewDisk(t testing.TB, _ int) *Disk {
	missing(t, "a disk that loses its power needs Linux")
	return nil
}

// CutPower is never reached.
func (*Disk) CutPower() {}

// Restore is never reached.
func (*Disk) Restore() {}
