package reader

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// cell is a child process, as its pool sees it. It does one job at a time.
type cell struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	said *beginning
	jobs int

	dead chan struct{} // closed when the process is gone
	end  error         // why; read only after dead
}

// startWithin is how long a child may take until it is warm. Without a compiled
// engine in the cache that is seconds of work.
const startWithin = 2 * time.Minute

// newCell starts a child and returns once it is warm.
func newCell(ctx context.Context, config PoolConfig) (_ *cell, err error) {
	c := &cell{cmd: exec.Command(config.Exe, config.Args...), said: &beginning{}, dead: make(chan struct{})}
	if c.cmd.Dir, err = os.MkdirTemp("", "dangan-reader-"); err != nil {
		return nil, err
	}
	c.cmd.Env, c.cmd.Stderr, c.cmd.SysProcAttr = []string{}, c.said, apart()
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReaderSize(out, blockSize)
	started := make(chan error)
	go c.live(started)
	if err := <-started; err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	defer context.AfterFunc(ctx, c.kill)()
	err = writeJSON(c.in, frameConfig, childConfig{Config: config.Config, MaxMemory: config.MaxMemory, MaxJobs: config.MaxJobs})
	if err == nil {
		err = readJSON(c.out, frameReady, &struct{}{})
	}
	if err != nil {
		c.stop()
		// It has not seen a file yet, so that what it says can be told.
		return nil, fmt.Errorf("child did not become ready: %w: %s", errors.Join(err, c.end, ctx.Err()), c.said.text)
	}
	return c, nil
}

// live starts the process and waits for its end. It keeps its thread to itself,
// and the thread ends with it: Linux sends the parent-death signal when the
// thread that started a child ends, and humble cannot be undone.
func (c *cell) live(started chan<- error) {
	runtime.LockOSThread()
	defer os.RemoveAll(c.cmd.Dir)
	err := humble()
	if err == nil {
		err = c.cmd.Start()
	}
	started <- err
	if err == nil {
		c.end = c.cmd.Wait()
		close(c.dead)
	}
}

// isDead reports whether the process is gone.
func (c *cell) isDead() bool {
	select {
	case <-c.dead:
		return true
	default:
		return false
	}
}

func (c *cell) kill() { _ = c.cmd.Process.Kill() } // it may be gone already

// stop returns when the process is gone.
func (c *cell) stop() {
	c.kill()
	<-c.dead
}

// deathError is the end of a child during a job, or its nonsense.
type deathError struct {
	code   string // what that says about the file
	surely bool   // the file is to blame, and neither its machine nor its operator
	err    error
}

func (e *deathError) Error() string { return e.code + ": " + e.err.Error() }
func (e *deathError) Unwrap() error { return e.err }

// work does one job within limit. When its error is not nil the child is gone.
func (c *cell) work(ctx context.Context, o order, file *source, limit time.Duration) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errOverrun)
	defer cancel()
	file.ctx = ctx
	unhook := context.AfterFunc(ctx, c.kill)
	c.jobs++
	a, err := converse(c.in, c.out, o, file)
	if unhook() && err == nil && file.err == nil {
		return a, nil
	}
	c.stop()
	switch cause := context.Cause(ctx); {
	case file.err != nil:
		return answer{}, file.err
	case cause == errOverrun:
		return answer{}, &deathError{CodeTooSlow, false, cause}
	case cause != nil:
		return answer{}, cause
	}
	code := c.said.verdict()
	return answer{}, &deathError{code, code != CodeCrashed, errors.Join(err, c.end)}
}

// beginning keeps the first words of a child that dies. Once it has seen a file
// they may quote it, so they are looked at and never told.
type beginning struct{ text []byte }

func (b *beginning) Write(p []byte) (int, error) {
	const enough = 4 << 10
	b.text = append(b.text, p[:min(len(p), enough-len(b.text))]...)
	return len(p), nil
}

// verdict tells the deaths apart of which the Go runtime leaves word.
func (b *beginning) verdict() string {
	switch text := string(b.text); {
	case strings.Contains(text, "SIGXCPU"):
		return CodeTooSlow
	case strings.Contains(text, "out of memory"), strings.Contains(text, "cannot allocate memory"), strings.Contains(text, "failed to allocate"):
		return CodeTooMuchMemory
	}
	return CodeCrashed
}
