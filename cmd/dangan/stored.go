package main

import (
	"context"
	"errors"
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
		if err := errors.Join(fromEnv(c.env, flags), s.checkStore()); err != nil {
			return nil, nil, err
		}
		b, err := s.openFounded(ctx, log)
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

// openFounded opens a bucket that is in use: a tool makes none of a misspelt name.
func (s *settings) openFounded(ctx context.Context, log *slog.Logger) (*storage.Bucket, error) {
	cfg, err := s.bucketConfig(log)
	if err != nil {
		return nil, err
	}
	objects, err := storage.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	switch founded, err := storage.Founded(ctx, objects); {
	case err != nil:
		return nil, err
	case !founded:
		return nil, fmt.Errorf("bucket %s holds no archive", s.s3Bucket)
	}
	b, err := storage.New(ctx, objects, cfg)
	return b, s.whichKey(err)
}
