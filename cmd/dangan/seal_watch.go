package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dangan/api/stamp"
)

// sealNotice is how long before its end a certificate of the seal is complained about: an authority may take
// weeks to issue a new one.
const sealNotice = 60 * 24 * time.Hour

// watchSeal looks at the seal's certificates now and daily, until ctx ends.
func (h *house) watchSeal(ctx context.Context) error {
	seal, ok := h.stamper.(*sealer)
	if !ok {
		return nil // a test's
	}
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	for {
		seal.look(ctx, h.log, time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-day.C:
		}
	}
}

// look warns of an end that is near. When it has come nothing is sealed, and certificates wait.
func (s *sealer) look(ctx context.Context, log *slog.Logger, now time.Time) {
	end, err := s.expires(now)
	switch {
	case err != nil:
		log.ErrorContext(ctx, "nothing can be sealed", "error", err)
	case end.Sub(now) < sealNotice:
		log.WarnContext(ctx, "the seal's certificate expires soon", "expires", end.UTC().Format(time.RFC3339))
	}
}

// seal tells how long the seal's certificates are valid.
func (m *metrics) seal(s *sealer) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dangan_seal_certificate_expires_seconds",
		Help: "Seconds until the first certificate of the seal's chain expires; negative after that. Alert below 60 days."},
		func() float64 {
			now := time.Now()
			end, _ := s.expires(now)
			return end.Sub(now).Seconds()
		}))
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dangan_seal_renewals_due",
		Help: "Certificates that can be checked for less than a year and could not be renewed, as this process last saw. Alert above 0 for a month."},
		func() float64 { return float64(s.due.Load()) }))
}

// expires is when the first certificate of the seal ends, of either kind.
func (s *sealer) expires(now time.Time) (time.Time, error) {
	end, err := stamp.Expires(s.chain, now)
	if s.sm2 == nil {
		return end, err
	}
	also, bad := s.sm2.Expires(now)
	if also.Before(end) {
		end = also
	}
	return end, errors.Join(err, bad)
}
