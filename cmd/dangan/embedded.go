package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"dangan/api/stamp"
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
//	trust.pem        the authority that vouches for the seal
type embeddedHouse struct {
	house   *house
	store   *embedded.Server
	closers []func()
}

// openEmbedded opens or makes the house in dir.
func openEmbedded(ctx context.Context, dir, publicURL string, log *slog.Logger) (_ *embeddedHouse, err error) {
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
	stamper, err := keepSeal(dir, publicURL)
	if err != nil {
		return nil, err
	}
	e.house, err = build(parts{
		bucket: bucket, index: search, reader: pages, stamper: stamper, rootKey: cfg.RootKey, metrics: watched,
		publicURL: publicURL, log: log, grace: 10 * time.Minute, replica: "embedded",
	})
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

// keepSeal opens the demonstration's seal, or makes an authority and a seal.
func keepSeal(dir, publicURL string) (*sealer, error) {
	certPath, keyPath := filepath.Join(dir, "seal.pem"), filepath.Join(dir, "seal.key")
	if _, err := os.Stat(keyPath); errors.Is(err, os.ErrNotExist) {
		if err := makeSeal(dir, certPath, keyPath, rand.Reader); err != nil {
			return nil, err
		}
	}
	signer, chain, err := loadSigner(certPath, keyPath)
	if err != nil {
		return nil, err
	}
	return newSealer(signer, chain, publicURL), nil
}

// makeSeal writes the key last: when it is there, all is there.
func makeSeal(dir, certPath, keyPath string, random io.Reader) error {
	ca, chain, signer, err := stamp.NewDemoAuthority(time.Now(), random)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return err
	}
	var certs []byte
	for _, c := range chain {
		certs = append(certs, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	trust := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw})
	return errors.Join(
		writeDurable(filepath.Join(dir, "trust.pem"), trust, 0o644),
		writeDurable(certPath, certs, 0o644),
		writeDurable(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
	)
}
