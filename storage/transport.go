package storage

import (
	"context"
	"net"
	"net/http"
	"time"
)

// How long the default transport waits for a store that says nothing.
const (
	dialWait   = 5 * time.Second
	headerWait = 30 * time.Second
	silence    = 60 * time.Second // between two pieces of a stream
)

// newTransport waits for nothing without a bound, not even in the middle of a
// stream whose other end has stopped.
func newTransport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: dialWait, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &impatient{conn}, nil
		},
		TLSHandshakeTimeout:   dialWait,
		ResponseHeaderTimeout: headerWait,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       silence / 2,
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   64,
		DisableCompression:    true,
	}
}

// impatient is a connection that gives up after a long silence.
type impatient struct{ net.Conn }

func (c *impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
