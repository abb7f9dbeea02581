package testenv

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Spec says how to run a server and how to see that it is ready.
type Spec struct {
	Args  []string // executable and arguments
	Env   []string // the whole environment, as KEY=value
	Ready string   // URL that answers 200 once the server is ready
}

// Process is a server under test. Every method but Start may be called from any
// goroutine; Start fails the test at once and so belongs to the test's own.
type Process struct {
	t    testing.TB
	spec Spec
	log  string // path of the file that collects output over all restarts

	mu   sync.Mutex
	cmd  *exec.Cmd     // nil while the server is down
	done chan struct{} // closed once cmd has ended
}

// Longest waits. They are not expectations: a busy machine must not fail a test.
const (
	readyWithin = 90 * time.Second
	stopWithin  = 20 * time.Second
	readyPoll   = 10 * time.Millisecond
)

// Run starts a server, waits until it is ready and ends it with the test. The
// output of a server whose test failed is shown with the test.
func Run(t testing.TB, spec Spec) *Process {
	t.Helper()
	p := newProcess(t, spec)
	p.Start()
	return p
}

func newProcess(t testing.TB, spec Spec) *Process {
	t.Helper()
	p := &Process{t: t, spec: spec, log: filepath.Join(t.TempDir(), "log")}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", spec.Args[0], p.logTail())
		}
	})
	return p
}

// Start runs the server, again on the same data and port after Stop or Kill, and
// returns once it is ready.
func (p *Process) Start() {
	p.t.Helper()
	if err := p.start(); err != nil {
		p.t.Fatalf("start %s: %v", p.spec.Args[0], err)
	}
}

func (p *Process) start() error {
	done, err := p.spawn()
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	deadline := time.After(readyWithin)
	for !ready(client, p.spec.Ready) {
		select {
		case <-done:
			return errors.New("ended before it was ready")
		case <-deadline:
			return fmt.Errorf("not ready within %v", readyWithin)
		case <-time.After(readyPoll):
		}
	}
	select {
	case <-done: // somebody else answered on this port
		return errors.New("ended while another server holds its address")
	default:
		return nil
	}
}

func (p *Process) spawn() (<-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return nil, errors.New("already running")
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child holds its own copy
	cmd := exec.Command(p.spec.Args[0], p.spec.Args[1:]...)
	cmd.Env = p.spec.Env
	cmd.Dir = filepath.Dir(p.log)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // a killed server always ends with an error
		close(done)
	}()
	p.cmd, p.done = cmd, done
	return done, nil
}

func ready(client *http.Client, url string) bool {
	response, err := client.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // only the status matters
	return response.StatusCode == http.StatusOK
}

// PID returns the process id, or 0 while the server is down.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Kill ends the server with SIGKILL, as a crash would, and returns once it is gone.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	p.gone()
}

// KillChild ends with SIGKILL a child of the server that has arg on its command
// line, and reports whether there was one.
func (p *Process) KillChild(arg string) bool {
	p.t.Helper()
	pid, err := childOf(p.PID(), arg)
	if err != nil {
		p.t.Errorf("look for %s of %s: %v", arg, p.spec.Args[0], err)
	}
	if pid == 0 {
		return false
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		p.t.Errorf("kill %s of %s: %v", arg, p.spec.Args[0], err)
	}
	return true
}

// Stop asks the server to end (SIGTERM) and returns once it is gone. A server that
// does not listen is killed and fails the test.
func (p *Process) Stop() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGCONT) // a paused server sees SIGTERM only when it goes on
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		p.t.Errorf("%s ignored SIGTERM for %v", p.spec.Args[0], stopWithin)
		p.signal(syscall.SIGKILL)
	}
	p.gone()
}

// Pause freezes the server (SIGSTOP): it keeps its connections and answers nothing,
// as a hung server would. Resume lets it go on.
func (p *Process) Pause() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		p.t.Errorf("pause: %s is not running", p.spec.Args[0])
		return
	}
	p.signal(syscall.SIGSTOP)
	if err := awaitStopped(p.cmd.Process.Pid, p.done); err != nil {
		p.t.Errorf("pause %s: %v", p.spec.Args[0], err)
	}
}

// Resume ends a Pause.
func (p *Process) Resume() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		p.t.Errorf("resume: %s is not running", p.spec.Args[0])
		return
	}
	p.signal(syscall.SIGCONT)
}

// signal must be called with mu held and cmd set.
func (p *Process) signal(signal syscall.Signal) {
	p.t.Helper()
	err := p.cmd.Process.Signal(signal)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("%v to %s: %v", signal, p.spec.Args[0], err)
	}
}

// gone must be called with mu held, after the signal that ends the server.
func (p *Process) gone() {
	<-p.done
	p.cmd, p.done = nil, nil
}

// Log returns everything the server has written so far, over all its restarts.
func (p *Process) Log() string {
	p.t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Errorf("read log: %v", err)
	}
	return string(text)
}

func (p *Process) logTail() string {
	const keep = 60
	lines := strings.Split(strings.TrimRight(p.Log(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-keep):], "\n")
}
