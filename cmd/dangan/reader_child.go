package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/peterbourgon/ff/v4"

	"dangan/api/reader"
)

// readerChild is the name of the hidden subcommand that reads files from outside.
const readerChild = "reader-child"

func readerChildCommand(c console) *ff.Command {
	return &ff.Command{Name: readerChild, ShortHelp: "read files from outside (started by dangan itself)", Exec: func(ctx context.Context, _ []string) error {
		return reader.RunChild(ctx, c.stdin, c.stdout)
	}}
}

// openReader starts the reader's children with a cache of their compiled engine,
// which otherwise takes seconds at the first PDF.
func openReader(log *slog.Logger) (*reader.Pool, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cache := ""
	if dir, err := os.UserCacheDir(); err == nil {
		cache = filepath.Join(dir, "dangan", "engine")
	}
	return reader.NewPool(reader.PoolConfig{Config: reader.Config{Logger: log, CacheDir: cache}, Exe: exe, Args: []string{readerChild}})
}
