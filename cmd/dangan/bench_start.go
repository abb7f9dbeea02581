package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Bounds of a service that has nothing to do, whatever the size of the archive.
const (
	readyWithin = 1.0   // seconds
	idleBelow   = 150.0 // megabytes
)

// start measures `dangan serve` as a process of its own on n records: how soon it
// is ready and what memory it holds when it is idle. It reads /proc, so Linux only.
func (b *bench) start(ctx context.Context) error {
	for _, n := range b.records {
		err := b.at(ctx, n, func(w *bench) error {
			return w.indexed(ctx, n, func() error { return w.started(ctx, n) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *bench) started(ctx context.Context, n int) (err error) {
	s, stop, err := w.servable()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	args := []string{"serve",
		"--listen", s.listen, "--s3-endpoint", s.s3Endpoint, "--s3-region", s.s3Region, "--s3-bucket", s.s3Bucket,
		"--s3-access-key", s.s3AccessKey, "--s3-secret-key-file", s.s3SecretKey, "--meili-url", s.meiliURL, "--meili-key-file", s.meiliKey,
		"--root-key-file", s.rootKey, "--signer-cert-file", s.signerCert, "--signer-key-file", s.signerKey,
		"--public-url", "http://" + s.listen, "--log-level", "error"}
	serve := exec.CommandContext(ctx, w.exe, args...)
	serve.Env = []string{"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}
	serve.Stderr = w.stderr
	serve.Cancel = func() error { return serve.Process.Signal(syscall.SIGTERM) }
	serve.WaitDelay = 30 * time.Second
	began := time.Now()
	if err := serve.Start(); err != nil {
		return err
	}
	defer func() {
		_ = serve.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		err = errors.Join(err, serve.Wait())
	}()
	if err := awaitReady(ctx, s.listen); err != nil {
		return err
	}
	w.fact("time to ready", n, time.Since(began).Seconds(), "s", readyWithin)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(time.Duration(w.seconds*float64(time.Second)), 3500*time.Millisecond)): // it looks after the index every 3 s
	}
	return w.memory(ctx, n, serve.Process.Pid, s.listen)
}

func (w *bench) fact(what string, n int, value float64, unit string, bound float64) {
	w.results.Facts = append(w.results.Facts, fact{what, n, value, unit, bound})
}

// servable are settings for a service on the store and index of w. The embedded
// store only listens on a socket of its own, and the index has another name than
// a service expects: a proxy stands before either until stop.
func (w *bench) servable() (s settings, stop func() error, err error) {
	s = *w.settings
	var proxies []*http.Server
	folder, err := os.MkdirTemp("", "dangan-bench-")
	if err != nil {
		return s, nil, err
	}
	stop = func() error {
		for _, p := range proxies {
			_ = p.Close() // nothing is under way any more
		}
		return os.RemoveAll(folder)
	}
	proxy := func(to string, transport http.RoundTripper, rename func(path string) string) string {
		var at string
		var p *http.Server
		if p, at, err = forward(to, transport, rename); err == nil {
			proxies = append(proxies, p)
		}
		return at
	}
	s.meiliURL = proxy(w.meili.url, w.meili.http.Transport, func(path string) string {
		return strings.Replace(path, "/indexes/records", "/indexes/"+w.index, 1)
	})
	if w.embedded != nil && err == nil {
		store := w.embedded.store
		s.s3Endpoint, s.s3Region, s.s3Bucket, s.s3AccessKey = proxy("http://"+store.Endpoint(), store.Transport(), nil), "us-east-1", w.bucket, store.AccessKey()
		s.rootKey, s.signerCert, s.signerKey = filepath.Join(w.dir, "root.key"), filepath.Join(w.dir, "seal.pem"), filepath.Join(w.dir, "seal.key")
		s.s3SecretKey = filepath.Join(folder, "secret")
		err = errors.Join(err, os.WriteFile(s.s3SecretKey, []byte(store.SecretKey()), 0o600))
	}
	if err == nil {
		s.listen, err = freeAddress()
	}
	if err != nil {
		return s, nil, errors.Join(err, stop())
	}
	return s, stop, nil
}

// forward passes requests on. The signature of S3 covers the host, which stays.
func forward(to string, transport http.RoundTripper, rename func(path string) string) (*http.Server, string, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
		if rename != nil {
			r.Out.URL.Path = rename(r.Out.URL.Path)
		}
	}}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // until it is closed
	return server, "http://" + l.Addr().String(), nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func awaitReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if res, err := get(ctx, "http://"+address+"/readyz"); err == nil && res.StatusCode == http.StatusOK {
			return res.Body.Close()
		} else if err == nil {
			_ = res.Body.Close() // it is asked again
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the service does not become ready: %w", ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

// memory notes what an idle process holds.
func (w *bench) memory(ctx context.Context, n, pid int, address string) error {
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return err
	}
	defer status.Close()
	resident, err := figure(status, "VmRSS:")
	if err != nil {
		return err
	}
	res, err := get(ctx, "http://"+address+"/metrics")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	heap, err := figure(res.Body, "go_memstats_heap_alloc_bytes")
	if err != nil {
		return err
	}
	w.fact("idle, resident memory", n, resident*1024/1e6, "MB", idleBelow) // the kernel counts in KiB
	w.fact("idle, Go heap", n, heap/1e6, "MB", 0)
	return nil
}

// figure finds the number after a word at the start of a line.
func figure(r io.Reader, word string) (float64, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) > 1 && f[0] == word {
			return strconv.ParseFloat(f[1], 64)
		}
	}
	return 0, errors.Join(fmt.Errorf("no %s", word), lines.Err())
}
