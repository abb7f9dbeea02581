package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/embedgw"
)

const healthPath = "/healthz"

// orders is what a child is told, through its standard input because arguments
// and environment can be read by others.
type orders struct {
	Root      string // folder of the buckets
	Socket    string
	SecretKey string
}

// RunChild is the whole life of the child process: read orders from stdin,
// serve until stdin ends, return. The program must call it from the command
// line given in Config, with its own standard streams, and exit non-zero with
// the error on standard error if it returns one.
//
// It ignores the signals that end a program: a terminal or service manager
// sends them to parent and child alike, and the parent still needs the store to
// finish its work. It must be the only use of its process.
func RunChild(ctx context.Context, stdin io.Reader, status io.Writer) error {
	return serve(ctx, stdin, status, (*os.File).Sync)
}

func serve(ctx context.Context, stdin io.Reader, status io.Writer, sync func(*os.File) error) error {
	var o orders
	if err := json.NewDecoder(stdin).Decode(&o); err != nil {
		return fmt.Errorf("read orders: %w", err)
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Stdout = os.Stderr // versitygw prints there, and status is for our parent alone
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // ends with our parent, or on its wish
		cancel(nil)
	}()

	if err := mend(o.Root); err != nil {
		return err
	}
	store, err := openDurable(o.Root, disk{sync: sync, fail: cancel})
	if err != nil {
		return err
	}
	err = embedgw.RunVersityGW(ctx, store, &embedgw.Config{
		RootUserAccess:    accessKey,
		RootUserSecret:    o.SecretKey,
		Ports:             []string{o.Socket},
		SocketPerm:        "0600",
		MaxConnections:    4096,
		MaxRequests:       4096,
		MultipartMaxParts: 10_000,
		Quiet:             true,
		KeepAlive:         true,
		DisableACLs:       true,
		HealthPath:        healthPath,
	})
	if cause := context.Cause(ctx); errors.Is(cause, ErrNotDurable) {
		fmt.Fprintln(status, cause)
		return cause
	}
	return err
}
