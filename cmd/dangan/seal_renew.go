package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/peterbourgon/ff/v4"

	"dangan/api/stamp"
	"dangan/archive"
	"dangan/archive/certificates"
	"dangan/storage"
)

const (
	renewLease = "renew"
	// renewAhead is how long before its end a certificate is renewed, and renewEvery how often one is looked for.
	renewAhead = 365 * 24 * time.Hour
	renewEvery = 7 * 24 * time.Hour
	// renewPause is the least time between two certificates, beside the daily work.
	renewPause = 20 * time.Millisecond
	// renewPatience is how many failures in a row have one cause.
	renewPatience = 10
)

// renewer is how certificates are renewed; nil without a time-stamp authority and proof.
func renewer(s certificates.Stamper) certificates.Renewer {
	seal, ok := s.(*sealer)
	if !ok || seal.dates == nil || seal.proves == nil {
		return nil
	}
	return renewal{stamp.Renewal{Dates: seal.dates, Proves: seal.proves, Known: seal.clocks}}
}

// renewal is a stamp.Renewal whose errors have codes.
type renewal struct{ stamp.Renewal }

func (r renewal) Renew(ctx context.Context, pdf []byte) ([]byte, error) {
	renewed, err := r.Renewal.Renew(ctx, pdf)
	return renewed, stampError(err)
}

// keepRenewed renews certificates before they can no longer be checked, until ctx ends.
func (h *house) keepRenewed(ctx context.Context) error {
	seal, ok := h.stamper.(*sealer)
	if !ok || renewer(seal) == nil {
		return nil
	}
	for {
		found, err := h.renew(ctx, time.Now().Add(renewAhead), renewPause)
		if err == nil || found.Due > 0 {
			seal.due.Store(int64(found.Due - found.Renewed))
			h.log.InfoContext(ctx, "certificates looked at for renewal", "seen", found.Seen, "due", found.Due, "renewed", found.Renewed)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, archive.ErrConflict) {
			h.log.WarnContext(ctx, "certificates not renewed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(renewEvery):
		}
	}
}

// renewals is what a look at all certificates found.
type renewals struct{ Seen, Due, Renewed int }

// renew looks at all certificates and renews those that could not be checked after the given time. One process at a
// time may. It fails when one could not be renewed, having tried the others, unless one after the other fails.
func (h *house) renew(ctx context.Context, after time.Time, pause time.Duration) (found renewals, err error) {
	err = h.underLease(ctx, renewLease, h.replica, func(ctx context.Context) error {
		failures := 0
		var last error
		for id, err := range storage.NewChain[archive.Certificate](h.bucket, archive.KindCertificate).IDs(ctx) {
			if err != nil {
				return err
			}
			due, err := h.certificates.Renew(ctx, id, after)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			found.Seen++
			switch {
			case err != nil:
				found.Due++
				failures++
				last = fmt.Errorf("certificate %s: %w", id, err)
				h.log.WarnContext(ctx, "certificate not renewed", slog.String("certificate", id), slog.Any("error", err))
			case due:
				found.Due++
				found.Renewed++
				failures = 0
			}
			if failures == renewPatience {
				return last
			}
			time.Sleep(pause)
		}
		return last
	})
	return found, err
}

func newSealCommand(c console) *ff.Command {
	var s settings
	flags := s.flags("seal")
	return &ff.Command{
		Name: "seal", Usage: "dangan seal renew [FLAGS]", Flags: flags,
		ShortHelp: "add time-stamps and proof to certificates that can be checked for less than a year, as dangan serve does weekly",
		Exec: func(ctx context.Context, args []string) error {
			if len(args) != 1 || args[0] != "renew" {
				return errors.New("seal: say renew")
			}
			return s.renew(ctx, c, flags)
		},
	}
}

// renew does it once, as fast as it goes.
func (s *settings) renew(ctx context.Context, c console, flags *ff.FlagSet) error {
	if err := s.load(c, flags); err != nil {
		return err
	}
	log, err := s.logger(c)
	if err != nil {
		return err
	}
	seal, err := s.openSeal(ctx, log)
	if err != nil {
		return err
	}
	if renewer(seal) == nil {
		return errors.New("seal renew needs --tsa-url and --seal-proof")
	}
	b, _, err := s.openBucket(ctx, log)
	if err != nil {
		return err
	}
	h := &house{parts: parts{bucket: b, log: log, replica: replicaName("seal")}}
	h.certificates = certificates.New(certificates.Config{
		Certificates: storage.NewChain[archive.Certificate](b, archive.KindCertificate), Numbers: b.Numbers(), Blobs: b.Blobs(),
		Renewer: renewer(seal), Now: time.Now, Log: log,
	})
	found, err := h.renew(ctx, time.Now().Add(renewAhead), 0)
	fmt.Fprintf(c.stdout, "%d certificates, %d due, %d renewed\n", found.Seen, found.Due, found.Renewed)
	return err
}
