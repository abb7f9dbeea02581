// Package embedded runs the object store that dangan uses when no outside
// bucket is configured: the posix backend of versitygw, in a child process of
// the same binary, spoken to over a unix socket with the S3 protocol.
//
// It owns the life of that process, its folder on disk and the promise that an
// acknowledged write survives a power cut. It knows nothing of archives, object
// keys or minio-go: package storage talks to it exactly as to a remote bucket.
//
// The store is a child process because versitygw changes the working directory
// and keeps package globals, and because its crash must not be ours.
package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// ErrInUse reports that another process already serves the data root.
var ErrInUse = errors.New("data folder is in use by another process")

// ErrNotDurable reports that the disk refused to make a visible change
// permanent. What the page cache shows from then on may not be on the disk, so
// the store stays down until somebody has looked at the disk.
var ErrNotDurable = errors.New("a change could not be made permanent")

// Config says where the store lives and how to start its process.
type Config struct {
	// Dir is the data root, created with mode 0700 if it is missing. Objects
	// are plain files below Dir/objects whose metadata is in extended
	// attributes: a backup must keep those (tar --xattrs, rsync -X).
	Dir string
	// Exe and Args re-execute the program such that it calls RunChild: normally
	// os.Executable and a hidden subcommand. The child's environment is empty.
	Exe  string
	Args []string
	// Logger receives what the child prints and every restart; nil discards.
	Logger *slog.Logger
	// StartTimeout bounds the wait for the first answer; zero means 15 s.
	StartTimeout time.Duration
}

// Server is a running embedded store. Its methods may be called concurrently.
type Server struct {
	config    Config
	log       *slog.Logger
	home      *home
	transport *http.Transport
	secret    string // of the only account, made anew at each start

	ready    chan struct{} // closed once the store has answered
	stopping chan struct{} // closed by the first Stop
	killing  chan struct{} // closed when a Stop has run out of patience
	done     chan struct{} // closed when the store has ended for good
	err      error         // why it ended; read only after done

	stop, kill func()
}

// accessKey names the store's only account. It is the same at every start
// because versitygw answers HEAD from an unknown account with 404: a client left
// over from an earlier start would believe that its objects are gone.
const accessKey = "dangan"

// Start runs the store and returns once it answers. ctx bounds the start only;
// the store then lives until Stop, a failing disk, or the end of this process.
//
// It fails with ErrInUse if another process, or a child of one that was just
// killed, still holds cfg.Dir.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.StartTimeout == 0 {
		cfg.StartTimeout = 15 * time.Second
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.StartTimeout)
	defer cancel()

	home, err := openHome(ctx, cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("start embedded store: %w", err)
	}
	s := &Server{
		config:    cfg,
		log:       log,
		home:      home,
		transport: dialOnly(home.socket),
		secret:    rand.Text(),
		ready:     make(chan struct{}),
		stopping:  make(chan struct{}),
		killing:   make(chan struct{}),
		done:      make(chan struct{}),
	}
	s.stop, s.kill = closeOnce(s.stopping), closeOnce(s.killing)

	go s.supervise()
	if err := s.awaitReady(ctx); err != nil {
		s.stop()
		s.kill()
		<-s.done
		return nil, fmt.Errorf("start embedded store: %w", err)
	}
	return s, nil
}

// Endpoint is the host an S3 client must name. It is signed but never resolved:
// requests only reach the store through Transport, in plain HTTP.
func (s *Server) Endpoint() string { return "localhost" }

// Transport carries requests to the store, whatever host they name.
func (s *Server) Transport() http.RoundTripper { return s.transport }

// AccessKey names the only account of the store.
func (s *Server) AccessKey() string { return accessKey }

// SecretKey belongs to AccessKey, is valid for the life of s, over restarts of
// the child, and must not be logged.
func (s *Server) SecretKey() string { return s.secret }

// Done is closed when the store has ended and will not come back.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err is nil while the store lives and after Stop. It wraps ErrNotDurable if
// the store gave up because of its disk.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Stop lets running requests finish, ends the child and frees the data root.
// When ctx ends first the child is killed, which costs no acknowledged write.
func (s *Server) Stop(ctx context.Context) error {
	s.transport.CloseIdleConnections()
	s.stop()
	select {
	case <-s.done:
	case <-ctx.Done():
		s.kill()
		<-s.done
	}
	return s.err
}

// awaitReady returns when the store answers, has ended, or ctx is over.
func (s *Server) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return s.err
		case <-ctx.Done():
			return fmt.Errorf("no answer from the store: %w", ctx.Err())
		case <-tick.C:
		}
		if s.healthy(ctx) {
			close(s.ready)
			return nil
		}
	}
}

func (s *Server) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Endpoint()+healthPath, nil)
	if err != nil {
		return false
	}
	res, err := s.transport.RoundTrip(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// dialOnly returns a transport that connects to one unix socket.
func dialOnly(socket string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		DisableCompression:  true, // an object's bytes are returned as stored
		MaxIdleConnsPerHost: 64,
		// The server answers only after syncing; a disk that takes longer is broken.
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       time.Minute,
	}
}
