package embedded

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// childPID asks the kernel who listens on the socket of s.
func childPID(t *testing.T, s *Server) int {
	t.Helper()
	conn, err := net.Dial("unix", s.home.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var peer *unix.Ucred
	var peerErr error
	err = raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, peerErr); err != nil {
		t.Fatal(err)
	}
	return int(peer.Pid)
}

func TestKilledChildComesBack(t *testing.T) {
	s := start(t, testConfig(t.TempDir()))
	c := clientWithBucket(t, s)
	mustPut(t, c, "kept", "body")
	killed := childPID(t, s)
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, "kept"); got != "body" { // minio-go retries
		t.Errorf("body is %q", got)
	}
	mustPut(t, c, "new", "body")
	if childPID(t, s) == killed {
		t.Error("the child lives")
	}
}

// The signals that end a program must not end its store before it.
func TestChildIgnoresSignals(t *testing.T) {
	s := start(t, testConfig(t.TempDir()))
	c := clientWithBucket(t, s)
	pid := childPID(t, s)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
	}
	mustPut(t, c, "a", "b")
	if got := childPID(t, s); got != pid {
		t.Errorf("child %d was replaced by %d", pid, got)
	}
}

func TestKilledParentTakesChildAlong(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	parent := exec.Command(cfg.Exe, "store-parent", dir)
	parent.Stderr = t.Output()
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("parent said %q: %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // "signal: killed"

	// The child shares the lock, so the folder is free when the child is gone.
	for {
		s, err := Start(t.Context(), cfg)
		if err == nil {
			t.Cleanup(func() { stop(t, s) })
			clientWithBucket(t, s)
			return
		}
		if !errors.Is(err, ErrInUse) {
			t.Fatal(err)
		}
	}
}

func TestSecretIsNotInProc(t *testing.T) {
	s := start(t, testConfig(t.TempDir()))
	pid := childPID(t, s)
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), s.SecretKey()) {
			t.Errorf("%s holds the secret", name)
		}
		if name == "environ" && len(text) != 0 {
			t.Errorf("the child inherits an environment of %d bytes", len(text))
		}
	}
}
