package ocr

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// apart puts the program into a process group of its own, so that a terminal does
// not interrupt it, and has the kernel kill it when the thread that started it ends.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// humble takes from this thread, and from what it starts, the means to gain
// privileges by running a program. It cannot be undone.
func humble() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
}

// confine limits a process that has been started: its memory, its time, and what it
// can open or write. It also has it wait for everybody else.
func confine(pid int, c Config) error {
	for what, most := range map[int]uint64{
		unix.RLIMIT_DATA:   uint64(c.MaxMemory),
		unix.RLIMIT_CPU:    uint64(max(c.MaxTime.Seconds(), 1)),
		unix.RLIMIT_FSIZE:  0,
		unix.RLIMIT_CORE:   0,
		unix.RLIMIT_NOFILE: maxFiles,
	} {
		if err := unix.Prlimit(pid, what, &unix.Rlimit{Cur: most, Max: most}, nil); err != nil {
			return fmt.Errorf("limit %d: %w", what, err)
		}
	}
	return os.NewSyscallError("setpriority", unix.Setpriority(unix.PRIO_PROCESS, pid, lowest))
}

const (
	maxFiles = 16 // its streams and its model
	lowest   = 19
)
