package main_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"dangan/internal/testenv"
)

// TestPowerCut cuts the power of the disk that holds the whole folder of a
// demonstration, from its first minute on: store, index, root key and seal.
func TestPowerCut(t *testing.T) {
	disk := testenv.NewDisk(t, 1024)
	s := embeddedSiteIn(t, filepath.Join(disk.Path, "data"), 1)
	s.endure(t, testenv.Rounds(t, 4), func(*rand.Rand) func() {
		disk.CutPower()
		s.service.Kill()
		return func() { disk.Restore(); s.service.Start() }
	})
}
