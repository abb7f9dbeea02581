package testenv_test

import (
	"os"
	"path/filepath"
	"testing"

	"dangan/internal/testenv"
)

// TestDiskLosesWhatWasNotSynced: otherwise every store would pass.
func TestDiskLosesWhatWasNotSynced(t *testing.T) {
	disk := testenv.NewDisk(t, 32)
	for range 2 {
		synced, lost := filepath.Join(disk.Path, "synced"), filepath.Join(disk.Path, "lost")
		write(t, synced, true)
		write(t, lost, false)
		disk.CutPower()
		if err := os.WriteFile(lost, []byte("late"), 0o600); err == nil {
			t.Error("a disk without power was written to")
		}
		disk.Restore()
		if text, err := os.ReadFile(synced); err != nil || string(text) != "text" {
			t.Errorf("what was synced: %q, %v", text, err)
		}
		if text, err := os.ReadFile(lost); err == nil && len(text) > 0 {
			t.Errorf("what was not synced is there: %q", text)
		}
		if err := os.Remove(synced); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path string, sync bool) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("text"); err != nil {
		t.Fatal(err)
	}
	if !sync {
		return
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for _, f := range []*os.File{file, folder} {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
}
