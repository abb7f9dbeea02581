package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// progress shows how far something is: a bar that redraws itself on a terminal,
// a line for every tenth elsewhere.
type progress struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	tenth int
	open  bool
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// show draws done of total. It may be called concurrently.
func (p *progress) show(done, total int, label string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	const width = 40
	filled := done * width / max(total, 1)
	if p.terminal {
		fmt.Fprintf(p.w, "\r\033[K[%s%s] %d/%d %s", strings.Repeat("#", filled), strings.Repeat(".", width-filled), done, total, label)
		p.open = true
		return
	}
	if tenth := done * 10 / max(total, 1); tenth > p.tenth {
		p.tenth = tenth
		fmt.Fprintf(p.w, "%d%% %s\n", tenth*10, label)
	}
}

// end leaves the bar standing and goes to the next line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		fmt.Fprintln(p.w)
	}
}
