package reader

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// maxMemoryPages bounds what one document can take: 512 MB in pages of 64 KB.
const maxMemoryPages = 512 << 20 >> 16

// engineError is a failure of the engine itself: not the fault of a document.
type engineError struct{ err error }

func (e *engineError) Error() string { return "PDF engine: " + e.err.Error() }
func (e *engineError) Unwrap() error { return e.err }

// engine is pdfium inside its own WebAssembly runtime. It starts when first
// needed, and again after a job had to be stopped by force. One job at a time.
type engine struct {
	cache  wazero.CompilationCache
	logger *slog.Logger
	pool   pdfium.Pool
	kill   context.CancelFunc
}

// instance returns a pdfium with a fresh memory, and a function that gives it
// back. When ctx ends before that, whatever the instance does is broken off.
func (e *engine) instance(ctx context.Context) (pdfium.Pdfium, func(), error) {
	unhook := context.AfterFunc(ctx, e.kill)
	instance, err := e.pool.GetInstanceWithContext(ctx)
	if err != nil {
		unhook()
		e.discard()
		return nil, nil, &engineError{fmt.Errorf("instantiate: %w", err)}
	}
	return instance, func() {
		// An instance that its document has crashed fails to close; its
		// memory is thrown away in any case.
		_ = instance.Close()
		if !unhook() {
			e.discard()
		}
	}, nil
}

// start compiles pdfium, or loads it compiled, unless it runs already. The
// document will see no file system, no output and a bounded memory.
func (e *engine) start(ctx context.Context) error {
	if e.pool != nil {
		return nil
	}
	begin := time.Now()
	life, kill := context.WithCancel(context.WithoutCancel(ctx))
	pool, err := webassembly.Init(webassembly.Config{
		Context:  withMemory(life),
		MaxTotal: 1,
		MaxIdle:  1,
		FSConfig: wazero.NewFSConfig(),
		Stdout:   io.Discard,
		Stderr:   io.Discard,
		RuntimeConfig: wazero.NewRuntimeConfig().
			WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
			WithCompilationCache(e.cache).
			WithMemoryLimitPages(maxMemoryPages).
			WithCloseOnContextDone(true),
	})
	if err != nil {
		kill()
		return &engineError{fmt.Errorf("start: %w", err)}
	}
	e.pool, e.kill = pool, kill
	e.logger.InfoContext(ctx, "PDF engine started", slog.Duration("took", time.Since(begin)))
	return nil
}

// discard stops the engine, if it runs.
func (e *engine) discard() {
	if e.pool == nil {
		return
	}
	e.kill()
	if err := e.pool.Close(); err != nil {
		e.logger.Warn("PDF engine did not stop cleanly", slog.Any("error", err))
	}
	e.pool, e.kill = nil, nil
}
