package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	indexembedded "dangan/index/embedded"
	"dangan/storage"
	"dangan/storage/embedded"
)

// embeddedHouse is a house whose store and index live in one folder:
//
//	store/           objects, kept by a child process
//	index/           the search index; may be removed at any time
//	root.key         the root key; without it the store is unreadable
//	seal.pem, .key   the certificate and key of the demonstration's seal
//	tsa.pem, .key    the same of the demonstration's time-stamps
//	trust.pem        the authorities that vouch for the seal and the time-stamps
type embeddedHouse struct {
	house   *house
	store   *embedded.Server
	closers []func()
}

// openEmbedded opens or makes the house in dir. Scans are read where it is told how.
func openEmbedded(ctx context.Context, dir, publicURL string, log *slog.Logger, scans ...ocrSettings) (_ *embeddedHouse, err error) {
	e := &embeddedHouse{}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	cfg, err := e.bucketConfig(ctx, dir, log)
	if err != nil {
		return nil, err
	}
	watched := newMetrics()
	bucket, err := watched.openBucket(ctx, cfg)
	if err != nil {
		return nil, err
	}
	search, err := indexembedded.New(ctx, indexembedded.Config{Path: filepath.Join(dir, "index")})
	if err != nil {
		return nil, err
	}
	e.closers = append(e.closers, func() { _ = search.Close() })
	pages, err := openReader(log)
	if err != nil {
		return nil, err
	}
	e.closers = append(e.closers, func() { _ = pages.Close() })
	stamper, stop, err := keepSeal(dir, publicURL)
	if err != nil {
		return nil, err
	}
	e.closers = append(e.closers, stop)
	p := parts{
		bucket: bucket, index: search, reader: pages, stamper: stamper, copier: newCopier(stamper, pages), rootKey: cfg.RootKey, metrics: watched,
		publicURL: publicURL, log: log, grace: 10 * time.Minute, replica: "embedded",
	}
	for _, how := range scans {
		if p.recognizer, err = how.open(ctx, pages, log); err != nil {
			return nil, err
		}
	}
	e.house, err = build(p)
	return e, err
}

// openBucket opens or makes the bucket in dir, which nobody else may have open.
func (e *embeddedHouse) openBucket(ctx context.Context, dir string, log *slog.Logger) (*storage.Bucket, []byte, error) {
	cfg, err := e.bucketConfig(ctx, dir, log)
	if err != nil {
		return nil, nil, err
	}
	b, err := storage.Open(ctx, cfg)
	return b, cfg.RootKey, err
}

// bucketConfig starts the store in dir and says how to open its bucket.
func (e *embeddedHouse) bucketConfig(ctx context.Context, dir string, log *slog.Logger) (storage.Config, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return storage.Config{}, err
	}
	if err := e.startStore(ctx, dir, log); err != nil {
		return storage.Config{}, err
	}
	rootKey, err := keepKey("data", filepath.Join(dir, "root.key"))
	if err != nil {
		return storage.Config{}, err
	}
	return storage.Config{
		Endpoint: e.store.Endpoint(), Bucket: "dangan", AccessKey: e.store.AccessKey(), SecretKey: e.store.SecretKey(),
		Transport: e.store.Transport(), RootKey: rootKey, Log: log,
	}, nil
}

func (e *embeddedHouse) startStore(ctx context.Context, dir string, log *slog.Logger) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	e.store, err = embedded.Start(ctx, embedded.Config{Dir: filepath.Join(dir, "store"), Exe: exe, Args: []string{storeChild}, Logger: log})
	if err != nil {
		return err
	}
	e.closers = append(e.closers, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = e.store.Stop(ctx) // whatever it says, the process ends now
	})
	return nil
}

// close ends everything, in the reverse order of its start.
func (e *embeddedHouse) close() {
	for i := len(e.closers) - 1; i >= 0; i-- {
		e.closers[i]()
	}
}
