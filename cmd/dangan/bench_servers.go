package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"dangan/index"
)

// openServers builds a house on the configured servers, in a bucket and an index
// made for this run and removed after it: what the servers already hold is
// neither read nor added to.
func (s *settings) openServers(ctx context.Context, b *bench, log *slog.Logger) (_ func() error, err error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	secret, err := readSecret("s3-secret-key-file", s.s3SecretKey)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(s.s3Endpoint)
	if err != nil {
		return nil, err
	}
	name := "dangan-bench-" + strings.ToLower(rand.Text()[:10])
	b.bucket, b.engine, s.s3Bucket = name, "the configured store and Meilisearch", name
	if b.raw, err = rawClient(u.Host, u.Scheme == "https", s.s3Region, s.s3AccessKey, secret, nil); err != nil {
		return nil, err
	}
	closeHouse := func() {}
	drop := func() error {
		closeHouse()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return errors.Join(b.dropBucket(ctx), b.meili.drop(ctx, name), b.meili.drop(ctx, name+"-state"))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, drop())
		}
	}()
	h, closeOpened, err := s.open(ctx, log)
	if err != nil {
		return nil, err
	}
	closeHouse = closeOpened
	x, err := index.New(ctx, index.Config{URL: b.meili.url, Key: b.meili.key, Name: name, Log: log})
	if err != nil {
		return nil, err
	}
	b.house, err = h.over(x)
	return drop, err
}

// dropBucket removes the bucket of this run with everything in it.
func (b *bench) dropBucket(ctx context.Context) error {
	if there, err := b.raw.BucketExists(ctx, b.bucket); err != nil || !there {
		return err
	}
	if err := errors.Join(b.clear(ctx, ""), b.raw.RemoveBucket(ctx, b.bucket)); err != nil {
		return fmt.Errorf("remove bucket %s: %w", b.bucket, err)
	}
	return nil
}
