package embedded_test

import (
	"path/filepath"
	"testing"

	"dangan/index/indextest"
)

func TestListed(t *testing.T) { indextest.RunListed(t, open(t, filepath.Join(t.TempDir(), "index"))) }
