package reader

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// apart puts a child into a process group of its own, so that a terminal does
// not interrupt it, and has the kernel kill it when its pool is gone.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// humble takes from this thread, and from all processes that it starts, the
// means to gain privileges by running a program.
func humble() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
}

// confine gives up, for good, what a child has no use for once it is warm.
//
// Memory is limited as RLIMIT_DATA: Go and WebAssembly reserve far more address
// space than they use, so RLIMIT_AS would have to be larger than any memory.
func confine(c childConfig) error {
	// The folder it works in need not exist any longer: nothing can be made
	// in a folder that is gone.
	if dir, err := os.Getwd(); err == nil {
		_ = os.Remove(dir)
	}
	whole := seconds(c.MaxTime) * uint64(c.MaxJobs+1)
	for _, limit := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_DATA, uint64(c.MaxMemory)},
		{unix.RLIMIT_CPU, whole},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_NOFILE, maxFiles},
	} {
		if err := unix.Setrlimit(limit.what, &unix.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
			return fmt.Errorf("limit %d: %w", limit.what, err)
		}
	}
	return nil
}

// maxFiles is enough for the streams, the runtime and one more program.
const maxFiles = 32

// limitTime lets this process use so much CPU time from now on.
func limitTime(most time.Duration) error {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return err
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CPU, &limit); err != nil {
		return err
	}
	limit.Cur = min(limit.Max, uint64(used.Utime.Sec+used.Stime.Sec)+1+seconds(most))
	return unix.Setrlimit(unix.RLIMIT_CPU, &limit)
}

func seconds(d time.Duration) uint64 { return uint64((d + time.Second - 1) / time.Second) }

// resident returns how much memory a process has, in bytes; 0 when unknown.
func resident(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(raw)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
