package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = 5 * time.Second
	// stable is how long a child must live for its end to count as a first one.
	stable = time.Minute
)

// supervise keeps one child running until Stop, or until restarting is
// pointless: it never answered, or its disk fails.
func (s *Server) supervise() {
	// Linux sends the parent-death signal when the thread that started the
	// child ends, so this goroutine keeps that thread to itself.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.done)
	defer s.home.close()

	delay := firstDelay
	for {
		began := time.Now()
		err := s.runChild()
		if s.isStopping() {
			return
		}
		if errors.Is(err, ErrNotDurable) || !s.hasAnswered() {
			s.err = err
			s.log.Error("embedded store ended", "error", err)
			return
		}
		if time.Since(began) > stable {
			delay = firstDelay
		}
		s.log.Error("embedded store ended, restarting", "error", err, "delay", delay)
		select {
		case <-s.stopping:
			return
		case <-time.After(delay):
		}
		delay = min(2*delay, lastDelay)
	}
}

// runChild starts one child and waits for its end, which is never a success:
// it says why the child is gone.
func (s *Server) runChild() error {
	orders, err := json.Marshal(orders{
		Root:      s.home.objects,
		Socket:    s.home.socket,
		SecretKey: s.secret,
	})
	if err != nil {
		return err
	}
	var status bytes.Buffer
	output := &lineLogger{log: s.log}
	cmd := exec.Command(s.config.Exe, s.config.Args...)
	cmd.Env = []string{} // our environment may hold secrets the store has no use for
	cmd.SysProcAttr = dieWithParent()
	cmd.Stdout, cmd.Stderr = &status, output
	// The child inherits the lock and thereby keeps the data root from a
	// second store even if it outlives this process for a moment.
	cmd.ExtraFiles = []*os.File{s.home.lock}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()

	// A child that is gone before it has read this is reported by Wait.
	_, _ = stdin.Write(orders)
	select {
	case err = <-exited:
	case <-s.stopping:
		_ = stdin.Close() // the child's order to finish
		select {
		case err = <-exited:
		case <-s.killing:
			_ = cmd.Process.Kill()
			err = <-exited
		}
	}
	return childError(err, status.String(), output.last())
}

// childError explains the end of a child by what it said, if it said anything.
func childError(exit error, status, lastLine string) error {
	reason, notDurable := strings.CutPrefix(status, ErrNotDurable.Error())
	switch {
	case notDurable:
		return fmt.Errorf("%w%s", ErrNotDurable, strings.TrimSpace(reason))
	case exit == nil:
		return errors.New("child ended unasked")
	case lastLine != "":
		return fmt.Errorf("child: %w: %s", exit, lastLine)
	}
	return fmt.Errorf("child: %w", exit)
}

func (s *Server) isStopping() bool  { return isClosed(s.stopping) }
func (s *Server) hasAnswered() bool { return isClosed(s.ready) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func closeOnce(c chan struct{}) func() { return sync.OnceFunc(func() { close(c) }) }

// maxLine bounds what one line of a child may cost in memory.
const maxLine = 8 << 10

// lineLogger logs what a child prints line by line and remembers the last one.
type lineLogger struct {
	log *slog.Logger

	mu   sync.Mutex
	rest []byte
	line string
}

func (l *lineLogger) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found && len(l.rest) < maxLine {
			return len(p), nil
		}
		l.emit(string(line))
		l.rest = rest
	}
}

func (l *lineLogger) emit(line string) {
	if line = strings.TrimSpace(line); line != "" {
		l.line = line
		l.log.Info("embedded store", "output", line)
	}
}

// last flushes an unfinished line and returns the last one that was not empty.
func (l *lineLogger) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.emit(string(l.rest))
	l.rest = nil
	return l.line
}
