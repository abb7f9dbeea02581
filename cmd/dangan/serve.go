package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/peterbourgon/ff/v4"

	"dangan/index"
	"dangan/storage"
)

func serveCommand(c console) *ff.Command {
	var s settings
	flags := s.flags("serve")
	return &ff.Command{
		Name: "serve", Usage: "dangan serve [FLAGS]", ShortHelp: "serve an object store and a Meilisearch", Flags: flags,
		Exec: func(ctx context.Context, _ []string) error { return s.serve(ctx, c, flags) },
	}
}

// load fills the settings from the environment and checks them all.
func (s *settings) load(c console, flags *ff.FlagSet) error {
	if err := fromEnv(c.env, flags); err != nil {
		return err
	}
	return s.check()
}

func (s *settings) serve(ctx context.Context, c console, flags *ff.FlagSet) error {
	h, closeHouse, err := s.openConfigured(ctx, c, flags)
	if err != nil {
		return err
	}
	defer closeHouse()
	l, err := listen(s.listen)
	if err != nil {
		return err
	}
	h.log.InfoContext(ctx, "serving", "address", l.Addr().String(), "version", version())
	return s.whichKey(h.serve(ctx, l))
}

// openConfigured is open with what the command line and the environment say.
func (s *settings) openConfigured(ctx context.Context, c console, flags *ff.FlagSet) (*house, func(), error) {
	if err := s.load(c, flags); err != nil {
		return nil, nil, err
	}
	log, err := s.logger(c)
	if err != nil {
		return nil, nil, err
	}
	return s.open(ctx, log)
}

// open builds the house over the configured store and index.
func (s *settings) open(ctx context.Context, log *slog.Logger) (*house, func(), error) {
	cfg, err := s.bucketConfig(log)
	if err != nil {
		return nil, nil, err
	}
	watched := newMetrics()
	bucket, err := watched.openBucket(ctx, cfg)
	if err != nil {
		return nil, nil, s.whichKey(err)
	}
	meiliKey, err := readSecret("meili-key-file", s.meiliKey)
	if err != nil {
		return nil, nil, err
	}
	search, err := index.New(ctx, index.Config{URL: s.meiliURL, Key: meiliKey, Log: log})
	if err != nil {
		return nil, nil, err
	}
	seal, err := s.openSeal(ctx, log)
	if err != nil {
		return nil, nil, err
	}
	pages, err := openReader(log)
	if err != nil {
		return nil, nil, err
	}
	scans, err := s.ocr.open(ctx, pages, log)
	if err != nil {
		return nil, nil, errors.Join(err, pages.Close())
	}
	h, err := build(parts{
		bucket: bucket, index: search, reader: pages, recognizer: scans, stamper: seal, copier: newCopier(seal, pages),
		rootKey: cfg.RootKey, metrics: watched, publicURL: s.publicURL, log: log, grace: time.Hour, replica: replicaName(s.listen),
	})
	return h, func() { _ = pages.Close() }, err
}

func (s *settings) openBucket(ctx context.Context, log *slog.Logger) (*storage.Bucket, []byte, error) {
	cfg, err := s.bucketConfig(log)
	if err != nil {
		return nil, nil, err
	}
	b, err := storage.Open(ctx, cfg)
	return b, cfg.RootKey, s.whichKey(err)
}

// bucketConfig says how to open the bucket.
func (s *settings) bucketConfig(log *slog.Logger) (storage.Config, error) {
	cfg, err := s.storeConfig(log)
	if err == nil {
		cfg.RootKey, err = readRootKey(s.rootKey)
	}
	return cfg, err
}

// storeConfig says where the bucket is.
func (s *settings) storeConfig(log *slog.Logger) (storage.Config, error) {
	secret, err := readSecret("s3-secret-key-file", s.s3SecretKey)
	if err != nil {
		return storage.Config{}, err
	}
	u, err := url.Parse(s.s3Endpoint)
	if err != nil {
		return storage.Config{}, fmt.Errorf("--s3-endpoint: %w", err)
	}
	return storage.Config{
		Endpoint: u.Host, Secure: u.Scheme == "https", Region: s.s3Region, Bucket: s.s3Bucket,
		AccessKey: s.s3AccessKey, SecretKey: secret, RingAge: s.ringAge, Log: log,
	}, nil
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (is another program using the port? choose one with --listen): %w", address, err)
	}
	return l, nil
}
