package testenv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// dieWithParent ends the server with the test binary, even when that is killed or
// panics on its own time limit and no cleanup runs.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// awaitStopped returns once every thread of a child has stopped after SIGSTOP: the
// signal takes effect one thread at a time, and until then some still answer.
func awaitStopped(pid int, ended <-chan struct{}) error {
	const byPID = 1 // P_PID of waitid(2), not in package syscall
	for {
		// siginfo_t; its first field stays 0 while there is nothing to report
		var info [32]int32
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid),
			uintptr(unsafe.Pointer(&info)), syscall.WSTOPPED|syscall.WNOHANG, 0, 0)
		switch {
		case errno == syscall.EINTR:
		case errno != 0:
			return errno
		case info[0] != 0:
			return nil
		}
		select {
		case <-ended:
			return syscall.ESRCH
		case <-time.After(time.Millisecond):
		}
	}
}

// childOf returns a child of parent that has arg on its command line, or 0.
func childOf(parent int, arg string) (int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // has ended
		}
		// pid (name) state ppid ...; the name may hold spaces and parentheses
		var state string
		var ppid int
		rest := string(stat[bytes.LastIndexByte(stat, ')')+1:])
		if _, err := fmt.Sscan(rest, &state, &ppid); err != nil || ppid != parent {
			continue
		}
		dir := filepath.Dir(path)
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err == nil && bytes.Contains(append([]byte{0}, line...), []byte("\x00"+arg+"\x00")) {
			return strconv.Atoi(filepath.Base(dir))
		}
	}
	return 0, err
}
