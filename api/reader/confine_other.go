//go:build !linux

package reader

import (
	"syscall"
	"time"
)

// Elsewhere a child is bounded by the limits of package reader itself, by the
// time that its pool gives it, and by the sandbox of the PDF engine.

func apart() *syscall.SysProcAttr   { return nil }
func humble() error                 { return nil }
func confine(childConfig) error     { return nil }
func limitTime(time.Duration) error { return nil }
func resident(int) int64            { return 0 }
