package index_test

import (
	"testing"

	"dangan/index/indextest"
	"dangan/internal/testenv"
)

func TestListed(t *testing.T) {
	indextest.RunListed(t, connect(t, testenv.Meilisearch(t), "listed"))
}
