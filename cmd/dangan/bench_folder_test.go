package main

import (
	"testing"

	"dangan/storage"
	"dangan/storage/storagetest"
)

func TestFolder(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Objects { return &folder{root: t.TempDir()} })
}
