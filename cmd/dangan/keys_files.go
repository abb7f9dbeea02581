package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dangan/storage"
)

// readRootKey reads the root key in use.
func readRootKey(path string) ([]byte, error) { return readKey("root-key-file", path) }

// readKey reads 32 bytes written as 64 hex digits, from a file that not everybody
// on the machine can read. The error names the flag and the file and never quotes
// it.
func readKey(flag, path string) ([]byte, error) {
	if err := private(path); err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	text, err := readSecret(flag, path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("--%s: %s must hold 64 hex digits", flag, path)
	}
	return key, nil
}

// containerSecrets is where container runtimes show secrets, as they are on the
// host, to containers that nobody else is in.
const containerSecrets = "/run/secrets/"

// private refuses a file that others can read or write.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 && !strings.HasPrefix(filepath.Clean(path), containerSecrets) {
		return fmt.Errorf("%s can be read by everybody (mode %04o): chmod 600 it", path, mode)
	}
	return nil
}

// keepKey reads a root key, or makes one that is durable on return.
func keepKey(flag, path string) ([]byte, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		key, err := randomKey()
		if err != nil {
			return nil, err
		}
		if err := writeDurable(path, []byte(key+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	return readKey(flag, path)
}

// whichKey says which file holds the root key that a bucket does not belong to.
func (s *settings) whichKey(err error) error {
	if errors.Is(err, storage.ErrRootKey) {
		return fmt.Errorf("--root-key-file: %s: %w", s.rootKey, err)
	}
	return err
}
