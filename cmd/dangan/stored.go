package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/peterbourgon/ff/v4"

	"dangan/storage"
)

// openStored opens the bucket and nothing else, for a tool: that in a folder of
// `dangan demo` when dir is given, and nobody may be serving it; otherwise the
// configured one, which may be in use. The caller closes it.
func (s *settings) openStored(ctx context.Context, c console, flags *ff.FlagSet, dir string) (_ *storage.Bucket, closeAll func(), err error) {
	log := slog.New(slog.DiscardHandler)
	if dir == "" {
		if err := s.load(c, flags); err != nil {
			return nil, nil, err
		}
		b, _, err := s.openBucket(ctx, log)
		return b, func() {}, err
	}
	if _, err := os.Stat(filepath.Join(dir, "root.key")); err != nil {
		return nil, nil, fmt.Errorf("--data: %s is no folder of dangan demo: %w", dir, err)
	}
	e := &embeddedHouse{}
	b, _, err := e.openBucket(ctx, dir, log)
	if err != nil {
		e.close()
		return nil, nil, err
	}
	return b, e.close, nil
}
