package main_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"dangan/internal/testenv"
)

// TestKill kills the service, its store, or both, with SIGKILL and at random
// moments while clients deposit and certify, on each kind of store.
func TestKill(t *testing.T) {
	t.Run("embedded parts", func(t *testing.T) {
		s := embeddedSite(t, 1)
		s.endure(t, testenv.Rounds(t, 25), s.killEmbedded(t))
	})
	t.Run("MinIO and Meilisearch", func(t *testing.T) {
		s := externalSite(t)
		s.endure(t, testenv.Rounds(t, 10), s.killExternal())
	})
}

// outage is how long clients go on after a store was killed beneath a service
// that lives.
const outage = 200 * time.Millisecond

// killEmbedded: a service that lives starts a killed store again by itself.
func (s *site) killEmbedded(t *testing.T) blow {
	killStore := func() {
		// It may be down already, since the last round.
		eventually(t, time.Minute, "the process of the store", func() bool { return s.service.KillChild("store-child") })
	}
	return func(rng *rand.Rand) func() {
		switch rng.IntN(3) {
		case 0:
			s.service.Kill()
		case 1:
			killStore()
			time.Sleep(outage)
			return func() {}
		default:
			killStore()
			s.service.Kill()
		}
		return s.service.Start
	}
}

func (s *site) killExternal() blow {
	return func(rng *rand.Rand) func() {
		switch rng.IntN(3) {
		case 0:
			s.service.Kill()
			return s.service.Start
		case 1:
			s.minio.Kill()
			time.Sleep(outage)
			return s.minio.Start
		default:
			s.minio.Kill()
			s.service.Kill()
			return func() { s.minio.Start(); s.service.Start() }
		}
	}
}
